"""What stands behind the page: models opened when they are first asked for, faces of a recipe, a face drawn again.

Nothing here is safe for two threads at once; the page draws one thing at a time.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from tedigan.dataset.given_drawings import read_labels, read_sketch
from tedigan.encoders.modalities import DRAWINGS
from tedigan.errors import DataError, ParamsError
from tedigan.exactness import environment, sha256_tensor
from tedigan.method.sources import SOURCES, SourceName, layers_by_default
from tedigan.notebook import Composition, Model, load
from tedigan.page.offers import Offer
from tedigan.page.recipe import Kept, Recipe, base64_of, bytes_of, recipe_of, with_recipe
from tedigan.store import pictures
from tedigan.vocabulary.labels import labels_to_colours

SHEET_PX = 512  # of the page's canvas
MOST_KEPT = 24  # sets and codes that are remembered
IN_WORDS = {"sketch": "sketch", "label": "label map"}


@dataclass(frozen=True)
class Drawn:
    """Faces of a recipe: PNG files that carry it, the digests of their pixels, and how they came about."""

    faces: list[bytes]
    digests: list[str]
    report: list[str]
    models: dict[str, str]
    made_on: dict[str, str]


@dataclass(frozen=True)
class Redrawn:
    """A kept face drawn again. said: whether its pixels are the same, or what may explain that they are not."""

    picture: bytes
    is_same: bool
    said: str


class Studio:
    """The models that are offered, and what was made with them lately."""

    def __init__(
        self, offers: Sequence[Offer], device: str = "auto", *, signers: Sequence[Path] = ()
    ) -> None:
        """signers: see `tedigan.load`."""
        self.offers = {offer.name: offer for offer in offers}
        self._device = device
        self._signers = signers
        self._models: dict[str, Model] = {}
        self._lately: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def about(self, name: str) -> dict[str, Any]:
        """What a model can be asked for: of each source, "" or why it cannot be given."""
        model = self._model(name)
        num_ws = model.generator.num_ws
        lacks = {kind: self._lack_of(model, kind) for kind in ("text", *SOURCES)}
        drawn: dict[SourceName, list[int]] = {
            kind: encoder.layers for kind, encoder in model.drawing_encoders.items()
        }
        return {
            "size_px": model.generator.config.img_resolution,
            "num_ws": num_ws,
            "lacks": lacks,
            "layers": layers_by_default(drawn, [*drawn], num_ws),
        }

    def understand(self, name: str, kind: SourceName, content: bytes) -> tuple[bytes, list[str]]:
        """A picture as the page takes it: a drawing at its canvas's size, a face at the model's."""
        model = self._model(name)
        if kind not in DRAWINGS:
            size_px = model.generator.config.img_resolution
            face = pictures.resize(pictures.decode(content, name="the photograph"), size_px)
            return pictures.encode(face, "png"), []
        read = read_sketch if kind == "sketch" else read_labels
        given = read(content, SHEET_PX, name=f"the {IN_WORDS[kind]}")
        sheet = labels_to_colours(given.drawing)[0] if kind == "label" else given.drawing[0]
        return pictures.encode(sheet, "png"), given.notes

    def draw(self, name: str, recipe: Recipe) -> Drawn:
        """Every face of a recipe."""
        model, offer = self._model(name), self.offers[name]
        made = self._composition(name, model, recipe.of_codes)
        faces, report = made.faces, made.report
        if recipe.variation is not None:
            of = _face_of(recipe.variation.of, len(faces))
            faces = model.variants(made.ws[of : of + 1], recipe.n, seed=recipe.variation.seed)
            report = [f"face {of} with other noise", *report]
        models = self._remembered(
            name, "digests" + recipe.digest_key(), lambda: offer.digests(recipe)
        )
        made_on = environment() | {"num_threads": str(torch.get_num_threads())}
        pixels = [pictures.from_pillow(face) for face in faces]
        digests = [sha256_tensor(one) for one in pixels]
        files = [
            with_recipe(
                pictures.encode(one, "png"),
                Kept(
                    recipe=recipe, face=index, models=models, made_on=made_on, pixels_sha256=digest
                ),
            )
            for index, (one, digest) in enumerate(zip(pixels, digests, strict=True))
        ]
        return Drawn(files, digests, report, models, made_on)

    def offer_of(self, kept: Kept) -> str | None:
        """Which of the models that are offered made it; None if none did."""
        for name, offer in self.offers.items():
            if offer.digests(kept.recipe) == kept.models:
                return name
        return None

    def redraw(self, picture: bytes) -> Redrawn:
        """A picture of the page drawn again by its own recipe, and compared; DataError where no model made it."""
        kept = recipe_of(picture)
        name = self.offer_of(kept)
        if name is None:
            raise DataError(
                f"the picture was made by other models than {', '.join(self.offers)}; expected the files that its "
                "recipe names. Name their folder: --models FOLDER."
            )
        drawn = self.draw(name, kept.recipe)
        index = _face_of(kept.face, len(drawn.faces))
        is_same = drawn.digests[index] == kept.pixels_sha256
        said = "bit-identical pixels" if is_same else f"differs. {difference(kept, drawn)}"
        if not is_untouched(picture, kept):
            is_same, said = (
                False,
                f"{said}; but the file's own pixels were changed since it was kept",
            )
        return Redrawn(drawn.faces[index], is_same, said)

    def _composition(self, name: str, model: Model, recipe: Recipe) -> Composition:
        return self._remembered(
            name, recipe.digest_key(), lambda: self._compose(name, model, recipe)
        )

    def _compose(self, name: str, model: Model, recipe: Recipe) -> Composition:
        given: dict[str, Any] = {}
        for kind, picture in recipe.pictures.items():
            content = bytes_of(picture, kind)
            given[kind] = (
                _opened(content, kind) if kind in DRAWINGS else self._code(name, model, content)
            )
        numbers = recipe.model_dump(
            include={"layers", "weights", "strength", "truncation_psi", "seed"}
        )
        return model.compose(recipe.n, text=recipe.text or None, **given, **numbers)

    def _code(self, name: str, model: Model, content: bytes) -> Tensor:
        """Of a photograph; the search for it takes long, and so is made once."""
        digest = sha256(content).hexdigest()
        return self._remembered(name, digest, lambda: model.invert(_opened(content, "photograph")))

    def _remembered(self, name: str, key: str, make: Callable[[], Any]) -> Any:
        place = (name, key)
        if place not in self._lately:
            self._lately[place] = make()
        self._lately.move_to_end(place)
        while len(self._lately) > MOST_KEPT:
            self._lately.popitem(last=False)
        return self._lately[place]

    def _model(self, name: str) -> Model:
        if name not in self.offers:
            raise ParamsError(
                f"no model {name[:40]!r} is offered; expected one of {', '.join(self.offers)}. Choose one."
            )
        if name not in self._models:
            places = self.offers[name].places
            self._models[name] = load(**places, device=self._device, signers=self._signers)
        return self._models[name]

    def _lack_of(self, model: Model, kind: str) -> str:
        if kind == "text" and model.steering is None:
            return (
                "This model has no steering (guide, latent tagger, layers), which a sentence needs."
            )
        if kind in IN_WORDS and kind not in model.drawing_encoders:
            return (
                f"This model has no {IN_WORDS[kind]} encoder. Train one (tedigan train_{kind}_encoder), or "
                "choose a model that has one."
            )
        return ""


def is_untouched(picture: bytes, kept: Kept) -> bool:
    """Whether the file's pixels are those that its recipe names."""
    return sha256_tensor(pictures.decode(picture)) == kept.pixels_sha256


def difference(kept: Kept, drawn: Drawn) -> str:
    """What may explain that the pixels are not the same."""
    if other := sorted(
        name
        for name in {*kept.models, *drawn.models}
        if kept.models.get(name) != drawn.models.get(name)
    ):
        return f"Other models' files: {', '.join(other[:4])}."
    if other := [
        f"{name} was {was!r} and is {drawn.made_on.get(name)!r}"
        for name, was in kept.made_on.items()
        if drawn.made_on.get(name) != was
    ]:
        return f"What may explain it: {'; '.join(other)}."
    return "Models, versions, processor and threads are the same; the code was changed."


def in_base64(faces: Sequence[bytes]) -> list[str]:
    """As JSON takes them."""
    return [base64_of(face) for face in faces]


def _opened(content: bytes, kind: str) -> Image.Image:
    return pictures.to_pillow(pictures.decode(content, name=f"the {IN_WORDS.get(kind, kind)}"))


def _face_of(index: int, count: int) -> int:
    if index >= count:
        raise ParamsError(
            f"face {index} of {count} was asked for; expected 0 to {count - 1}. Choose one."
        )
    return index
