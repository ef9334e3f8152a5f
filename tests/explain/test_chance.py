"""Chance where it can be worked out by hand."""

import math

import numpy as np
import pytest

from core.explain import nulls, truth
from core.explain.chance import gain, skill
from tests.explain import spotter as spot
from tests.explain.toys import classifier


@pytest.fixture(scope="module")
def toy():
    return classifier(size=spot.SIZE)


def test_random_cams_are_those_of_the_method_in_kind_and_differ_by_seed(toy):
    maps = nulls.random_cams(toy, spot.film(), 20, seed=1)
    assert (maps >= 0).all()
    assert maps.shape[1:] == heatmap_shape(toy)
    assert not np.array_equal(maps, nulls.random_cams(toy, spot.film(), 20, seed=2))
    np.testing.assert_array_equal(maps, nulls.random_cams(toy, spot.film(), 20, seed=1))


def heatmap_shape(toy):
    return tuple(toy.features(toy.tensor(spot.film()[None])).shape[-2:])


def test_surrogates_keep_the_values_and_move_the_places():
    map_ = spot.blob(20, 20)
    for other in nulls.phase_surrogates(map_, 5, np.random.default_rng(0)):
        np.testing.assert_allclose(np.sort(other, axis=None), np.sort(map_, axis=None))
        assert abs(np.corrcoef(other.ravel(), map_.ravel())[0, 1]) < 0.9


def test_chance_by_area_and_by_lungs_is_what_counting_gives():
    lungs, mask = spot.lungs(), spot.blob(20, 20) > 0.3
    cams = np.stack([spot.blob(20, 20), spot.blob(50, 50)])
    found = nulls.of(truth.hit, mask, lungs, cams)
    assert found.area == pytest.approx(mask.mean())
    assert found.lungs == pytest.approx((mask & lungs).sum() / lungs.sum())
    assert found.random_cam == 0.5
    assert found.strongest[1] == max(found.area, found.lungs, found.lung_prior, found.random_cam)
    without = nulls.of(truth.hit, mask, None, None)
    assert math.isnan(without.lungs)
    assert without.strongest == ("an evenly lit picture", found.area)


def test_a_film_of_a_real_network_has_every_chance(toy):
    map_, mask = spot.heatmap(spot.blob(20, 20)), spot.blob(20, 20) > 0.3
    found = nulls.of_map(toy, spot.film(), map_, spot.lungs(), mask)
    assert set(found) == {"lung_share", "hit", "iou", "mass_inside"}
    for measure, by_chance in found.items():
        known = vars(by_chance) if measure != "lung_share" else {"area": by_chance.area, "cam": by_chance.random_cam}
        assert all(0 <= value <= 1 for value in known.values()), measure
    assert found["lung_share"].area == pytest.approx(spot.lungs().mean())
    assert set(nulls.of_map(toy, spot.film(), map_, None, None)) == set()


def test_gain_is_paired_and_leaves_out_what_is_not_known():
    rng = np.random.default_rng(0)
    base = rng.random(200)
    better = np.clip(base + 0.1 + 0.01 * rng.standard_normal(200), 0, None)
    better[3] = np.nan
    found = gain(better, base, np.arange(200))
    assert found.films == 199
    assert found.clear
    assert found.low < 0.1 < found.high
    assert found.high - found.low < 0.02  # the films' own differences are paired away
    assert found.skill == pytest.approx((found.value - found.chance) / (1 - found.chance))
    assert not gain(base, base + rng.normal(0, 0.1, 200), np.arange(200)).clear
    assert gain(base, base * np.nan, np.arange(200)).films == 0


def test_skill_is_nought_at_chance_and_one_when_perfect():
    assert skill(0.3, 0.3) == 0
    assert skill(1, 0.3) == 1
    assert math.isnan(skill(1, 1))


def test_hits_on_every_film_are_no_certainty_beside_chance_either():
    found = gain(np.ones(12), np.full(12, 0.3), np.arange(12))
    assert found.low < 0.5 < found.difference == pytest.approx(0.7)
    assert found.skill_low < 0.8 < found.skill == pytest.approx(1)
    few = gain(np.ones(4), np.full(4, 0.3), np.arange(4))
    assert math.isnan(few.low)


@pytest.mark.parametrize("truth_", [0.5, 0.9])
def test_paired_differences_and_skills_cover_the_truth(truth_):
    """Hit or miss against a chance that differs from film to film, on 40 patients: some 95 of 100 intervals hold it."""
    rng, held = np.random.default_rng(0), np.zeros(2)
    for _ in range(150):
        by_chance = rng.beta(2, 6, 40)
        hits = (rng.random(40) < truth_).astype(float)
        found = gain(hits, by_chance, np.arange(40))
        held += [
            found.low <= truth_ - 0.25 <= found.high,
            found.skill_low <= (truth_ - 0.25) / 0.75 <= found.skill_high,
        ]
    assert (held / 150 > 0.89).all()


def test_surrogates_of_a_map_hit_less_than_the_map_and_blank_maps_have_none(toy):
    mask = spot.blob(20, 20) > 0.5
    drawn = nulls.surrogates_of(spot.blob(20, 20))
    found = nulls.of(truth.hit, mask, None, None, drawn)
    assert 0 <= found.surrogate < 0.6
    assert nulls.surrogates_of(np.zeros((64, 64), np.float32)) is None
    assert nulls.surrogates_of(np.ones((64, 64), np.float32)) is None
