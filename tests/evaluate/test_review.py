"""Slices, errors, doubtful labels and comparisons."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from core.errors import EvaluationError
from core.evaluate import review, slices
from core.evaluate.compare import compare, mcnemar
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint
from tests.evaluate.drawn import CLASSES, evaluation, probabilities


def spoilt(drawn: Evaluation, rows: np.ndarray) -> Evaluation:
    """The same films, these rows called wrongly with confidence."""
    p = drawn.probabilities.copy()
    p[rows] = 0.98 * np.eye(3)[(drawn.labels[rows] + 1) % 3] + 0.02 / 3
    return Evaluation(drawn.classes, drawn.labels, p, drawn.samples, name="spoilt")


def test_slices_are_the_figures_of_their_films():
    drawn = evaluation()
    table = slices.slices(drawn, "source").set_index("slice")
    assert list(table.index) == ["all films", "north", "south"]
    north = drawn.where(drawn.samples["source"] == "north")
    assert table.loc["north", "accuracy"].value == (north.called() == north.labels).mean()
    assert table.loc["north", "films"] + table.loc["south", "films"] == table.loc["all films", "films"]


def test_ages_become_bands_and_unknowns_a_slice():
    samples = pd.DataFrame({"age": [3.0, 17.9, 18, 59, np.nan, 93], "view": ["AP", "", "PA", "AP", "AP", "AP"]})
    bands = ["0-17", "0-17", "18-39", "40-59", "unknown", "80 and over"]
    assert slices.groups(samples, "age band").tolist() == bands
    assert slices.groups(samples, "view").tolist()[1] == "unknown"


def test_columns_are_those_that_divide():
    assert set(slices.columns(evaluation())) == {"source", "view", "sex", "age band"}


def test_the_worst_slice_is_the_spoilt_one():
    drawn = evaluation(strength=4)
    table = slices.worst(spoilt(drawn, np.flatnonzero(drawn.samples["source"] == "south")[:60]))
    assert (table.loc[0, "column"], table.loc[0, "slice"]) == ("source", "south")
    assert table.loc[0, "clear"]
    assert table.loc[0, "gap"] < -0.2
    assert not slices.worst(drawn)["clear"].all()


def test_the_films_of_one_patient_are_no_slice_to_worry_about():
    drawn = evaluation(films=200, strength=4)
    rows = np.arange(30)
    samples = drawn.samples.assign(source="north")
    samples.loc[rows, ["source", "patient"]] = ["west", "one"]
    table = slices.worst(spoilt(Evaluation(CLASSES, drawn.labels, drawn.probabilities, samples), rows))
    assert "west" not in set(table["slice"])
    samples.loc[rows, "patient"] = [f"w{i}" for i in rows]
    table = slices.worst(spoilt(Evaluation(CLASSES, drawn.labels, drawn.probabilities, samples), rows))
    assert table.set_index("slice").at["west", "clear"]


def test_the_most_confident_errors_come_first():
    drawn = evaluation()
    table = review.errors(spoilt(drawn, np.array([5, 9])), most=20)
    assert set(table["row"][:2]) == {5, 9}
    assert table["p_called"].is_monotonic_decreasing
    assert (table["label"] != table["called"]).all()


def test_a_cell_holds_its_count():
    drawn, point = evaluation(), OperatingPoint("COVID-19", 0.2)
    for i, label in enumerate(CLASSES):
        for j, called in enumerate(CLASSES):
            assert len(review.cell(drawn, label, called, point)) == drawn.confusion(point)[i, j]


def test_planted_label_errors_are_doubted():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    features = rng.normal(size=(600, 8)) + 5 * np.eye(3, 8)[truth]
    planted = rng.choice(600, 30, replace=False)
    labels = truth.copy()
    labels[planted] = (truth[planted] + 1) % 3
    p = review.out_of_fold(features, labels, groups=np.arange(600) // 2)
    table = review.doubtful(labels, p)
    found = set(table["row"])
    assert len(found & set(planted)) >= 20
    assert len(found - set(planted)) <= 5
    hits = table[table["row"].isin(planted)]
    assert (hits["suggested"] == truth[hits["row"]]).mean() > 0.9


def test_a_whole_cohort_that_the_model_gets_wrong_is_not_called_mislabelled():
    """The model swaps two classes on all films: its own word doubts every label, the cross-validated one few."""
    drawn = evaluation(strength=4)
    swapped = Evaluation(drawn.classes, drawn.labels, drawn.probabilities[:, [1, 0, 2]], drawn.samples)
    own = review.doubtful(swapped.labels, swapped.probabilities)
    found, how = review.doubted(swapped)
    assert "cross-validated" in how
    assert len(found) < 0.1 * len(swapped) < len(own)


def test_labels_are_doubted_even_where_a_class_is_missing_or_rare():
    drawn = evaluation()
    found, how = review.doubted(drawn.where(drawn.labels != 2))
    assert "cross-validated" in how
    assert not (found["suggested"] == 2).any()
    rare = drawn.where((drawn.labels != 2) | (np.arange(len(drawn)) == np.flatnonzero(drawn.labels == 2)[0]))
    assert "by the model itself" in review.doubted(rare)[1]


def test_a_rare_label_is_not_doubted_for_being_rare():
    """40 of 4,040 films overlap with the rest, none mislabelled: 0.06 of them are doubted, 0.14 by the plain rule."""
    wrong, doubts = np.zeros(3), np.zeros(3)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        labels = np.repeat([0, 1, 2], [2000, 2000, 40])
        features = rng.normal(size=(len(labels), 3)) + 2 * np.eye(3)[labels]
        table = review.doubtful(labels, review.out_of_fold(features, labels, np.arange(len(labels))))
        doubts += np.bincount(table["label"], minlength=3)
        wrong += np.bincount(labels)
    rate = doubts / wrong
    assert 0 < rate[0] < 0.03
    assert rate[2] < 0.1


def test_label_errors_are_found_in_and_out_of_a_rare_class():
    found, planted, false = np.zeros(3), np.zeros(3), 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = np.repeat([0, 1, 2], [2000, 2000, 40])
        features = rng.normal(size=(len(truth), 3)) + 4.5 * np.eye(3)[truth]
        labels = truth.copy()
        moved = np.concatenate([rng.choice(2000, 40, False), rng.choice(np.arange(4000, 4040), 8, False)])
        labels[moved] = np.where(truth[moved] == 2, 0, np.where(np.arange(48) < 5, 2, 1))  # five into the rare class
        table = review.doubtful(labels, review.out_of_fold(features, labels, np.arange(len(labels))))
        hit = np.isin(moved, table["row"])
        groups = np.where(truth[moved] == 2, 2, np.where(labels[moved] == 2, 1, 0))
        found += np.bincount(groups, hit, 3)
        planted += np.bincount(groups, minlength=3)
        false += len(set(table["row"]) - set(moved))
    assert (found / planted >= 0.5).all(), found / planted
    assert false <= 0.05 * found.sum()


def test_out_of_fold_needs_enough_patients():
    with pytest.raises(EvaluationError, match="3 patients"):
        review.out_of_fold(np.zeros((8, 2)), np.array([0] * 5 + [1] * 3), np.arange(8))


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


def test_a_slice_has_one_accuracy_wherever_it_is_listed():
    drawn = evaluation(films=300, per_patient=3)
    for row in slices.worst(drawn).itertuples():
        table = slices.slices(drawn, row.column).set_index("slice")
        listed = table.at[row.slice, "accuracy"]
        assert (listed.value, listed.low, listed.high) == (row.accuracy.value, row.accuracy.low, row.accuracy.high)


def test_paired_intervals_are_narrower_than_the_models_own():
    rng = np.random.default_rng(5)
    drawn = evaluation(strength=1)
    nudged = 0.9 * drawn.probabilities + 0.1 * probabilities(drawn.labels, 3, 1, rng)
    gap = compare(drawn, Evaluation(CLASSES, drawn.labels, nudged, drawn.samples)).differences["accuracy"]
    own = drawn.figures()["all films"]["accuracy"]
    assert gap.high - gap.low < 0.7 * (own.high - own.low)
