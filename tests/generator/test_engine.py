import dataclasses

import pytest
import torch

from tedigan.errors import ParamsError
from tedigan.generator import engine
from tedigan.generator.engine import choose_engine
from tedigan.generator.stylegan import Generator
from tedigan.tensors import choose_device
from tests.generator.nets import TINY, tiny_generator


def chosen(precision: str, generator: Generator | None = None) -> engine.Engine:
    generator = generator or tiny_generator()
    return choose_engine(generator, precision=precision, compilation="never", batch_size=2)


def test_the_engine_is_measured_against_the_network_before_it_is_used():
    found = chosen("bf16")
    assert found.precision == "bf16"
    assert found.record()["mean_error_levels"] > 0
    assert found.synthesise(torch.zeros(2, 6, 12)).shape == (2, 3, 16, 16)


def test_auto_takes_what_this_machine_multiplies_natively(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert chosen("auto").precision == "fp32"
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    assert chosen("auto").precision == "bf16"


@pytest.fixture
def _closed_gate(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setitem(engine.GATES, "bf16", ("mean_levels", 0.0))


@pytest.mark.usefixtures("_closed_gate")
def test_auto_falls_back_where_the_gate_says_no(capsys):
    assert chosen("auto").precision == "fp32"
    assert "bf16 draws other faces" in capsys.readouterr().err


@pytest.mark.usefixtures("_closed_gate")
def test_a_named_precision_that_fails_its_gate_is_refused():
    with pytest.raises(ParamsError, match=r"Set generate\.precision to fp32"):
        chosen("bf16")


def test_pictures_that_are_no_numbers_do_not_pass():
    generator = tiny_generator()
    generator.synthesis.b8.conv1.weight.fill_(float("nan"))
    for precision in ("fp32", "auto"):
        with pytest.raises(ParamsError, match=r"nan.*models verify"):
            chosen(precision, generator)


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(ParamsError, match="GPU"):
        chosen("fp16")


def test_stylegan1_runs_as_it_is_and_in_fp32_only():
    generator = Generator(dataclasses.replace(TINY, architecture="stylegan1")).requires_grad_(False)
    assert chosen("auto", generator).synthesise is generator.synthesis
    with pytest.raises(ParamsError, match="fp32 only"):
        chosen("bf16", generator)


def test_a_gpu_is_asked_for_its_compiler_without_more_imports():
    """Fails with AttributeError where torch.utils._triton is only hoped to be imported by somebody else."""
    assert engine.has_compiler(torch.device("cuda")) in {True, False}


def test_fp32_on_a_gpu_is_not_rounded_to_tf32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    choose_device("cuda")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
