"""Chance where it can be worked out by hand."""

import math

import numpy as np
import pytest

from core.explain import chance, truth
from tests.explain import spotter as spot
from tests.explain.toys import classifier


@pytest.fixture(scope="module")
def toy():
    return classifier(size=spot.SIZE)


def test_random_cams_are_those_of_the_method_in_kind_and_differ_by_seed(toy):
    maps = chance.random_cams(toy, spot.film(), 20, seed=1)
    assert (maps >= 0).all()
    assert maps.shape[1:] == heatmap_shape(toy)
    assert not np.array_equal(maps, chance.random_cams(toy, spot.film(), 20, seed=2))
    np.testing.assert_array_equal(maps, chance.random_cams(toy, spot.film(), 20, seed=1))


def heatmap_shape(toy):
    return tuple(toy.features(toy.tensor(spot.film()[None])).shape[-2:])


def test_surrogates_keep_the_values_and_move_the_places():
    map_ = spot.blob(20, 20)
    for other in chance.phase_surrogates(map_, 5, np.random.default_rng(0)):
        np.testing.assert_allclose(np.sort(other, axis=None), np.sort(map_, axis=None))
        assert abs(np.corrcoef(other.ravel(), map_.ravel())[0, 1]) < 0.9


def test_chance_by_area_and_by_lungs_is_what_counting_gives():
    lungs, mask = spot.lungs(), spot.blob(20, 20) > 0.3
    cams = np.stack([spot.blob(20, 20), spot.blob(50, 50)])
    found = chance.of(truth.hit, mask, lungs, cams)
    assert found.area == pytest.approx(mask.mean())
    assert found.lungs == pytest.approx((mask & lungs).sum() / lungs.sum())
    assert found.random_cam == 0.5
    assert found.best == max(found.area, found.lungs, found.lung_prior, found.random_cam)
    without = chance.of(truth.hit, mask, None, None)
    assert math.isnan(without.lungs)
    assert without.best == found.area


def test_a_film_of_a_real_network_has_every_chance(toy):
    found = chance.of_film(toy, spot.film(), spot.blob(20, 20) > 0.3, spot.lungs(), truth.mass_inside)
    assert all(0 <= value <= 1 for value in (found.area, found.lungs, found.lung_prior, found.random_cam))


def test_gain_is_paired_and_leaves_out_what_is_not_known():
    rng = np.random.default_rng(0)
    base = rng.random(200)
    better = np.clip(base + 0.1 + 0.01 * rng.standard_normal(200), 0, None)
    better[3] = np.nan
    found = chance.gain(better, base, np.arange(200))
    assert found.films == 199
    assert found.clear
    assert found.low < 0.1 < found.high
    assert found.high - found.low < 0.02  # the films' own differences are paired away
    assert found.skill == pytest.approx((found.value - found.chance) / (1 - found.chance))
    assert not chance.gain(base, base + rng.normal(0, 0.1, 200), np.arange(200)).clear
    assert chance.gain(base, base * np.nan, np.arange(200)).films == 0


def test_skill_is_nought_at_chance_and_one_when_perfect():
    assert chance.skill(0.3, 0.3) == 0
    assert chance.skill(1, 0.3) == 1
    assert math.isnan(chance.skill(1, 1))
