"""Edits of toy faces by ways whose merits are known."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from tedigan.errors import ShapeError
from tedigan.evaluation.edit_report import EditReport, measure_edits
from tedigan.evaluation.edits import (
    EditJudges,
    Edits,
    label_correlations,
)
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.same_person import SamePerson, open_same_person, referee_says_who
from tedigan.tensors import to_images
from tests.evaluation.measured import instruments, photographs

NUM = 6
NAMES = (
    "Bald",
    "Bangs",
    "Young",
    "Male",
)  # columns 4, 5, 39 and 20; all but Young are reliable


class TopIsBackground:
    """A parser that sees background in the upper half."""

    origin = "toy"

    def parse(self, images: Tensor) -> Tensor:
        maps = torch.ones(len(images), *images.shape[2:], dtype=torch.uint8)
        maps[:, : maps.shape[1] // 2] = 0
        return maps


@cache
def referee():
    """Of trusted attributes: Bald and Male and what else is no multiple of three."""
    return instruments().referee


def found(pixels: Tensor) -> Tensor:
    return referee().find(to_images(pixels))


@cache
def edits(attribute: str = "Bald") -> Edits:
    """Each face is asked to show what the next one shows; `swap` answers with that face itself."""
    before = photographs(0, NUM)
    column = referee().names.index(attribute)
    wanted = ~found(before)[:, column]
    has = [int((found(before)[:, column] == one).nonzero()[0]) for one in wanted]
    after = {
        "nothing": before,
        "swap": before[has],
        "half": torch.cat([before[has[:3]], before[3:]]),
    }
    order = referee().look(to_images(before))[0][:, column].argsort()
    strips = torch.stack([before[order], before[order.flip(0)], before[:1].expand(NUM, -1, -1, -1)])
    return Edits(
        before, torch.arange(NUM), [attribute] * NUM, wanted, after, strips, [attribute] * 3
    )


def judges(**changed: object) -> EditJudges:
    given = EditJudges(
        referee(),
        SamePerson("toy", lambda images: images.flatten(1), lambda a, b: (a == b).all(1)),
        torch.eye(40),
        torch.full((40,), 0.4),
        torch.full((40,), 0.5),
        TopIsBackground(),
        seed=0,
    )
    return replace(given, **changed)


def told(report: EditReport, name: str, way: str) -> Metric:
    (one,) = [
        metric
        for metric in report.pooled
        if metric.name.startswith(f"{name}[") and metric.name.endswith(f"{way}]")
    ]
    return one


def test_doing_nothing_reaches_nothing_and_keeps_all() -> None:
    report = measure_edits(edits(), judges())
    assert told(report, "edit_reached", "nothing").value == 0
    assert told(report, "edit_same_person", "nothing").value == 1
    assert told(report, "edit_background", "nothing").value == 0


def test_another_face_reaches_its_target_and_is_another_person() -> None:
    report = measure_edits(edits(), judges())
    assert told(report, "edit_reached", "swap").value == 1
    assert told(report, "edit_reached", "half").value == 0.5
    same = told(report, "edit_same_person", "half")
    assert (same.value, same.floor, same.ceiling) == (0.5, 0, 1)
    assert told(report, "edit_background", "swap").value > 0.05


def test_faces_that_have_it_already_say_nothing_of_the_edit() -> None:
    one = edits()
    wanted = one.wanted.clone()
    wanted[0] = ~wanted[0]
    reached = told(measure_edits(replace(one, wanted=wanted), judges()), "edit_reached", "swap")
    assert reached.n == NUM - 1


def test_what_is_kept_is_a_share_of_what_the_mirror_keeps() -> None:
    one = edits()
    before, mirrored = found(one.before), found(one.before.flip(3))
    silent = referee().is_reliable.clone()
    silent[4] = False
    own = (before == mirrored)[:, silent].sum()
    kept = told(measure_edits(one, judges()), "edit_kept", "half")
    changed = (before == found(one.after["half"]))[:, silent].sum()
    assert kept.value == pytest.approx(float(changed / own))
    others = (before == before.roll(-1, 0))[:, silent].sum()
    assert kept.floor == pytest.approx(float(others / own))


def test_attributes_that_go_with_the_target_may_change() -> None:
    together = torch.eye(40)
    together[4, 10:] = together[10:, 4] = -0.6
    one = edits()
    before = found(one.before)
    silent = referee().is_reliable & (torch.arange(40) < 10)
    silent[4] = False
    own = (before == found(one.before.flip(3)))[:, silent].sum()
    changed = (before == found(one.after["half"]))[:, silent].sum()
    kept = told(measure_edits(one, judges(correlations=together)), "edit_kept", "half")
    assert kept.value == pytest.approx(float(changed / own))


def test_a_strip_counts_where_its_score_rises_at_every_step() -> None:
    """One rises, one falls, and one stays: nothing is done to it."""
    (monotone,) = [one for one in measure_edits(edits(), judges()).pooled if "monotone" in one.name]
    assert monotone.value == pytest.approx(1 / 3)
    assert "may fall by" in monotone.protocol


def test_what_the_generator_does_not_draw_stands_apart() -> None:
    rare = torch.full((40,), 0.4)
    rare[4] = 0.2
    report = measure_edits(edits(), judges(unconditional=rare))
    assert list(report.not_drawn) == ["Bald"]
    assert not report.drawn
    assert all(one.value is None for one in report.pooled)
    assert any(one.name == "edit_reached[referee,swap,Bald]" for one in report.not_drawn["Bald"])


def test_attributes_that_the_referee_is_not_trusted_with_are_not_judged() -> None:
    report = measure_edits(edits("Young"), judges())
    assert not report.drawn
    assert not report.not_drawn


def test_without_a_parser_or_a_descriptor_the_metric_is_null_and_says_why() -> None:
    nobody = SamePerson("dlib", None, reason="Not told: run `pip install 'tedigan[align]'`.")
    report = measure_edits(edits(), judges(parser=None, same_person=nobody))
    assert told(report, "edit_background", "swap").value is None
    assert "no parser" in told(report, "edit_background", "swap").protocol
    assert told(report, "edit_same_person", "swap").value is None
    assert "tedigan[align]" in told(report, "edit_same_person", "swap").protocol


def test_the_referee_tells_drawn_people_apart() -> None:
    faces = photographs(0, 3)
    says = referee_says_who(referee(), 0.999)
    assert says.describe is not None
    assert says.alike is not None
    found = says.describe(to_images(faces))
    assert says.alike(found, found).all()
    assert not says.alike(found, found.roll(1, 0)).all()


def test_a_face_is_described_once_however_many_edits_begin_at_it() -> None:
    seen: list[int] = []

    def describe(images: Tensor) -> Tensor:
        seen.append(len(images))
        return images.flatten(1)

    counting = SamePerson("toy", describe, lambda a, b: (a == b).all(1))
    asked = edits()
    measure_edits(asked, judges(same_person=counting))
    was = asked.before[asked.face]
    touched = [after for after in asked.after.values() if not torch.equal(after, was)]
    assert 0 < len(touched) < len(asked.after)
    assert sum(seen) == len(asked.before) + sum(map(len, touched))


def test_who_says_who_it_is_is_chosen_and_nobody_says_so() -> None:
    people = {"threshold": 0.999}
    assert open_same_person("referee", referee(), people).describe is not None
    nobody = [
        open_same_person(None, referee(), people),
        open_same_person("referee", referee(), None),
        open_same_person("referee", replace(referee(), knows_people=False), people),
    ]
    assert all(one.describe is None and "Not told" in one.reason for one in nobody)


def test_each_edit_has_its_row_of_what_came_of_it() -> None:
    report = measure_edits(edits(), judges())
    rows = [row for row in report.per_edit if row["way"] == "half"]
    assert [row["edit_reached"] for row in rows] == [1, 1, 1, 0, 0, 0]
    assert [row["edit_same_person"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert [row["wanted"] for row in rows] == edits().wanted.tolist()
    assert len(report.per_edit) == 3 * NUM


def test_an_edit_that_says_nothing_has_an_empty_cell() -> None:
    one = edits()
    wanted = one.wanted.clone()
    wanted[0] = ~wanted[0]
    rows = measure_edits(replace(one, wanted=wanted), judges(parser=None)).per_edit
    assert rows[0]["edit_reached"] is None
    assert all(row["edit_background"] is None for row in rows)


def test_each_attribute_and_way_has_its_row() -> None:
    rows = measure_edits(edits(), judges()).per_attribute
    assert [row["way"] for row in rows] == ["nothing", "swap", "half"]
    assert [row["edit_reached"] for row in rows] == [0, 1, 0.5]
    assert [row["edit_monotone"] is None for row in rows] == [False, True, True]
    assert all(row["is_drawn"] for row in rows)


def test_an_interval_is_over_faces_and_not_over_their_edits() -> None:
    """Twice the edits of the same faces make nothing surer."""
    one = edits()
    twice = Edits(
        one.before,
        one.face.repeat(2),
        [*one.attribute] * 2,
        one.wanted.repeat(2),
        {"half": one.after["half"].repeat(2, 1, 1, 1)},
        one.strips,
        one.strip_attribute,
    )
    single, double = (
        told(measure_edits(given, judges()), "edit_reached", "half") for given in (one, twice)
    )
    assert single.ci == double.ci
    assert (single.n, double.n) == (NUM, 2 * NUM)


def test_label_correlations_are_pearson_s() -> None:
    truth = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]).bool()
    found = label_correlations(truth)
    expected = torch.corrcoef(truth[:, :3].double().T).float()
    torch.testing.assert_close(found[:3, :3], expected)
    assert (found[3] == 0).all()


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="one length each"):
        replace(edits(), attribute=["Bald"])
