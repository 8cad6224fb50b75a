"""W in coordinates of its own: random codes are normal there, and come back as they were."""

import pytest
import torch

from tedigan.generator.whitening import whitening_of
from tedigan.models.embedded import EMBEDDED_PARTS
from tedigan.models.opening import load_generator
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
    torch.testing.assert_close(whitening.colour(whitening.whiten(ws)), ws, atol=0.05, rtol=0)


def test_normal_numbers_are_coloured_into_what_the_mapping_network_gives() -> None:
    """W is folded by the last activation: without its inverse these go twice as far below 0 as any w does."""
    generator = load_generator(EMBEDDED_PARTS["generator"], torch.device("cpu"))
    whitening = whitening_of(generator, stream(0, "w"), num_samples=5000)
    w = generator.mapping(torch.randn(5000, generator.config.z_dim, generator=stream(1, "w")))
    made = whitening.colour(torch.randn(5000, whitening.num_axes, generator=stream(2, "w")))
    low = [one.quantile(0.02, dim=0) for one in (w, made)]
    assert (low[1] / low[0]).median() == pytest.approx(1, abs=0.1)


def test_a_code_moves_by_as_much_as_it_is_told_and_what_it_has_beside_stays() -> None:
    generator = tiny_generator()
    whitening = whitening_of(generator, stream(0, "w"), num_samples=500)
    ws = torch.randn(2, 6, 12, generator=stream(3))
    shift = torch.randn(2, 1, whitening.num_axes, generator=stream(4))
    moved = whitening.moved(ws, shift)
    torch.testing.assert_close(whitening.whiten(moved), whitening.whiten(ws) + shift)
    torch.testing.assert_close(whitening.moved(moved, -shift), ws)
    assert torch.equal(whitening.moved(ws, 0 * shift), ws)


def test_the_widest_axis_comes_first_and_no_axis_is_rounding() -> None:
    generator = tiny_generator()
    with torch.no_grad():  # a generator whose w has only two directions
        last = generator.mapping.get_submodule(f"fc{generator.mapping.num_layers - 1}")
        last.weight[2:] = 0
    whitening = whitening_of(generator, stream(0, "w"), num_samples=500)
    widths = whitening.to_p.norm(dim=1)
    assert whitening.num_axes == 2
    assert widths[0] >= widths[1]
