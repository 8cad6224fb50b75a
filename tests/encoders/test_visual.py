"""The encoder that is trained here, in one pass and in several."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.visual import Paint, RefiningEncoder, VisualEncoder, w_statistics
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.tensors import stream
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator

W_AVG = torch.linspace(-1, 1, 12)


def statistics() -> tuple[Whitening, Tensor, Tensor]:
    """With a mean of its own, which no other number here is."""
    whitening = whitening_of(tiny_generator(), stream("whitening"), num_samples=256)
    _, w_std = w_statistics(tiny_generator(), stream("std"), num_samples=256)
    return whitening, W_AVG, w_std


def encoder_of(num_passes: int) -> RefiningEncoder:
    torch.manual_seed(2)
    whitening, w_avg, w_std = statistics()
    encoder = VisualEncoder(
        TINY, head_dim=8, num_axes=whitening.num_axes, num_passes=num_passes
    ).requires_grad_(False)
    encoder.start_from(tiny_discriminator(), whitening, w_avg, w_std)
    return RefiningEncoder(encoder, tiny_generator())


def photographs() -> Tensor:
    return torch.randn(3, 3, 16, 16, generator=stream("photographs"))


@pytest.mark.parametrize("num_passes", [1, 3])
def test_an_untrained_encoder_answers_with_the_mean_face(num_passes: int) -> None:
    encoder = encoder_of(num_passes)
    assert isinstance(encoder, Encoder)
    torch.testing.assert_close(encoder(photographs()), W_AVG.expand(3, 6, -1))


@pytest.mark.parametrize("num_passes", [1, 2])
def test_an_encoder_of_drawings_starts_by_seeing_them_painted(num_passes: int) -> None:
    paint = Paint(torch.randn(19, 3, generator=stream("colours")), -0.5)
    whitening, w_avg, w_std = statistics()
    sizes = {"head_dim": 8, "num_axes": whitening.num_axes, "num_passes": num_passes}
    network = VisualEncoder(TINY, **sizes, input_channels=19).requires_grad_(False)
    network.start_from(tiny_discriminator(), whitening, w_avg, w_std, paint=paint)
    drawings = torch.rand(3, 19, 16, 16, generator=stream("drawings"))
    painted = torch.einsum("nchw,ci->nihw", drawings, paint.colours) + paint.base
    seen = drawings
    if num_passes > 1:
        seen = torch.cat([drawings, torch.randn(painted.shape, generator=stream("drawn"))], dim=1)
    found = network.get_submodule("b16")(seen)
    torch.testing.assert_close(found, tiny_discriminator().get_submodule("b16")(painted))


@pytest.mark.parametrize("num_passes", [1, 2])
def test_the_encoder_starts_with_the_discriminators_trunk_and_sees_the_photograph_alone(
    num_passes: int,
) -> None:
    network, discriminator = encoder_of(num_passes).network, tiny_discriminator()
    seen = photographs()
    if num_passes > 1:
        seen = torch.cat([seen, torch.randn(seen.shape, generator=stream("drawn"))], dim=1)
    found = network.get_submodule("b16")(seen)
    torch.testing.assert_close(found, discriminator.get_submodule("b16")(photographs()))


def test_the_head_speaks_in_whitened_units() -> None:
    encoder = encoder_of(1)
    whitening = encoder.network.whitening
    encoder.network.out.bias.fill_(0.5)
    moved = whitening.whiten(encoder(photographs())) - whitening.whiten(W_AVG)
    torch.testing.assert_close(moved, torch.full_like(moved, 0.5), atol=1e-4, rtol=1e-4)


def test_each_pass_shifts_the_last_code_by_what_it_sees_of_both_pictures() -> None:
    encoder = encoder_of(2)
    torch.nn.init.normal_(encoder.network.out.weight)
    torch.nn.init.normal_(encoder.network.get_submodule("b16").fromrgb.weight)
    whiten, guesses = encoder.network.whitening.whiten, [W_AVG.expand(3, 6, -1)]
    for _ in range(2):
        drawn = encoder.generator.synthesis(guesses[-1])
        seen = torch.cat([photographs(), drawn], dim=1)
        guesses.append(encoder.network.refined(seen, guesses[-1]))
    first, second = (whiten(b) - whiten(a) for a, b in pairwise(guesses))
    assert (second - first).abs().mean() > 0.1 * first.abs().mean()
    torch.testing.assert_close(encoder(photographs()), guesses[-1])
