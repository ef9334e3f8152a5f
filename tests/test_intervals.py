"""Intervals never pretend to know more than the films do."""

import math

import numpy as np
import pandas as pd
import pytest

from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED
from core.intervals import (
    TOO_FEW,
    mover,
    of_losses,
    percentiles,
    proportion,
    rank_films,
    ratio,
    settle,
    student,
    wilson,
)
from core.resamples import resamples
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
    labels = np.tile([0, 1, 2], 5)
    perfect = Evaluation(CLASSES, labels, np.eye(3)[labels], evaluation(films=15).samples)
    figures = perfect.figures()
    for scope, key in ((OVERALL, "accuracy"), (MACRO, "auroc"), (OVERALL, "mcc"), (MACRO, "f1")):
        figure = figures[scope][key]
        assert figure.value == 1
        assert figure.high == 1
        assert figure.low < 0.85
    silent = figures[MACRO]["auroc"].low  # of twice the films of the rarer side, where no resample differs
    assert silent == pytest.approx(wilson(10, 10)[0])


def test_too_few_for_an_interval_is_said_and_five_are_enough():
    for films, shown in ((4, False), (5, True)):
        labels = np.repeat([0, 1], [60, films])
        p = probabilities(labels, 2, 1.5, np.random.default_rng(0))
        samples = pd.DataFrame({"path": labels.astype(str)})
        figures = Evaluation(("a", "b"), labels, p, samples).figures()["b"]
        assert figures["auroc"].bounded == shown
        assert (figures["auroc"].method == TOO_FEW) != shown
        assert (TOO_FEW in figures["auroc"].text()) != shown
        assert figures["recall"].bounded


def test_a_model_that_says_one_thing_only_has_no_certain_balanced_accuracy():
    labels = np.repeat([0, 1], [60, 40])
    p = np.tile([0.9, 0.1], (100, 1))
    figure = Evaluation(("a", "b"), labels, p, pd.DataFrame({"path": labels.astype(str)})).figures()[OVERALL]
    balanced = figure["balanced_accuracy"]
    assert balanced.value == 0.5
    assert balanced.low < 0.47
    assert balanced.high > 0.53
    assert figure["kappa"].low < -0.1


def test_mover_of_one_part_is_its_interval():
    assert mover(0.8, [(1.0, 0.8, 0.7, 0.87)]) == pytest.approx((0.7, 0.87))
    low, high = mover(0.75, [(0.5, 0.8, 0.7, 0.87), (0.5, 0.7, 0.6, 0.8)])
    assert 0.75 - low == pytest.approx(math.hypot(0.05, 0.05))
    assert high - 0.75 == pytest.approx(math.hypot(0.035, 0.05))


def test_losses_without_skewness_get_students_t_and_skewed_ones_reach_up():
    values = np.tile([0.9, 1.0, 1.1], 20)
    low, high = of_losses(values, np.arange(60))
    reach = student(60) * values.std(ddof=1) / math.sqrt(60)
    assert (1 - low, high - 1) == pytest.approx((reach, reach), rel=0.01)
    skewed = np.r_[np.full(57, 0.02), 2.0, 3.0, 4.0]
    low, high = of_losses(skewed, np.arange(60))
    assert high - skewed.mean() > 2 * (skewed.mean() - low)
    assert of_losses(np.repeat(skewed, 3), np.repeat(np.arange(60), 3)) == pytest.approx((low, high))


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


def test_a_score_interval_of_a_proportions_resamples_is_wilsons():
    rng = np.random.default_rng(0)
    for share, n in ((0.8, 400), (0.97, 100)):
        hits = rng.binomial(n, share, 20_000) / n
        found = settle(share, hits, n)
        assert found == pytest.approx(wilson(share * n, n, student(n)), abs=0.004)
        scaled = settle(2 * share - 1, 2 * hits - 1, n, (-1.0, 1.0))
        assert scaled == pytest.approx(tuple(2 * limit - 1 for limit in found))
    narrow = settle(0.9, 0.9 + rng.normal(0, 1e-3, 1000), 20, most=20)
    assert narrow == pytest.approx(proportion(18, 20, student(20)))
    assert settle(1.0, np.ones(50), 8) == wilson(8, 8)
    assert settle(1.0, np.ones(50), 8, silent=16) == wilson(16, 16)
    low, high = settle(0.4, np.full(50, 0.4), 20)
    assert low < 0.25
    assert high > 0.55


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
    weighted = figures[WEIGHTED]["recall"]
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


def test_a_proportion_near_its_end_covers_where_bare_wilson_does_not():
    """With 0.1 errors expected, one in ten studies meets one: Wilson's upper limit then leaves the truth out."""
    truth, n = 0.9995, 200
    chance = [math.comb(n, k) * (1 - truth) ** k * truth ** (n - k) for k in range(6)]
    for interval, least, most in ((wilson, 0.8, 0.92), (proportion, 0.93, 1.0)):
        limits = [interval(n - k, n) for k in range(6)]
        held = sum(p for p, (low, high) in zip(chance, limits, strict=True) if low <= truth <= high)
        assert least < held <= most, interval
    assert proportion(90, 100) == wilson(90, 100)


def test_an_auroc_tells_as_much_as_newcombes_variance_says_and_no_more():
    """Newcombe 2006, method 5, written out for 20 and 80 patients at 0.9."""
    area, both = 0.9, (20 + 80) / 2 - 1
    variance = area * (1 - area) * (1 + both * ((1 - area) / (2 - area) + area / (1 + area))) / (20 * 80)
    assert rank_films(0.9, 20, 80) == pytest.approx(area * (1 - area) / variance)
    assert rank_films(0.9, 20, 80) == pytest.approx(rank_films(0.9, 80, 20))
    assert rank_films(0.1, 20, 80) == pytest.approx(rank_films(0.9, 20, 80))


def test_what_rests_on_a_dozen_calls_has_the_doubt_of_a_dozen():
    """MCC, kappa and F1 of a model that seldom calls a class: by the class's 60 films MCC held 0.90 of truths."""
    rng = np.random.default_rng(3)
    labels = (np.arange(200) < 60).astype(int)
    p = np.where(np.isin(np.arange(200), [1, 5, 9, 20, 33, 41, 70, 90, 120]), 0.7, 0.1 + 0.3 * rng.random(200))
    samples = pd.DataFrame({"path": [str(i) for i in range(200)]})
    films = Evaluation(("a", "b"), labels, np.column_stack([1 - p, p]), samples)
    assert (films.called() == 1).sum() == 9
    replicates, figures = films._replicates(films.point), films.figures()
    for scope, key, row in ((OVERALL, "mcc", 0), (OVERALL, "kappa", 0), ("b", "f1", 1)):
        drawn = GLOSSARY[key].samples(replicates.films)
        drawn = drawn[:, row] if key == "f1" else drawn
        found, scale = figures[scope][key], GLOSSARY[key].scale
        assert (found.low, found.high) == pytest.approx(settle(float(drawn[0]), drawn[1:], 9, scale, silent=60))
        by_label = settle(float(drawn[0]), drawn[1:], 60, scale, silent=60)
        assert found.high - found.low > 1.1 * (by_label[1] - by_label[0])
    never = Evaluation(("a", "b"), labels, np.tile([0.9, 0.1], (200, 1)), samples).figures()["b"]["f1"]
    assert never.high < 0.1  # of 60 films none was found: that is known well, though none was called
