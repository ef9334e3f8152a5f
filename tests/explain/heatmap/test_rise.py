"""RISE finds the one place that counts, is the paper's sum up to its constant, and comes from its seed."""

import numpy as np
import pytest

from core.errors import ExplainError
from core.explain.heatmap.masks import _mask, rise
from core.explain.hide import hide
from tests.explain import spotter, toys


def test_the_place_that_counts_stands_out() -> None:
    found, logits = rise(spotter.spotter(), spotter.film(), masks=300, seed=1)
    assert found.shape == (3, spotter.SIZE, spotter.SIZE)
    inside = np.zeros(found.shape[1:], bool)
    inside[12:28, 12:28] = True
    assert inside[np.unravel_index(found[0].argmax(), found[0].shape)]
    assert found[0][inside].mean() > 5 * np.abs(found[0][~inside]).mean()
    assert logits[0] > 0
    blind, _ = rise(spotter.deaf(), spotter.film(), masks=40)
    assert not blind.any()


def test_it_is_the_papers_sum_less_the_grey_level_that_says_nothing() -> None:
    """Petsiuk's estimate, sum of score times mask over N p, has the same shape; its own constant is taken off."""
    toy, picture, masks, p = toys.classifier(), toys.picture(), 64, 0.4
    found, _ = rise(toy, picture, masks, cells=6, visible=p, fill="black", seed=3)
    rng = np.random.default_rng(3)
    drawn = [_mask(rng, picture.shape, 6, p) for _ in range(masks)]
    seen = np.stack([(mask * picture).round().astype(np.uint8) for mask in drawn])
    scores = toy.predict_pictures(seen)[0][:, 1]
    paper = sum(score * mask for score, mask in zip(scores, drawn, strict=True)) / (masks * p)
    constant = scores.mean() * np.mean(drawn, axis=0) / p
    spread = np.var(drawn, axis=0)
    np.testing.assert_allclose(found[1], (paper - constant) * p / spread, rtol=2e-2, atol=2e-3 * np.abs(found[1]).max())


def test_masks_are_smooth_see_the_wished_share_and_come_from_the_seed() -> None:
    rng = np.random.default_rng(0)
    drawn = np.stack([_mask(rng, (64, 64), 8, 0.3) for _ in range(200)])
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.mean() == pytest.approx(0.3, abs=0.02)
    assert np.ptp(drawn.mean(axis=0)) < 0.35  # no place is seen much more often than another
    one, again, other = (rise(toys.classifier(), toys.picture(), 8, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert hide(toys.picture(), np.ones((64, 64), bool), "blur").shape == (64, 64)


@pytest.mark.parametrize("wrong", [{"masks": 1}, {"cells": 1}, {"visible": 1.0}, {"fill": "pink"}])
def test_what_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ExplainError):
        rise(toys.classifier(), toys.picture(), **{"masks": 4, **wrong})
