"""The figure of augmentations: a row for each step, one for all, its draws those of the chain."""

import numpy as np
import torch

from core.report.augmentation_figure import CAPTION, GAP, NAMES, SIDE, figure
from core.transform.augment import Augment, Step

STEPS = (Step("rotate", {"angle": (-20.0, 20.0)}), Step("invert", p=0.5))
ROW = SIDE + CAPTION + GAP


def picture() -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return ((rows * 2 + columns) % 200).astype(np.uint8)


def cell(page: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = row * ROW, NAMES + column * (SIDE + GAP)
    return page[top : top + SIDE, left : left + SIDE]


def test_rows_are_the_film_each_step_and_all_of_them() -> None:
    page = figure(picture(), STEPS, draws=3)
    assert page.shape == (4 * ROW, NAMES + 3 * (SIDE + GAP))
    assert np.array_equal(cell(page, 0, 0), picture())
    assert (cell(page, 0, 1) == 255).all()
    turned, generator = Augment(STEPS[:1]), torch.Generator().manual_seed(0)
    for column in range(3):
        assert np.array_equal(cell(page, 1, column), turned.replay(picture(), turned.draw(generator)))
        assert np.array_equal(cell(page, 2, column), 255 - picture())  # by itself it is always applied
    assert all((page[row * ROW : row * ROW + SIDE, :NAMES] < 128).any() for row in range(4)), "a row without its name"
    assert len({cell(page, 3, column).tobytes() for column in range(3)}) == 3


def test_the_numbers_drawn_stand_below_and_a_seed_makes_the_same_figure() -> None:
    page = figure(picture(), STEPS, draws=2)
    captions = page[ROW + SIDE : ROW + SIDE + CAPTION, NAMES:]
    assert (captions < 200).any()
    assert (page[2 * ROW + SIDE : 3 * ROW, NAMES:] == 255).all()  # nothing is drawn for an inversion
    assert np.array_equal(page, figure(picture(), STEPS, draws=2))
    assert not np.array_equal(page, figure(picture(), STEPS, draws=2, seed=1))


def test_one_step_needs_no_row_of_all_and_a_small_film_is_enlarged() -> None:
    assert figure(picture()[:40, :40], STEPS[:1], draws=1).shape[0] == 2 * ROW
