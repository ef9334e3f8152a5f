"""Of more films than can have weights of their own, intervals are those of the bootstrap over patients."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.coverage import CLASS, Scenario, study
from core import resamples
from core.data.patients import numbered
from core.evaluate import calibration, metrics, ranking, slices
from core.evaluate.compare import compare, sign_flips
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.scopes import OVERALL
from core.resamples import Grouped
from tests.evaluate.drawn import evaluation

TWO_FILMS = Scenario(2500, 2, (0.6, 0.3, 0.1), strength=1.6)


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ways of many films for 5,000, beside which those of few can be worked out."""
    monkeypatch.setattr(resamples, "MANY", 1000)
    monkeypatch.setattr(calibration, "MANY", 1000)


def again(drawn: Evaluation, **columns: object) -> Evaluation:
    """The same films, with nothing worked out yet."""
    return Evaluation(drawn.classes, drawn.labels, drawn.probabilities, drawn.samples.assign(**columns), drawn.logits)


@pytest.fixture(scope="module")
def films() -> Evaluation:
    return study(TWO_FILMS, TWO_FILMS.patients, np.random.default_rng(5))


def test_every_interval_is_as_wide_as_that_of_the_bootstrap_over_patients(films, few_are_many):
    many, few = again(films), again(films)
    assert isinstance(many.weights, Grouped)
    few.__dict__["weights"] = resamples.resamples(few.clusters)
    prevalence = {CLASS: 0.02}
    expected, found = few.figures(prevalence=prevalence), many.figures(prevalence=prevalence)
    told = set()
    for scope, group in expected.items():
        for key, figure in group.items():
            other = found[scope][key]
            assert other.value == pytest.approx(figure.value, rel=1e-5, abs=2e-4), (scope, key)
            assert other.high - other.low == pytest.approx(figure.high - figure.low, rel=0.13), (scope, key)
            told.add(other.method)
    assert sum("; patients drawn in 2,000 random groups" in method for method in told) >= 3
    curve, expected_curve = many.curve(CLASS), few.curve(CLASS)
    for name in ("roc", "pr", "gains"):
        widths = [getattr(c, f"{name}_high")[10:90] - getattr(c, f"{name}_low")[10:90] for c in (curve, expected_curve)]
        assert widths[0].mean() == pytest.approx(widths[1].mean(), rel=0.1), name
    assert curve.lift(0.1) == pytest.approx(expected_curve.lift(0.1), rel=0.1)


def test_films_taken_for_patients_have_intervals_that_are_too_narrow(few_are_many):
    """The check above can fail: eight films of a patient are not eight pieces of evidence."""
    eight = Scenario(700, 8, (0.6, 0.4), strength=1.2, together=0.8)
    films = study(eight, eight.patients, np.random.default_rng(2))
    many, naive = again(films), again(films, patient="")
    assert isinstance(many.weights, Grouped)
    assert isinstance(naive.weights, Grouped)
    for scope, key in ((CLASS, "auroc"), (CLASS, "average_precision"), (OVERALL, "mcc"), (OVERALL, "log_loss")):
        own, other = many.figures()[scope][key], naive.figures()[scope][key]
        assert other.high - other.low < 0.7 * (own.high - own.low), key


def test_areas_move_with_a_film_as_their_slopes_say():
    """Against the exact figure where one film weighs a little more; equal scores among them."""
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 25, 90) / 25, rng.random(90) < 0.3
    for film in range(0, 90, 7):
        counts = np.ones((90, 2))
        counts[film, 1] += 1e-6
        by_group = ranking.areas(scores, positive, Grouped(np.arange(90, dtype=np.int32), counts))
        _, tp, fp = metrics.sweep(scores, positive, counts)
        for found, exact in zip(by_group, (metrics.auroc(tp, fp), metrics.average_precision(tp, fp)), strict=True):
            assert found[0] == pytest.approx(exact[0], abs=1e-12)
            assert (found[1] - found[0]) * 1e6 == pytest.approx((exact[1] - exact[0]) * 1e6, abs=1e-4)


def test_a_sweep_by_group_is_exact_at_every_threshold_it_keeps():
    rng = np.random.default_rng(1)
    scores, positive = rng.integers(0, 900, 3000) / 900, rng.random(3000) < 0.2
    weights = Grouped(rng.integers(0, 50, 3000).astype(np.int32), rng.integers(0, 3, (50, 6)).astype(float))
    weights.counts[:, 0] = 1
    thresholds, tp, fp = ranking.swept(scores, positive, weights)
    assert 300 < len(thresholds) <= ranking.POINTS + 2
    every, whole_tp, whole_fp = metrics.sweep(scores, positive, weights.counts[weights.groups])
    rows = np.searchsorted(-every, -thresholds)
    np.testing.assert_array_equal(every[rows], thresholds)
    np.testing.assert_array_equal(tp, whole_tp[rows])
    np.testing.assert_array_equal(fp, whole_fp[rows])


def test_a_class_that_is_not_there_is_undefined_among_many_films_too(films, few_are_many):
    part = films.where(films.labels != 2)
    figures = part.figures()
    assert figures[CLASS]["auroc"].note.startswith("not defined")
    assert figures[CLASS]["average_precision"].note.startswith("not defined")
    assert not len(part.curve(CLASS).tpr)


@pytest.mark.parametrize("clustered", [True, False], ids=["two films", "one film"])
def test_the_luck_of_bins_is_that_of_drawn_outcomes(films, clustered, monkeypatch):
    said, right = films.scores.confidence, films.scores.right
    given = {"came_true": right, "clusters": films.clusters} if clustered else {}
    drawn = calibration.calibration_floor(said, **given)
    monkeypatch.setattr(calibration, "MANY", 1000)
    normal = calibration.calibration_floor(said, **given)
    assert normal.mean() == pytest.approx(drawn.mean(), rel=0.1)
    assert normal.std() == pytest.approx(drawn.std(), rel=0.2)


def test_two_models_are_compared_on_many_films(films, monkeypatch):
    sharper = films.probabilities**2
    other = Evaluation(films.classes, films.labels, sharper / sharper.sum(axis=1, keepdims=True), films.samples)
    few = compare(films, other)
    monkeypatch.setattr(resamples, "MANY", 1000)
    many = compare(films, other)
    assert many.clear == few.clear != frozenset()
    for key, gap in few.differences.items():
        found = many.differences[key]
        assert found.value == pytest.approx(gap.value, abs=1e-4), key
        assert found.high - found.low == pytest.approx(gap.high - gap.low, rel=0.15, abs=1e-9), key
    assert many.differences["auroc"].method.endswith("random groups")
    assert not few.differences["auroc"].method.endswith("random groups")


def test_signs_of_many_patients_are_flipped_by_their_normal_deviate():
    rng = np.random.default_rng(4)
    differences = rng.choice([-2.0, -1.0, 1.0, 2.0], 5200, p=[0.14, 0.35, 0.36, 0.15])
    few = sign_flips(differences[:4900])
    assert 0.001 < few < 0.999
    spread = np.sqrt((differences**2).sum())
    for shift in (0.0, 1.0, 2.0):
        moved = differences.copy()
        moved[: int(shift * spread)] = np.abs(moved[: int(shift * spread)])
        signs = rng.choice(np.array([-1, 1], np.int8), (1500, len(moved)))
        expected = (np.abs(signs @ moved) >= abs(moved.sum())).mean()
        assert sign_flips(moved) == pytest.approx(expected, abs=0.04)


def test_the_worst_slice_of_many_films_is_found_and_chance_is_not_called_clear(few_are_many):
    drawn = evaluation(films=4000, seed=8)
    bad = (drawn.samples["source"] == "north").to_numpy() & (np.random.default_rng(0).random(4000) < 0.25)
    p = drawn.probabilities.copy()
    p[bad] = np.roll(p[bad], 1, axis=1)
    spoilt = Evaluation(drawn.classes, drawn.labels, p, drawn.samples)
    assert isinstance(spoilt.weights, Grouped)
    found = slices.worst(spoilt)
    assert found.loc[found["clear"], "slice"].tolist() == ["north"]
    rows = slices.slices(spoilt, "source").set_index("slice")
    assert rows.loc["north", "accuracy"].high < rows.loc["south", "accuracy"].low


def test_findings_of_many_films(few_are_many):
    rng = np.random.default_rng(3)
    targets = (rng.random((3000, 3)) < (0.4, 0.2, 0.05)).astype(float)
    p = 1 / (1 + np.exp(-(rng.normal(size=targets.shape) + 2 * targets - 1)))
    targets[rng.random(targets.shape) < 0.1] = np.nan
    samples = pd.DataFrame({"path": [f"{i}.png" for i in range(3000)], "patient": [f"p{i // 2}" for i in range(3000)]})
    points = {"A": 0.5, "B": 0.5, "C": 0.5}
    many = FindingsEvaluation(("A", "B", "C"), targets, p, samples, points)
    few = FindingsEvaluation(("A", "B", "C"), targets, p, samples, points)
    few.pooled.__dict__["_weights"] = resamples.resamples(few.clusters)
    assert isinstance(many.pooled._weights, Grouped)
    for kind in ("macro", "micro", "films"):
        for key, figure in getattr(few.pooled, kind).items():
            other = getattr(many.pooled, kind)[key]
            assert other.value == pytest.approx(figure.value, rel=1e-5), (kind, key)
            assert other.high - other.low == pytest.approx(figure.high - figure.low, rel=0.16), (kind, key)


def test_patients_are_numbered_in_their_order_and_unknown_ones_are_patients_of_their_own():
    samples = pd.DataFrame({"patient": ["b", "", "a", None, "b", "", "a"]})
    assert numbered(samples).tolist() == [0, 1, 2, 3, 0, 4, 2]
    assert numbered(samples.drop(columns="patient")).tolist() == list(range(7))
