"""Boxes read off maps, and average precision: against hand-made cases with known answers."""

import numpy as np
import pytest

from core.errors import ExplainError
from core.explain.detection import Found, average_precision, boxes, overlap


def square(top: int, left: int, side: int = 20, value: float = 0.9, size: int = 100) -> np.ndarray:
    map_ = np.zeros((size, size), np.float32)
    map_[top : top + side, left : left + side] = value
    return map_


def test_each_connected_part_is_one_box() -> None:
    found = boxes(square(10, 10) + square(60, 50, value=0.6), probability=0.5)
    assert [f.box for f in found] == [(10, 10, 30, 30), (50, 60, 70, 80)]  # one each, although above two thresholds
    assert [f.score for f in found] == pytest.approx([0.45, 0.3])
    assert boxes(np.zeros((50, 50), np.float32)) == []
    assert boxes(square(10, 10, side=2)) == []  # a speck


def test_maps_of_another_scale_are_refused() -> None:
    with pytest.raises(ExplainError, match="0 to 1"):
        boxes(square(10, 10, value=3.0))


def test_overlap_of_boxes() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0


def test_average_precision_of_known_cases() -> None:
    truth = [[(10, 10, 30, 30)], [(50, 60, 70, 80), (0, 0, 9, 9)], []]
    perfect = [[Found((*map(float, b),), 0.9) for b in film] for film in truth]
    assert average_precision(perfect, truth) == 1
    assert average_precision([[], [], []], truth) == 0
    wrong = [[Found((80, 80, 99, 99), 1.0)], [], []]
    assert average_precision(wrong, truth) == 0
    # found, false, found, and one never: precision 1 up to recall 1/3, then 2/3 up to 2/3
    mixed = [[Found((10, 10, 30, 30), 0.9)], [Found((50, 60, 70, 80), 0.5)], [Found((0, 0, 50, 50), 0.7)]]
    assert average_precision(mixed, truth) == pytest.approx(1 / 3 + 2 / 3 / 3)
    twice = [[Found((10, 10, 30, 30), 0.9), Found((11, 10, 31, 30), 0.8)], [], []]
    assert average_precision(twice, truth) == pytest.approx(1 / 3)  # the second finds nothing new
    with pytest.raises(ExplainError, match="o film has a known box"):
        average_precision([[]], [[]])
