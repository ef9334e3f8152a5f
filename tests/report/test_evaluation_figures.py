"""Figures carry the numbers of the evaluation, on any theme."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from core.evaluate import slices
from core.evaluate.compare import compare
from core.evaluate.scopes import OVERALL
from core.report import evaluation_figures as figures
from tests.evaluate.drawn import CLASSES, evaluation, spoilt
from tests.report.cards import history


@pytest.fixture(scope="module")
def drawn():
    return evaluation()


@pytest.fixture(scope="module")
def every(drawn):
    per_class = drawn.figures()
    areas = {name: per_class[name]["auroc"] for name in CLASSES}
    rows = slices.slices(drawn, "view")
    return {
        "confusion": figures.confusion(drawn.confusion(), CLASSES),
        "roc": figures.roc(drawn.curves, areas, {"COVID-19": (0.2, 0.9)}),
        "pr": figures.precision_recall(drawn.curves, areas),
        "reliability": figures.reliability(drawn.reliability()),
        "forest": figures.forest(dict(zip(rows["slice"], rows["accuracy"], strict=True)), "accuracy", 0.8),
        "differences": figures.differences(compare(drawn, drawn).differences, frozenset()),
        "history": figures.history({"one": history(), "two": history(6)}),
    }


def test_no_figure_fixes_text_or_background(every):
    for name, figure in every.items():
        layout = figure.to_dict()["layout"]
        assert "font" not in layout, name
        assert layout["paper_bgcolor"] == "rgba(0,0,0,0)", name


def test_axes_are_named(every):
    for name in ("confusion", "roc", "pr", "reliability", "forest", "history"):
        layout = every[name].to_dict()["layout"]
        assert any(axis.get("title", {}).get("text") for key, axis in layout.items() if key.startswith("xaxis")), name


def test_every_cell_can_be_clicked(drawn, every):
    clickable = every["confusion"].data[1]
    assert [tuple(pair) for pair in clickable.customdata] == [(i, j) for i in range(3) for j in range(3)]
    assert clickable.x[1] == CLASSES[1]
    assert clickable.y[1] == CLASSES[0]
    assert clickable.hovertext[1].startswith(f"Normal called COVID-19: {drawn.confusion()[0, 1]} (")


def test_counts_or_percent(drawn):
    matrix = drawn.confusion()
    counts = np.array(figures.confusion(matrix, CLASSES).data[0].text)
    percent = np.array(figures.confusion(matrix, CLASSES, percent=True).data[0].text)
    assert counts[0, 0] == str(matrix[0, 0])
    assert percent[0, 0] == f"{matrix[0, 0] / matrix[0].sum():.1%}"


def test_a_class_without_films_draws_no_curve(drawn):
    known = drawn.where(drawn.labels != 1)
    per_class = known.figures()
    figure = figures.roc(known.curves, {name: per_class[name]["auroc"] for name in CLASSES})
    assert not any("COVID-19" in (trace.name or "") for trace in figure.data)


def test_the_operating_point_is_marked(every):
    marker = next(trace for trace in every["roc"].data if trace.mode == "markers")
    assert (marker.x[0], marker.y[0]) == (0.2, 0.9)


def test_bins_show_their_counts(drawn, every):
    bars = next(trace for trace in every["reliability"].data if trace.type == "bar")
    assert sum(bars.y) == len(drawn)


def test_every_run_has_its_curves(every):
    assert len([trace for trace in every["history"].data if trace.name == "two"]) == 5


def test_names_that_look_like_numbers_stay_names(drawn):
    """Streamlit's theme lets Plotly take "1" for a number, and the matrix lost its last row and column."""
    for names in (("1", "2", "3"), ("2019", "2020", "2021")):
        layout = figures.confusion(drawn.confusion(), names).layout
        assert (layout.xaxis.type, layout.yaxis.type) == ("category", "category")
    assert figures.forest({"2019": drawn.figures()[OVERALL]["accuracy"]}, "accuracy").layout.yaxis.type == "category"


def test_a_difference_is_coloured_only_where_it_is_clear(drawn):
    gaps = compare(drawn, spoilt(drawn, np.arange(60))).differences
    grey = figures.differences(gaps, frozenset()).data[0].marker.color
    some = figures.differences(gaps, {"accuracy", "log_loss"}).data[0].marker.color
    assert len(set(grey)) == 1
    assert [a != b for a, b in zip(grey, some, strict=True)] == [key in ("accuracy", "log_loss") for key in gaps]
    assert set(some) - set(grey) == {figures.PALETTE[1]}  # worse, whichever way the figure points


def test_the_area_below_a_precision_recall_line_is_the_average_precision():
    """Of coarse scores straight lines between operating points would show a precision that no operating point has."""
    drawn = evaluation(films=120)
    coarse = np.round(drawn.probabilities, 1) + 1e-3
    few = replace(drawn, probabilities=coarse / coarse.sum(axis=1, keepdims=True))
    per_class = few.figures()
    areas = {name: per_class[name]["average_precision"] for name in CLASSES}
    shown = figures.precision_recall(few.curves, areas)
    for c, name in enumerate(CLASSES):
        line = next(trace for trace in shown.data if (trace.name or "").startswith(f"{name}: "))
        assert line.line.shape == "vh"  # to the next precision at once, then along the recall
        below = float((np.diff(line.x) * np.asarray(line.y)[1:]).sum())
        expected = average_precision_score(few.labels == c, few.probabilities[:, c])
        assert below == pytest.approx(expected, abs=1e-6)
        straight = float(np.trapezoid(line.y, line.x))
        assert abs(straight - expected) > 1e-3
