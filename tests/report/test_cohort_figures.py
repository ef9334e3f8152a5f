"""Figures of a cohort: a class has one colour in all of them."""

import numpy as np
import pytest

from core.report import cohort_figures

CLASSES = ("Normal", "COVID-19", "Lung Opacity")


def colours(figure):
    """Name -> colour of each group of a figure."""
    return {trace.name: trace.marker.color for trace in figure.data}


@pytest.mark.parametrize("shown", [CLASSES, CLASSES[::-1], CLASSES[1:]])
def test_a_class_has_one_colour_on_every_tab_and_under_every_filter(shown):
    whole = colours(cohort_figures.distribution({name: [1.0, 2.0] for name in CLASSES}, "age", CLASSES))
    assert len(set(whole.values())) == len(CLASSES)
    some = cohort_figures.distribution({name: [1.0, 2.0] for name in shown}, "age", CLASSES)
    points = np.zeros((len(shown), 2))
    map_ = cohort_figures.film_map(points, range(len(shown)), shown, shown, "label", CLASSES)
    assert colours(some) == colours(map_) == {name: whole[name] for name in shown}


def test_groups_that_are_no_classes_are_told_apart():
    map_ = cohort_figures.film_map(
        np.zeros((4, 2)), range(4), ["a", "b", "c", "Normal"], list("abcd"), "source", CLASSES
    )
    found = colours(map_)
    assert set(found) == {"a", "b", "c", "Normal"}
    assert len(set(found.values())) == 4


@pytest.mark.parametrize(
    "groups",
    [
        {"many": [float(age) for age in range(20, 91)] * 5, "few": [55.0, 61.0, float("nan")], "none": []},
        {"one": [0.25], "same": [0.25, 0.25]},
        {"far": [-1e-6, 3e-6], "near": [0.0]},
    ],
)
def test_all_groups_have_the_same_bins_which_hold_every_number_once(groups):
    figure = cohort_figures.distribution(groups, "age")
    assert len({(trace.xbins.start, trace.xbins.end, trace.xbins.size) for trace in figure.data}) == 1
    bins = figure.data[0].xbins
    edges = np.arange(bins.start, bins.end + bins.size / 2, bins.size)
    assert len(edges) - 1 <= 31
    numbers = [number for group in groups.values() for number in group if number == number]
    assert np.histogram(numbers, edges)[0].sum() == len(numbers)


def test_a_distribution_of_nothing_is_empty():
    assert cohort_figures.distribution({"a": [float("nan")], "b": []}, "age").data[0].xbins.size is None
