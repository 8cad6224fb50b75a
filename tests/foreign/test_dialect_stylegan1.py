"""StyleGAN1 files of two dialects, narrow but whole, become our generators; all others are refused by name."""

import re

import pytest
import torch
from torch import Tensor

from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects import genforce_stylegan1, tedigan_base
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import fill
from tedigan.tensors import sample_z
from tests.parity.filling import fill_shapes
from tests.parity.foreign_file import foreign_file

DIALECTS = [tedigan_base, genforce_stylegan1]
W_DIM, Z_DIM, BASE, MAX = 6, 5, 512, 16

Tensors = dict[str, Tensor]


def file_tensors(
    resolution: int, *, old: bool, rows: bool = True, num_mapping_layers: int = 3
) -> Tensors:
    """A whole state dict; rows: a w for each layer. The newer dialect's w_avg then has as many."""
    num_ws = 2 * resolution.bit_length() - 4
    fc, epilogue, style = (".fc", ".epilogue", ".style_mod.dense") if old else ("", "", ".style")
    conv = ".conv" if old else ""
    fc_bias = ".wscale" if old else ""
    given = W_DIM * (num_ws if rows else 1)
    shapes = {"truncation.w_avg": [W_DIM if old else given], "synthesis.lod": []}
    if old:
        shapes["truncation.truncation"] = [1, num_ws, 1]
    for i in range(num_mapping_layers):
        wide = given if i == num_mapping_layers - 1 else W_DIM
        shapes[f"mapping.dense{i}{fc}.weight"] = [wide, W_DIM if i else Z_DIM]
        shapes[f"mapping.dense{i}{fc_bias}.bias"] = [wide]
    below = 0
    for i in range(num_ws):
        size = 4 * 2 ** (i // 2)
        c = min(BASE // size, MAX)
        layer = f"synthesis.layer{i}"
        if i == 0:
            shapes[f"{layer}.const"] = [1, c, 4, 4]
        elif old and i % 2 == 0 and size >= 128:
            shapes[f"{layer}.weight"] = [3, 3, below, c]
        else:
            shapes[f"{layer}{conv}.weight"] = [c, below, 3, 3]
        if i and i % 2 == 0:
            shapes[f"{layer}.blur.kernel"] = [c, 1, 3, 3]
        shapes[f"{layer}{epilogue}.bias"] = [c]
        shapes[f"{layer}{epilogue}.apply_noise.weight"] = [c]
        shapes[f"{layer}{epilogue}.apply_noise.noise"] = [1, 1, size, size]
        shapes[f"{layer}{epilogue}{style}{fc}.weight"] = [2 * c, W_DIM]
        shapes[f"{layer}{epilogue}{style}{fc_bias}.bias"] = [2 * c]
        shapes[f"synthesis.output{i // 2}{conv}.weight"] = [3, c, 1, 1]
        shapes[f"synthesis.output{i // 2}.bias"] = [3]
        below = c
    return fill_shapes(shapes)


def translated(tmp_path, tensors: Tensors, *, old: bool) -> ForeignModel:
    content = tensors if old else {"generator_smooth": tensors}
    [model] = DIALECTS[not old].translate(foreign_file(tmp_path, content))
    return model


def filled(model: ForeignModel) -> Generator:
    network = Generator(GeneratorConfig.from_json(model.config)).requires_grad_(False)
    fill(network, model.networks["G_ema"], "theirs")
    return network


either = pytest.mark.parametrize("old", [True, False], ids=["tedigan", "genforce"])


@either
@pytest.mark.parametrize("resolution", [8, 16, 128, 512])
@pytest.mark.parametrize("rows", [True, False], ids=["rows", "one"])
def test_the_network_is_built_from_the_shapes_alone(tmp_path, old, resolution, rows):
    tensors = file_tensors(resolution, old=old, rows=rows, num_mapping_layers=2)
    config = filled(translated(tmp_path, tensors, old=old)).config
    assert config == GeneratorConfig(
        resolution,
        z_dim=Z_DIM,
        w_dim=W_DIM,
        num_mapping_layers=2,
        channel_base=min(BASE, resolution * MAX),
        channel_max=MAX,
        architecture="stylegan1",
        repeat_w=not rows,
        final_tanh=old and rows,
    )


def test_a_file_belongs_to_one_dialect(tmp_path):
    older, newer = file_tensors(8, old=True), file_tensors(8, old=False)
    files = [foreign_file(tmp_path, one) for one in (older, {"generator_smooth": newer})]
    recognised = [[dialect.recognises(file) for dialect in DIALECTS] for file in files]
    assert recognised == [[True, False], [False, True]]
    stylegan2 = {"generator_smooth": {"synthesis.output0.style.weight": torch.zeros(1)}}
    assert not any(dialect.recognises(foreign_file(tmp_path, stylegan2)) for dialect in DIALECTS)


def test_both_spellings_of_one_network_give_one_network(tmp_path):
    newer = file_tensors(128, old=False, rows=False)
    names = [name for name in file_tensors(128, old=True, rows=False) if "truncation.t" not in name]
    older = dict(zip(names, newer.values(), strict=True))
    older["synthesis.layer10.weight"] = in_tensorflows_order(older["synthesis.layer10.weight"])
    ours = [
        translated(tmp_path, tensors, old=old).networks["G_ema"]
        for tensors, old in ((older, True), (newer, False))
    ]
    assert ours[0].keys() == ours[1].keys()
    assert all(torch.equal(ours[0][name], ours[1][name]) for name in ours[0])


def in_tensorflows_order(weight: Tensor) -> Tensor:
    return weight.permute(2, 3, 1, 0).contiguous()


def test_a_fused_layer_is_an_unfused_one_of_the_turned_kernel(tmp_path):
    """Whichever layers are fused: the older files say it by a name."""
    unfused = file_tensors(16, old=True)
    turned = unfused["synthesis.layer2.conv.weight"].flip([2, 3])
    fused = {name: one for name, one in unfused.items() if name != "synthesis.layer2.conv.weight"}
    fused["synthesis.layer2.weight"] = in_tensorflows_order(turned)
    expected = translated(tmp_path, unfused, old=True).networks["G_ema"]
    found = translated(tmp_path, fused, old=True).networks["G_ema"]
    assert torch.equal(found["synthesis.conv2.weight"], expected["synthesis.conv2.weight"])


def test_one_mean_for_all_rows_becomes_the_mean_of_each(tmp_path):
    tensors = file_tensors(8, old=True)
    w_avg = translated(tmp_path, tensors, old=True).networks["G_ema"]["mapping.w_avg"]
    assert torch.equal(w_avg, tensors["truncation.w_avg"].expand(4, -1))


def test_a_mean_for_each_row_stays(tmp_path):
    tensors = file_tensors(8, old=False)
    w_avg = translated(tmp_path, tensors, old=False).networks["G_ema"]["mapping.w_avg"]
    assert torch.equal(w_avg, tensors["truncation.w_avg"].reshape(4, W_DIM))


def test_the_files_noise_is_in_the_pictures(tmp_path):
    tensors = file_tensors(16, old=True)
    z = sample_z(0, [0], Z_DIM)
    images = filled(translated(tmp_path, tensors, old=True))(z)
    for row in range(6):
        noise = f"synthesis.layer{row}.epilogue.apply_noise.noise"
        changed = tensors | {noise: tensors[noise].flip([3])}
        assert not torch.allclose(filled(translated(tmp_path, changed, old=True))(z), images)


def test_half_precision_files_are_widened(tmp_path):
    tensors = {name: one.half() for name, one in file_tensors(8, old=True).items()}
    networks = translated(tmp_path, tensors, old=True).networks
    assert {tensor.dtype for tensor in networks["G_ema"].values()} == {torch.float32}


def test_the_live_generator_comes_along_and_the_discriminator_does_not(tmp_path):
    content = {
        "generator": file_tensors(8, old=False),
        "discriminator": {"lod": torch.zeros([])},
        "generator_smooth": {n: one * 1 for n, one in file_tensors(8, old=False).items()},
    }
    for file in (content, {"models": content, "running_metadata": {"iter": 3}}):
        [model] = genforce_stylegan1.translate(foreign_file(tmp_path, file))
        assert model.networks.keys() == {"G_ema", "G"}
        assert "discriminator" in " ".join(model.notes)


def test_a_file_without_an_average_gives_the_live_generator_and_says_so(tmp_path):
    file = foreign_file(tmp_path, {"generator": file_tensors(8, old=False)})
    [model] = genforce_stylegan1.translate(file)
    assert model.networks["G_ema"] is model.networks["G"]
    assert "G_ema is the live generator" in " ".join(model.notes)


def test_two_generators_of_different_sizes_are_refused(tmp_path):
    content = {
        "generator": file_tensors(8, old=False),
        "generator_smooth": file_tensors(16, old=False),
    }
    with pytest.raises(KeysError, match=r"different sizes.*Download"):
        genforce_stylegan1.translate(foreign_file(tmp_path, content))


def test_notes_say_what_was_assumed(tmp_path):
    older = translated(tmp_path, file_tensors(8, old=True), old=True).notes
    newer = translated(tmp_path, file_tensors(8, old=False), old=False).unsaid
    assert "tanh" in " ".join(older)
    assert "truncation" in " ".join(older)
    assert newer == {"mapping_multiplier": 0.01, "final_tanh": False, "fused_from": 128}


@either
def test_every_missing_key_is_named(tmp_path, old):
    tensors = file_tensors(8, old=old)
    dialect_marks = {tedigan_base.MARK} if old else genforce_stylegan1.MARKS
    for name in tensors.keys() - dialect_marks - {"truncation.truncation"}:
        rest = {key: one for key, one in tensors.items() if key != name}
        with pytest.raises(KeysError, match=rf"{re.escape(name)}.*(Download|export)"):
            translated(tmp_path, rest, old=old)


@either
def test_every_tensor_of_another_shape_is_named(tmp_path, old):
    tensors = file_tensors(8, old=old)
    for name, tensor in tensors.items():
        for shape in ([*tensor.shape, 2], [2, 1, 1, *tensor.shape], [0]):
            spoilt = tensors | {name: torch.zeros(shape)}
            with pytest.raises(KeysError, match=r"(synthesis|mapping|truncation)\..*Download"):
                translated(tmp_path, spoilt, old=old)


@either
def test_a_key_too_many_is_named(tmp_path, old):
    tensors = file_tensors(8, old=old) | {"synthesis.layer3.attention": torch.zeros(1)}
    with pytest.raises(KeysError, match=r"no place.*synthesis.layer3.attention"):
        translated(tmp_path, tensors, old=old)


@either
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"synthesis.lod": torch.tensor(1.5)}, r"lod.*is 1.5.*expected 0.*later file"),
        ({"mapping.label_weight": torch.zeros(3, 5)}, r"wants labels.*unconditional"),
        (
            {"synthesis.layer2.blur.kernel": torch.ones(16, 1, 3, 3) / 9},
            r"layer2.blur.*\[1, 2, 1\]",
        ),
    ],
    ids=["growing", "conditional", "another blur"],
)
def test_networks_that_ours_cannot_be_are_refused(tmp_path, old, changes, message):
    with pytest.raises(WeightsError, match=message):
        translated(tmp_path, file_tensors(8, old=old) | changes, old=old)


@either
def test_unknown_resolutions_are_refused(tmp_path, old):
    tensors = file_tensors(8, old=old)
    smaller = {name: one for name, one in tensors.items() if "output1" not in name}
    larger = tensors | {f"synthesis.output{level}.bias": torch.zeros(3) for level in range(2, 18)}
    for wrong, count in ((smaller, 1), (larger, 10)):
        with pytest.raises(KeysError, match=rf"{count} RGB layers.*expected 2 to 9.*Download"):
            translated(tmp_path, wrong, old=old)
