"""The network of pSp and e4e: its parts by hand, its numbers, and what it refuses. The whole: tests/parity."""

from typing import Any

import pytest
import torch

from tedigan.encoders.irse import Bottleneck, SqueezeExcitation
from tedigan.encoders.psp import PyramidEncoder, enlarged_sum
from tedigan.errors import ShapeError, WeightsError


def unfilled(input_channels: int = 3) -> PyramidEncoder:
    """On the meta device, since filling 130 million values takes a second."""
    with torch.device("meta"):
        return PyramidEncoder("psp_encoder", input_channels=input_channels, num_ws=8)


class Constant(torch.nn.Module):
    """A head that gives one number, or a backbone that gives features of the right sizes."""

    def __init__(self, *outputs: torch.Tensor) -> None:
        super().__init__()
        self.outputs = list(outputs)

    def forward(self, _: torch.Tensor) -> Any:
        return self.outputs if len(self.outputs) > 1 else self.outputs[0]


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [("psp_encoder", [1, 2, 3, 4, 5, 6, 7, 8]), ("e4e_encoder", [1, 3, 4, 5, 6, 7, 8, 9])],
)
def test_heads_are_codes_in_psp_and_deltas_to_the_first_in_e4e(
    architecture: Any, expected: list[int]
) -> None:
    with torch.device("meta"):
        encoder = PyramidEncoder(architecture, input_channels=3, num_ws=8)
    features = [(128, 64), (256, 32), (512, 16)]
    encoder.backbone = Constant(*(torch.zeros(1, c, size, size) for c, size in features))
    encoder.latlayer1 = encoder.latlayer2 = Constant(torch.zeros(1, 512, 32, 32))
    encoder.styles = torch.nn.ModuleList(
        Constant(torch.full((1, 512), float(i))) for i in range(1, 9)
    )
    encoder.w_avg = 10 * torch.arange(8.0)[:, None].expand(8, 512)
    ws = encoder(torch.zeros(1, 3, 256, 256))
    assert torch.equal(ws[0, :, 0], torch.tensor(expected) + 10 * torch.arange(8))


def test_a_sum_with_coarse_features_reaches_from_corner_to_corner() -> None:
    coarse = torch.tensor([[[[0.0, 3.0]]]]).expand(1, 1, 2, 2)
    total = enlarged_sum(coarse, torch.ones(1, 1, 4, 4))
    assert torch.allclose(total, torch.tensor([1.0, 2.0, 3.0, 4.0]).expand(1, 1, 4, 4))


def test_a_shortcut_takes_every_second_pixel() -> None:
    block = Bottleneck(16, 16, stride=2).eval()
    torch.nn.init.zeros_(block.res_layer[4].weight)  # the branch gives nothing
    x = torch.arange(16.0 * 64).reshape(1, 16, 8, 8)
    assert torch.equal(block(x), x[:, :, ::2, ::2])


def test_excitation_without_weights_halves_each_channel() -> None:
    gate = SqueezeExcitation(16)
    torch.nn.init.zeros_(gate.fc2.weight)
    x = torch.randn(2, 16, 3, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(gate(x), x / 2)


@pytest.mark.parametrize("shape", [(1, 3, 512, 512), (1, 1, 256, 256), (1, 3, 256, 128)])
def test_pictures_of_another_size_or_kind_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"reads photographs, \[n, 3, 256, 256\]. Resize them"):
        unfilled()(torch.zeros(shape))


def test_a_sketch_encoder_says_so_to_a_photograph() -> None:
    with pytest.raises(
        ShapeError, match=r"reads sketches, \[n, 1, 256, 256\].*encoder of their kind"
    ):
        unfilled(input_channels=1)(torch.zeros(1, 3, 256, 256))


def test_its_numbers_survive_config_json() -> None:
    config = unfilled(input_channels=19).to_json()
    with torch.device("meta"):
        again = PyramidEncoder.from_json(config)
    assert again.to_json() == config
    assert (again.num_ws, again.w_dim, again.input_channels, again.input_size_px) == (
        8,
        512,
        19,
        256,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("architecture", "idinvert_encoder"), ("input_channels", 6), ("num_ws", 7), ("num_ws", None)],
)
def test_a_garbled_config_is_refused(field: str, value: Any) -> None:
    config = unfilled().to_json() | {field: value}
    with pytest.raises(WeightsError, match=f"{field}={value!r}, expected one of .* Import the"):
        PyramidEncoder.from_json(config)
