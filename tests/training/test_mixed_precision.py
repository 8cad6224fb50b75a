"""Mixed precision: which layers compute in less, what stays in fp32, and what refuses to begin."""

from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.amp import GradScaler

from tedigan.errors import NumbersError, ParamsError
from tedigan.generator.ops import DTYPES, CastingLayer, Precision, modulated_conv
from tedigan.generator.stylegan import Generator
from tedigan.tensors import stream
from tedigan.training import adversarial
from tedigan.training.adversarial import AdversarialTrainer
from tedigan.training.mixed_precision import check_device, check_rounding, scales_of
from tedigan.training.ranks import descend
from tests.generator.nets import TINY, tiny_discriminator
from tests.generator.test_training import SETTINGS, photographs

CPU, CLAMPED = torch.device("cpu"), replace(TINY, conv_clamp=256.0)
HIGHEST = ("b16", "b8")


def trainer_of(precision: Precision, **changes: float) -> AdversarialTrainer:
    torch.manual_seed(0)
    settings = replace(SETTINGS, precision=precision, num_fp16_res=2, **changes)
    return AdversarialTrainer(Generator(CLAMPED), tiny_discriminator(), None, settings)


def computed(trainer: AdversarialTrainer, do) -> dict[str, list[torch.dtype]]:
    """In which precisions each layer computed, in turn, while `do` ran."""
    seen = defaultdict(list)
    networks = {"G": trainer.G.synthesis, "D": trainer.D, "G_ema": trainer.G_ema.synthesis}
    for name, network in networks.items():
        for place, layer in network.named_modules():
            if isinstance(layer, CastingLayer):
                layer.register_forward_hook(
                    lambda layer, _, y, at=f"{name}.{place}": seen[at].append(
                        layer.dtype or layer.weight.dtype
                    )
                )
    do()
    return dict(seen)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_highest_resolutions_compute_in_less_and_r1_does_not(precision: Precision) -> None:
    trainer = trainer_of(precision)
    trainer.rounding = lambda _: {}  # looks in fp32 too, before the first step
    seen = computed(trainer, lambda: trainer.step(photographs(), stream("step"), index=0))
    low, full = DTYPES[precision], torch.float32
    for place, found in seen.items():
        network, block = place.split(".")[:2]
        expected = low if block in HIGHEST else full
        in_d = [expected, expected, expected, full]  # G's faces; photographs and faces; R1
        assert found == (in_d if network == "D" else [expected] * 2), place


def test_path_lengths_are_in_fp32() -> None:
    trainer = trainer_of("bf16")
    seen = computed(trainer, lambda: trainer._shorten_paths(4, stream("paths")))
    assert {dtype for found in seen.values() for dtype in found} == {torch.float32}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_averages_and_pictures_stay_in_fp32(precision: Precision) -> None:
    trainer = trainer_of(precision)
    for index in range(3):
        trainer.step(photographs(), stream("step", index), index=index)
    networks = (trainer.G, trainer.D, trainer.G_ema)
    assert {one.dtype for net in networks for one in net.parameters()} == {torch.float32}
    moments = [one for state in trainer.G_optimiser.state.values() for one in state.values()]
    assert {one.dtype for one in moments} == {torch.float32}
    with trainer._lowered():
        images = trainer._draw(trainer._codes(2, stream("z"))[0], stream("z"))
        assert trainer.D(images).dtype == images.dtype == torch.float32


@pytest.mark.parametrize(("precision", "most"), [("bf16", 0.03), ("fp16", 0.003)])
def test_three_steps_have_nearly_the_losses_of_fp32(precision: Precision, most: float) -> None:
    def losses(one: Precision) -> list[float]:
        trainer = trainer_of(one)
        if one == "fp16":  # small enough for no step to be left out
            trainer.scalers = {name: GradScaler("cpu", init_scale=256.0) for name in ("G", "D")}
        found = [trainer.step(photographs(), stream("s", i), index=i) for i in range(3)]
        return [numbers[name] for numbers in found for name in ("loss_g", "loss_d")]

    assert losses(precision) == pytest.approx(losses("fp32"), rel=most)
    assert losses(precision) != losses("fp32")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_what_a_resolution_adds_to_the_picture_is_in_fp32(precision: Precision) -> None:
    trainer = trainer_of(precision)
    torgb = trainer.G.synthesis.b16.torgb
    x, styles = torch.randn(2, 8, 16, 16), torch.randn(2, 8)
    with trainer._lowered():
        rgb = torgb(x, styles)
        torgb.bias.data.fill_(1.0001)  # which neither has
        assert (torgb(0 * x, styles) == torch.tensor(1.0001)).all()
    assert rgb.dtype == torch.float32


def test_a_modulated_convolution_does_not_overflow_in_fp16() -> None:
    """65,504 is its end; the scales of these channels alone are beyond it."""
    x = torch.randn(2, 6, 5, 5, generator=stream("x"))
    weight = torch.randn(4, 6, 3, 3, generator=stream("weight"))
    styles = 1e6 * torch.randn(2, 6, generator=stream("styles"))
    exact = modulated_conv(x, weight, styles)
    torch.testing.assert_close(
        modulated_conv(x.half(), weight, styles).float(), exact, rtol=0.02, atol=0.02
    )


def test_the_gradients_of_a_modulated_convolution_are_those_of_fp32() -> None:
    def gradients(dtype: torch.dtype) -> list[Tensor]:
        weight, styles = (
            torch.randn(*shape, generator=stream("g", shape[0])).requires_grad_()
            for shape in ((4, 6, 3, 3), (2, 6))
        )
        x = torch.randn(2, 6, 5, 5, generator=stream("x")).to(dtype).requires_grad_()
        y = modulated_conv(x, weight, styles).float()
        (y * torch.randn(y.shape, generator=stream("y"))).sum().backward()
        return [one.grad.float() for one in (x, weight, styles)]

    for found, exact in zip(gradients(torch.float16), gradients(torch.float32), strict=True):
        assert (found - exact).norm() < 0.01 * exact.norm()


def test_a_step_whose_gradients_overflow_is_left_out_and_the_scale_is_halved() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    scaler = GradScaler("cpu")
    before = scaler.get_scale()
    descend(optimiser, (weight * torch.inf).sum(), scaler)
    assert torch.equal(weight, torch.ones(3))
    assert scaler.get_scale() == before / 2
    descend(optimiser, weight.sum(), scaler)
    assert torch.equal(weight, torch.zeros(3)), "a scaled loss has the step of an unscaled one"


def test_a_training_in_fp16_goes_on_to_the_same_bits_with_its_scale() -> None:
    whole, first, second = (trainer_of("fp16") for _ in range(3))
    for index in range(4):
        expected = whole.step(photographs(), stream("s", index), index=index)
    assert expected["scale_d"] < 65536, (
        "no step was left out, which would show a scale that is lost"
    )
    for index in range(2):
        first.step(photographs(), stream("s", index), index=index)
    for name, one in second.components().items():
        one.load_state_dict(first.components()[name].state_dict())
    for index in range(2, 4):
        numbers = second.step(photographs(), stream("s", index), index=index)
    assert numbers == expected
    states = [one.G.state_dict() for one in (whole, second)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_fp16_has_a_scale_to_keep(precision: Precision) -> None:
    assert not any("scaler" in name for name in trainer_of(precision).components())


@pytest.mark.parametrize(("precision", "most"), [("bf16", 0.3), ("fp16", 0.05)])
def test_rounding_is_measured_beside_chance_and_changes_nothing(
    precision: Precision, most: float
) -> None:
    trainer = trainer_of(precision)
    before = {name: one.clone() for name, one in trainer.G.state_dict().items()}
    found = trainer.rounding(photographs(8))
    assert found.keys() == {"G", "D"}
    assert all(0 < share < most for share in found.values())
    assert all(torch.equal(one, before[name]) for name, one in trainer.G.state_dict().items())
    assert all(one.grad is None for one in trainer.D.parameters())


def test_a_layer_that_computes_something_else_does_not_pass_the_gate(monkeypatch) -> None:
    """As an overflow or a forgotten factor would: what is put back after the convolution is not."""
    trainer = trainer_of("bf16")
    exact = adversarial.MixedPrecision.lowered

    def broken(self, *networks):
        layer = trainer.G.synthesis.b16.conv0
        layer.forward, forward = lambda *given: 3 * forward(*given), layer.forward
        return exact(self, *networks)

    monkeypatch.setattr(adversarial.MixedPrecision, "lowered", broken)
    with pytest.raises(ParamsError, match="rounding moves the gradient"):
        trainer.step(photographs(), stream("step"), index=0)


def test_the_gate_is_before_the_first_step_alone(monkeypatch) -> None:
    """A run that goes on was let through when it began."""
    trainer, asked = trainer_of("bf16"), []
    monkeypatch.setattr(trainer, "rounding", lambda _: asked.append(1) or {})
    for index in (0, 1, 2):
        trainer.step(photographs(), stream("s", index), index=index)
    assert len(asked) == 1


def test_a_scale_that_only_falls_ends_the_training() -> None:
    scalers = {"D": GradScaler("cpu", init_scale=2.0**-9)}
    assert scales_of(scalers) == {"scale_d": 2.0**-9}
    scalers["D"].load_state_dict(scalers["D"].state_dict() | {"scale": 2.0**-11})
    with pytest.raises(NumbersError, match="gradients of D overflow in fp16"):
        scales_of(scalers)


def test_a_card_that_emulates_bf16_does_not_have_it(monkeypatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "an old card")
    with pytest.raises(ParamsError, match="which an old card lacks"):
        check_device("bf16", torch.device("cuda"), [None])


@pytest.mark.parametrize("share", [1.1, float("nan")])
def test_a_gradient_too_far_off_or_no_number_is_refused(share: float) -> None:
    with pytest.raises(ParamsError, match=r"the gradient of D .* Set train_generator.num_fp16_res"):
        check_rounding("bf16", {"G": 0.2, "D": share})
    check_rounding("bf16", {"G": 0.2, "D": 0.9})


def test_what_a_device_or_an_unbounded_generator_cannot_train_in_is_refused() -> None:
    with pytest.raises(ParamsError, match="CPUs emulate"):
        check_device("fp16", CPU, [256.0])
    with pytest.raises(ParamsError, match="conv_clamp"):
        check_device("fp16", torch.device("cuda"), [256.0, None])
    check_device("bf16", CPU, [None])
    check_device("fp32", CPU, [None])
