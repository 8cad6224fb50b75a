"""The page's routes, asked as a browser asks them, and as nobody should."""

import base64
import io
import json

import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from tedigan.errors import DataError
from tedigan.exactness import sha256_tensor
from tedigan.page import app as routes
from tedigan.page.loopback import MAX_BYTES
from tedigan.page.recipe import LABEL, Kept, Recipe, recipe_of, with_recipe
from tedigan.store import pictures
from tedigan.store.picture_labels import label_of
from tedigan.vocabulary.labels import LABEL_PALETTE
from tests.page.conftest import PORT

ORIGIN = f"http://127.0.0.1:{PORT}"
TEXT = "She is smiling."


@pytest.fixture(scope="module")
def client(page):
    with TestClient(page, base_url=ORIGIN) as client:
        yield client


def png(picture):
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def sketch(size=(128, 128)):
    sheet = Image.new("L", size, 255)
    ImageDraw.Draw(sheet).ellipse([30, 10, 100, 120], outline=0, width=3)
    return png(sheet)


def label_map():
    sheet = Image.new("RGB", (128, 128))
    ImageDraw.Draw(sheet).ellipse([30, 10, 100, 120], fill=LABEL_PALETTE["skin"])
    return png(sheet)


def face(seed=0):
    rng = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 255, (3, 48, 40), dtype=torch.uint8, generator=rng)
    return base64.b64encode(pictures.encode(pixels, "png")).decode()


def drawn(client, model="whole", **recipe):
    answer = client.post("/api/draw", json={"model": model, "recipe": {"n": 3, **recipe}})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_faces_of_every_source_come_with_their_report(client):
    given = {"sketch": sketch(), "label": label_map(), "style": face()}
    made = drawn(client, text=TEXT, pictures=given, weights={"sketch": 0.5})
    assert len(made["faces"]) == 3
    assert "layer 0-2: the sketch (0.5) and the label map (1)" in made["report"]
    assert len(set(made["digests"])) == 3


def test_each_picture_carries_the_recipe_that_draws_the_same_pixels(client):
    made = drawn(client, text=TEXT, pictures={"sketch": sketch()}, seed=5)
    for index, picture in enumerate(made["faces"]):
        content = base64.b64decode(picture)
        kept = recipe_of(content)
        assert sha256_tensor(pictures.decode(content)) == kept.pixels_sha256
        assert (kept.face, kept.pixels_sha256) == (index, made["digests"][index])
    answer = client.post("/api/open", json={"picture": made["faces"][1]}).json()
    assert answer["model"] == "whole"
    assert answer["is_untouched"]
    again = drawn(client, **answer["kept"]["recipe"])
    assert again["digests"] == made["digests"]


def test_another_studio_draws_a_kept_picture_to_the_same_pixels(client, offers):
    made = drawn(client, text=TEXT, pictures={"label": label_map()}, seed=2)
    code = base64.b64decode(made["faces"][2])
    found = routes.Studio(offers, device="cpu").redraw(code)
    assert found.is_same
    assert found.said == "bit-identical pixels"


def test_variations_are_one_face_with_other_noise_and_can_be_kept(client):
    made = drawn(client, text=TEXT)
    varied = drawn(client, text=TEXT, variation={"of": 1, "seed": 3})
    assert len(set(varied["digests"]) | set(made["digests"])) == 6
    other = drawn(client, text=TEXT, variation={"of": 1, "seed": 4})
    assert not set(other["digests"]) & set(varied["digests"])
    kept = recipe_of(base64.b64decode(varied["faces"][0]))
    assert kept.recipe.variation.of == 1
    assert drawn(client, **kept.recipe.model_dump(mode="json"))["digests"] == varied["digests"]


def test_another_seed_draws_other_faces(client):
    one, other = (set(drawn(client, text=TEXT, seed=seed)["digests"]) for seed in (1, 2))
    assert not one & other


def test_what_may_explain_other_pixels_is_said(client, offers):
    content = base64.b64decode(drawn(client, text=TEXT)["faces"][0])
    kept = recipe_of(content)
    made_on = kept.made_on | {"torch": "1.0"}
    old = kept.model_copy(update={"made_on": made_on, "pixels_sha256": "0" * 64})
    plain = pictures.encode(pictures.decode(content), "png")
    found = routes.Studio(offers, device="cpu").redraw(with_recipe(plain, old))
    assert not found.is_same
    assert "torch was '1.0' and is" in found.said


def test_strength_moves_a_face_and_zero_leaves_it(client):
    plain, none, more = (drawn(client, text=TEXT, strength=s)["digests"] for s in (1, 0, 3))
    assert plain != none
    assert plain != more


def test_a_changed_picture_is_told_from_a_kept_one(client):
    made = drawn(client, text=TEXT)
    kept = recipe_of(base64.b64decode(made["faces"][0]))
    pixels = pictures.decode(base64.b64decode(made["faces"][0]))
    pixels[0, 0, 0] ^= 1
    changed = base64.b64encode(with_recipe(pictures.encode(pixels, "png"), kept)).decode()
    assert not client.post("/api/open", json={"picture": changed}).json()["is_untouched"]


def test_a_recipe_of_other_models_says_that_none_here_made_it(client, offers):
    content = base64.b64decode(drawn(client, text=TEXT)["faces"][0])
    kept = recipe_of(content)
    models = kept.models | {"generator/G_ema.safetensors": "0" * 64}
    plain = pictures.encode(pictures.decode(content), "png")
    foreign = with_recipe(plain, kept.model_copy(update={"models": models}))
    assert client.post("/api/open", json={"picture": png_of(foreign)}).json()["model"] is None
    with pytest.raises(DataError, match="made by other models than whole, bare"):
        routes.Studio(offers, device="cpu").redraw(foreign)


def png_of(content):
    return base64.b64encode(content).decode()


def test_a_picture_is_understood_before_it_is_drawn_upon(client):
    asked = {"model": "whole", "kind": "sketch", "picture": sketch((200, 160))}
    found = client.post("/api/understand", json=asked).json()
    assert "padded to a square" in found["notes"][0]
    assert Image.open(io.BytesIO(base64.b64decode(found["picture"]))).size == (512, 512)
    asked = {"model": "whole", "kind": "style", "picture": face()}
    found = client.post("/api/understand", json=asked).json()
    assert Image.open(io.BytesIO(base64.b64decode(found["picture"]))).size == (32, 32)


def test_the_models_say_what_they_lack_and_under_which_licence(client):
    models = client.get("/api/offers").json()["models"]
    assert models[0]["licence"] == "Drawn by nobody."
    about = client.get("/api/models/whole").json()
    assert not any(about["lacks"].values())
    assert about["layers"] == {"sketch": [0, 1, 2, 3, 4], "label": [0, 1, 2]}
    lacks = client.get("/api/models/bare").json()["lacks"]
    assert "steering" in lacks["text"]
    assert not any(lacks[kind] for kind in ("sketch", "label", "photograph"))


def test_where_nothing_draws_faces_an_encoder_is_asked_for(offers, monkeypatch):
    monkeypatch.setattr("tedigan.models.embedded.DRAWERS", {})
    lacks = routes.Studio(offers, device="cpu").about("bare")["lacks"]
    assert "tedigan train_sketch_encoder" in lacks["sketch"]
    assert "tedigan train_label_encoder" in lacks["label"]


FAULTS = {
    "no source": ({}, 400, "no source was given"),
    "an empty sheet": (
        {"pictures": {"sketch": png(Image.new("L", (64, 64), 255))}}, 400, "is an empty sheet",
    ),
    "no picture": ({"pictures": {"sketch": "aGVsbG8gd29ybGQ="}}, 400, "is not a picture"),
    "no base64": ({"pictures": {"sketch": "%%%"}}, 400, "is no base64"),
    "a colour of no class": (
        {"pictures": {"label": png(Image.new("RGB", (64, 64), (90, 90, 200)))}}, 400, "no class",
    ),
    "a layer too many": (
        {"text": TEXT, "pictures": {"sketch": sketch()}, "layers": {"sketch": [9]}}, 400, "layers 0 to",
    ),
    "a strength too great": ({"text": TEXT, "strength": 9}, 422, "recipe.strength"),
    "an unknown word": ({"text": TEXT, "steps": 9}, 422, "recipe.steps"),
    "too many faces": ({"text": TEXT, "n": 99}, 422, "recipe.n"),
    "a variation of no face": (
        {"text": TEXT, "n": 2, "variation": {"of": 2, "seed": 0}}, 400, "face 2 of 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("recipe", "status", "said"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_is_one_clear_line(client, recipe, status, said):
    answer = client.post("/api/draw", json={"model": "whole", "recipe": recipe})
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_a_picture_without_a_recipe_is_refused_and_so_is_one_of_another_hand(client):
    answer = client.post("/api/open", json={"picture": face()})
    assert "carries no recipe" in answer.json()["error"]
    kept = Kept(
        recipe=Recipe(text=TEXT), face=0, models={}, made_on={}, pixels_sha256="0" * 64
    ).model_dump(mode="json")
    strange = _labelled(json.dumps(kept | {"page": 2}))
    answer = client.post("/api/open", json={"picture": strange})
    assert answer.status_code == 400
    assert "page: " in answer.json()["error"]


def _labelled(text):
    from tedigan.store.picture_labels import label

    return png_of(label(base64.b64decode(face()), LABEL, text))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:80", f"127.0.0.1.nip.io:{PORT}", ""])
def test_another_name_for_this_machine_is_refused(client, host):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", f"https://127.0.0.1:{PORT}", "null"])
def test_a_page_of_another_origin_is_refused(client, origin):
    asked = {"model": "whole", "recipe": {"text": TEXT}}
    answer = client.post("/api/draw", json=asked, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert client.get("/", headers={"origin": ORIGIN}).status_code == 200


def test_more_bytes_than_are_taken_are_refused_announced_or_not(client):
    much = b"x" * (MAX_BYTES + 1)
    assert client.post("/api/open", content=much).status_code == 413
    unannounced = (much[start : start + 2**20] for start in range(0, len(much), 2**20))
    answer = client.post("/api/open", content=unannounced)
    assert answer.status_code == 413
    assert "choose a smaller picture" in answer.json()["error"]


def test_a_picture_that_announces_too_many_pixels_is_refused(client):
    huge = png(Image.new("1", (12_000, 12_000)))
    asked = {"model": "whole", "kind": "photograph", "picture": huge}
    answer = client.post("/api/understand", json=asked)
    assert answer.status_code == 400
    assert "px are decoded" in answer.json()["error"]


def test_every_answer_forbids_the_page_to_load_from_elsewhere(client):
    for place in ("/", "/static/page.js", "/api/offers", "/nowhere"):
        policy = client.get(place).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "http" not in policy
        assert "unsafe" not in policy


def test_the_page_s_own_files_name_no_other_host(client):
    for file in routes.STATIC.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text, file.name
        assert "https:" not in text, file.name
        assert "style=" not in text, file.name


def test_one_is_drawn_at_a_time_and_too_many_are_sent_away():
    import asyncio
    import time

    running = []

    def work(number):
        running.append(number)
        time.sleep(0.01)
        assert running == [number]
        running.clear()
        return number

    async def many():
        turns = routes.Turns()
        asked = [turns.take(work, number) for number in range(routes.MOST_WAITING + 2)]
        return await asyncio.gather(*asked, return_exceptions=True)

    *done, one, other = asyncio.run(many())
    assert done == list(range(routes.MOST_WAITING))
    assert isinstance(one, routes.BusyError)
    assert isinstance(other, routes.BusyError)


def test_a_recipe_is_text_that_png_takes_and_says_the_same_twice(client):
    made = drawn(client, text="She has “blond” hair, naïve.")
    text = label_of(base64.b64decode(made["faces"][0]), LABEL)
    assert text is not None
    assert text.isascii()
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text
