"""What holds for every evaluation, what is not defined, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EvaluationError
from core.evaluate.curves import GRID, _band
from core.evaluate.drafts import AVERAGED
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint, at_points, point_for_costs, point_for_sensitivity
from core.evaluate.scopes import MACRO, OVERALL, Total
from core.evaluate.storage import from_parquet, to_parquet
from core.intervals import settle, wilson
from tests.evaluate.drawn import CLASSES, evaluation, probabilities


def constant(labels: np.ndarray, always: int) -> Evaluation:
    p = np.full((len(labels), 3), 0.2)
    p[:, always] = 0.6
    return Evaluation(CLASSES, labels, p, pd.DataFrame({"path": [f"{i}.png" for i in range(len(labels))]}))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(3)), seed=st.integers(0, 50), strength=st.floats(0, 4))
def test_permuting_the_classes_permutes_the_report(order, seed, strength):
    drawn = evaluation(films=60, seed=seed, strength=strength)
    moved = Evaluation(
        tuple(CLASSES[i] for i in order), np.argsort(order)[drawn.labels], drawn.probabilities[:, order], drawn.samples
    )
    point = OperatingPoint("COVID-19", 0.3)
    before = drawn.report(point, {"COVID-19": 0.01}).set_index(["scope", "figure"]).sort_index()
    after = moved.report(point, {"COVID-19": 0.01}).set_index(["scope", "figure"]).sort_index()
    pd.testing.assert_frame_equal(before, after, check_exact=False, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), films=st.integers(3, 60), strength=st.floats(0, 8), per_patient=st.integers(1, 4))
def test_every_defined_figure_lies_inside_its_interval(seed, films, strength, per_patient):
    drawn = evaluation(films, strength, seed, per_patient=per_patient)
    for scope, group in drawn.figures(prevalence=dict.fromkeys(CLASSES, 0.1)).items():
        for key, figure in group.items():
            assert math.isnan(figure.value) == bool(figure.note), (scope, key)
            assert not figure.bounded or figure.low <= figure.value <= figure.high, (scope, key, figure)
            assert bool(figure.method) == figure.defined, (scope, key, figure)


def test_films_left_out_of_training_are_no_new_films():
    drawn = evaluation()
    samples = drawn.samples.assign(split=np.where(np.arange(len(drawn)) < 9, "", drawn.samples["split"]))
    kept = Evaluation(drawn.classes, drawn.labels, drawn.probabilities, samples)
    assert set(kept.by_split()) == {"validation", "test", "new"}
    assert set(kept.by_split(own=True)) == {"validation", "test"}
    assert set(kept.where(samples["split"] == "").by_split(own=True)) == {"left out"}


def test_a_constant_model_has_undefined_precision_and_no_merit():
    figures = constant(np.tile([0, 1, 2], 20), always=0).figures()
    assert figures["COVID-19"]["precision"].note == "not defined: no films called COVID-19"
    assert figures["COVID-19"]["recall"].value == 0
    assert figures["COVID-19"]["f1"].value == 0
    assert figures["Normal"]["npv"].note == "not defined: every film was called Normal"
    assert figures[MACRO]["precision"].note == "not defined: no films called COVID-19"
    assert figures[OVERALL]["kappa"].value == 0
    assert figures[OVERALL]["mcc"].note.startswith("not defined")
    assert figures[MACRO]["auroc"].value == 0.5


def test_a_class_without_films_is_undefined_and_left_out_of_the_averages():
    drawn = evaluation()
    known = drawn.where(drawn.labels != 1)
    figures = known.figures()
    assert figures["COVID-19"]["recall"].note == "not defined: no films of COVID-19"
    assert figures["COVID-19"]["auroc"].note.startswith("not defined")
    assert figures["COVID-19"]["f1"].note == "not defined: no films of COVID-19"
    assert figures["COVID-19"]["precision"].value == 0
    assert figures["COVID-19"]["precision"].high > 0.01
    recalls = [figures[name]["recall"].value for name in CLASSES if name != "COVID-19"]
    assert figures[MACRO]["recall"].value == pytest.approx(np.mean(recalls))
    assert len(known.curves["COVID-19"].tpr) == 0
    assert str(figures["COVID-19"]["recall"]) == "not defined: no films of COVID-19"


def test_films_of_one_class_only():
    drawn = evaluation()
    figures = drawn.where(drawn.labels == 0).figures()
    assert figures["Normal"]["specificity"].note == "not defined: no films of another class than Normal"
    assert 0 < figures["Normal"]["recall"].value < 1
    assert not figures[MACRO]["auroc"].defined


def test_one_film_is_enough_to_say_little():
    drawn = evaluation()
    figures = drawn.where(np.arange(len(drawn)) == 0).figures()
    assert figures[OVERALL]["accuracy"].high - figures[OVERALL]["accuracy"].low > 0.7


def test_parquet_keeps_everything(tmp_path):
    drawn = evaluation()
    logits = np.log(drawn.probabilities)
    to_parquet(
        Evaluation(CLASSES, drawn.labels, drawn.probabilities, drawn.samples, logits), tmp_path / "m" / "e.parquet"
    )
    back = from_parquet(tmp_path / "m" / "e.parquet")
    assert back.classes == CLASSES
    assert back.name == "m"
    assert (back.labels == drawn.labels).all()
    np.testing.assert_allclose(back.probabilities, drawn.probabilities)
    np.testing.assert_allclose(back.logits, logits)
    pd.testing.assert_frame_equal(back.samples, drawn.samples)


def test_a_split_is_its_films():
    drawn = evaluation()
    assert set(drawn.split("test").samples["split"]) == {"test"}
    with pytest.raises(EvaluationError, match=r"no train films.*test, validation"):
        drawn.split("train")


@pytest.mark.parametrize(
    ("labels", "p", "message"),
    [
        (np.zeros(0, int), np.zeros((0, 3)), "no films"),
        (np.zeros(2, int), np.full((2, 2), 0.5), "shapes"),
        (np.zeros(2, int), np.full((2, 3), 0.5), "sum to 1"),
        (np.full(2, 3), np.full((2, 3), 1 / 3), "outside the classes"),
    ],
)
def test_refused(labels, p, message):
    with pytest.raises(EvaluationError, match=message):
        Evaluation(CLASSES, labels, p, pd.DataFrame({"path": ["a.png"] * len(labels)}))


def test_a_missing_or_foreign_table_is_refused(tmp_path):
    with pytest.raises(EvaluationError, match=r"There is no evaluation\.parquet in"):
        from_parquet(tmp_path / "evaluation.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(EvaluationError, match="lacks labels"):
        from_parquet(tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EvaluationError, match="cannot be read"):
        from_parquet(tmp_path / "x.parquet")


def test_an_operating_point_decides_for_its_class_only():
    p = np.array([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3], [0.1, 0.8, 0.1]])
    assert OperatingPoint("COVID-19", 0.3).decide(p, CLASSES).tolist() == [1, 0, 1]
    assert OperatingPoint("COVID-19", 0.9).decide(p, CLASSES).tolist() == [0, 0, 0]
    with pytest.raises(EvaluationError, match="no class 'Hernia'"):
        OperatingPoint("Hernia").decide(p, CLASSES)


def test_costs_are_the_lowest_expected_cost():
    drawn, costs = evaluation(), {"Normal": 1.0, "COVID-19": 5.0, "Viral Pneumonia": 2.0}
    matrix = np.array(list(costs.values()))[:, None] * (1 - np.eye(3))  # cost of calling j what is i
    expected = (drawn.probabilities @ matrix).argmin(axis=1)
    assert (drawn.called(OperatingPoint(costs=tuple(costs.items()))) == expected).all()


def test_thresholds_are_relative():
    p = np.array([[0.5, 0.3, 0.2]])
    assert at_points({"Normal": 0.6, "COVID-19": 0.2, "Viral Pneumonia": 0.5}).decide(p, CLASSES)[0] == 1
    with pytest.raises(EvaluationError, match="0 or less"):
        at_points({"Normal": 0})


@settings(max_examples=40, deadline=None)
@given(wished=st.floats(0.01, 1), seed=st.integers(0, 100))
def test_a_wished_sensitivity_is_reached_and_no_more_than_needed(wished, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 40) | (np.arange(40) == 0)
    scores = probabilities(labels, 2, 1, rng)[:, 1]
    cut = point_for_sensitivity(scores, labels == 1, wished)
    assert (scores[labels == 1] >= cut).mean() >= wished - 1e-9
    assert (scores[labels == 1] > cut).mean() < wished


def test_operating_points_by_costs():
    assert point_for_costs(1, 1) == 0.5
    assert point_for_costs(miss=9, false_alarm=1) == pytest.approx(0.1)
    with pytest.raises(EvaluationError):
        point_for_costs(0, 0)


def test_a_class_called_like_a_total_keeps_its_figures():
    drawn = evaluation(classes=("all films", "macro avg", "x"))
    figures = drawn.figures()
    assert figures["all films"]["recall"].value != figures[OVERALL]["accuracy"].value
    assert set(figures) == {*drawn.classes, *Total}
    table = drawn.report()
    assert not table.duplicated(["scope", "of", "figure"]).any()
    assert (
        table.duplicated(["scope", "figure"]).sum() == 7
    )  # the macro averages that the class of that name has as well


def test_a_perfect_ranking_has_a_perfect_band():
    """Full recall is reached with full precision, whatever lower operating points add."""
    labels = np.tile([0, 1, 1], 20)
    perfect = Evaluation(
        ("no", "yes"), labels, np.eye(2)[labels] * 0.8 + 0.1, pd.DataFrame({"path": labels.astype(str)})
    )
    curve = perfect.curves["yes"]
    assert (curve.precision[curve.tpr < 1] == 1).all()
    assert (curve.pr_high == 1).all()
    for recall in (0.5, 1.0):  # what 20 films of 20, or 40 of 40, say, not certainty
        assert curve.pr_low[round(100 * recall)] == pytest.approx(wilson(40 * recall, 40 * recall)[0])
    assert (curve.roc_low[1:] < 1).all()


def test_curves_pass_through_the_operating_point():
    drawn = evaluation()
    curve, figures = drawn.curves["COVID-19"], drawn.figures(OperatingPoint("COVID-19", 0.4))["COVID-19"]
    index = np.flatnonzero(curve.threshold >= 0.4)[-1]
    assert curve.tpr[index] == pytest.approx(figures["recall"].value, abs=0.011)
    assert 1 - curve.fpr[index] == pytest.approx(figures["specificity"].value, abs=0.011)
    assert (curve.roc_low <= curve.roc_high).all()
    assert set(AVERAGED) <= set(figures)


def test_an_operating_point_says_its_values_as_they_are():
    own = at_points({"Normal": 0.6, "COVID-19": 0.137834})
    told = "the class whose probability exceeds its own operating point by the largest factor"
    told += " (Normal 0.600, COVID-19 0.138)"
    assert own.sentence == told
    assert "0.00332 " in OperatingPoint("COVID-19", 1 / 301).sentence.replace(",", " ")
    assert OperatingPoint(costs=(("COVID-19", 5.0),)).sentence == "lowest expected cost, missing COVID-19 costs 5"


def test_a_band_is_the_score_interval_of_each_point():
    """All points at once give what `settle` gives one by one."""
    rng = np.random.default_rng(0)
    curve = np.sort(rng.random((41, len(GRID))), axis=1)
    low, high = _band(curve, 12)
    for i in (0, 10, 50, 100):
        expected = settle(float(curve[0, i]), curve[1:, i], 12, most=12)
        assert (low[i], high[i]) == pytest.approx((min(expected[0], curve[0, i]), max(expected[1], curve[0, i])))
    assert np.isnan(_band(curve, 4)[0]).all()


def test_one_class_s_curve_is_that_of_all():
    drawn = evaluation()
    for name, curve in drawn.curves.items():
        assert (drawn.curve(name).roc_low == curve.roc_low).all()
