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
