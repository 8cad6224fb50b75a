"""What needs a CUDA device: fp16, CUDA graphs, and training in mixed precision."""

from dataclasses import replace

import pytest
import torch
from torch.amp import GradScaler

from tedigan.generator.config import GeneratorConfig
from tedigan.generator.cuda_graph import CapturedSynthesis
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.engine import choose_engine
from tedigan.generator.fast_synthesis import FastSynthesis, measure_error
from tedigan.generator.stylegan import Generator
from tedigan.tensors import sample_z, stream
from tedigan.training.adversarial import AdversarialTrainer
from tests.generator.test_training import SETTINGS

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


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_training_in_less_passes_its_gate_and_keeps_near_fp32(precision, generator):
    def losses(one):
        torch.manual_seed(0)
        settings = replace(SETTINGS, precision=one)
        networks = Generator(generator.config).cuda(), Discriminator(generator.config).cuda()
        trainer = AdversarialTrainer(*networks, None, settings)
        trainer.scalers = {
            name: GradScaler("cuda", init_scale=256.0, enabled=one == "fp16") for name in "GD"
        }
        photographs = torch.rand(8, 3, 64, 64, generator=stream("photographs")).cuda() * 2 - 1
        steps = [trainer.step(photographs, stream("s", index), index=index) for index in range(3)]
        return [numbers[name] for numbers in steps for name in ("loss_g", "loss_d")]

    assert losses(precision) == pytest.approx(losses("fp32"), rel=0.03)
