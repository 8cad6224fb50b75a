import math

import pytest
import torch

from tedigan.evaluation.referee_quality import (
    Sight,
    headline,
    judge_attributes,
    judge_people,
    referee_card,
)

ALTERNATING = torch.arange(40) % 2 == 0


def sight(logits, truth):
    """Of one attribute, or of more: a column each."""
    columns = [one.reshape(len(one), -1) for one in (logits.float(), truth)]
    return Sight(columns[0], torch.zeros(len(truth), 2), columns[1], torch.zeros(len(truth)).long())


def quality(truth, logits=None):
    """All splits alike."""
    seen = sight(truth if logits is None else logits, truth)
    return judge_attributes(seen, seen, seen)[0]


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


def test_thresholds_trust_and_quality_each_come_from_photographs_of_their_own():
    logits, noise = torch.linspace(-2, 2, 40), ALTERNATING
    learnt = (logits > 0.3) ^ (logits.abs() > 1.9)

    def judged(chooser=learnt, witness=learnt, test=learnt):
        (found,) = judge_attributes(*(sight(logits, truth) for truth in (chooser, witness, test)))
        return [found[name] for name in ("threshold", "is_reliable", "test_balanced_accuracy")]

    threshold, is_reliable, accuracy = judged()
    assert is_reliable
    assert judged(chooser=logits > 1)[0] != threshold
    assert judged(witness=noise) == [threshold, False, accuracy]
    other = judged(test=noise)
    assert other[:2] == [threshold, True]
    assert other[2] != accuracy


def test_without_a_threshold_nothing_is_reliable():
    seen = sight(torch.linspace(-2, 2, 40), torch.linspace(-2, 2, 40) > 0)
    nobody = sight(torch.zeros(40), torch.zeros(40).bool())
    (found,) = judge_attributes(nobody, seen, seen)
    assert (found["is_reliable"], found["val_balanced_accuracy"]) == (False, None)


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


CARD = """# Referee, 32 px

What it finds in a face, and how alike two people are: a small network upon the features of a frozen
ImageNet EfficientNet-Lite0, whose weights a package brings. It judges the results of the platform,
is used in no training loss, and saw no person that the guide saw. `referee.safetensors`.

- Data: toy; photographs: {'train': 6, 'val': 2, 'test': 1}.
- Licence: of toys.
- Reliable attributes (balanced accuracy of 0.75 or more, with at least 5
  cases of each answer, on the half of val that chose no threshold): 1 of 2.
- VERIFICATION

| attribute | balanced accuracy (test) | AUROC (test) | positives (test) | reliable |
|---|---|---|---|---|
| Bald | 0.750 | 0.875 | 4 | yes |
| Young | - | - | 0 | no |

Thresholds are chosen on half of the people of val and kept in `config.json`. On faces that are not
photographs its accuracy is unknown. Made by the stage `train_referee`.
"""
PEOPLE = {
    "threshold": 0.4321, "test_auroc": 0.9, "test_same_pairs": 7,
    "test_other_pairs": 9, "test_same_accepted": 0.5, "test_balanced_accuracy": 0.6,
}  # fmt: skip
VERIFICATION = (
    "Two photographs of one person against two people, on test pairs: AUROC 0.900 (7 same pairs); "
    "threshold 0.432 (cosine, chosen on val)."
)
NOBODY = (
    "The val split shows nobody twice, so no threshold could be chosen and identity is not judged."
)


@pytest.mark.parametrize(("identity", "said"), [(PEOPLE, VERIFICATION), (None, NOBODY)])
def test_the_card_states_the_quality_of_each_attribute_and_of_people(identity, said):
    bald = {
        "test_balanced_accuracy": 0.75, "test_auroc": 0.875, "test_positives": 4,
        "is_reliable": True,
    }  # fmt: skip
    young = {
        "test_balanced_accuracy": None, "test_auroc": None, "test_positives": 0,
        "is_reliable": False,
    }  # fmt: skip
    config = {
        "resolution": 32,
        "attributes": {"Bald": bald, "Young": young},
        "reliable": ["Bald"],
        "identity": identity,
        "num_photographs": {"train": 6, "val": 2, "test": 1},
        "training": {"data": "toy", "licence": "of toys"},
    }
    assert referee_card(config) == CARD.replace("VERIFICATION", said)


def test_the_headline_is_the_mean_over_reliable_attributes_that_could_be_tested():
    accuracies = {"Bald": 0.75, "Bangs": 0.875, "Male": None, "Young": 0.25}
    quality = {
        "attributes": {name: {"test_balanced_accuracy": a} for name, a in accuracies.items()},
        "reliable": ["Bald", "Bangs", "Male"],
        "identity": {"test_auroc": 0.9},
    }
    assert headline(quality) == {
        "num_reliable_attributes": 3.0,
        "test_balanced_accuracy_of_reliable": 0.8125,
        "test_verification_auroc": 0.9,
    }
    assert headline(quality | {"reliable": ["Male"], "identity": {"test_auroc": None}}) == {
        "num_reliable_attributes": 1.0
    }
    assert headline(quality | {"reliable": [], "identity": None}) == {
        "num_reliable_attributes": 0.0
    }


def test_people_are_judged_on_the_pairs_of_the_known():
    """Unit vectors at 0, 10, 20 and 90 degrees, two of one person; a fifth is of nobody known."""
    degrees = torch.tensor([0.0, 10.0, 20.0, 90.0, 5.0]).deg2rad()
    embeddings = torch.stack([degrees.cos(), degrees.sin()], dim=1)
    identities = torch.tensor([1, 1, 2, 3, -1])
    found = judge_people(embeddings, identities, embeddings, identities)
    assert found == {
        "threshold": pytest.approx((math.cos(math.radians(10)) + math.cos(math.radians(20))) / 2),
        "test_auroc": 0.9,
        "test_balanced_accuracy": 0.9,
        "test_same_accepted": 1.0,
        "test_same_pairs": 1,
        "test_other_pairs": 5,
    }


@pytest.mark.parametrize(("num_found", "is_reliable"), [(11, True), (10, True), (9, False)])
def test_an_attribute_is_reliable_from_a_balanced_accuracy_of_three_quarters_on(
    num_found, is_reliable
):
    """Every no is found, and `num_found` of twenty yes."""
    truth, logits = torch.arange(40) < 20, torch.zeros(40)
    logits[:num_found] = 1
    one = quality(truth, logits)
    assert one["val_balanced_accuracy"] == (1 + num_found / 20) / 2
    assert one["is_reliable"] == is_reliable
    assert (one["val_positives"], one["test_positives"]) == (20, 20)


def test_five_negatives_are_enough_and_four_too_few():
    assert quality(torch.arange(40) >= 5)["is_reliable"]
    assert not quality(torch.arange(40) >= 4)["is_reliable"]
