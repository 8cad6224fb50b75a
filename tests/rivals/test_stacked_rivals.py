"""AttnGAN, ControlGAN, DM-GAN and ManiGAN at a tiny width: what they are made of, a step, and a picture."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tedigan.errors import ShapeError
from tedigan.rivals.attngan import AttnGan
from tedigan.rivals.controlgan import ControlGan
from tedigan.rivals.dmgan import DmGan
from tedigan.rivals.manigan import ManiGan
from tedigan.rivals.region_encoder import RegionEncoder
from tedigan.rivals.rival import EncodedText, RivalBatch
from tedigan.rivals.stacked_rival import StackedRival, says
from tedigan.rivals.stage_discriminator import Seen, WordDiscriminator
from tedigan.rivals.word_attention import DynamicMemory, WordsAndChannels, WordsBeside
from tests.rivals.test_rival_encoders import text_of

METHODS = [AttnGan, ControlGan, DmGan, ManiGan]
TINY = {"gf": 4, "df": 4, "num_residual": 1}
LENGTHS = [5, 2, 3]


@pytest.fixture(scope="module")
def encoder() -> RegionEncoder:
    torch.manual_seed(1)
    return RegionEncoder().eval().requires_grad_(False)


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def rival(request, encoder) -> StackedRival:
    return make(request.param, encoder)


def make(method: type[StackedRival], encoder: RegionEncoder) -> StackedRival:
    torch.manual_seed(0)
    return method.from_json(TINY, encoder)


def batch_of(lengths: list[int] = LENGTHS) -> RivalBatch:
    n = len(lengths)
    photographs = torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return RivalBatch(photographs, text_of(lengths), torch.eye(n, dtype=torch.bool))


def step(rival: StackedRival, batch: RivalBatch | None = None) -> dict[str, Tensor]:
    return rival.step(batch or batch_of(), torch.Generator().manual_seed(3))


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: one.clone() for name, one in network.state_dict().items()}


@pytest.mark.parametrize(
    ("method", "millions"), [(AttnGan, 1.65), (ControlGan, 2.57), (DmGan, 1.68), (ManiGan, 4.65)]
)
def test_a_generator_has_as_many_weights_as_the_official_blocks_at_this_size(
    method, millions, monkeypatch
) -> None:
    monkeypatch.setattr(nn.init, "orthogonal_", lambda weight: weight)
    generator = method.make_generator(method, 32, 2)
    count = sum(one.numel() for one in generator.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)


def test_a_step_teaches_every_weight_and_moves_the_average(rival) -> None:
    before, average = state(rival.G), state(rival.G_ema)
    losses = step(rival)
    assert all(loss.isfinite() and not loss.requires_grad for loss in losses.values())
    for network in (rival.G, rival.D):
        silent = [name for name, one in network.named_parameters() if not one.grad.any()]
        assert silent == []
    after = state(rival.G)
    for name, old in average.items():
        if old.is_floating_point():
            moved = old.lerp(after[name], 1 - 2 / 11)
            torch.testing.assert_close(rival.G_ema.state_dict()[name], moved)
    norms = [name for name in before if name.endswith("running_var")]
    assert all(not torch.equal(before[name], after[name]) for name in norms)


def test_the_shared_encoder_stays_frozen_and_in_evaluation_mode(rival, encoder) -> None:
    before = state(encoder)
    rival.train()
    step(rival)
    assert not encoder.training
    assert not rival.G_ema.training
    assert all(torch.equal(before[name], one) for name, one in encoder.state_dict().items())
    assert not {"image_encoder"} & rival.components().keys()


def test_a_picture_depends_on_its_own_caption_noise_and_photograph_alone(rival) -> None:
    batch, z = batch_of(), torch.randn(3, rival.z_dim, generator=torch.Generator().manual_seed(4))
    together = rival.draw(batch.text, z, batch.photographs)
    first = torch.tensor([1])
    alone = rival.draw(batch.text.rows(first), z[first], batch.photographs[first])
    torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-4)
    other = EncodedText(batch.text.words, -batch.text.sentence, batch.text.mask)
    assert not torch.allclose(rival.draw(other, z, batch.photographs), together, atol=1e-3)
    assert not torch.allclose(rival.draw(batch.text, -z, batch.photographs), together, atol=1e-3)


def test_a_rival_is_made_again_by_its_numbers_and_weights(rival, encoder) -> None:
    again = type(rival).from_json(rival.to_json(), encoder)
    again.G_ema.load_state_dict(rival.G_ema.state_dict())
    batch, z = batch_of(), torch.zeros(3, rival.z_dim)
    pictures = [one.draw(batch.text, z, batch.photographs) for one in (rival, again)]
    assert torch.equal(*pictures)


def test_bfloat16_gives_nearly_the_same_losses(rival, encoder) -> None:
    mixed = make(type(rival), encoder)
    mixed.is_mixed = True
    for (name, one), other in zip(step(rival).items(), step(mixed).values(), strict=True):
        torch.testing.assert_close(one, other, atol=0.05, rtol=0.05, msg=name)


def test_a_wrong_caption_that_is_true_is_not_counted(encoder) -> None:
    """With a false caption D's loss is higher by what it says of it."""
    rival, batch = make(AttnGan, encoder), batch_of()
    nothing_false = RivalBatch(batch.photographs, batch.text, torch.ones(3, 3, dtype=torch.bool))
    lower = step(rival, nothing_false)["loss_d"]
    higher = step(make(AttnGan, encoder))["loss_d"]
    assert lower.isfinite()
    assert lower < higher


@pytest.mark.parametrize("join", [WordsBeside, WordsAndChannels, DynamicMemory])
def test_padding_and_the_lengths_of_others_change_no_attention(join) -> None:
    torch.manual_seed(0)
    module, h, text = join(4, 4), torch.randn(3, 4, 4, 4), text_of(LENGTHS)
    together = module(h, text)
    for row, length in enumerate(LENGTHS):
        own = EncodedText(
            text.words[row : row + 1, :, :length],
            text.sentence[row : row + 1],
            text.mask[row : row + 1, :length],
        )
        torch.testing.assert_close(module(h[row : row + 1], own)[0], together[row])


def test_words_that_fit_the_regions_are_found_there_whatever_the_padding() -> None:
    torch.manual_seed(0)
    critic, text = WordDiscriminator(256), text_of(LENGTHS)
    nn.init.eye_(critic.project.weight[:, :, 0, 0])
    regions = torch.zeros(3, 256, 64)
    regions[:, :, : max(LENGTHS)] = text.words
    seen = Seen(regions.unflatten(2, (8, 8)), torch.zeros(3, 1, 4, 4))
    right = critic(seen, text)
    assert (right > critic(seen, text.rows(torch.tensor([1, 2, 0])))).all()
    alone = critic(Seen(seen.regions[1:2], seen.whole[1:2]), text.rows(torch.tensor([1])))
    torch.testing.assert_close(alone[0], right[1])


def test_controlgans_words_teach_the_generator_too(encoder) -> None:
    """The released word-level term has no gradient; here G follows it alone."""
    rival, batch = make(ControlGan, encoder), batch_of()
    drawn = rival.G(batch.text, torch.randn(3, rival.z_dim))
    seen = rival.D.stages[-1](drawn.pictures[-1])
    says(rival.D.words[-1](seen, batch.text), is_true=True).sum().backward()
    assert rival.G.heads[-1][0].weight.grad.any()


def test_dmgans_discriminators_have_no_batch_norm_and_unit_spectral_norms(encoder) -> None:
    rival = make(DmGan, encoder)
    parts = list(rival.D.modules())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in parts)
    normed = [one for one in parts if isinstance(one, nn.Conv2d) and one.out_channels > 1]
    for one in normed:
        one.parametrizations.weight.original.data *= 3
    step(rival)
    rival.eval()
    for one in normed:
        norm = torch.linalg.matrix_norm(one.weight.detach().flatten(1), ord=2)
        assert norm == pytest.approx(1, abs=0.1)


def test_manigan_keeps_and_changes_by_the_photograph_and_refuses_to_draw_without_one(
    encoder,
) -> None:
    rival, batch = make(ManiGan, encoder), batch_of()
    draw = partial(rival.draw, batch.text, torch.zeros(3, rival.z_dim))
    assert not torch.allclose(draw(batch.photographs), draw(-batch.photographs), atol=1e-4)
    with pytest.raises(ShapeError, match="Give it the photographs"):
        draw()
    assert step(rival)["likeness"] < 1
