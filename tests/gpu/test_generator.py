"""What needs a CUDA device: fp16 and CUDA graphs."""

import pytest
import torch

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.cuda_graph import CapturedSynthesis
from tedigan.generator.engine import choose_engine
from tedigan.generator.fast_synthesis import FastSynthesis, measure_error
from tedigan.generator.stylegan import Generator
from tedigan.tensors import sample_z

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    config = GeneratorConfig(64, z_dim=64, w_dim=64, channel_base=4096, conv_clamp=256.0)
    return Generator(config).eval().requires_grad_(False).cuda()


@pytest.fixture(scope="module")
def ws(generator: Generator) -> torch.Tensor:
    return generator.ws_of(sample_z(0, list(range(8)), 64).cuda())


def test_a_replayed_graph_draws_what_the_calls_draw(generator, ws):
    fast = FastSynthesis(generator.synthesis, precision="fp16")
    captured = CapturedSynthesis(fast, len(ws))
    first = captured(ws)
    assert torch.equal(first, fast(ws))
    captured(ws.flip(0))
    assert torch.equal(first, fast(ws)), "a later replay overwrote the images"
    assert torch.equal(captured(ws[:3]), fast(ws[:3]))


def test_auto_takes_fp16_and_a_graph(generator, ws):
    engine = choose_engine(generator, precision="auto", compilation="auto", batch_size=len(ws))
    assert (engine.precision, engine.captured) == ("fp16", True)
    assert measure_error(engine.synthesise, generator.synthesis, ws).mean_levels < 0.5
