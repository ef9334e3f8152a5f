"""RISE: the film seen through many random masks, and which of them let the class through (Petsiuk 2018)."""

from typing import TYPE_CHECKING

import numpy as np

from core.errors import ExplainError
from core.explain.hide import BATCH, Progress, hide

if TYPE_CHECKING:
    from core.model.classifier import Classifier


def rise(
    classifier: "Classifier",
    picture: np.ndarray,
    masks: int = 400,
    cells: int = 8,
    visible: float = 0.5,
    fill: str = "blur",
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """How each pixel's being seen goes with each class's logit.

    The paper adds up masks, weighted by probabilities, and its maps keep a grey level that says nothing: each pixel's
    mean visibility times the mean score. Here it is the covariance of logit and mask, over the mask's variance: that
    level is gone, and with it most of the noise. Up to this constant the two are the same in expectation.

    Args:
        picture: uint8 (S, S).
        masks: how many; the noise falls with their root.
        cells: of the random grid along a side. It is enlarged smoothly and moved by chance within a cell.
        visible: the part of the cells that are seen, between 0 and 1.
        fill: what hidden places show, a key of ``FILLS``.
        progress: called with the share done, 0 to 1, after each batch.

    Returns:
        float32 (C, S, S), in logits between hidden and seen, negative where seeing it lowers the class; and the logits
        (C,) of the film as it is.
    """
    if masks < 2 or cells < 2 or not 0 < visible < 1:
        came = f"RISE was given {masks} masks of {cells} cells, {visible:g} of them visible"
        raise ExplainError(came, "2 or more of each, and a share between 0 and 1")
    rng, side = np.random.default_rng(seed), picture.shape
    empty = hide(picture, np.ones(side, bool), fill).astype(np.float32)
    scores: list[np.ndarray] = []
    drawn: list[np.ndarray] = []
    for start in range(0, masks, BATCH):
        batch = [_mask(rng, side, cells, visible) for _ in range(min(BATCH, masks - start))]
        seen = np.stack([empty + mask * (picture - empty) for mask in batch]).round().astype(np.uint8)
        scores.append(classifier.predict_pictures(seen)[0])
        drawn += [mask.astype(np.float16) for mask in batch]
        if progress:
            progress(min(1.0, (start + BATCH) / masks))
    logits, seen_at = np.concatenate(scores).astype(np.float64), np.stack(drawn).astype(np.float32)
    centred = seen_at - seen_at.mean(axis=0)
    spread = np.maximum((centred**2).mean(axis=0), 1e-6)
    gaps = (logits - logits.mean(axis=0)).astype(np.float32)
    found = np.tensordot(gaps.T, centred, axes=1) / masks / spread
    return found.astype(np.float32), classifier.predict_pictures(picture[None])[0][0]


def _mask(rng: np.random.Generator, shape: tuple[int, ...], cells: int, visible: float) -> np.ndarray:
    """float32 (S, S), 0 to 1: a random grid, enlarged bilinearly and moved by less than one cell."""
    import cv2

    cell = [-(-side // cells) for side in shape]
    grid = (rng.random((cells + 1, cells + 1)) < visible).astype(np.float32)
    large = cv2.resize(grid, ((cells + 1) * cell[1], (cells + 1) * cell[0]), interpolation=cv2.INTER_LINEAR)
    top, left = (int(rng.integers(0, size)) for size in cell)
    cut: np.ndarray = large[top : top + shape[0], left : left + shape[1]]
    return cut
