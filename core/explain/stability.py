"""Does the map stay when it should: under changes of the film that no reader would notice?

Notable choices:
- Maps are compared by Spearman's rank correlation at reduced size: the scale of a map means nothing, and neighbouring
  pixels of an upsampled map are one measurement, not many.
- It is the film that is changed, before it is cut to the lungs, for that is where a model with a moving crop is frail
  (the largest change of a probability: 0.37, against 0.12 when only the picture is changed).
- Any fixed mix of channels is stable, one with random weights too. So random mixes of the same channels are measured
  as well, on the same feature maps and without another pass, and their mean is the chance beside the figure.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.data.film.radiograph import Radiograph
from core.explain.heatmap import Heatmap, heatmaps, resized
from core.explain.methods import METHODS
from core.explain.nulls import random_cams
from core.model.classifier import Classifier
from core.transform.augment import Augment, Drawn, Step, warp_back

SIDE = 28  # maps are compared at this size; no network's last map is finer
SQUARE = 384  # side at which films are changed: above what any network sees
RANDOM_CAMS = 8
# Changes well below those between two films of one patient taken minutes apart.
CHANGES: dict[str, Step] = {
    "turned left": Step("rotate", {"angle": 3.0, "fill": "nearest"}),
    "turned right": Step("rotate", {"angle": -3.0, "fill": "nearest"}),
    "moved": Step("shift", {"x": 2.0, "y": 2.0, "fill": "nearest"}),
    "brighter": Step("brightness", {"factor": 1.1}),
    "darker": Step("brightness", {"factor": 0.9}),
    "grainier": Step("noise", {"sigma": 4.0}),
}

Back = Callable[[np.ndarray], np.ndarray]
"""A map (S, S) of the changed picture -> the same in the frame of the picture as it was; 0 where it had left it."""


@dataclass(frozen=True)
class Stability:
    """How similar a map stays to itself.

    Attributes:
        correlations: of the map with that of each changed film, by change, -1 to 1; NaN where one is blank.
        chance: the mean of the same for random mixes of the layer's channels; NaN for methods that look at no layer.
    """

    correlations: Mapping[str, float]
    chance: float = math.nan


def stability(
    classifier: Classifier, picture: np.ndarray, heatmap: Heatmap, film: Radiograph | None = None, seed: int = 0
) -> Stability:
    """How a map stays under ``CHANGES`` of its film.

    Args:
        picture: uint8 (S, S), what the map was made of.
        film: what the picture was made of; without it the picture itself is changed.
        seed: of the random mixes.
    """
    layer = None if heatmap.layer == "film" else heatmap.layer.split(" + ")[-1]

    def mixed(shown: np.ndarray) -> list[np.ndarray]:
        if layer is None:
            return []
        return list(resized(random_cams(classifier, shown, RANDOM_CAMS, seed, layer), picture.shape))

    before = mixed(picture)
    found: dict[str, float] = {}
    mixes: list[float] = []
    for name, step in CHANGES.items():
        drawn = Augment([step]).draw(torch.Generator().manual_seed(0))
        if film is None:
            changed, back = Augment.replay(picture, drawn), _back_on_picture(drawn)
        else:
            changed, back = _changed_film(classifier, film, drawn)
        seen = back(np.ones(picture.shape, np.float32)) > 0.99
        maps = [back(map_) for map_ in (again(classifier, changed, heatmap), *mixed(changed))]
        found[name], *chance = rank_correlations([heatmap.values, *before], maps, seen).tolist()
        mixes += chance
    known = [value for value in mixes if not math.isnan(value)]
    return Stability(found, float(np.mean(known)) if known else math.nan)


def again(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap) -> np.ndarray:
    """The values ``(S, S)`` of the same question (class, layers, method and its options) of another picture."""
    layers: Sequence[str] | None = None if heatmap.layer == "film" else heatmap.layer.split(" + ")
    options: dict[str, Any] = dict(heatmap.options)
    if METHODS[heatmap.method].signed:
        options["signed"] = heatmap.signed
    return heatmaps(classifier, picture, heatmap.method, [heatmap.class_name], layers, **options)[
        heatmap.class_name
    ].values


def _back_on_picture(drawn: Sequence[Drawn]) -> Back:
    def back(map_: np.ndarray) -> np.ndarray:
        found = warp_back(map_, drawn)
        assert found is not None  # every change here can be undone
        return found

    return back


def _changed_film(classifier: Classifier, film: Radiograph, drawn: Sequence[Drawn]) -> tuple[np.ndarray, Back]:
    """The picture of the changed film, cut to the lungs as found on it, and the way back."""
    import cv2

    def to_square(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, (SQUARE, SQUARE), interpolation=cv2.INTER_AREA)

    def to_film(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, film.shape[::-1], interpolation=cv2.INTER_LINEAR)

    pixels = to_film(Augment.replay(to_square(film.pixels), drawn))
    changed = film.with_pixels(pixels, "changed a little")
    preprocess, crop, crop_after = classifier.preprocess, classifier.lungs(film), classifier.lungs(changed)
    undo = _back_on_picture(drawn)

    def back(map_: np.ndarray) -> np.ndarray:
        there = preprocess.to_film(map_, film.shape, crop_after)
        return preprocess.to_picture(to_film(undo(to_square(there))), crop)

    return preprocess.picture(changed, crop_after), back


def rank_correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray | None = None) -> float:
    """Spearman's correlation of two maps ``(S, S)`` at reduced size, -1 to 1; NaN when one of them is constant.

    ``where``: bool ``(S, S)``, the part to be compared; all of it unless given.
    """
    return float(rank_correlations([first], [second], where)[0])


def rank_correlations(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], where: np.ndarray | None = None
) -> np.ndarray:
    """The same of N pairs of maps of one size: float64 (N,)."""
    from scipy.stats import rankdata

    kept = np.ones(first[0].shape, bool) if where is None else where
    inside = _small(kept.astype(np.float32)) > 0.99
    if not inside.any():
        return np.full(len(first), math.nan)
    ranks = [rankdata([_small(map_)[inside] for map_ in maps], axis=1) for maps in (first, second)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    scale = np.sqrt(np.prod([(rank**2).sum(axis=1) for rank in centred], axis=0))
    found: np.ndarray = np.full(len(first), math.nan)
    np.divide((centred[0] * centred[1]).sum(axis=1), scale, out=found, where=scale > 0)
    return found


def _small(map_: np.ndarray) -> np.ndarray:
    import cv2

    side = min(SIDE, *map_.shape)
    return cv2.resize(map_.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
