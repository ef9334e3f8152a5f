"""Average drop and increase in confidence, against the formula done by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from core.examine.examined import examine
from core.explain.confidence import drop_and_increase, left, shown_only
from tests.explain.toys import classifier, picture


@pytest.fixture(scope="module")
def toy():
    return classifier()


def test_a_film_is_darkened_as_its_map_falls():
    film = np.full((2, 2), 200, np.uint8)
    shown = shown_only(film, np.array([[4.0, 2.0], [0.0, -3.0]]))
    assert shown.tolist() == [[200, 100], [0, 0]]


def test_an_evenly_lit_map_loses_nothing(toy):
    film = toy.preprocess.picture(_film())
    said = toy.predict_pictures(film[None])[1][0]
    [rest] = left(toy, [(film, np.ones(film.shape))])
    assert drop_and_increase(float(said[0]), float(rest[0])) == pytest.approx((0, 0), abs=1e-5)


def test_a_blank_map_has_neither(toy):
    film = examine(toy, _film())
    map_ = next(iter(film.heatmaps().values()))
    told = film.measures(replace(map_, values=np.zeros_like(map_.values)))
    assert told["blank"] == 1
    assert math.isnan(told["drop"])
    assert math.isnan(told["increase"])


def test_drop_and_increase_are_the_formula(toy):
    film = toy.preprocess.picture(_film())
    map_ = np.random.default_rng(0).random(film.shape)
    before = toy.predict_pictures(film[None])[1][0]
    after = toy.predict_pictures(np.rint(film * map_ / map_.max()).astype(np.uint8)[None])[1][0]
    for index in range(len(toy.classes)):
        [rest] = left(toy, [(film, map_)])
        drop, rise = drop_and_increase(float(before[index]), float(rest[index]))
        assert drop == pytest.approx(max(0, (before[index] - after[index]) / before[index]), abs=1e-6)
        assert rise == (after[index] > before[index])
    assert (before != after).any()


def _film():
    from core.data.film.radiograph import from_pixels

    return from_pixels(picture(), "a.png")
