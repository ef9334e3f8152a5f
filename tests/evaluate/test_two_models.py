"""Two models on the same films."""

import numpy as np
import pytest
from scipy.stats import binomtest

from core.errors import EvaluationError
from core.evaluate.compare import compare, holm, mcnemar, sign_flips
from core.evaluate.evaluation import Evaluation
from core.evaluate.scopes import OVERALL
from tests.evaluate.drawn import CLASSES, evaluation, probabilities, spoilt


def test_a_model_compared_with_itself_does_not_differ():
    drawn = evaluation()
    result = compare(drawn, drawn)
    assert all((f.value, f.low, f.high) == (0, 0, 0) for f in result.differences.values())
    assert result.mcnemar.p == 1
    assert result.changed.empty


def test_two_models_that_call_every_film_alike_may_still_differ_on_others():
    """No discordant film of n: as Tango (1998) has it, up to z^2 / (n + z^2)."""
    drawn = evaluation(films=90, strength=3)
    sharper = drawn.probabilities**2 / (drawn.probabilities**2).sum(axis=1, keepdims=True)
    result = compare(drawn, Evaluation(CLASSES, drawn.labels, sharper, drawn.samples))
    reach = 1.959964**2 / (90 + 1.959964**2)
    gap = result.differences["accuracy"]
    assert (gap.value, gap.low, gap.high) == pytest.approx((0, -reach, reach))
    assert result.differences["mcc"].high > reach
    assert result.differences["log_loss"].high - result.differences["log_loss"].low < 0.5


def test_a_worse_model_is_seen_to_be_worse():
    drawn = evaluation(strength=2)
    worse = spoilt(drawn, np.arange(60))
    result = compare(drawn, worse)
    assert result.differences["accuracy"].high < 0 < result.differences["log_loss"].low
    assert result.mcnemar.p < 0.001
    expected = (worse.called() == drawn.labels).mean() - (drawn.called() == drawn.labels).mean()
    assert result.differences["accuracy"].value == pytest.approx(expected)
    assert (result.changed["verdict"] == "now wrong").sum() == result.mcnemar.only_first


def test_order_of_films_and_classes_does_not_matter():
    drawn = evaluation()
    order, rows = [2, 0, 1], np.random.default_rng(1).permutation(len(drawn))[:200]
    shuffled = Evaluation(
        tuple(CLASSES[i] for i in order),
        np.argsort(order)[drawn.labels[rows]],
        drawn.probabilities[rows][:, order],
        drawn.samples.iloc[rows].reset_index(drop=True),
    )
    result = compare(drawn, shuffled)
    assert result.films == 200
    assert all(f.value == pytest.approx(0) for f in result.differences.values())
    assert result.changed.empty


def test_films_that_share_a_name_are_told_apart_by_source_and_class():
    drawn = evaluation(films=60)
    twice = [f"{i // 2}.png" for i in range(60)]
    by_source = Evaluation(
        CLASSES, drawn.labels, drawn.probabilities, drawn.samples.assign(path=twice, source=["a", "b"] * 30)
    )
    assert compare(by_source, spoilt(by_source, np.array([3]))).films == 60
    labels = np.tile([0, 1], 30)
    by_class = Evaluation(CLASSES, labels, drawn.probabilities, drawn.samples.assign(path=twice, source=""))
    other = spoilt(by_class, np.array([3]))
    assert compare(by_class, other).films == 60
    part = other.where(np.arange(60) % 2 == 0)  # here each name is there once
    assert compare(by_class, part).changed.empty
    same = Evaluation(CLASSES, labels * 0, drawn.probabilities, by_class.samples)
    with pytest.raises(EvaluationError, match=r"share name, source and label.*Rename"):
        compare(same, same)


def test_models_that_cannot_be_compared_are_refused():
    drawn = evaluation()
    two = evaluation(classes=("Normal", "COVID-19"))
    with pytest.raises(EvaluationError, match="same classes"):
        compare(drawn, two)
    renamed = Evaluation(
        CLASSES, drawn.labels, drawn.probabilities, drawn.samples.assign(path=drawn.samples["path"] + "x")
    )
    with pytest.raises(EvaluationError, match="not evaluated on the same films"):
        compare(drawn, renamed)
    relabelled = Evaluation(CLASSES, (drawn.labels + 1) % 3, drawn.probabilities, drawn.samples)
    with pytest.raises(EvaluationError, match="another label"):
        compare(drawn, relabelled)


def test_mcnemar_is_the_exact_binomial_test():
    labels = np.zeros(30, int)
    first = np.r_[np.zeros(20, int), np.ones(10, int)]
    second = np.r_[np.ones(3, int), np.zeros(24, int), np.ones(3, int)]
    result = mcnemar(labels, first, second)
    assert (result.only_first, result.only_second) == (3, 7)
    assert result.p == pytest.approx(binomtest(3, 10).pvalue)


def test_paired_intervals_are_narrower_than_the_models_own():
    rng = np.random.default_rng(5)
    drawn = evaluation(strength=1)
    nudged = 0.9 * drawn.probabilities + 0.1 * probabilities(drawn.labels, 3, 1, rng)
    gap = compare(drawn, Evaluation(CLASSES, drawn.labels, nudged, drawn.samples)).differences["accuracy"]
    own = drawn.figures()[OVERALL]["accuracy"]
    assert gap.high - gap.low < 0.7 * (own.high - own.low)


def test_films_of_one_patient_count_together_in_mcnemars_test():
    """Eight films that changed, all of one patient, are one patient's word; of eight patients, they are evidence."""
    labels, wrong = np.zeros(40, int), np.r_[np.ones(8, int), np.zeros(32, int)]
    assert mcnemar(labels, wrong, labels).p < 0.01
    assert mcnemar(labels, wrong, labels, np.arange(40) // 8).p == 1
    assert mcnemar(labels, wrong, labels, np.arange(40)).p == pytest.approx(mcnemar(labels, wrong, labels).p)


def test_sign_flips_reject_equal_models_at_their_rate_and_the_binomial_does_not():
    rng, rejected = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        gained = np.repeat(rng.choice([-1, 0, 1], 60, p=[0.1, 0.8, 0.1]), 3)
        by_patient = sign_flips(gained.reshape(60, 3).sum(axis=1), flips=2000)
        by_film = binomtest(int((gained > 0).sum()), max(int((gained != 0).sum()), 1)).pvalue
        rejected += [by_patient <= 0.05, by_film <= 0.05]
    assert rejected[0] / 300 < 0.08
    assert rejected[1] / 300 > 0.12


def test_holm_rejects_step_by_step():
    assert holm({"a": 0.01, "b": 0.02, "c": 0.04}) == {"a", "b", "c"}
    assert holm({"a": 0.01, "b": 0.03, "c": 0.04}) == {"a"}
    assert holm({"a": 0.02}) == {"a"}
    assert holm({}) == frozenset()


def test_only_what_is_more_than_luck_is_clear():
    drawn = evaluation(strength=2)
    assert not compare(drawn, drawn).clear
    assert {"accuracy", "log_loss"} <= compare(drawn, spoilt(drawn, np.arange(60))).clear
