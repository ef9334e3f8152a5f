"""Intervals hold the truth as often as they say, and never pretend to know more than the films do."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.evaluate.estimates import MACRO, OVERALL
from core.evaluate.evaluation import Evaluation
from core.evaluate.intervals import percentiles, resamples, widen, wilson
from tests.evaluate.drawn import CLASSES, evaluation


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


def test_intervals_cover_the_truth_at_their_stated_rate():
    """150 small studies from one known population: some 95 % of their intervals must hold its figures."""
    population = evaluation(films=200_000, seed=99)
    auroc = roc_auc_score(population.labels, population.probabilities, multi_class="ovr")
    accuracy = (population.called() == population.labels).mean()
    recall = (population.called() == 1)[population.labels == 1].mean()
    studies, held = 150, np.zeros(4)
    for seed in range(studies):
        figures = evaluation(films=120, seed=seed).figures()
        pairs = (
            (figures[OVERALL]["accuracy"], accuracy),
            (figures[MACRO]["auroc"], auroc),
            (figures[CLASSES[1]]["recall"], recall),
            (figures[OVERALL]["balanced_accuracy"], accuracy),
        )
        held += [figure.low <= value <= figure.high for figure, value in pairs]
    assert (held / studies >= 0.9).all(), held / studies
    assert (held / studies < 1).all(), held / studies


def test_intervals_cover_at_their_rate_where_patients_have_several_films():
    """Three films that go right or wrong with their patient: drawing patients covers, drawing films does not."""
    rng, studies = np.random.default_rng(0), 300
    held = {"patients": 0, "films": 0}
    for _ in range(studies):
        right = np.repeat(rng.random(80) < 0.8, 3)
        for unit, clusters in (("patients", np.arange(240) // 3), ("films", np.arange(240))):
            weights = resamples(clusters, 400)
            low, high = percentiles((right @ weights / weights.sum(axis=0))[1:, None])
            held[unit] += low[0] <= 0.8 <= high[0]
    assert 0.91 <= held["patients"] / studies <= 0.985
    assert held["films"] / studies < 0.85


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
