"""Each interval holds what it must hold and leaves out what it must leave out; where nothing could tell it says so.

One study of a known population: its interval must hold that population's figure, and must leave out that of another
population. An interval that passes both for being wide, or neither, is none. How often they hold is
`benchmarks.coverage`; a small part of it runs in tests/test_coverage.py.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.coverage import CLASS, Scenario, study
from core.evaluate import slices
from core.evaluate.compare import compare, mcnemar
from core.evaluate.curves import GRID, Curves
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY, Policy
from core.evaluate.scopes import OVERALL
from core.explain.chance import gain
from core.intervals import Estimate

OWN = Scenario(400, shares=(0.7, 0.3), strength=1.6)
WORSE = replace(OWN, strength=0.5, sharpness=3.0)  # ranks badly, and overconfident
RARER = replace(OWN, shares=(0.9, 0.1))
AT = {CLASS: 0.02}  # a prevalence
BOOTSTRAPPED = (Policy.SCORE, Policy.RANKING, Policy.LOSS, Policy.CALIBRATION)  # Wilson's is right for any number
FIGURES = tuple(key for key in GLOSSARY if key != "ece_floor")  # which is a range of luck, no interval


def population(scenario: Scenario) -> Evaluation:
    large = study(scenario, 60_000, np.random.default_rng(1))
    large.__dict__["weights"] = np.ones((len(large), 3), np.float32)  # its value alone is asked for
    return large


def figure(evaluation: Evaluation, key: str) -> Estimate:
    return evaluation.figures(prevalence=AT)[CLASS if GLOSSARY[key].of_class else OVERALL][key]


@pytest.fixture(scope="module")
def drawn() -> Evaluation:
    return study(OWN, OWN.patients, np.random.default_rng(7))


@pytest.fixture(scope="module")
def own() -> Evaluation:
    return population(OWN)


@pytest.fixture(scope="module")
def others() -> tuple[Evaluation, ...]:
    return population(WORSE), population(RARER)


@pytest.mark.parametrize("key", FIGURES)
def test_an_interval_holds_its_own_population_and_leaves_another_out(key, drawn, own, others):
    found, truth = figure(drawn, key), figure(own, key).value
    assert found.bounded, key
    assert found.low <= truth <= found.high
    far = [figure(other, key).value for other in others]
    assert any(not found.low <= value <= found.high for value in far), (key, found, far)


@pytest.mark.parametrize("key", [key for key in FIGURES if GLOSSARY[key].policy in BOOTSTRAPPED])
def test_of_a_handful_of_patients_no_interval_is_shown(key):
    few = study(replace(OWN, films=6), 4, np.random.default_rng(2))
    found = figure(few, key)
    assert not found.bounded
    assert not found.defined or "too few" in found.text()


@pytest.mark.parametrize("key", ["accuracy", "recall", "specificity", "f1", "auroc", "mcc", "brier", "log_loss"])
def test_films_of_one_patient_are_no_witnesses_of_their_own(key, drawn):
    """The same films, as if eight were of one patient each: less is known."""
    order = np.lexsort((drawn.probabilities[:, 1], drawn.labels))  # films of one patient go right or wrong together
    samples = drawn.samples.iloc[order].reset_index(drop=True)
    samples = samples.assign(patient=np.repeat(np.arange(50), 8).astype(str))
    together = Evaluation(drawn.classes, drawn.labels[order], drawn.probabilities[order], samples)
    lone, joined = figure(drawn, key), figure(together, key)
    assert joined.value == pytest.approx(lone.value)
    assert joined.high - joined.low > 1.05 * (lone.high - lone.low)


def reached(curve: Curves) -> np.ndarray:
    """Precision of the first operating point that reaches each recall of the grid."""
    return curve.precision[np.searchsorted(curve.tpr, GRID).clip(0, len(curve.tpr) - 1)]


BANDS = {
    "roc": (lambda c: (c.roc_low, c.roc_high), lambda c: np.interp(GRID, c.fpr, c.tpr), [20, 50]),
    "pr": (lambda c: (c.pr_low, c.pr_high), reached, [50, 80]),
    "gains": (lambda c: (c.gains_low, c.gains_high), lambda c: c.gains, [20, 50]),
}


@pytest.mark.parametrize("name", BANDS)
def test_bands_hold_their_own_curve_and_leave_another_out(name, drawn, own, others):
    limits, curve, at = BANDS[name]
    low, high = limits(drawn.curve(CLASS))
    mine, worse = curve(own.curve(CLASS)), curve(others[0].curve(CLASS))
    assert ((low <= mine) & (mine <= high))[at].all()
    assert (worse < low)[at].any()


def test_equal_models_are_not_told_apart_and_unequal_ones_are(drawn):
    again = study(OWN, OWN.patients, np.random.default_rng(7))
    noise = np.random.default_rng(0).normal(0, 0.3, drawn.probabilities.shape)
    p = np.exp(np.log(drawn.probabilities) + noise)
    equal = replace(again, probabilities=p / p.sum(axis=1, keepdims=True))
    p = np.exp(0.15 * np.log(drawn.probabilities) + 5 * noise)
    poor = replace(again, probabilities=p / p.sum(axis=1, keepdims=True))
    assert not compare(drawn, equal).clear
    assert {"auroc", "log_loss", "accuracy"} <= compare(drawn, poor).clear
    assert mcnemar(drawn.labels, drawn.called(), equal.called()).p > 0.05
    assert mcnemar(drawn.labels, drawn.called(), poor.called()).p < 0.01


def test_a_slice_that_is_like_the_others_is_not_clear_and_one_that_fails_is(drawn):
    half = np.where(np.arange(len(drawn)) % 2, "odd", "even")
    alike = replace(drawn, samples=drawn.samples.assign(source=half))
    assert not slices.worst(alike)["clear"].any()
    p = drawn.probabilities.copy()
    p[::2] = p[::2, ::-1]
    failing = slices.worst(replace(alike, probabilities=p)).set_index("slice")
    assert failing.loc["even", "clear"]


def test_beyond_chance_is_said_of_a_map_that_is_and_of_none_that_is_not():
    rng = np.random.default_rng(0)
    by_chance, patients = rng.beta(2, 5, 60), np.arange(60)
    assert gain((rng.random(60) < 0.8).astype(float), by_chance, patients).better
    assert not gain((rng.random(60) < by_chance).astype(float), by_chance, patients).better
