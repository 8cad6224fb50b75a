"""The page's routes: what is offered, a picture understood, faces drawn, a kept picture opened again.

One thing is drawn at a time, by one thread; others wait their turn, and too many are sent away.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from tedigan.errors import TediganError
from tedigan.method.sources import SourceName
from tedigan.page.loopback import HOSTS, Loopback
from tedigan.page.recipe import Recipe, base64_of, bytes_of, first_fault, recipe_of
from tedigan.page.studio import Studio, in_base64, is_untouched
from tedigan.vocabulary.labels import LABEL_PALETTE

STATIC = Path(__file__).parent / "static"
MOST_WAITING = 8
T = TypeVar("T")
Name = Annotated[str, Field(max_length=80)]


class Asked(BaseModel):
    """What a request may hold: of it, each route wants a part."""

    model_config = ConfigDict(extra="forbid")


class Faces(Asked):
    """A recipe, and the model that is to draw it."""

    model: Name
    recipe: Recipe


class Chosen(Asked):
    """A picture that somebody chose as one of the sources."""

    model: Name
    kind: SourceName
    picture: str


class Given(Asked):
    """A picture that was kept."""

    picture: str


class BusyError(TediganError):
    """Too many wait already."""


class Turns:
    """One thread that draws, and a line of those who wait for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "draws")
        self._waiting = 0

    async def take(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of the work when its turn has come."""
        if self._waiting >= MOST_WAITING:
            raise BusyError(
                f"{self._waiting} others wait; expected fewer than {MOST_WAITING}. Try again in a while."
            )
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, work, *arguments)
        finally:
            self._waiting -= 1


def application(studio: Studio, port: int) -> Loopback:
    """The page at this port of the machine itself."""
    app = FastAPI(title="TediGAN", docs_url=None, redoc_url=None, openapi_url=None)
    turns = Turns()
    _add_routes(app, studio, turns)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(TediganError, _mendable)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _refused)
    return Loopback(app, [f"{host}:{port}" for host in HOSTS])


def _add_routes(app: FastAPI, studio: Studio, turns: Turns) -> None:
    @app.get("/")
    async def page() -> Response:
        return FileResponse(STATIC / "index.html")

    @app.get("/api/offers")
    async def offers() -> dict[str, Any]:
        """The models by name, and the palette of label maps."""
        named = [
            {"name": offer.name, "title": offer.title, "licence": offer.licence}
            for offer in studio.offers.values()
        ]
        return {"models": named, "palette": LABEL_PALETTE}

    @app.get("/api/models/{name}")
    async def about(name: str) -> dict[str, Any]:
        return await turns.take(studio.about, name)

    @app.post("/api/understand")
    async def understand(asked: Chosen) -> dict[str, Any]:
        content = bytes_of(asked.picture, "picture")
        picture, notes = await turns.take(studio.understand, asked.model, asked.kind, content)
        return {"picture": base64_of(picture), "notes": notes}

    @app.post("/api/draw")
    async def draw(asked: Faces) -> dict[str, Any]:
        drawn = await turns.take(studio.draw, asked.model, asked.recipe)
        return vars(drawn) | {"faces": in_base64(drawn.faces)}

    @app.post("/api/open")
    async def open_kept(asked: Given) -> dict[str, Any]:
        """The recipe of a kept picture, which model made it, and whether its pixels are as they were."""
        content = bytes_of(asked.picture, "picture")
        kept = recipe_of(content)
        return {
            "kept": kept.model_dump(mode="json"),
            "model": await turns.take(studio.offer_of, kept),
            "is_untouched": await turns.take(is_untouched, content, kept),
        }


def _mendable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 503 if isinstance(error, BusyError) else 400)


def _not_understood(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"error": f"not understood: {first_fault(error.errors())}"}, 422)


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)
