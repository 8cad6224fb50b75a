"""What an evaluation leaves on disk."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tedigan.evaluation.evaluation_files import NUM_SHOWN, plain_name, write_evaluation
from tedigan.evaluation.faces import Fidelity
from tedigan.evaluation.metric import Metric
from tedigan.store import pictures
from tests.evaluation.measured import NUM, subjects

METRIC = Metric("m[net,n=3]", 1 / 3, 3, "down", "how", 0.5, None, (0.25, 0.123456789))
ROWS = [
    {"attribute": "Bald", "mentions": 3, "value": 1 / 3, "floor": 0.5, "ceiling": None},
    {"attribute": "Bangs", "mentions": 0, "value": None, "floor": None, "ceiling": 1.0},
]
PROMPTS = [{"prompt": 0, "way": "ours", "mentioned": 3}]
FOUND = Fidelity([METRIC], ROWS, PROMPTS)


def test_numbers_have_six_digits_and_what_is_not_there_is_empty(tmp_path: Path) -> None:
    write_evaluation(tmp_path, subjects(), FOUND)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "m[net,n=3]": {
            "value": 0.333333, "n": 3, "better": "down", "protocol": "how", "floor": 0.5,
            "ceiling": None, "ci_low": 0.25, "ci_high": 0.123457,
        }
    }  # fmt: skip
    with (tmp_path / "per_attribute.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["attribute", "mentions", "value", "floor", "ceiling"],
            ["Bald", "3", "0.333333", "0.5", ""],
            ["Bangs", "0", "", "", "1"],
        ]
    assert (tmp_path / "per_prompt.csv").read_text() == "prompt,way,mentioned\n0,ours,3\n"
    captions = json.loads((tmp_path / "subjects.json").read_text())
    assert captions == {"captions": subjects().captions}


@pytest.mark.parametrize("count", [3, NUM])
def test_sheets_show_the_first_eight_with_photographs_above_inversions(
    count: int, tmp_path: Path
) -> None:
    columns = ("identities", "photographs", "inversions", "texts", "unconditional")
    seen = subjects()
    seen = replace(seen, rivals={}, **{name: getattr(seen, name)[:count] for name in columns})
    seen = replace(seen, variants=seen.variants.flatten(0, 1).unflatten(0, (3, 2)))
    names = write_evaluation(tmp_path, seen, FOUND)
    shown = min(count, NUM_SHOWN)
    both = torch.cat([seen.photographs[:shown], seen.inversions[:shown]])
    sheets = {
        "reconstructions.png": pictures.grid(both, shown),
        "texts.png": pictures.grid(seen.texts[:shown], shown),
        "variants.png": pictures.grid(seen.variants.flatten(0, 1), seen.variants.shape[1]),
    }
    assert names == list(sheets)
    for name, sheet in sheets.items():
        assert torch.equal(pictures.load(tmp_path / name), sheet), name
    assert len(list((tmp_path / "reconstructions").iterdir())) == 2 * shown
    for index in range(shown):
        for kind, rows in (("photograph", seen.photographs), ("inversion", seen.inversions)):
            path = tmp_path / f"reconstructions/{index}-{kind}.png"
            assert torch.equal(pictures.load(path), rows[index])


def test_a_metric_s_plain_name_has_no_letter_that_mlflow_refuses() -> None:
    assert plain_name("edge_f1[sketch+label]") == "edge_f1/sketch and label"
    assert plain_name("text_fidelity[referee,n=300]") == "text_fidelity/referee/n300"
    assert plain_name("diversity[stlpips_alex]") == "diversity/stlpips_alex"
