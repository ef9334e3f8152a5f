"""Stability under changes that nobody sees, beside that of random mixes of the same channels."""

import math

import numpy as np
import pytest

from core.data.film.radiograph import from_pixels
from core.explain import stability
from core.explain.heatmap import heatmaps
from tests.explain.toys import CLASSES, classifier, picture

SIZE = 64


@pytest.fixture(scope="module")
def toy():
    return classifier(size=SIZE)


@pytest.fixture(scope="module")
def film():
    return picture(SIZE, seed=1)


def test_rank_correlation_is_spearman_s():
    from scipy.stats import spearmanr

    first, second = np.random.default_rng(0).random((2, 20, 20))
    assert stability.rank_correlation(first, second) == pytest.approx(
        spearmanr(first.ravel(), second.ravel()).statistic
    )
    assert stability.rank_correlation(first, np.exp(first)) == pytest.approx(1)
    assert math.isnan(stability.rank_correlation(first, np.zeros((20, 20))))
    several = stability.rank_correlations([first, first, first], [second, np.zeros((20, 20)), -first])
    assert several[[0, 2]] == pytest.approx([stability.rank_correlation(first, second), -1])
    assert math.isnan(several[1])
    assert np.isnan(stability.rank_correlations([first], [second], np.zeros((20, 20), bool))).all()


def test_a_map_is_stable_under_changes_it_follows_and_random_mixes_are_too(toy, film):
    map_ = max(heatmaps(toy, film).values(), key=lambda one: float(one.values.max()))
    found = stability.stability(toy, film, map_)
    assert set(found.correlations) == set(stability.CHANGES)
    assert found.correlations["brighter"] > 0.5
    assert found.chance > 0.5  # which is why stability is no evidence


def test_a_random_cam_is_compared_with_itself_and_not_with_the_first_seed(toy, film):
    map_ = heatmaps(toy, film, "randomcam", [CLASSES[0]], seed=7)[CLASSES[0]]
    np.testing.assert_array_equal(stability.again(toy, film, map_), map_.values)
    other = heatmaps(toy, film, "randomcam", [CLASSES[0]])[CLASSES[0]]
    assert not np.array_equal(other.values, map_.values)


def test_the_film_is_changed_before_it_is_cut(toy, film, monkeypatch):
    asked = []
    monkeypatch.setattr(type(toy), "lungs", lambda self, film: asked.append(film.sha256))
    map_ = max(heatmaps(toy, film).values(), key=lambda one: float(one.values.max()))
    source = from_pixels(film, "film")
    found = stability.stability(toy, film, map_, source)
    assert len(set(asked)) == 1 + len(stability.CHANGES)  # the film's own lungs, and those of each changed film
    assert found.correlations["brighter"] > 0.5
    assert found.correlations["turned left"] == pytest.approx(
        stability.stability(toy, film, map_).correlations["turned left"], abs=0.15
    )


def test_a_blank_map_has_no_correlation(toy, film):
    assert math.isnan(stability.rank_correlation(np.zeros((20, 20)), np.ones((20, 20))))
