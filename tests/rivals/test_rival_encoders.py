"""Captions become words, photographs become regions, and each is taught to find the other."""

import pytest
import torch
from torch import Tensor, nn

from tedigan.errors import CaptionError
from tedigan.rivals.matching import (
    GAMMA1,
    GAMMA2,
    matching_losses,
    sentence_scores,
    word_scores,
)
from tedigan.rivals.matching_trainer import MatchingTrainer
from tedigan.rivals.region_encoder import Looked, RegionEncoder
from tedigan.rivals.rival import EncodedText
from tedigan.rivals.vocabulary import PADDING, UNKNOWN, Vocabulary
from tedigan.rivals.word_encoder import WordEncoder

CAPTIONS = ["A man, with black hair.", "She smiles", "A smiling man with a hat"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.of(CAPTIONS)


@pytest.fixture
def words(vocabulary) -> WordEncoder:
    torch.manual_seed(0)
    return WordEncoder(len(vocabulary.words)).eval()


def text_of(lengths: list[int]) -> EncodedText:
    rng = torch.Generator().manual_seed(len(lengths))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    spoken = torch.randn(len(lengths), 256, max(lengths), generator=rng) * mask[:, None]
    return EncodedText(spoken, torch.randn(len(lengths), 256, generator=rng), mask)


def looked_at(n: int) -> Looked:
    rng = torch.Generator().manual_seed(n)
    regions, code = torch.randn(n, 256, 8, 8, generator=rng), torch.randn(n, 256, generator=rng)
    return Looked(regions, code, torch.zeros(n, 96, 32, 32))


def test_words_are_numbered_in_order_of_appearance_behind_padding_and_unknown(vocabulary) -> None:
    assert vocabulary.words[2:6] == ("a", "man", "with", "black")
    numbers = vocabulary.numbers(["a bearded MAN", "she"])
    assert numbers.tolist() == [[2, UNKNOWN, 3], [vocabulary.words.index("she"), PADDING, PADDING]]


def test_rare_words_are_unknown_if_asked() -> None:
    assert Vocabulary.of(CAPTIONS, min_count=2).words[2:] == ("a", "man", "with")


def test_a_long_caption_loses_its_end(vocabulary) -> None:
    assert vocabulary.numbers(["a man with black hair"], max_words=2).tolist() == [[2, 3]]


def test_a_caption_without_a_word_is_refused(vocabulary) -> None:
    with pytest.raises(CaptionError, match="Describe a face"):
        vocabulary.numbers(["a man", "..."])


def test_words_and_sentence_are_those_of_a_packed_bidirectional_lstm(vocabulary, words) -> None:
    packed = nn.LSTM(300, 128, batch_first=True, bidirectional=True)
    state = {name: one.clone() for name, one in words.onward.state_dict().items()}
    state |= {f"{name}_reverse": one for name, one in words.backward.state_dict().items()}
    packed.load_state_dict(state)
    numbers = vocabulary.numbers(CAPTIONS)
    lengths = (numbers != PADDING).sum(dim=1)
    sequence = nn.utils.rnn.pack_padded_sequence(
        words.embedding(numbers), lengths, batch_first=True, enforce_sorted=False
    )
    outputs, (last, _) = packed(sequence)
    outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    text = words(numbers)
    torch.testing.assert_close(text.words, outputs.transpose(1, 2))
    torch.testing.assert_close(text.sentence, torch.cat([last[0], last[1]], dim=1))


def test_texture_alone_is_that_of_the_whole_look() -> None:
    encoder, images = RegionEncoder().eval(), torch.rand(2, 3, 64, 64) * 2 - 1
    looked = encoder(images)
    assert looked.regions.shape == (2, 256, 8, 8)
    torch.testing.assert_close(encoder.texture(images), looked.texture)


def naive_score(regions: Tensor, spoken: Tensor) -> Tensor:
    """One pair's, from the formula: regions [256, 8, 8], words [256, t]."""
    flat = regions.flatten(1)
    attention = (GAMMA1 * (flat.T @ spoken).softmax(dim=1)).softmax(dim=0)
    cosines = torch.cosine_similarity(spoken, flat @ attention, dim=0)
    return (GAMMA2 * cosines).exp().sum().log()


def test_word_scores_are_those_of_each_pair_alone() -> None:
    looked, lengths = looked_at(3), [5, 2, 4]
    text = text_of(lengths)
    scores = word_scores(looked.regions, text)
    for i in range(3):
        for j, length in enumerate(lengths):
            naive = naive_score(looked.regions[i], text.words[j, :, :length])
            torch.testing.assert_close(scores[i, j], naive)


def test_the_losses_are_the_cross_entropies_of_both_directions() -> None:
    looked, text = looked_at(3), text_of([5, 2, 4])
    word, sentence = matching_losses(looked, text, torch.eye(3, dtype=torch.bool))
    wanted = torch.arange(3)
    for loss, scores in (
        (word, word_scores(looked.regions, text)),
        (sentence, sentence_scores(looked.code, text)),
    ):
        both = [nn.functional.cross_entropy(10 * one, wanted) for one in (scores, scores.T)]
        torch.testing.assert_close(loss, sum(both))


def test_captions_that_are_also_true_of_a_picture_are_no_negatives() -> None:
    looked, text = looked_at(2), text_of([3, 3])
    assert min(matching_losses(looked, text, torch.eye(2, dtype=torch.bool))) > 0
    assert max(matching_losses(looked, text, torch.ones(2, 2, dtype=torch.bool))) == 0


def test_the_encoders_learn_to_find_each_other_and_are_then_frozen(vocabulary, words) -> None:
    torch.manual_seed(0)
    trainer = MatchingTrainer(words, RegionEncoder(), learning_rate=2e-3)
    photographs, numbers = torch.rand(3, 3, 64, 64) * 2 - 1, vocabulary.numbers(CAPTIONS)
    own, rng = torch.eye(3, dtype=torch.bool), torch.Generator().manual_seed(0)
    losses = [trainer.step(photographs, numbers, own, rng) for _ in range(8)]
    assert losses[-1]["sentence"] < losses[0]["sentence"] / 2
    assert losses[-1]["word"] < losses[0]["word"] / 2
    trainer.freeze()
    for network in (trainer.words, trainer.regions):
        assert not network.training
        assert not any(one.requires_grad for one in network.parameters())
