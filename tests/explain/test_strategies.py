"""Strategies: maps of two kinds fall into two clusters, of one kind into one, wherever the lungs lie."""

import numpy as np
import pytest

from core.errors import ExplainError
from core.explain.strategies import SIDE, in_frame, strategies

SIZE = 96


def lungs(dx: int = 0, dy: int = 0) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[28 + dy : 68 + dy, 22 + dx : 44 + dx] = mask[28 + dy : 68 + dy, 54 + dx : 76 + dx] = True
    return mask


def spot(y: float, x: float, width: float = 5.0) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2)).astype(np.float32)


def drawn(markers: int, inside: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    maps, masks = [], []
    for film in range(markers + inside):
        dx, dy = rng.integers(-8, 9, 2)
        where = (8 + dy, 12 + dx) if film < markers else (48 + dy, 33 + dx)
        maps.append(spot(*(where + rng.normal(0, 1.0, 2))))
        masks.append(lungs(dx, dy))
    return maps, masks


def test_two_ways_to_one_answer_are_two_strategies_and_the_marker_is_suspect() -> None:
    maps, masks = drawn(18, 30)
    found = strategies(maps, masks, np.arange(48))
    assert [len(one.films) for one in found] == [30, 18]
    assert set(found[1].films) == set(range(18))
    assert [one.suspect for one in found] == [False, True]
    assert found[0].zone == "lungs"
    assert found[1].lung_share < 0.05 < found[0].lung_share


def test_one_way_is_one_strategy_and_nothing_to_suspect() -> None:
    maps, masks = drawn(0, 40)
    assert not any(one.suspect for one in strategies(maps, masks, np.arange(40)))
    assert len(strategies(maps, masks, np.arange(40), number=1)) == 1


def test_maps_that_know_nothing_are_hardly_ever_suspect() -> None:
    suspects = 0
    for seed in range(20):
        rng = np.random.default_rng(1000 + seed)
        masks = [lungs(*rng.integers(-8, 9, 2)) for _ in range(24)]
        maps = [rng.random((SIZE, SIZE)).astype(np.float32) for _ in masks]
        suspects += any(one.suspect for one in strategies(maps, masks, np.arange(24), number=1, seed=seed))
    assert suspects <= 3  # half of a 5 % error is expected


def test_the_frame_is_that_of_the_lungs() -> None:
    for dx, dy in ((0, 0), (14, -10)):
        framed = in_frame(spot(48 + dy, 33 + dx), lungs(dx, dy))
        assert framed.sum() == pytest.approx(1, abs=1e-5)
        row, column = np.unravel_index(framed.argmax(), framed.shape)
        assert row == pytest.approx(SIDE / 2, abs=1.5)
        assert column == pytest.approx(SIDE * (0.35 + 11 / 54) / 1.7, abs=1.5)


def test_too_few_maps_are_refused() -> None:
    maps, masks = drawn(3, 3)
    with pytest.raises(ExplainError, match="6 maps came"):
        strategies(maps, masks, np.arange(6))
