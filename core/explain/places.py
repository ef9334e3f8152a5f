"""Where evidence lies, in the words of a chest film: by side and zone of the lung, and by what lies outside.

A film is seen as if the patient faced the reader: the right lung is on the left of the picture. Upper, middle and lower
zone are thirds of each lung's height (Goodman, *Felson's Principles of Chest Roentgenology*: zones, not lobes, because
a frontal film does not show the fissures).
"""

import cv2
import numpy as np

from core.explain import zones
from core.words import joined

OUTSIDE = {
    "corner": "in the corners",
    "border": "along the border",
    "mediastinum": "in the mediastinum",
    "below the diaphragm": "below the diaphragm",
    "elsewhere": "elsewhere in the chest wall and shoulders",
}
LEVELS = ("upper", "middle", "lower")
LEAST = 0.1  # share of the evidence below which a place is not named
MOST = 3  # places named


def lung_zones(lungs: np.ndarray) -> dict[str, np.ndarray]:
    """The lung mask, bool (S, S), cut into up to six: "upper zone of the right lung" -> bool (S, S).

    Each lung is what lies on its side of the middle between the centres of the two largest parts. A mask in one part is
    cut at its own centre, or is one lung where it lies well to one side of the picture.
    """
    found = {}
    middle = _middle(lungs)
    columns = np.arange(lungs.shape[1])[None, :]
    for side, chosen in (("right", columns < middle), ("left", columns >= middle)):
        lung = lungs & chosen
        rows = np.flatnonzero(lung.any(axis=1))
        if not len(rows):
            continue
        edges = np.linspace(rows[0], rows[-1] + 1, 4)
        at = np.arange(lungs.shape[0])[:, None]
        for level, top, bottom in zip(LEVELS, edges[:-1], edges[1:], strict=True):
            found[f"{level} zone of the {side} lung"] = lung & (at >= top) & (at < bottom)
    return found


def shares(map_: np.ndarray, lungs: np.ndarray) -> dict[str, float]:
    """The part of the map's positive evidence, float (S, S), in each place; they add up to 1, or are all 0 if blank.

    Places inside are those of ``lung_zones``, outside those of ``OUTSIDE``.
    """
    evidence = np.maximum(map_, 0).astype(np.float64)
    total = evidence.sum() or 1.0
    inside = {name: float(evidence[zone].sum() / total) for name, zone in lung_zones(lungs).items()}
    outside = {OUTSIDE[name]: part for name, part in zones.shares(map_, lungs).items() if name in OUTSIDE}
    return inside | outside


def in_words(map_: np.ndarray, lungs: np.ndarray | None) -> str:
    """Where the evidence of a map lies, in one sentence; it stands for the picture where that cannot be seen."""
    if not map_.max() > 0:
        return "There is no positive evidence anywhere."
    if lungs is None or not lungs.any():
        return "No lungs were found, so the place of the evidence has no name."
    ranked = sorted(shares(map_, lungs).items(), key=lambda item: -item[1])
    named = [(name, part) for name, part in ranked if part >= LEAST][:MOST]
    if not named:
        return "The evidence is spread thinly over the whole picture."
    told = [f"{part:.0%} {'' if name in OUTSIDE.values() else 'in the '}{name}" for name, part in named]
    return f"The evidence lies {joined(told)}."


def _middle(lungs: np.ndarray) -> float:
    """The column between the two lungs."""
    count, _, stats, centres = cv2.connectedComponentsWithStats(lungs.astype(np.uint8))
    if count >= 3:
        largest = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:2]
        sizes = stats[largest, cv2.CC_STAT_AREA]
        if sizes[1] >= 0.1 * sizes[0]:
            return float(centres[largest, 0].mean())
    own, picture = float(np.argwhere(lungs)[:, 1].mean()), (lungs.shape[1] - 1) / 2
    return picture if abs(own - picture) > 0.1 * lungs.shape[1] else own  # a single lung lies to one side
