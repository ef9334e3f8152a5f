"""The occlusion bank: how far every class's logit drops while each cell of a grid is hidden, from one set of passes.

Notable choices (each measured, see docs/methods.md):
- A cell is filled with the film's mean grey. Blur leaves large opacities in place; inpainting copies them in.
- Logits, not probabilities: near 0 and 1 a probability no longer moves, and a margin mixes in the other classes.
- The bank belongs to film and model, not to a map: every class, method and layer is tested against the same passes, and
  the bank drawn as a picture is an occlusion map.
- Of each pass only what the cell reaches is computed (`core.model.bulk.painted`). Where the bulk engine is quicker
  pictures go through it: its third digit is far below what is counted as a response.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from core.model.classifier import Classifier

GRIDS = (8, 6)  # cells per side; the second grid's edges cross the middle of the first one's cells
LIGHT = 5_000_000  # parameters; heavier networks are asked by the first grid only, so that a card stays below a second


@dataclass(frozen=True, eq=False)
class Bank:
    """What hiding each cell of a film does to a model's answer.

    Attributes:
        grids: cells per side of each grid; N = the sum of their squares.
        drops: float32 (N, C), the logit of the whole film minus that with the cell hidden; grid by grid, row by row.
    """

    grids: tuple[int, ...]
    drops: np.ndarray

    def occlusion_map(self, index: int, shape: tuple[int, int]) -> np.ndarray:
        """The drop of class ``index`` at each pixel, float32 ``shape``, in logits; the mean of the grids."""
        total, start = np.zeros(shape, np.float32), 0
        for grid in self.grids:
            part = self.drops[start : start + grid * grid, index].reshape(grid, grid)
            total += cells(shape[0], grid).T @ part @ cells(shape[1], grid)
            start += grid * grid
        return total / len(self.grids)


def occlude(classifier: Classifier, picture: np.ndarray) -> Bank:
    """The bank of a picture, uint8 (S, S): 100 passes, or 64 of a network with more than ``LIGHT`` parameters."""
    grids = GRIDS if classifier.card.parameters <= LIGHT else GRIDS[:1]
    grey, drops = round(float(picture.mean())), []
    for grid in grids:
        rows, columns = (
            pairwise(np.linspace(0, side, grid + 1).round().astype(int).tolist()) for side in picture.shape
        )
        boxes = [(*row, *column) for row, column in product(rows, columns)]
        logits = classifier.predict_painted(picture, boxes, grey)
        drops.append(logits[0] - logits[1:])
    return Bank(grids, np.concatenate(drops))


def masses(maps: np.ndarray, shape: tuple[int, ...], grids: tuple[int, ...]) -> np.ndarray:
    """The mass of maps (..., h, w), enlarged bilinearly to ``shape``, under each cell: (..., N).

    Enlarging and adding up are both linear and separable, so the maps are never enlarged: a matrix for the rows and one
    for the columns say what each coarse place gives to each cell.
    """
    found = []
    for grid in grids:
        rows, columns = (
            cells(side, grid) @ _enlarging(small, side) for side, small in zip(shape, maps.shape[-2:], strict=True)
        )
        found.append((rows @ maps @ columns.T).reshape(*maps.shape[:-2], -1))
    return np.concatenate(found, axis=-1)


def cells(side: int, grid: int) -> np.ndarray:
    """Which pixel of a side belongs to which cell: float32 (grid, side) of ones and zeros."""
    edges = np.linspace(0, side, grid + 1).round().astype(int)
    places = np.arange(side)
    return ((places >= edges[:-1, None]) & (places < edges[1:, None])).astype(np.float32)


def _enlarging(small: int, side: int) -> np.ndarray:
    """Bilinear enlargement of a line between the centres of its cells, float32 (side, small)."""
    if small == side:
        return np.eye(side, dtype=np.float32)
    at = np.clip((np.arange(side) + 0.5) * small / side - 0.5, 0, small - 1)
    low = np.minimum(at.astype(int), max(small - 2, 0))
    matrix = np.zeros((side, small), np.float32)
    matrix[np.arange(side), low] = 1 - (at - low)
    matrix[np.arange(side), np.minimum(low + 1, small - 1)] += at - low
    return matrix
