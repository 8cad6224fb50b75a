"""DF-GAN: sentences scale and shift, D hinges on pairs, and its gradient at real ones is penalised."""

import copy

import torch

from tedigan.rivals.dfgan import Affine, DfGan, gradient_penalty
from tests.rivals.toy_lessons import toy_batch


def tiny() -> DfGan:
    torch.manual_seed(2)
    return DfGan.from_json({"nf": 4})


def test_its_networks_are_as_large_as_the_published_ones_at_64_px() -> None:
    """4.87 M, by the official modules on the meta device (baselines, section 12)."""
    with torch.device("meta"):
        rival = DfGan()
    assert round(sum(one.numel() for one in rival.G.parameters()) / 1e6, 2) == 4.87


def test_an_affine_layer_begins_as_nothing_and_then_scales_and_shifts_a_channel() -> None:
    layer, x, condition = Affine(5, 2), torch.randn(3, 2, 4, 4), torch.randn(3, 5)
    torch.testing.assert_close(layer(x, condition), x)
    with torch.no_grad():
        layer.scale[2].bias.copy_(torch.tensor([2.0, 3.0]))
        layer.shift[2].bias.copy_(torch.tensor([0.0, 5.0]))
    expected = torch.stack([2 * x[:, 0], 3 * x[:, 1] + 5], dim=1)
    torch.testing.assert_close(layer(x, condition), expected)


def test_the_penalty_is_the_sixth_power_of_both_gradients_length() -> None:
    photographs = torch.zeros(2, 3, 64, 64, requires_grad=True)
    sentence = torch.zeros(2, 256, requires_grad=True)
    logits = 3 * photographs[:, 0, 0, 0] + 4 * sentence[:, 1] * torch.tensor([1.0, 0.0])
    penalty = gradient_penalty(logits, photographs, sentence)
    torch.testing.assert_close(penalty, torch.tensor((5.0**6 + 3.0**6) / 2))


def test_a_step_moves_both_networks_and_the_average() -> None:
    rival, batch = tiny(), toy_batch(4)
    before = copy.deepcopy(rival.state_dict())
    losses = rival.step(batch, torch.Generator().manual_seed(0))
    assert {"loss_g", "loss_d", "penalty"} == set(losses)
    after = rival.state_dict()
    for part in ("G", "D"):
        moved = [n for n in after if n.startswith(f"{part}.") and not after[n].equal(before[n])]
        assert len(moved) > 10
    name = "to_image.bias"
    expected = before[f"G_ema.{name}"].lerp(after[f"G.{name}"], 1 - 2 / 11)
    torch.testing.assert_close(after[f"G_ema.{name}"], expected)


def test_a_caption_that_is_true_of_the_photograph_is_no_wrong_pair() -> None:
    """Where no caption of the batch is false of a photograph, D is not taught by one."""
    rival = tiny()
    with torch.no_grad():
        for block in rival.D.blocks:
            block.gamma.fill_(1.0)
    images = torch.zeros(4, 3, 64, 64)
    apart, together = (
        rival._judged(toy_batch(4, contains), images)[0]
        for contains in (torch.eye(4).bool(), torch.ones(4, 4).bool())
    )
    batch = toy_batch(4)
    wrong = rival.D.judge(rival.D.look(batch.photographs), batch.text.sentence.roll(-1, dims=0))
    torch.testing.assert_close(apart - together, torch.relu(1 + wrong).mean() / 2)


def test_a_picture_depends_on_its_sentence_and_on_its_chance() -> None:
    rival, batch = tiny(), toy_batch(2)
    with torch.no_grad():
        for block in rival.G_ema.blocks:
            for affine in block.affines:
                affine.scale[2].weight.normal_(generator=torch.Generator().manual_seed(4))
    z = torch.randn(2, rival.z_dim, generator=torch.Generator().manual_seed(1))
    faces = rival.draw(batch.text, z)
    assert faces.shape == (2, 3, 64, 64)
    assert torch.equal(faces, rival.draw(batch.text, z))
    same = torch.tensor([0, 0])
    assert not rival.draw(batch.text.rows(same), z)[1].allclose(faces[1])
    assert not rival.draw(batch.text, z[same])[1].allclose(faces[1])


def test_steps_on_one_batch_tell_real_pairs_from_others() -> None:
    rival, batch = tiny(), toy_batch(4)
    rng = torch.Generator().manual_seed(0)
    losses = [float(rival.step(batch, rng)["loss_d"]) for _ in range(16)]
    assert sum(losses[8:]) < sum(losses[:8])
