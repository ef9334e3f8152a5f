"""Heatmap measures against known truth: their ends, their chance level, and an independent count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.errors import ExplainError
from core.explain import truth

MASKS = arrays.arrays(bool, (12, 12)).filter(lambda mask: mask.any() and not mask.all())
SCALES = st.floats(1e-4, 1e4)


@given(MASKS, SCALES)
def test_a_map_equal_to_the_truth_scores_one(mask, scale):
    map_ = scale * mask.astype(np.float32)
    precision, recall = truth.precision_recall(map_, mask, [0.1, 0.5, 1.0])
    assert truth.hit(map_, mask) == truth.miou(map_, mask) == truth.mass_inside(map_, mask) == 1
    assert (precision == 1).all()
    assert (recall == 1).all()


@given(MASKS, SCALES)
def test_its_complement_scores_nothing(mask, scale):
    map_ = scale * (~mask).astype(np.float32)
    precision, recall = truth.precision_recall(map_, mask, [0.1, 0.5, 1.0])
    assert truth.hit(map_, mask) == truth.miou(map_, mask) == truth.mass_inside(map_, mask) == 0
    assert not precision.any()
    assert not recall.any()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 0.9), st.integers(0, 1000))
def test_a_random_map_is_at_chance(share, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((40, 40)) < share
    mask[0, 0] = True
    maps = rng.random((400, 40, 40), np.float32)
    assert np.mean([truth.hit(map_, mask) for map_ in maps]) == pytest.approx(mask.mean(), abs=0.1)
    assert np.mean([truth.mass_inside(map_, mask) for map_ in maps]) == pytest.approx(mask.mean(), abs=0.02)
    precision, recall = truth.precision_recall(maps[0], mask, [0.25, 0.5])
    apart = 5 * 0.5 / np.sqrt(min(mask.sum(), 0.5 * mask.size))  # five standard errors of a share of so few pixels
    assert precision == pytest.approx(mask.mean(), abs=apart)
    assert recall == pytest.approx([0.75, 0.5], abs=apart)


@given(arrays.arrays(np.float32, (12, 12), elements=st.floats(0, 1, width=32)), MASKS)
def test_scale_does_not_matter_and_scores_are_shares(map_, mask):
    for score in (truth.hit, truth.miou, truth.mass_inside):
        assert 0 <= score(map_, mask) <= 1 + 1e-9
    assert truth.hit(map_ * np.float32(2), mask) == truth.hit(map_, mask)
    assert truth.mass_inside(map_ * np.float32(2), mask) == pytest.approx(truth.mass_inside(map_, mask))


@given(MASKS)
def test_a_blank_map_found_nothing(mask):
    blank = np.zeros(mask.shape, np.float32)
    precision, recall = truth.precision_recall(blank, mask, [0.5])
    assert truth.hit(blank, mask) == truth.miou(blank, mask) == truth.mass_inside(blank, mask) == 0
    assert np.isnan(precision).all()
    assert not recall.any()


def test_evidence_against_the_class_does_not_count():
    mask = np.zeros((4, 4), bool)
    mask[1, 1] = True
    map_ = np.full((4, 4), -1.0, np.float32)
    map_[1, 1] = 1.0
    assert truth.mass_inside(map_, mask) == truth.miou(map_, mask) == 1


def test_tied_maxima_share_the_hit():
    mask = np.array([[True, False], [False, False]])
    assert truth.hit(np.ones((2, 2), np.float32), mask) == 0.25


def test_union_is_counted_as_sklearn_counts_it():
    from sklearn.metrics import jaccard_score

    rng = np.random.default_rng(3)
    mask, map_ = rng.random((30, 30)) < 0.3, rng.random((30, 30)).astype(np.float32)
    assert truth.miou(map_, mask) == pytest.approx(jaccard_score(mask.ravel(), truth.salient(map_).ravel()))


def test_frames_must_agree_and_truth_must_exist():
    with pytest.raises(ExplainError, match="one frame"):
        truth.hit(np.zeros((2, 2)), np.ones((3, 3), bool))
    with pytest.raises(ExplainError, match="truth is empty"):
        truth.miou(np.zeros((2, 2)), np.zeros((2, 2), bool))
