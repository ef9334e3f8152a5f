"""On simulated studies, intervals hold the truth as often as they say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.coverage import CLASS, SCENARIOS, Scenario, covered, study
from core.evaluate.compare import compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import percentiles, ratio, wilson
from core.resamples import resamples
from tests.evaluate.drawn import CLASSES, evaluation


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


def small_study(seed: int, films: int, positives: float, strength: float, sharpness: float = 1.0) -> Evaluation:
    """Two classes, the second with this share, whose honest probabilities are sharpened by a factor of their logit."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(films) < positives).astype(int)
    score = rng.normal(size=films) + strength * labels
    logit = strength * (score - strength / 2) + np.log(positives / (1 - positives))
    p = 1 / (1 + np.exp(-sharpness * logit))
    return Evaluation(
        ("no", "yes"), labels, np.stack([1 - p, p], axis=1), pd.DataFrame({"path": [str(i) for i in range(films)]})
    )


def test_an_auroc_near_1_on_few_films_covers_at_its_rate():
    """Some ten positive films and a true AUROC of 0.98: bare percentiles hold it four times in five."""
    population = small_study(0, 100_000, 0.04, 2.9)
    truth = roc_auc_score(population.labels, population.probabilities[:, 1])
    held, bare, studies = 0, 0, 0
    for seed in range(1, 121):
        drawn = small_study(seed, 250, 0.04, 2.9)
        figure = drawn.figures()["yes"]["auroc"]
        if not figure.bounded:
            continue
        studies += 1
        samples = drawn.scores.auroc[1:, 1]
        low, high = percentiles(samples[:, None])
        held += figure.low <= truth <= figure.high
        bare += low[0] <= truth <= high[0]
    assert studies > 100
    assert held / studies > 0.9
    assert held > bare


@pytest.mark.parametrize("sharpness", [1.0, 2.5])
def test_a_calibration_error_covers_the_truth_of_honest_and_of_overconfident_models(sharpness):
    population = small_study(0, 200_000, 0.4, 1.5, sharpness)
    confidence, right = population.probabilities.max(axis=1), population.called() == population.labels
    bins = np.ceil(confidence * 10)
    truth = sum(abs((confidence - right)[bins == b].sum()) for b in np.unique(bins)) / len(right)
    held, studies = 0, 60
    for seed in range(1, studies + 1):
        figure = small_study(seed, 250, 0.4, 1.5, sharpness).figures()[OVERALL]["ece"]
        held += figure.low <= truth <= figure.high
        assert sharpness == 1 or figure.low > 0
    assert held / studies > 0.86


def test_ppv_at_a_prevalence_covers_though_no_film_was_falsely_called():
    """With one false alarm in 200 films some studies see none: their specificity of 1 is not certain."""
    rng, held, without, studies = np.random.default_rng(0), 0, 0, 400
    truth = 0.8 * 0.02 / (0.8 * 0.02 + 0.005 * 0.98)
    labels = np.repeat([1, 0], [50, 200])
    for _ in range(studies):
        called = np.where(labels == 1, rng.random(250) < 0.8, rng.random(250) < 0.005).astype(int)
        hits, alarms = int(called[:50].sum()), int(called[50:].sum())
        odds = ratio(hits / 50, wilson(hits, 50), alarms / 200, wilson(alarms, 200))
        low, high = (1 / (1 + 0.98 / 0.02 / limit) for limit in odds)
        held += low <= truth <= high
        without += alarms == 0
    assert without > 100
    assert 0.91 <= held / studies <= 0.99
    p = np.where(called[:, None] == [0, 1], 0.9, 0.1)
    figure = Evaluation(("no", "yes"), labels, p, pd.DataFrame({"path": labels.astype(str)})).figures(
        prevalence={"yes": 0.02}
    )["yes"]["ppv_at"]
    assert (figure.low, figure.high) == pytest.approx((low, high))


def test_a_difference_of_calibration_errors_covers_the_truth_more_often_than_bare_percentiles():
    def truth(study: Evaluation) -> float:
        confidence, right = study.probabilities.max(axis=1), study.called() == study.labels
        bins = np.ceil(confidence * 10)
        return sum(abs((confidence - right)[bins == b].sum()) for b in np.unique(bins)) / len(right)

    both = [small_study(0, 200_000, 0.4, 1.5, sharpness) for sharpness in (1.0, 2.5)]
    gap, held, studies = truth(both[1]) - truth(both[0]), 0, 40
    for seed in range(1, studies + 1):
        result = compare(*(small_study(seed, 250, 0.4, 1.5, sharpness) for sharpness in (1.0, 2.5)))
        figure = result.differences["ece"]
        held += figure.low <= gap <= figure.high
    assert held / studies > 0.7  # of percentiles: 0.5


@pytest.mark.parametrize(
    ("name", "keys", "too_few"),
    [
        ("2 films, 5 %", ("auroc", "recall"), ("log_loss", "brier")),
        ("near perfect", ("auroc", "roc band", "pr band", "accuracy"), ("log_loss", "brier")),
        ("class of 15, mislabelled", ("auroc", "macro auroc", "recall", "specificity"), ()),
    ],
)
def test_what_covered_least_covers_now_or_says_too_few(name, keys, too_few):
    """A small part of `benchmarks.coverage`: at 95 %, fewer than 66 of 75 come once in a thousand times."""
    table = covered(SCENARIOS[name], 75).set_index("figure")
    assert (table.loc[list(too_few), "shown"] < 0.4).all()  # where nothing could cover, mostly no interval is shown
    for key in keys:
        row = table.loc[key]
        assert row["shown"] > 0.4, key
        assert row["held"] > 0.95 - 3.1 * (0.95 * 0.05 / min(row["intervals"], 75)) ** 0.5, (key, row["held"])


def test_a_precision_band_covers_at_every_recall():
    """Behind a precision at a recall of 0.4 are the films called there; of all of the class 0.79 held the truth."""
    scenario, rng, recalls = Scenario(400, shares=(0.7, 0.3), strength=1.6), np.random.default_rng(3), (20, 40, 50, 80)
    large = study(scenario, 200_000, np.random.default_rng(1))
    found = np.cumsum(large.labels[np.argsort(-large.probabilities[:, 1])])
    recall, precision = found / found[-1], found / np.arange(1, len(found) + 1)
    truth = precision[np.searchsorted(recall, np.array(recalls) / 100)]
    bands = [study(scenario, scenario.patients, rng).curve(CLASS) for _ in range(75)]
    held = np.mean([(band.pr_low[[*recalls]] <= truth) & (truth <= band.pr_high[[*recalls]]) for band in bands], axis=0)
    assert (held > 0.95 - 3.1 * (0.95 * 0.05 / 75) ** 0.5).all(), held


def test_the_check_of_coverage_can_fail():
    """Bare percentiles of the same studies are found out."""
    rng, scenario, inside = np.random.default_rng(0), SCENARIOS["2 films, 5 %"], []
    truth = small_truth(scenario)
    for _ in range(75):
        drawn = study(scenario, scenario.patients, rng)
        samples = drawn.scores.auroc[1:, 1]
        low, high = percentiles(samples[:, None])
        inside.append(low[0] <= truth <= high[0])
    assert np.mean(inside) < 0.92


def small_truth(scenario: Scenario) -> float:
    large = study(scenario, 50_000, np.random.default_rng(1))
    return roc_auc_score(large.labels, large.probabilities[:, 1])
