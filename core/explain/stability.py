"""Does the map stay when it should: under changes of the film that no reader would notice, and under another method?

Maps are compared by Spearman's rank correlation at reduced size: the scale of a map means nothing across methods, and
neighbouring pixels of an upsampled map are one measurement, not many.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.explain.heatmap import Heatmap, heatmaps
from core.explain.methods import METHODS
from core.model.classifier import Classifier
from core.transform.augment import Augment, Step, warp_back

SIDE = 28  # maps are compared at this size; no network's last map is finer
# Changes well below those between two films of one patient taken minutes apart.
CHANGES: dict[str, Step] = {
    "turned left": Step("rotate", {"angle": 3.0, "fill": "nearest"}),
    "turned right": Step("rotate", {"angle": -3.0, "fill": "nearest"}),
    "moved": Step("shift", {"x": 2.0, "y": 2.0, "fill": "nearest"}),
    "brighter": Step("brightness", {"factor": 1.1}),
    "darker": Step("brightness", {"factor": 0.9}),
    "grainier": Step("noise", {"sigma": 4.0}),
}
# Fast methods that answer the same question (evidence for this class), so that disagreement means something.
PARTNERS = ("gradcam", "hirescam", "layercam", "xgradcam")


def stability(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap) -> dict[str, float]:
    """Correlation of the map with that of each slightly changed picture, mapped back; NaN where one is blank."""
    found = {}
    for name, step in CHANGES.items():
        drawn = Augment([step]).draw(torch.Generator().manual_seed(0))
        changed = again(classifier, Augment.replay(picture, drawn), heatmap)
        back, seen = warp_back(changed, drawn), warp_back(np.ones_like(changed), drawn)
        assert back is not None
        assert seen is not None
        found[name] = rank_correlation(heatmap.values, back, seen > 0.99)
    return found


def agreement(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap) -> dict[str, float]:
    """Correlation of the map with that of each other fast method at the same layer; NaN where one is blank."""
    others = [name for name in PARTNERS if name != heatmap.method]
    return {name: rank_correlation(heatmap.values, again(classifier, picture, heatmap, method=name)) for name in others}


def again(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap, method: str = "") -> np.ndarray:
    """The values ``(S, S)`` of the same question (class, layers and method, or another method) of another picture."""
    method = method or heatmap.method
    layers: Sequence[str] | None = None if heatmap.layer == "film" else heatmap.layer.split(" + ")
    options: dict[str, Any] = {"signed": heatmap.signed} if METHODS[method].signed else {}
    return heatmaps(classifier, picture, method, [heatmap.class_name], layers, **options)[heatmap.class_name].values


def rank_correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray | None = None) -> float:
    """Spearman's correlation of two maps ``(S, S)`` at reduced size, -1 to 1; NaN when one of them is constant.

    ``where``: bool ``(S, S)``, the part to be compared; all of it unless given.
    """
    from scipy.stats import rankdata

    kept = np.ones(first.shape, bool) if where is None else where
    inside = _small(kept.astype(np.float32)) > 0.99
    ranks = [rankdata(_small(map_)[inside]) for map_ in (first, second)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def _small(map_: np.ndarray) -> np.ndarray:
    import cv2

    side = min(SIDE, *map_.shape)
    return cv2.resize(map_.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
