"""A heatmap marked against known truth: radiologists' boxes, or the lesion mask of a drawn film. Pure functions.

The measures are those of Saporta 2022 (hit rate, and intersection over union at Otsu's threshold), the share of the
evidence inside, and precision and recall over thresholds. Only positive evidence counts. ``map_`` is float ``(S, S)``
at any scale, ``mask`` bool ``(S, S)`` and not empty. A blank map has found nothing: it scores 0. Shapes that differ and
empty masks are an ExplainError.
"""

from collections.abc import Sequence

import numpy as np

from core.errors import ExplainError


def hit(map_: np.ndarray, mask: np.ndarray) -> float:
    """Pointing game: 1 when the map's maximum lies inside the truth, else 0; of tied maxima, the part inside."""
    evidence, truth = _pair(map_, mask)
    return float(truth[evidence == evidence.max()].mean()) if evidence.any() else 0.0


def miou(map_: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union, 0 to 1, of the truth and the map above its Otsu threshold.

    The "mean" of its usual name is that over films, taken by ``core.explain.cohort``.
    """
    evidence, truth = _pair(map_, mask)
    shown = salient(evidence)
    union = int((shown | truth).sum())
    return int((shown & truth).sum()) / union


def mass_inside(map_: np.ndarray, mask: np.ndarray) -> float:
    """The part of the map's positive mass inside the mask, 0 to 1."""
    evidence, truth = _pair(map_, mask)
    total = float(evidence.sum(dtype=np.float64))
    return float(evidence[truth].sum(dtype=np.float64)) / total if total else 0.0


def precision_recall(
    map_: np.ndarray, mask: np.ndarray, thresholds: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall, each float64 ``(T,)``, of "map >= threshold" as a finder of the truth's pixels.

    ``thresholds`` are parts of the map's maximum, above 0 and up to 1. A blank map has precision NaN and recall 0.
    """
    evidence, truth = _pair(map_, mask)
    if not evidence.any():
        return np.full(len(thresholds), np.nan), np.zeros(len(thresholds))
    shown = evidence[None] >= np.asarray(thresholds)[:, None, None] * evidence.max()  # (T, S, S)
    found = (shown & truth).sum((1, 2))
    return found / shown.sum((1, 2)), found / truth.sum()


def salient(map_: np.ndarray) -> np.ndarray:
    """Bool ``(S, S)``: the map above its Otsu threshold (on 256 levels); nothing for a map without positive values."""
    import cv2

    evidence = np.maximum(map_, 0)
    if not evidence.any():
        return np.zeros(evidence.shape, bool)
    levels = np.rint(255 * (evidence / evidence.max())).astype(np.uint8)
    above: np.ndarray = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].astype(bool)
    return above


def _pair(map_: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if map_.shape != mask.shape:
        raise ExplainError(f"the map is {map_.shape} and the truth {mask.shape}", "one frame for both")
    if not mask.any():
        raise ExplainError("the truth is empty", "at least one marked pixel", "Leave out films without a finding")
    return np.maximum(map_, 0), mask.astype(bool)
