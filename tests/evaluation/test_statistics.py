from functools import partial

import pytest
import sklearn.metrics as sklearn_metrics
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tedigan.evaluation.statistics import (
    auroc,
    balanced_accuracy,
    best_threshold,
    bootstrap_interval,
    ratio_interval,
    same_person_pairs,
)
from tedigan.tensors import stream

YES = torch.tensor([True, True, False, False])


def test_auroc_is_one_for_perfect_order_half_for_ties_zero_for_reverse():
    assert auroc(torch.tensor([3.0, 2.0, 1.0, 0.0]), YES) == 1.0
    assert auroc(torch.zeros(4), YES) == 0.5
    assert auroc(torch.tensor([0.0, 1.0, 2.0, 3.0]), YES) == 0.0


def test_scores_need_both_answers():
    always = torch.ones(4).bool()
    assert auroc(torch.rand(4), always) is None
    assert balanced_accuracy(always, always) is None
    assert best_threshold(torch.rand(4), always) is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=40))
def test_the_scores_equal_scikit_learns(cases):
    values, answers = zip(*cases, strict=True)
    scores, truth = torch.tensor(values).float(), torch.tensor(answers)
    if len(set(answers)) < 2:
        return  # there they warn, and ours is None
    near = partial(pytest.approx, abs=1e-12)  # theirs is the same area, summed in another order
    assert auroc(scores, truth) == near(sklearn_metrics.roc_auc_score(truth, scores))
    expected = sklearn_metrics.balanced_accuracy_score(truth, scores > 0)
    assert balanced_accuracy(scores > 0, truth) == near(expected)
    no, yes, _ = sklearn_metrics.roc_curve(truth, scores, drop_intermediate=False)
    if len(set(values)) > 1:  # a threshold lies between two scores
        reached = balanced_accuracy(scores > best_threshold(scores, truth), truth)
        assert reached == near((1 + (yes - no)[1:-1].max()) / 2)


def test_balanced_accuracy_of_always_yes_is_one_half():
    assert balanced_accuracy(torch.ones(10).bool(), torch.arange(10) < 9) == 0.5


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=20), st.integers(0, 2**16))
@example([0, 0, 1, -1, 0, 0, 0, 1, 1, 1], 335)  # two cuts are equally good but for the last bit
def test_no_cut_between_scores_beats_the_best_threshold(values, bits):
    scores = torch.tensor(values, dtype=torch.float32)
    truth = torch.tensor([bool(bits >> i & 1) for i in range(len(values))])
    best = best_threshold(scores, truth)
    if best is None or len(set(values)) < 2:
        return
    reached = balanced_accuracy(scores > best, truth)
    cuts = [balanced_accuracy(scores > cut + 0.5, truth) for cut in sorted(set(values))[:-1]]
    assert reached == pytest.approx(max(cuts), abs=1e-12)


def test_bootstrap_interval_holds_the_mean_and_repeats():
    values = torch.arange(100).double()
    intervals = [
        bootstrap_interval(100, lambda rows: float(values[rows].mean()), stream("boot"))
        for _ in range(2)
    ]
    assert intervals[0] == intervals[1]
    low, high = intervals[0]
    assert low < 49.5 < high
    assert high - low < 15


def test_scores_of_a_small_case():
    scores = torch.tensor([5.0, 1.0, 3.0, 3.0, 0.0])
    truth = torch.tensor([True, True, True, False, False])
    # of six pairs: 5 > 3, 5 > 0, 1 > 0, 3 > 0; 3 = 3 counts half; 1 < 3
    assert auroc(scores, truth) == 4.5 / 6
    assert balanced_accuracy(scores > 2, truth) == (2 / 3 + 1 / 2) / 2
    # a cut between 0 and 1 finds all three and one of two; between 3 and 5 one of three and both
    assert best_threshold(scores, truth) == 0.5


def test_pairs_are_of_different_photographs_each_once():
    embeddings = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    cosines, is_same = same_person_pairs(embeddings, torch.tensor([7, 8, 7]))
    assert cosines.tolist() == pytest.approx([0.0, 0.6, 0.8])
    assert is_same.tolist() == [False, True, False]


def test_the_interval_of_a_ratio_is_the_bootstrap_s():
    got, of = torch.arange(9.0), torch.arange(9.0) + 2
    expected = bootstrap_interval(
        9, lambda rows: float(got[rows].sum() / of[rows].sum()), stream("ratio")
    )
    assert ratio_interval(got, of, stream("ratio")) == pytest.approx(expected)
