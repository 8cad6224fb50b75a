import pytest
import torch

from tedigan.evaluation.referee_quality import judge_attributes, judge_people, referee_card

ALTERNATING = torch.arange(40) % 2 == 0


def quality(val_truth, val_logits=None):
    truth = val_truth[:, None].expand(-1, 40).clone()
    logits = truth.float() if val_logits is None else val_logits[:, None].expand(-1, 40).clone()
    return judge_attributes(logits, truth, logits, truth)[0]


def test_a_perfect_attribute_is_reliable_with_its_threshold_in_the_gap():
    one = quality(ALTERNATING)
    assert one["is_reliable"]
    assert one["threshold"] == 0.5
    assert one["test_auroc"] == 1.0


def test_four_positives_are_too_few_to_be_reliable():
    assert not quality(torch.arange(40) < 4)["is_reliable"]
    assert quality(torch.arange(40) < 5)["is_reliable"]


def test_an_attribute_that_is_never_there_has_no_quality():
    one = quality(torch.zeros(40).bool())
    assert one["val_balanced_accuracy"] is None
    assert one["threshold"] == 0.0


def test_nobody_twice_means_no_verification():
    embeddings = torch.eye(4)
    alone = torch.arange(4)
    assert judge_people(embeddings, alone, embeddings, alone) is None


def test_val_without_pairs_gives_no_threshold_whatever_test_shows():
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pairs = torch.tensor([1, 1, 2])
    assert judge_people(embeddings, torch.arange(3), embeddings, pairs) is None
    assert judge_people(embeddings, pairs, embeddings, pairs)["test_auroc"] == 1.0


def people(seed):
    """Embeddings of twelve people, two photographs each, that lie near each other."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(12, 8, generator=generator).repeat_interleave(2, dim=0)
    near = centres + 0.5 * torch.randn(24, 8, generator=generator)
    return torch.nn.functional.normalize(near, dim=1), torch.arange(12).repeat_interleave(2)


def test_a_threshold_never_sees_the_photographs_that_are_judged():
    logits, truth = torch.linspace(-2, 2, 40)[:, None], ALTERNATING[:, None]
    learnt = (logits > 0.3) ^ (logits.abs() > 1.9)

    def judged(test_logits, test_truth, val_truth=learnt):
        return judge_attributes(logits, val_truth, test_logits, test_truth)[0]

    one, other = judged(logits, learnt), judged(-3 * logits, truth)
    for name in ("threshold", "is_reliable", "val_balanced_accuracy"):
        assert one[name] == other[name], name
    assert one["test_balanced_accuracy"] != other["test_balanced_accuracy"]
    assert judged(logits, learnt, logits > 1)["threshold"] != one["threshold"]
    assert not judged(logits, learnt, truth)["is_reliable"]


def test_the_threshold_of_people_never_sees_the_people_that_are_judged():
    val, test, other = people(0), people(1), people(2)
    one, two = judge_people(*val, *test), judge_people(*val, test[0], test[1].roll(1))
    assert one["threshold"] == two["threshold"]
    assert one["test_auroc"] > 0.9 > 0.6 > two["test_auroc"]
    assert judge_people(*other, *test)["threshold"] != one["threshold"]


@pytest.mark.parametrize("has_pairs", [True, False])
def test_the_card_says_where_the_threshold_of_people_is_from_or_why_there_is_none(has_pairs):
    embeddings, identities = people(0)
    val = identities if has_pairs else torch.arange(24)
    attributes = {"Bald": quality(ALTERNATING)}
    card = referee_card(
        {
            "resolution": 32,
            "attributes": attributes,
            "reliable": ["Bald"],
            "identity": judge_people(embeddings, val, embeddings, identities),
            "num_photographs": {},
            "training": {"data": "toy", "licence": "toy"},
        }
    )
    words = "chosen on val)" if has_pairs else "no threshold could be chosen"
    assert words in card
