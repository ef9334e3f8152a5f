"""Temperature and operating points on simulated logits whose truth is known."""

import numpy as np
import pytest
from scipy.special import softmax

from core.errors import CheckpointError
from core.model.calibration import even_weights, fit_shifted, fit_temperature, operating_point


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true_temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3)) * 3
    probabilities = softmax(logits / true_temperature, axis=1)
    labels = (rng.random((20_000, 1)) > probabilities.cumsum(1)).sum(1).clip(0, 2)
    assert fit_temperature(logits, labels) == pytest.approx(true_temperature, rel=0.05)


def test_perfect_and_empty_validation() -> None:
    assert 0.8 < fit_temperature(np.eye(3) * 5, np.arange(3)) < 1  # never certain without limit
    with pytest.raises(CheckpointError, match="validation film"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64))


def test_operating_point_lies_in_the_middle_of_the_gap() -> None:
    p = np.array([0.1, 0.2, 0.6, 0.9])
    assert operating_point(p, np.array([False, False, True, True])) == pytest.approx(0.4)


def test_operating_point_has_the_highest_sum_of_sensitivity_and_specificity() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(500) < 0.3
    p = np.clip(rng.normal(np.where(positive, 0.6, 0.3), 0.15), 0, 1)

    def youden(cut: float) -> float:
        return (p[positive] >= cut).mean() + (p[~positive] < cut).mean()

    assert youden(operating_point(p, positive)) == pytest.approx(max(youden(c) for c in np.unique(p)))


def test_operating_point_of_equal_probabilities() -> None:
    assert operating_point(np.full(4, 0.5), np.array([True, False, True, False])) == 0.5


def test_where_every_film_is_right_the_temperature_stays_off_its_bound() -> None:
    """Labels drawn from the logits themselves: the truth is 1. Likelihood alone gives 0.25 wherever all are right."""
    found, perfect = [], 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits = rng.normal(0, 12, (30, 3))
        labels = (softmax(logits, axis=1).cumsum(1) < rng.random((30, 1))).sum(1).clip(0, 2)
        perfect += bool((logits.argmax(1) == labels).all())
        found.append(fit_temperature(logits, labels))
    assert perfect > 5
    assert min(found) > 0.45
    assert 0.75 < np.median(found) < 1.3


def test_temperature_and_offsets_that_made_the_labels_are_found() -> None:
    rng = np.random.default_rng(0)
    logits, offsets = rng.normal(0, 3, (6000, 3)), np.array([1.0, 0.2, -1.2])
    labels = (rng.random((6000, 1)) > softmax(logits / 2 + offsets, axis=1).cumsum(1)).sum(1).clip(0, 2)
    temperature, found = fit_shifted(logits, labels)
    assert temperature == pytest.approx(2, rel=0.08)
    assert found == pytest.approx(offsets, abs=0.15)
    assert sum(found) == pytest.approx(0, abs=1e-9)
    even = even_weights(labels)
    assert even.mean() == pytest.approx(1)
    assert np.bincount(labels, even) == pytest.approx([2000] * 3)
    _, balanced = fit_shifted(logits, labels, even)
    assert np.ptp(balanced) < np.ptp(found) - 0.5  # as if all classes were equally frequent
