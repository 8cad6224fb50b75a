"""What a file cannot tell and who imports it can: read by it, and written on the card; else assumed and said."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tedigan.__main__ import main
from tedigan.errors import WeightsError
from tedigan.foreign.dialects import Told, psp_and_e4e, read_foreign
from tedigan.foreign.dialects.foreign import ForeignModel
from tests.foreign import test_dialect_genforce2 as genforce
from tests.foreign import test_dialect_rosinality as rosinality
from tests.foreign.test_dialect_psp import AVERAGE, HeldCheckpoint, whole
from tests.foreign.test_dialect_stylegan1 import file_tensors


def read(folder: Path, content: Any, **told: Any) -> list[ForeignModel]:
    torch.save(content, folder / "theirs.pt")
    return read_foreign(folder / "theirs.pt", Told(**told))


@pytest.mark.parametrize(
    ("fused_from", "turned"), [(128, set()), (0, {10}), (8, {2, 4, 6, 8}), (16, {4, 6, 8})]
)
def test_up_convolutions_that_are_fused_are_turned_and_no_others(tmp_path, fused_from, turned):
    content = {"generator_smooth": file_tensors(128, old=False, rows=False)}
    [assumed], [told] = read(tmp_path, content), read(tmp_path, content, fused_from=fused_from)
    one, other = assumed.networks["G_ema"], told.networks["G_ema"]
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    assert changed == {f"synthesis.conv{row}.weight" for row in turned}
    assert all(torch.equal(one[name], other[name].flip(2, 3)) for name in changed)
    assert "fused from 128" in assumed.notes[-1]
    assert told.notes[-1].startswith("Told by who imported it")
    assert f"fused from {fused_from}" in told.notes[-1]


@pytest.mark.parametrize("theirs", [genforce, rosinality])
@pytest.mark.parametrize(("group", "expected"), [(8, 8), (0, None)])
def test_the_group_that_a_discriminator_sees_together_is_told(tmp_path, theirs, group, expected):
    content = theirs.whole()
    if theirs is rosinality:
        content |= {"d": rosinality.discriminator_tensors()}
    [told] = read(tmp_path, content, discriminator_group=group)
    assert told.config["discriminator"]["mbstd_group_size"] == expected
    [assumed] = read(tmp_path, content)
    assert "discriminator clamp 0, discriminator group 4" in assumed.notes[-1]


@pytest.mark.parametrize("kind", ["psp", "e4e"])
def test_an_encoder_whose_type_is_not_written_is_of_the_told_type(kind):
    encoder, _ = psp_and_e4e.translate(HeldCheckpoint(whole(encoder_type=None)), kind)
    assert encoder.config["architecture"] == f"{kind}_encoder"
    assert encoder.unsaid == {"encoder_type": kind}


def test_whether_the_average_is_added_is_told_or_assumed():
    file = HeldCheckpoint(whole(start_from_latent_avg=None))
    for told, expected in ((None, AVERAGE), (True, AVERAGE), (False, torch.zeros(512))):
        encoder, _ = psp_and_e4e.translate(file, None, told)
        assert torch.equal(encoder.networks["encoder"]["w_avg"], expected.repeat(8, 1))
        assert encoder.unsaid == {"start_from_latent_avg": True}
    said = HeldCheckpoint(whole())
    encoder, _ = psp_and_e4e.translate(said, "e4e", False)
    assert (encoder.config["architecture"], encoder.unsaid) == ("psp_encoder", {})


@pytest.mark.parametrize(
    "told", [{"encoder_type": "psp"}, {"fused_from": 8}, {"discriminator_group": 2}]
)
def test_what_a_file_has_not_is_not_told(tmp_path, told):
    with pytest.raises(WeightsError, match=r"was given, but a file of rosinality"):
        read(tmp_path, {"g_ema": rosinality.generator_tensors()}, **told)


@pytest.mark.parametrize("option", ["discriminator-clamp", "discriminator-group", "fused-from"])
def test_less_than_nothing_is_refused(tmp_path, capsys, option):
    command = ["models", "import", str(tmp_path / "a"), str(tmp_path / "b"), f"--{option}", "-1"]
    assert main(command) == 1
    assert f"--{option} is -1" in capsys.readouterr().err
