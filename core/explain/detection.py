"""Boxes read off a heatmap, and how well they find those of radiologists: average precision at an overlap (PASCAL VOC).

The supervised yardstick: hit rate and mIoU ask whether a film's map is in the right place, this also asks
whether the number of findings is right and whether the surer boxes are the better ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ExplainError

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # at which the connected parts of a map become boxes
LEAST = 0.0005  # of the picture: smaller parts are not boxes
OVERLAP = 0.5  # intersection over union from which two boxes are one

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Found:
    """A box read off a map, with its score: the map's mean inside, times the probability of the finding."""

    box: Box
    score: float


def boxes(map_: np.ndarray, probability: float = 1.0, thresholds: Sequence[float] = THRESHOLDS) -> list[Found]:
    """The connected parts of a map above each threshold, the surest first; of overlapping ones the surest stays.

    Args:
        map_: float (S, S), 0 to 1, evidence at each pixel.
        probability: of the finding, 0 to 1, for the whole film.
    """
    import cv2

    if map_.ndim != 2 or float(map_.min()) < 0 or float(map_.max()) > 1:
        raise ExplainError(f"the map is {map_.shape}, {map_.min():g} to {map_.max():g}", "(S, S), 0 to 1")
    parts: list[Found] = []
    for threshold in thresholds:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((map_ > threshold).astype(np.uint8), connectivity=8)
        for part in range(1, count):
            left, top, width, height, area = (int(v) for v in stats[part])
            if area >= LEAST * map_.size:
                inside = map_[top : top + height, left : left + width]
                own = labels[top : top + height, left : left + width] == part
                score = float(inside[own].mean()) * probability
                parts.append(Found((left, top, left + width, top + height), score))
    kept: list[Found] = []
    for part_ in sorted(parts, key=lambda found: -found.score):
        if all(overlap(part_.box, other.box) < OVERLAP for other in kept):
            kept.append(part_)
    return kept


def average_precision(
    found: Sequence[Sequence[Found]], known: Sequence[Sequence[Box]], least: float = OVERLAP
) -> float:
    """Area under precision over recall, 0 to 1, over all films together; precision made non-increasing (VOC 2010).

    Args:
        found: for each film the boxes read off.
        known: for each film the true boxes; each can be found once.
        least: intersection over union from which a box counts as found.
    """
    total = sum(map(len, known))
    if not total:
        raise ExplainError("no film has a known box", "one at least", "Leave out films without a finding")
    taken: set[tuple[int, int]] = set()
    right = []
    everything = [(one.score, film, one.box) for film, group in enumerate(found) for one in group]
    for _, film, box in sorted(everything, key=lambda item: -item[0]):
        free = [(overlap(box, true), n) for n, true in enumerate(known[film]) if (film, n) not in taken]
        best, number = max(free, default=(0.0, -1))
        right.append(best >= least)
        if best >= least:
            taken.add((film, number))
    if not right:
        return 0.0
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((np.diff(np.concatenate([[0.0], hits / total])) * precision).sum())


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    inside = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return inside / (areas - inside)
