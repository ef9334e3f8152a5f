"""Slices, errors and doubtful labels."""

import numpy as np
import pandas as pd
import pytest

from core.errors import EvaluationError
from core.evaluate import review, slices
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint
from tests.evaluate.drawn import CLASSES, evaluation, spoilt


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


@pytest.mark.parametrize("many", [20_000, 300], ids=["few films", "many films"])
def test_planted_label_errors_are_doubted(many, monkeypatch):
    monkeypatch.setattr(review, "MANY", many)
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


def test_a_slice_has_one_accuracy_wherever_it_is_listed():
    drawn = evaluation(films=300, per_patient=3)
    for row in slices.worst(drawn).itertuples():
        table = slices.slices(drawn, row.column).set_index("slice")
        listed = table.at[row.slice, "accuracy"]
        assert (listed.value, listed.low, listed.high) == (row.accuracy.value, row.accuracy.low, row.accuracy.high)


def test_a_slice_with_more_films_of_a_hard_class_is_not_clear_where_each_class_is_found_as_often():
    """Recalls of 0.95 and 0.6 in both halves; the second has three times as many films of the hard class."""
    rng, n = np.random.default_rng(0), 1200
    source = np.repeat(["north", "south"], n // 2)
    labels = (rng.random(n) < np.where(source == "north", 0.2, 0.6)).astype(int)
    right = rng.random(n) < np.where(labels == 1, 0.6, 0.95)
    p = np.eye(2)[np.where(right, labels, 1 - labels)] * 0.8 + 0.1
    samples = pd.DataFrame({"path": [f"{i}.png" for i in range(n)], "source": source})
    row = slices.worst(Evaluation(("easy", "hard"), labels, p, samples)).iloc[0]
    assert row["slice"] == "south"
    assert row["gap"] < -0.08
    assert abs(row["same_mix"]) < 0.05
    assert not row["clear"]
    spoilt_p = p.copy()
    spoilt_p[(source == "south") & (rng.random(n) < 0.2)] = [0.5, 0.5]
    wrong = (source == "south") & (rng.random(n) < 0.25)
    spoilt_p[wrong] = 1 - np.eye(2)[labels[wrong]] * 0.8 - 0.1
    assert slices.worst(Evaluation(("easy", "hard"), labels, spoilt_p, samples)).iloc[0]["clear"]
