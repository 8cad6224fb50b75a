"""The pages of values made up here: whatever a text says, it stays a text."""

from collections.abc import Callable
from typing import Any

import pytest
from jinja2 import UndefinedError

from tedigan.bulk.quotas import Met
from tedigan.bulk.tally import Agreement
from tedigan.report.charts import HEIGHT, WIDTH, bar_chart
from tedigan.report.composed import HOLDS
from tedigan.report.dataset_page import CardNumbers, Example, data_card
from tedigan.report.job_page import JobNumbers, Shown, job_page
from tedigan.report.report_page import report_page
from tests.report.outline import Outline

PNG = b"\x89PNG"
HARMLESS = "a text of no harm"  # as the others, longer than what a digest or a time is cut to
HOSTILE = [
    "<script>alert(1)</script>",
    "</style></p><img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)' x=\"",
    "{{ 7 * 7 }} {{ self }}",
    "{{ summary.title|upper }}",
    "{% for x in y %} {% include 'style.css' %}",
    "{# gone #} &lt;b&gt; &amp;amp;",
]


def summary_of(word: str) -> dict[str, Any]:
    """A summary with `word` at each place that holds words of others, in values and in names."""
    metric = {"better": word, "protocol": word, "value": 0.7, "floor": 0.5, "ceiling": 0.9}
    spoken = {"text": word, "understood": word, "pictures": [word]}
    facts = ["photographs", "splits", "resolution", "captions", "identities", "label maps"]
    return {
        "title": word,
        "texts": [spoken | {"variants": [word]}],
        "showcase": {"texts": [spoken], "edits": [spoken], "licence": word},
        "edits": [
            {"text": word, "strip": word} | dict.fromkeys(("photograph", "inversion", "edit"), word)
        ],
        "composed": [{"text": word, "report": [word], "given": {word: word}, "pictures": [word]}],
        "holds": {word: dict.fromkeys(HOLDS, 0.5)},
        "judged": judged_of(word),
        "layers": {"attributes": {word: {"gain": [0.5, 0.1], "layers": [0], "is_drawn": True}}},
        "reconstructions": [{"photograph": word, "inversion": word}],
        "metrics": {word: metric | {"ci_low": 0.6, "ci_high": 0.8}},
        "curves": {word: {word: {"steps": [1.0, 2.0], "values": [1.0, 3.0]}}},
        "dataset": {
            "facts": dict.fromkeys([*facts, "source", "licence"], word),
            "examples": word,
        },
        "files": {word: word},
    }


def judged_of(word: str) -> dict[str, Any]:
    scores = dict.fromkeys(("edit_reached", "edit_kept", "edit_same_person", "edit_monotone"), 0.5)
    columns = ("pixel_mse", "perceptual_distance", "descriptor_distance", "edit_return_mse")
    shares = {"is_drawn": True, "photographs": 0.5, "unconditional": 0.4}
    metric = {"better": word, "protocol": word, "value": 0.7, "floor": 0.5, "ceiling": 0.9}
    return {
        "metrics": {f"{word}[referee,ours]": metric | {"ci_low": 0.6, "ci_high": 0.8}},
        "attributes": [{"name": word, **shares, "ways": {"ours": scores, "linear": scores}}],
        "examples": {word: [{"before": word, "after": word, "wanted": True, "reached": False}]},
        "inversions": [{"name": word, **dict.fromkeys(columns, 0.5)}],
    }


def report_of(word: str) -> str:
    ids = {"prefect_flow_run_id": word, "mlflow_run_id": word}
    around = {"git_commit": word, "git_dirty": True, "platform": word, "python": word}
    record = {"stage": word, "ended": word, "params_sha256": word, "ids": ids}
    record["surroundings"] = around | {"packages": {word: word}}
    return report_page(summary_of(word), {word: PNG}, [record], {word: word})


def description_of(word: str) -> dict[str, Any]:
    names = ("source", "licence", "identities", "split", "seed", "captions_per_image")
    return dict.fromkeys(names, word) | {
        "num_images": 2000,
        "resolution": 64,
        "shards": [],
        "records_per_shard": 1000,
        "kinds": {word: word, "text": "txt"},
        "origin": {word: word},
        "demonstrations": {word: word},
        "num_per_split": {word: 2000},
        "noted": {word: 1},
    }


def card_of(word: str) -> str:
    numbers = CardNumbers({word: 2**20}, {word: 3}, {word: 500}, [(word, word, word)])
    return data_card(
        description_of(word), numbers, [Example(0, {word: PNG}, [word])], knows_people=True
    )


def job_of(word: str) -> str:
    plan = dict.fromkeys(("num_prompts", "faces_per_prompt", "attempts"), 1) | {"note": word}
    plan |= {
        "files": {word: word},
        "models": {word: word},
        "recipe": {word: word},
        "environment": {word: word},
    }
    manifest = {"job": word, "plan": word, "root": word, "num_images": 9, "num_conflicts": 0}
    manifest |= {"num_failed": 1, "num_repeats": 2}
    numbers = JobNumbers(
        num_marked=1,
        is_judged=True,
        lacking={0: 5, 20: 4},
        attempts={1: 9},
        reasons={word: 1},
        failed={word: 1},
        measured={"face_share": {31: 4, 90: 5}, word: {0: 9}},
        agreements=[Agreement(word, 1, 1, 8, 4, 5)],
        quotas=[Met(word, 0.5, 0.5, 0.4)],
        quarantine={word: (1, [(7, word, word)])},
    )
    shown = [Shown(3, word, "", [word], PNG)]
    return job_page(plan, manifest | {"shards": []}, numbers, shown, shown)


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("page_of", [report_of, card_of, job_of])
def test_no_text_becomes_markup_or_is_evaluated(page_of: Callable[[str], str], word: str) -> None:
    harmless, outline = Outline.of(page_of(HARMLESS)), Outline.of(page_of(word))
    assert outline.tags == harmless.tags
    assert outline.texts.count(word) == harmless.texts.count(HARMLESS) > 10
    for (_, found), (_, expected) in zip(outline.elements, harmless.elements, strict=True):
        assert found == {
            name: (value or "").replace(HARMLESS, word) for name, value in expected.items()
        }


@pytest.mark.parametrize("page_of", [report_of, card_of, job_of])
def test_a_page_loads_nothing_and_says_so(page_of: Callable[[str], str]) -> None:
    outline = Outline.of(page_of(HARMLESS))
    assert outline.policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert {"script", "iframe", "object", "base", "form"}.isdisjoint(outline.tags)
    anchors = {f"#{found['id']}" for _, found in outline.elements if "id" in found}
    assert set(outline.attributes("a", "href")) == anchors
    assert all(str(source).startswith("data:") for source in outline.attributes("img", "src"))


@pytest.mark.parametrize(
    "path",
    [
        ("title",),
        ("texts",),
        ("texts", 0, "text"),
        ("texts", 0, "understood"),
        ("texts", 0, "variants"),
        ("edits", 0, "text"),
        ("edits", 0, "strip"),
        ("showcase",),
        ("showcase", "edits"),
        ("showcase", "licence"),
        ("judged", "examples"),
        ("judged", "attributes", 0, "name"),
        ("judged", "inversions", 0, "name"),
        ("layers", "attributes", "x", "is_drawn"),
        ("edits", 0, "edit"),
        ("reconstructions", 0, "photograph"),
        ("metrics", "x", "protocol"),
        ("metrics", "x", "better"),
        ("metrics", "x", "floor"),
        ("dataset", "facts", "identities"),
        ("dataset", "facts", "licence"),
        ("files",),
    ],
    ids=lambda path: path[-1],
)
def test_a_summary_without_a_key_is_an_error(path: tuple[str | int, ...]) -> None:
    summary = summary_of("x")
    parent: Any = summary
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    with pytest.raises((UndefinedError, KeyError), match=str(path[-1])):
        report_page(summary, {"x": PNG}, [], {})


@pytest.mark.parametrize("name", ["licence", "origin", "noted", "num_per_split"])
def test_a_data_set_without_a_key_is_an_error(name: str) -> None:
    description = description_of("x")
    del description[name]
    numbers = CardNumbers({"x": 1}, {}, {}, [])
    with pytest.raises((UndefinedError, KeyError), match=name):
        data_card(description, numbers, [], knows_people=False)


def test_names_of_a_mappings_own_methods_are_plain_names_in_their_order() -> None:
    """jinja looks for an attribute before a key: {"items": ...}.items is a method."""
    words = ["items", "values", "keys", "get"]
    numbers = CardNumbers(dict.fromkeys(words, 1), {}, dict.fromkeys(words, 7), [])
    kinds = {"kinds": dict.fromkeys(words, "png"), "origin": dict.fromkeys(words, "made")}
    outline = Outline.of(data_card(description_of("x") | kinds, numbers, [], knows_people=True))
    by_kind, by_attribute = words, sorted(words)
    assert [text for text in outline.texts if text in words] == by_kind + by_attribute


def test_bars_hold_each_number_once_and_the_rest_together() -> None:
    chart = bar_chart("x", {1: 6, 3: 3, 40: 1}, first=1)
    assert [bar.label for bar in chart.bars] == [str(n) for n in range(1, 12)] + ["12+"]
    assert [bar.count for bar in chart.bars] == [6, 0, 3, *[0] * 8, 1]
    assert [bar.height for bar in chart.bars][:3] == [HEIGHT, 0, HEIGHT / 2]
    assert all(bar.y + bar.height == HEIGHT for bar in chart.bars)
    assert 0 <= chart.bars[0].x
    assert chart.bars[-1].x + chart.bars[-1].width <= WIDTH
    assert [bar.label for bar in bar_chart("x", {0: 1, 1: 1}, first=0).bars] == ["0", "1"]
