"""A survey in a real browser: answered by keys and clicks, left, gone on with, saved, and read."""

import json

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tedigan.comparison.survey_answers import read_answers
from tedigan.comparison.survey_folder import Survey
from tests.browser import chromium, kept_in, needs_chromium
from tests.comparison.test_survey import survey  # noqa: F401

pytestmark = needs_chromium


@pytest.fixture
def driver(tmp_path):
    browser = chromium(tmp_path / "profile", tmp_path / "kept")
    try:
        yield browser
        assert not [one["message"] for one in browser.get_log("browser")]
        told = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
        asked = {
            one["params"]["request"]["url"].partition(":")[0]
            for one in told
            if one["method"] == "Network.requestWillBeSent"
        }
        assert asked - {"chrome", "chrome-untrusted"} <= {"file", "data", "blob"}
    finally:
        browser.quit()


def test_answered_by_keys_and_clicks_left_gone_on_with_saved_and_read(survey, driver, tmp_path):  # noqa: F811
    asked = Survey.read(survey)
    address = (survey / "survey.html").as_uri()

    def find(name: str):
        return driver.find_element(By.ID, name)

    def press(key: str) -> None:
        ActionChains(driver).send_keys(key).perform()

    driver.get(address)
    assert find("start").text == "Begin"
    press(Keys.ENTER)  # what can be done next has the focus
    wanted = []
    for number, question in enumerate(asked.questions):
        assert find("number").text == f"{number + 1} of {len(asked.questions)}"
        shown = driver.find_elements(By.CSS_SELECTOR, "#choices img")
        assert all(
            driver.execute_script("return arguments[0].naturalWidth", one) == 16 for one in shown
        )
        assert find("text").is_displayed() == (question.kind == "text")
        if question.kind == "text":
            assert find("text").text == f"person {question.prompt} says <b> & smiles"
        place = number % 2 if question.right is None else question.right
        wanted.append(question.methods[place])
        if number == 3:
            press("2")
            press(Keys.BACKSPACE)  # and think again
            assert find("number").text.startswith("4 of")
        if number == 5:
            driver.get("about:blank")
            driver.get(address)
            assert find("start").text == "Go on where you were"
            find("start").click()
            assert find("number").text.startswith("6 of")
        if number == 7:
            press("3")  # which is no place
        ways = (
            lambda place=place: press(str(place + 1)),
            lambda place=place: press([Keys.ARROW_LEFT, Keys.ARROW_RIGHT][place]),
            lambda place=place: driver.find_elements(By.CSS_SELECTOR, "#choices button")[
                place
            ].click(),
        )
        ways[number % 3]()
    find("save").click()
    (one,) = read_answers(asked, [kept_in(tmp_path / "kept", "answers-*.json")])
    assert one.choices == tuple(wanted)
    assert one.why_left_out is None

    driver.refresh()
    find("start").click()
    assert find("save").is_displayed()
    find("save").click()
    find("another").click()
    find("start").click()
    assert find("number").text.startswith("1 of")
    kept = driver.execute_script(
        "return JSON.parse(localStorage[`tedigan-survey-${survey.digest}`])"
    )
    assert kept["person"] != one.person


UNSEEN = """const found = Storage.prototype.getItem;
Storage.prototype.getItem = function (key) { return this === localStorage ? null : found.call(this, key); };"""


def test_answers_outlast_a_load_that_shows_an_empty_storage(survey, driver):  # noqa: F811
    def find(name: str):
        return driver.find_element(By.ID, name)

    def choose(first: str) -> None:
        assert find("start").text == first
        find("start").click()
        driver.find_element(By.CSS_SELECTOR, "#choices button").click()

    address = (survey / "survey.html").as_uri()
    driver.get(address)
    choose("Begin")
    hidden = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": UNSEEN})
    driver.refresh()
    choose("Go on where you were")  # as this tab knows them
    assert find("number").text.startswith("3 of")
    driver.switch_to.new_window("tab")
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": UNSEEN})
    driver.get(address)
    assert find("start").text == "Begin"  # and writes nothing over them
    driver.close()
    driver.switch_to.window(driver.window_handles[0])
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", hidden)
    driver.switch_to.new_window("tab")
    driver.get(address)
    choose("Go on where you were")
    assert find("number").text.startswith("4 of")
