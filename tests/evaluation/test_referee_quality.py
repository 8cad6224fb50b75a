import torch

from tedigan.evaluation.referee_quality import judge_attributes, judge_people

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


def test_val_without_pairs_takes_the_threshold_from_test_and_says_so():
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    quality = judge_people(embeddings, torch.arange(3), embeddings, torch.tensor([1, 1, 2]))
    assert quality is not None
    assert quality["threshold_from"] == "test"
    assert quality["test_auroc"] == 1.0
