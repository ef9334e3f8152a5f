"""Weights by group of patients are the bootstrap's: same sums, same spread, and patients stay together."""

import numpy as np
import pytest

from core import resamples
from core.resamples import Grouped, drawn, films_in, first, how, tally, total

FILMS = resamples.MANY + 7  # three of each patient


@pytest.fixture(scope="module")
def weights() -> Grouped:
    found = drawn(np.arange(FILMS) // 3, replicates=300)
    assert isinstance(found, Grouped)
    return found


def spread_out(weights: Grouped) -> np.ndarray:
    return weights.counts[weights.groups]


def test_up_to_many_films_each_has_weights_of_its_own_and_beyond_none_has():
    assert isinstance(drawn(np.arange(300)), np.ndarray)
    assert how(drawn(np.arange(300))) == ""
    alone = drawn(np.arange(FILMS))
    assert isinstance(alone, Grouped)
    assert alone.counts.nbytes < 20_000_000
    assert how(alone) == "; patients drawn in 2,000 random groups"
    few = drawn(np.arange(FILMS) % 900)
    assert how(few) == ""  # 900 patients are drawn themselves
    assert (few.groups == np.arange(FILMS) % 900).all()


def test_patients_stay_together_and_groups_are_of_one_size(weights: Grouped):
    assert (weights.groups[::3] == weights.groups[1::3]).all()
    assert (weights.groups[::3] == weights.groups[2::3]).all()
    sizes = np.bincount(weights.groups) // 3
    assert set(sizes) <= {FILMS // 3 // resamples.GROUPS, FILMS // 3 // resamples.GROUPS + 1}


def test_sums_are_those_of_weights_spread_out(weights: Grouped):
    rng = np.random.default_rng(0)
    values, cells, whole = rng.normal(size=(2, FILMS)), rng.integers(0, 4, FILMS), spread_out(weights)
    np.testing.assert_allclose(total(values, weights), values @ whole, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(total(values[0], weights), values[0] @ whole, rtol=1e-9, atol=1e-7)
    np.testing.assert_array_equal(films_in(weights), whole.sum(axis=0))
    np.testing.assert_array_equal(tally(cells, 4, weights), tally(cells, 4, whole))
    np.testing.assert_allclose(tally(cells, 4, weights, values[1]), tally(cells, 4, whole, values[1]), atol=1e-7)
    some = np.flatnonzero(cells == 1)
    np.testing.assert_allclose(total(values[:, some], weights[some]), values[:, some] @ whole[some], atol=1e-7)
    np.testing.assert_array_equal(films_in(first(weights, 20)), whole[:, :21].sum(axis=0))


def test_the_standard_error_is_that_of_patients_and_not_of_films(weights: Grouped):
    """Of a mean whose films agree within a patient the error is known: that of a mean of patients."""
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(size=FILMS // 3), 3)
    expected = values.std() / np.sqrt(FILMS / 3)
    by_patient = (total(values, weights) / films_in(weights))[1:].std()
    by_film = drawn(np.arange(FILMS), replicates=300)
    assert by_patient == pytest.approx(expected, rel=0.12)
    assert (total(values, by_film) / films_in(by_film))[1:].std() < 0.7 * expected
