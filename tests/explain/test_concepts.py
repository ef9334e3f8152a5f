"""Concepts of a feature map that was made of known parts, and what films that show one have in common."""

import numpy as np
import pandas as pd
import pytest

from core.errors import ExplainError
from core.explain.concepts import Concept, concepts, strengths, ties

FILMS, CHANNELS, SIDE = 40, 12, 8


def lungs() -> np.ndarray:
    mask = np.zeros((64, 64), bool)
    mask[16:48, 8:28] = mask[16:48, 36:56] = True
    return mask


def drawn(seed: int = 0, marker: float = 3.0, lung: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Maps of a part in a lung, one in a corner and noise; and the head's weights: it counts both parts."""
    rng = np.random.default_rng(seed)
    maps = rng.random((FILMS, CHANNELS, SIDE, SIDE)) * 0.002
    maps[:, 0:3, 3:5, 2:3] += rng.uniform(0.5, 1.5, (FILMS, 1, 1, 1))
    maps[:, 3:6, 0:1, 7:8] += rng.uniform(0.5, 1.5, (FILMS, 1, 1, 1))
    weights = np.zeros(CHANNELS)
    weights[0:3], weights[3:6] = lung, marker
    return maps.astype(np.float32), weights


def found(maps: np.ndarray, weights: np.ndarray, seed: int = 0) -> list[Concept]:
    head = lambda maps: np.einsum("nkhw,k->n", maps, weights)  # noqa: E731
    return concepts(maps, head, [lungs()] * len(maps), np.arange(len(maps)), 4, seed)


@pytest.mark.parametrize("seed", range(4))
def test_a_corner_that_the_head_counts_is_suspect_and_comes_first(seed: int) -> None:
    maps, weights = drawn(seed)
    first = found(maps, weights, seed)[0]
    assert first.suspect
    assert first.zone == "corner"
    assert first.channels[3:6].sum() > 0.8
    # Its removal costs what the head gives it: 3 channels of 1 on average, each counted three times.
    assert first.relevance == pytest.approx((maps[:, 3:6, 0, 7].sum(1) * 3).mean(), rel=0.15)
    assert first.low < first.relevance < first.high


def test_the_same_corner_is_not_suspect_where_the_head_does_not_count_it() -> None:
    every = found(*drawn(marker=0.0))
    assert not any(concept.suspect for concept in every)
    assert every[0].lung_share > every[0].lung_area
    assert every[0].channels[0:3].sum() > 0.8


def test_shares_of_relevance_add_up_and_examples_show_it_most() -> None:
    maps, weights = drawn()
    every = found(maps, weights)
    assert sum(concept.share for concept in every) == pytest.approx(1)
    corner = every[0]
    assert corner.examples[0] == int(maps[:, 3:6, 0, 7].sum(1).argmax())
    assert int(strengths(maps, corner).argmax()) == corner.examples[0]


def test_too_few_films_and_destroyed_weights_are_refused() -> None:
    maps, weights = drawn()
    with pytest.raises(ExplainError, match="5 films came"):
        found(maps[:5], weights)
    with pytest.raises(ExplainError, match="nothing positive"):
        found(-np.abs(maps), weights)


def test_a_tie_is_found_and_chance_is_none() -> None:
    rng = np.random.default_rng(3)
    strength = rng.random(80)
    source = np.where(strength + rng.normal(0, 0.1, 80) > 0.5, "A", "B")
    samples = pd.DataFrame({"source": source, "sex": rng.choice(["F", "M"], 80), "view": "PA"})
    table = ties(strength, samples)
    assert list(table["column"]) == ["source", "source", "sex", "sex"]  # a view that all have tells nothing
    first = table.iloc[0]
    assert first["low"] > 1 or first["high"] < 1
    assert table.iloc[2]["low"] < 1 < table.iloc[2]["high"]
    assert set(table[(table["value"] == "A")]["odds_ratio"] > 10) == {True}


def test_of_many_equal_attributes_hardly_any_is_called_tied() -> None:
    rng = np.random.default_rng(11)
    clear = 0
    for _ in range(100):
        samples = pd.DataFrame({"source": rng.choice(list("ABCDEFG"), 120)})
        table = ties(rng.random(120), samples)
        clear += bool(((table["low"] > 1) | (table["high"] < 1)).any())
    assert clear <= 12  # five are expected, and fewer, for the level is conservative
