"""Convolutions with weights as oneDNN wants them: what torch's own make, of any size."""

import pytest
import torch
import torch.nn.functional as F

from tedigan.generator import prepacked
from tedigan.tensors import stream


@pytest.fixture(params=["packed", "torch's own"])
def convolution(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "torch's own":
        monkeypatch.setattr(prepacked, "_can_be_packed", lambda weight: False)
    elif not prepacked._can_be_packed(torch.empty(4, 4, 3, 3)):
        assert not torch.backends.cpu.get_cpu_capability().startswith("AVX"), "torch lost them"
        pytest.skip("this processor has no oneDNN layout")
    return prepacked.convolution


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("batch", "size"), [(1, 8), (3, 8), (2, 5)])
@pytest.mark.parametrize("up", [False, True])
def test_it_is_the_convolution_of_torch(convolution, dtype, batch, size, up) -> None:
    x = torch.randn(batch, 24, size, size, generator=stream("x")).to(dtype)
    weight = torch.randn(40, 24, 3, 3, generator=stream("weight")).to(dtype)
    x, weight = (one.contiguous(memory_format=torch.channels_last) for one in (x, weight))
    if up:
        weight = weight.transpose(0, 1).contiguous(memory_format=torch.channels_last)
        expected = F.conv_transpose2d(x.float(), weight.float(), stride=2)
    else:
        expected = F.conv2d(x.float(), weight.float(), padding=1)
    with torch.inference_mode():
        found = convolution(weight, 8, up=up)(x)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(
        found.float(), expected, atol=0.2 if dtype != torch.float32 else 1e-4, rtol=0.01
    )


def test_another_device_has_torchs_own() -> None:
    assert not prepacked._can_be_packed(torch.empty(4, 4, 3, 3, device="meta"))
