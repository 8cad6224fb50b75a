"""The page in a real browser: drawn, typed, generated, kept, and drawn again from the kept picture's recipe."""

import base64
import json
import socket
import threading
from urllib.parse import urlsplit

import pytest
import uvicorn
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tedigan.page.app import application
from tedigan.page.recipe import Recipe, recipe_of, with_recipe
from tedigan.store import pictures
from tedigan.vocabulary.labels import LABEL_NAMES
from tests.browser import PATIENCE_S, chromium, kept_in, needs_chromium

pytestmark = needs_chromium


class Page:
    """The page in a browser, and how a person uses it."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address

    def open(self):
        self.driver.get(self.address)
        self.until(lambda: self.run("return document.documentElement.dataset.ready") == "yes")
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, is_so):
        WebDriverWait(self.driver, PATIENCE_S).until(lambda _: is_so())

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def stroke(self, panel, points):
        """Press, move and release on a sheet; points from its middle, in px of the screen."""
        canvas = self.find(f"#{panel} canvas")
        (x, y), *rest = points
        hand = ActionChains(self.driver, duration=20).move_to_element_with_offset(canvas, x, y)
        hand = hand.click_and_hold()
        for (to_x, to_y), (from_x, from_y) in zip(rest, points, strict=False):
            hand = hand.move_by_offset(to_x - from_x, to_y - from_y)
        hand.release().perform()

    def ink(self, panel):
        """How many pixels of a sheet are not as it was at first."""
        script = """const c = document.querySelector(`#${arguments[0]} canvas`);
        const p = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
        return p.filter((one) => one !== arguments[1]).length;"""
        return self.run(script, panel, 0xFFFFFFFF if panel == "panel-sketch" else 0xFF000000)

    def said(self):
        return self.find("#said").text

    def draw(self):
        before = self.shown()
        self.find("#ask button.main").click()
        self.until(lambda: self.shown() != before and "faces in" in self.said())
        return self.shown()

    def shown(self):
        return [one.get_attribute("src") for one in self.all("#faces img")]

    def complaints(self):
        return [one["message"] for one in self.driver.get_log("browser")]

    def asked(self):
        """Every address that the browser asked for."""
        told = [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]
        sent = [one for one in told if one["method"] == "Network.requestWillBeSent"]
        return {one["params"]["request"]["url"] for one in sent}


@pytest.fixture(scope="module")
def address(studio):
    """A server in this process, at a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = application(studio, port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(address, tmp_path):
    driver = chromium(tmp_path / "profile", tmp_path / "kept")
    try:
        page = Page(driver, address)
        yield page.open()
        assert not page.complaints()
        elsewhere = {urlsplit(url).hostname for url in page.asked() if url.startswith("http")}
        assert elsewhere == {"127.0.0.1"}
    finally:
        driver.quit()


CIRCLE = [(0, -120), (90, -60), (100, 40), (0, 130), (-100, 40), (-90, -60), (0, -120)]


def test_drawn_typed_generated_kept_and_drawn_again_to_the_same_pixels(page, tmp_path):
    page.stroke("panel-sketch", CIRCLE)
    page.stroke("panel-sketch", [(-40, -20), (-20, -20)])
    page.find("#sentence").send_keys("She is smiling.")
    faces = page.draw()
    assert len(set(faces)) == 8

    page.all("#faces button")[2].click()
    page.find("#keep").click()
    kept = kept_in(tmp_path / "kept")
    recipe = recipe_of(kept.read_bytes())
    assert (recipe.face, recipe.recipe.text) == (2, "She is smiling.")
    assert set(recipe.recipe.pictures) == {"sketch"}
    page.find("dialog .close").click()

    ink = page.ink("panel-sketch")
    page.open()
    assert page.ink("panel-sketch") == 0
    page.find("#open-kept input").send_keys(str(kept))
    page.until(lambda: "Drawn again" in page.said())
    assert f"the same pixels (sha256 {recipe.pixels_sha256[:12]}" in page.said()
    assert page.shown() == faces
    assert page.ink("panel-sketch") == ink
    assert page.find("#sentence").get_attribute("value") == "She is smiling."


DROP = """const bytes = Uint8Array.from(atob(arguments[0]), (one) => one.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
for (const name of ["dragenter", "dragover", "drop"]) {
  document.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_a_kept_picture_that_is_dropped_is_drawn_again(page, studio):
    recipe = Recipe(text="She is smiling.", seed=4, strength=2, n=8)
    drawn = studio.draw("whole", recipe)
    page.run(DROP, base64.b64encode(drawn.faces[6]).decode())
    page.until(lambda: "Drawn again: the same pixels" in page.said())
    assert page.find('[data-of="strength"] input').get_attribute("value") == "2"
    assert page.find("#seed").get_attribute("value") == "4"
    assert "same" in page.all("#faces button")[6].get_attribute("class")


def test_a_picture_of_other_models_is_drawn_anew_and_told(page, studio):
    (face,) = studio.draw("whole", Recipe(text="She is smiling.", n=1)).faces
    kept = recipe_of(face)
    models = kept.models | {"generator/G_ema.safetensors": "0" * 64}
    foreign = kept.model_copy(update={"models": models, "pixels_sha256": "0" * 64})
    plain = pictures.encode(pictures.decode(face), "png")
    page.run(DROP, base64.b64encode(with_recipe(plain, foreign)).decode())
    page.until(lambda: "pixels differ: none of the models here made it" in page.said())
    assert "other" in page.find("#faces button").get_attribute("class")


def test_a_picture_whose_pixels_were_changed_is_told(page, studio):
    (face,) = studio.draw("whole", Recipe(text="She is smiling.", n=1)).faces
    pixels = pictures.decode(face)
    pixels[0, 0, 0] ^= 1
    changed = with_recipe(pictures.encode(pixels, "png"), recipe_of(face))
    page.run(DROP, base64.b64encode(changed).decode())
    page.until(lambda: "pixels were changed since it was kept" in page.said())


def test_strokes_are_undone_redone_erased_and_made_by_keys(page):
    panel = "#panel-sketch"
    page.stroke("panel-sketch", CIRCLE)
    ink = page.ink("panel-sketch")
    page.find(f"{panel} [data-do=undo]").click()
    assert page.ink("panel-sketch") == 0
    page.find(f"{panel} [data-do=redo]").click()
    assert page.ink("panel-sketch") == ink
    page.find(f"{panel} [data-tool=eraser]").click()
    page.stroke("panel-sketch", [(-150, -30), (150, -30)])
    assert page.ink("panel-sketch") < ink
    page.find(f"{panel} [data-do=clear]").click()
    page.find(f"{panel} [data-tool=pencil]").click()
    page.run("document.querySelector('#panel-sketch canvas').focus()")
    keys = [Keys.SPACE, *[Keys.ARROW_RIGHT] * 6, *[Keys.ARROW_DOWN] * 3, Keys.SPACE, Keys.ARROW_UP]
    ActionChains(page.driver).send_keys(*keys).perform()
    assert 200 < page.ink("panel-sketch") < 1200


def test_a_map_is_painted_in_classes_filled_and_drawn_from(page, tmp_path):
    page.find("#tab-label").click()
    assert len(page.all(".swatch")) == len(LABEL_NAMES)
    page.stroke("panel-label", CIRCLE)
    outline = page.ink("panel-label")
    page.find("#panel-label [data-tool=fill]").click()
    page.run("document.querySelectorAll('.swatch input')[2].click()")
    page.stroke("panel-label", [(0, 0), (1, 0)])
    assert page.ink("panel-label") > outline + 10_000
    page.draw()
    page.all("#faces button")[0].click()
    page.find("#keep").click()
    kept = recipe_of(kept_in(tmp_path / "kept").read_bytes())
    assert set(kept.recipe.pictures) == {"label"}
    assert base64.b64decode(kept.recipe.pictures["label"]).startswith(b"\x89PNG")


def test_strength_and_variations_of_one_face_can_be_kept(page, tmp_path):
    page.find("#sentence").send_keys("A man with blond hair.", Keys.ENTER)
    page.until(lambda: "faces in" in page.said())
    page.all("#faces button")[1].click()
    one = page.find("#one")
    before = one.get_attribute("src")
    slider = page.find('[data-of="one-strength"] input')
    slider.send_keys(*[Keys.ARROW_RIGHT] * 8)
    page.until(lambda: "waiting" not in one.get_attribute("class"))
    page.until(lambda: one.get_attribute("src") != before)
    assert '"strength": 3' in page.find("#recipe").get_attribute("textContent")
    page.find("#vary").click()
    page.until(lambda: len(page.all("#variations button")) == 8)
    page.all("#variations button")[5].click()
    page.find("#keep").click()
    kept = recipe_of(kept_in(tmp_path / "kept").read_bytes())
    assert (kept.face, kept.recipe.variation.of, kept.recipe.strength) == (5, 1, 3)


def test_a_model_without_steering_takes_no_sentence_and_all_drawings(page):
    page.run("const m = document.querySelector('#model'); m.value = 'bare';"
             "m.dispatchEvent(new Event('change'))")  # fmt: skip
    page.until(lambda: not page.find("#sentence").is_enabled())
    assert page.find("#panel-sketch [data-do=example]").is_enabled()
    assert not page.find("#panel-sketch .lack").text


def test_nothing_given_is_said_and_no_error_of_the_browser(page):
    page.find("#ask button.main").click()
    page.until(lambda: "Nothing is given yet" in page.said())
