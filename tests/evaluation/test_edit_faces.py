"""Who is edited by whom: attributes turned over, every way alike, strips in turns."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.errors import ParamsError
from tedigan.evaluation.edit_faces import (
    EditNetworks,
    EditProtocol,
    attributes_to_edit,
    draw_edits,
)
from tedigan.evaluation.edits import Edits
from tedigan.tensors import to_images
from tests.evaluation.measured import instruments, photographs
from tests.stages.toy import SIZE

NAMES = ("Bald", "Young", "Male")  # that the method knows; the referee is not trusted with Young
PROTOCOL = EditProtocol(num_strips=7, strengths=[-1.0, 0.0, 2.0], batch_size=4)


def brighten(ws: Tensor, wishes: Tensor, *, strength: Tensor) -> Tensor:
    """A code is a picture's rows; the k-th attribute lights its upper half by k tenths."""
    amount = (wishes * torch.tensor([0.1, 0.2, 0.3])).sum(dim=1) * strength
    moved = ws.clone()
    moved[:, :, : SIZE * SIZE // 2] += amount[:, None, None]
    return draw(moved)


def draw(ws: Tensor) -> Tensor:
    return ws.unflatten(2, (SIZE, SIZE)).clamp(-1, 1)


NETWORKS = EditNetworks(
    lambda images: images.flatten(2) / 2,
    draw,
    {"ours": brighten, "idle": lambda ws, _, *, strength: draw(ws) + 0 * strength[0]},
    NAMES,
)


@pytest.fixture(scope="module")
def referee() -> Referee:
    return instruments().referee


@pytest.fixture(scope="module")
def edits(referee: Referee) -> Edits:
    return draw_edits(photographs(0, 5), NETWORKS, referee, ["Bald", "Male"], PROTOCOL)


def test_each_attribute_of_each_inversion_is_turned_over(edits: Edits, referee: Referee) -> None:
    found = referee.find(to_images(edits.before))
    columns = [referee.names.index(name) for name in edits.attribute]
    assert edits.attribute == ["Bald"] * 5 + ["Male"] * 5
    assert edits.face.tolist() == [*range(5), *range(5)]
    assert torch.equal(edits.wanted, ~found[edits.face, columns])


def test_the_inversion_is_what_is_edited_and_what_doing_nothing_leaves(edits: Edits) -> None:
    assert list(edits.after) == ["ours", "idle", "nothing"]
    assert torch.equal(edits.after["nothing"], edits.before[edits.face])
    assert torch.equal(edits.after["idle"], edits.after["nothing"])


def test_a_wish_goes_to_the_side_that_is_wanted(edits: Edits) -> None:
    gained = (edits.after["ours"].float() - edits.after["nothing"].float())[:, :, : SIZE // 2]
    levels = gained.mean(dim=[1, 2, 3]) / 127.5
    sizes = torch.tensor([0.1] * 5 + [0.3] * 5) * torch.where(edits.wanted, 1.0, -1.0)
    torch.testing.assert_close(levels, sizes, atol=0.05, rtol=0)


def test_photographs_and_attributes_take_turns_in_strips(edits: Edits) -> None:
    assert edits.strip_attribute == ["Bald", "Male", "Bald", "Male", "Bald", "Bald", "Male"]
    assert edits.strips.shape[:2] == (7, 3)
    faces = [0, 1, 2, 3, 4, 0, 1]
    assert torch.equal(edits.strips[:, 1], edits.before[faces])
    corners = edits.strips[:, :, :, : SIZE // 2].float().mean(dim=[2, 3, 4])
    assert (corners.diff(dim=1) > 0).all()


def test_there_are_no_more_strips_than_pairs(referee: Referee) -> None:
    many = replace(PROTOCOL, num_strips=100)
    made = draw_edits(photographs(0, 2), NETWORKS, referee, ["Bald", "Male"], many)
    assert made.strip_attribute == ["Bald", "Male", "Male", "Bald"]


def test_a_batch_changes_no_picture(edits: Edits, referee: Referee) -> None:
    whole = replace(PROTOCOL, batch_size=64)
    made = draw_edits(photographs(0, 5), NETWORKS, referee, ["Bald", "Male"], whole)
    assert all(torch.equal(made.after[way], edits.after[way]) for way in edits.after)
    assert torch.equal(made.strips, edits.strips)


def test_only_what_the_guide_knows_and_the_referee_is_trusted_with_is_edited(
    referee: Referee, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attributes_to_edit(None, NAMES, referee) == ["Bald", "Male"]
    assert attributes_to_edit(["Male", "Young", "Bushy_Eyebrows"], NAMES, referee) == ["Male"]
    assert "Young, Bushy_Eyebrows" in capsys.readouterr().err


def test_what_nobody_may_judge_is_drawn_all_the_same(referee: Referee) -> None:
    assert attributes_to_edit(["Young"], NAMES, referee) == ["Young"]
    assert attributes_to_edit(["Bushy_Eyebrows"], NAMES, referee) == list(NAMES)


def test_an_attribute_that_the_data_set_does_not_have_is_refused(referee: Referee) -> None:
    with pytest.raises(ParamsError, match=r"attributes names \['Smilling'\].*Name some of"):
        attributes_to_edit(["Smilling"], NAMES, referee)
