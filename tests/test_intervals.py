"""Intervals never pretend to know more than the films do."""

import math

import numpy as np
import pandas as pd
import pytest

from core.evaluate.estimates import MACRO, OVERALL
from core.evaluate.evaluation import Evaluation
from core.intervals import percentiles, ratio, resamples, settle, widen, wilson
from tests.evaluate.drawn import CLASSES, evaluation, probabilities


def test_a_resample_draws_whole_patients():
    clusters = np.repeat(np.arange(50), 3)
    weights = resamples(clusters, replicates=200)
    assert weights.shape == (150, 201)
    assert (weights[:, 0] == 1).all()
    assert (weights[::3] == weights[1::3]).all()
    assert (weights[::3].sum(axis=0) == 50).all()


def test_resamples_follow_from_their_seed():
    clusters = np.arange(30)
    assert (resamples(clusters, seed=1) == resamples(clusters, seed=1)).all()
    assert (resamples(clusters, seed=1) != resamples(clusters, seed=2)).any()


def test_percentiles_leave_out_undefined_resamples():
    samples = np.column_stack([np.arange(100.0), np.where(np.arange(100) < 50, np.nan, 1.0), np.full(100, np.nan)])
    low, high = percentiles(samples)
    assert low[:2] == pytest.approx([2.475, 1])
    assert high[:2] == pytest.approx([96.525, 1])
    assert math.isnan(low[2])


def test_patients_with_several_films_widen_the_interval():
    """Four copies of each film are no new evidence: the interval must stay as wide as that of the films once."""
    once = evaluation(films=150)
    rows = np.repeat(np.arange(150), 4)
    copies = Evaluation(CLASSES, once.labels[rows], once.probabilities[rows], once.samples.iloc[rows])
    naive = Evaluation(CLASSES, copies.labels, copies.probabilities, copies.samples.assign(patient=""))
    width = {}
    for name, e in (("once", once), ("copies", copies), ("naive", naive)):
        figure = e.figures()[OVERALL]["accuracy"]
        width[name] = figure.high - figure.low
    assert width["copies"] == pytest.approx(width["once"], rel=0.1)
    assert width["naive"] < 0.6 * width["once"]


def test_proportions_without_repeated_patients_get_wilsons_interval():
    drawn = evaluation()
    figure = drawn.figures()[CLASSES[0]]["recall"]
    assert (figure.low, figure.high) == wilson(round(figure.value * figure.n), figure.n)


def test_perfection_on_few_films_is_not_certainty():
    labels = np.tile([0, 1, 2], 4)
    perfect = Evaluation(CLASSES, labels, np.eye(3)[labels], evaluation(films=12).samples)
    figures = perfect.figures()
    for scope, key in ((OVERALL, "accuracy"), (MACRO, "auroc"), (OVERALL, "mcc"), (MACRO, "f1")):
        figure = figures[scope][key]
        assert figure.value == 1
        assert figure.high == 1
        assert figure.low < 0.8
    assert figures[MACRO]["auroc"].low == pytest.approx(wilson(4, 4)[0])


def test_widen_leaves_honest_intervals_alone():
    assert widen(0.9, 0.85, 0.95, 20) == (0.85, 0.95)
    assert widen(0.4, 0.4, 0.4, 20) == (0.4, 0.4)


def test_ratio_of_shares_is_that_of_its_formula_and_has_its_limits():
    """Donner and Zou's equation (2012), written as they do."""
    first, (low, high), second, (least, most) = 0.5, (0.4, 0.62), 0.1, (0.05, 0.17)
    product = first * second
    lower = (product - math.sqrt(product**2 - low * most * (2 * first - low) * (2 * second - most))) / (
        most * (2 * second - most)
    )
    upper = (product + math.sqrt(product**2 - high * least * (2 * first - high) * (2 * second - least))) / (
        least * (2 * second - least)
    )
    assert ratio(first, (low, high), second, (least, most)) == pytest.approx((lower, upper))
    assert ratio(0.5, (0.4, 0.6), 0.1, (0.05, 0.2))[0] == pytest.approx(0.4 * 0.6 / (2 * 0.05))  # its 0 / 0
    assert ratio(0.0, (0.0, 0.1), 0.1, (0.05, 0.2))[0] == 0
    assert ratio(0.5, (0.4, 0.6), 0.0, (0.0, 0.1))[1] == math.inf
    assert ratio(0.5, (0.4, 0.6), 0.0, (0.0, 0.1))[0] > 4


def test_settle_changes_what_lies_near_the_end_of_its_scale():
    rng = np.random.default_rng(0)
    middle = rng.normal(0.8, 0.02, 2000)
    assert settle(0.8, middle, (0.76, 0.84), 50) == (0.76, 0.84)
    hits = rng.binomial(100, 0.97, 5000) / 100
    low, high = settle(0.97, hits, (0.94, 1.0), 100)
    assert (low, high) == pytest.approx(wilson(97, 100), abs=0.012)
    assert settle(0.94, 2 * hits - 1, (0.88, 1.0), 100, (-1.0, 1.0)) == pytest.approx((2 * low - 1, 2 * high - 1))
    low, high = settle(0.03, 1 - hits, (0.0, 0.06), 100, (0.0, math.inf))
    assert low * high == pytest.approx(0.03**2)
    assert settle(1.0, np.ones(50), (1.0, 1.0), 8) == widen(1.0, 1.0, 1.0, 8)


def test_films_of_one_patient_called_rightly_say_little_of_precision():
    labels, patient = np.repeat([0, 1], [10, 20]), ["one"] * 10 + [f"p{i}" for i in range(20)]
    p = probabilities(labels, 2, 50, np.random.default_rng(0))
    samples = pd.DataFrame({"path": [str(i) for i in range(30)], "patient": patient})
    figure = Evaluation(("a", "b"), labels, p, samples).figures()["a"]["precision"]
    assert (figure.value, figure.n) == (1, 10)
    assert figure.low == pytest.approx(wilson(1, 1)[0])


def test_reliability_bars_of_several_films_a_patient_are_those_of_the_patients():
    """Four copies of each film leave every bar as wide as it was; taken for new films, they would halve it."""
    once = evaluation(films=200, strength=1)
    rows = np.repeat(np.arange(200), 4)
    copies = Evaluation(CLASSES, once.labels[rows], once.probabilities[rows], once.samples.iloc[rows])
    bins, bars = once.reliability(), copies.reliability()
    assert (bars["n"] == 4 * bins["n"]).all()
    filled = bins["n"] > 15
    width, expected = ((b["came_true_high"] - b["came_true_low"])[filled] for b in (bars, bins))
    assert filled.sum() >= 4
    assert width.to_numpy() == pytest.approx(expected.to_numpy(), rel=0.25)
    empty = bars["n"] == 0
    assert bars.loc[empty, "came_true_low"].isna().all()


def test_several_films_of_one_patient_are_one_patients_word():
    """Three of five right, all of one patient: the resamples agree, and know nothing of other patients."""
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    p = np.eye(2)[[0, 0, 0, 1, 1, 1, 1, 0]] * 0.8 + 0.1
    samples = pd.DataFrame({"path": [str(i) for i in range(8)], "patient": ["one"] * 5 + ["two", "three", "four"]})
    drawn = Evaluation(("a", "b"), labels, p, samples)
    recall = drawn.figures()["a"]["recall"]
    assert (recall.low, recall.high) == pytest.approx(wilson(0.6, 1))
    alone = drawn.where(labels == 0).figures()[OVERALL]["accuracy"]
    assert alone.high - alone.low > 0.8


def test_a_mean_over_classes_does_not_take_a_perfect_small_class_for_certain():
    """Five of five films in one class: the macro recall doubts them as Wilson does, besides the others' resamples."""
    drawn = evaluation(films=400, strength=1)
    kept = drawn.where((drawn.labels != 2) | (np.cumsum(drawn.labels == 2) <= 5))
    p = kept.probabilities.copy()
    p[kept.labels == 2] = [0.05, 0.05, 0.9]
    figures = Evaluation(CLASSES, kept.labels, p, kept.samples).figures()
    small, macro = figures[CLASSES[2]]["recall"], figures[MACRO]["recall"]
    assert (small.value, small.low) == (1, pytest.approx(wilson(5, 5)[0]))
    assert macro.value - macro.low > (1 - small.low) / 3
    balanced = figures[OVERALL]["balanced_accuracy"]
    assert (balanced.value, balanced.low, balanced.high) == pytest.approx((macro.value, macro.low, macro.high))
    weighted = figures["weighted avg"]["recall"]
    assert weighted.value - weighted.low < macro.value - macro.low


def test_films_of_one_class_alone_say_no_more_than_they_are():
    drawn = evaluation(films=40, strength=50)
    alone = drawn.where(drawn.labels == 0)
    figure = alone.figures()[CLASSES[0]]["f1"]
    assert (figure.value, figure.low) == (1, pytest.approx(wilson(len(alone), len(alone))[0]))


def test_films_without_a_patient_are_no_one_patient():
    drawn = evaluation(films=60)
    for unknown in ("", None, np.nan):
        samples = drawn.samples.assign(patient=unknown)
        assert not Evaluation(CLASSES, drawn.labels, drawn.probabilities, samples).clustered


def test_a_patient_with_films_of_two_classes_is_one_patient():
    labels = np.tile([0, 1], 6)
    samples = pd.DataFrame({"path": [str(i) for i in range(12)], "patient": [f"p{i // 2}" for i in range(12)]})
    figure = Evaluation(("a", "b"), labels, np.eye(2)[labels], samples).figures()[OVERALL]["accuracy"]
    assert figure.low == pytest.approx(wilson(6, 6)[0])
