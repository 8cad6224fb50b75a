"""W in coordinates of its own: random codes are white there, and come back as they were."""

import torch

from tedigan.generator.whitening import whitening_of
from tedigan.tensors import stream
from tests.generator.nets import tiny_generator


def test_random_codes_are_white_in_u() -> None:
    generator = tiny_generator()
    whitening = whitening_of(generator, stream(0, "w"), num_samples=4000)
    w = generator.mapping(torch.randn(4000, generator.config.z_dim, generator=stream(1, "w")))
    u = whitening.whiten(w.detach())
    assert u.mean(dim=0).abs().max() < 0.1
    torch.testing.assert_close(torch.cov(u.T), torch.eye(whitening.num_axes), atol=0.15, rtol=0)


def test_a_w_plus_code_comes_back() -> None:
    generator = tiny_generator()
    whitening = whitening_of(generator, stream(0, "w"), num_samples=500)
    ws = generator.ws_of(torch.randn(3, generator.config.z_dim, generator=stream(2)))
    torch.testing.assert_close(whitening.colour(whitening.whiten(ws)), ws, atol=1e-3, rtol=1e-3)


def test_the_widest_axis_comes_first_and_no_axis_is_rounding() -> None:
    generator = tiny_generator()
    with torch.no_grad():  # a generator whose w has only two directions
        last = generator.mapping.get_submodule(f"fc{generator.mapping.num_layers - 1}")
        last.weight[2:] = 0
    whitening = whitening_of(generator, stream(0, "w"), num_samples=500)
    widths = whitening.to_w.norm(dim=1)
    assert whitening.num_axes == 2
    assert widths[0] >= widths[1]
