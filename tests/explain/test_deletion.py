"""Hiding curves against what hiding by hand gives, and ROAD's filling against the library's."""

import numpy as np
import pytest
import torch

from core.explain import deletion
from core.explain.hide import hide
from tests.explain.spotter import SIZE, blob, spotter
from tests.explain.spotter import film as spot
from tests.explain.toys import CLASSES, picture


def test_random_maps_are_as_smooth_and_come_in_opposite_pairs():
    map_ = blob(20, 20) + 0.5 * blob(40, 45)
    maps = deletion.random_maps(map_, np.random.default_rng(0), 8)
    np.testing.assert_allclose(maps[::2], -maps[1::2])
    spectrum = np.abs(np.fft.rfft2(map_ - map_.mean()))
    np.testing.assert_allclose(np.abs(np.fft.rfft2(maps[0])), spectrum, atol=1e-3 * spectrum.max())
    assert abs(np.corrcoef(maps[0].ravel(), map_.ravel())[0, 1]) < 0.9


def test_a_right_map_beats_random_maps_and_its_opposite_loses():
    toy, film, map_ = spotter(), spot(), blob(20, 20)
    right = deletion.curves(toy, film, map_, CLASSES[0])
    wrong = deletion.curves(toy, film, 1 - map_, CLASSES[0])
    for name in ("deletion", "insertion", "road"):
        assert right[name].z > 1.5, name
        assert wrong[name].z < 0, name


def test_curves_are_what_hiding_by_hand_gives():
    toy, film, map_ = spotter(), spot(), blob(20, 20)
    curve = deletion.curves(toy, film, map_, CLASSES[0])["deletion"]
    for fraction, score in zip(curve.fractions, curve.scores, strict=True):
        hidden = hide(film, map_ > np.quantile(map_, 1 - fraction), "blur")
        assert toy.predict_pictures(hidden[None])[1][0, 0] == pytest.approx(score, abs=0.02)


def test_random_maps_themselves_are_at_chance():
    toy, film, map_ = spotter(), spot(), blob(20, 20)
    scores = [
        deletion.curves(toy, film, random, CLASSES[0], seed=seed)["insertion"].z
        for seed, random in enumerate(deletion.random_maps(map_, np.random.default_rng(5), 12))
    ]
    assert abs(np.mean(scores)) < 1


def test_imputation_comes_near_the_library_s_linear_solution():
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    film = picture(SIZE, seed=2)
    mask = deletion.random_maps(film.astype(np.float32), np.random.default_rng(1), 2)[0] > 0
    mine = deletion.impute(film, mask, np.random.default_rng(0))
    exact = NoisyLinearImputer(noise=0)(
        torch.from_numpy(film.astype(np.float32))[None], torch.from_numpy(~mask).float()
    )
    assert np.abs(mine - exact[0].numpy())[mask].mean() < 2
    assert (mine[~mask] == film[~mask]).all()


def test_imputing_everything_gives_something():
    film = picture(SIZE)
    assert deletion.impute(film, np.ones_like(film, bool), np.random.default_rng(0)).std() < 5
