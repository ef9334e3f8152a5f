"""Maps that know nothing of the answer, and what a measure yields on them: chance, measured instead of assumed.

The values themselves, and what a map has beyond them, are `core.explain.chance`.

Notable choices:
- Chance is not one number. A picture that was cut to the lungs has findings everywhere; a lung mask alone, blurred,
  "finds" half of them; every channel of a network lights up the same anatomy. Each of these is a baseline of its own,
  and a map is worth what it has beyond the best of them.
- Random CAM weighs the channels of the same feature map by uniform draws from [-1, 1): as smooth as the map, lit by the
  same anatomy, and ignorant of the class. One seed is one map, right or wrong by luck; chance is the mean of many.
- Phase surrogates keep the map's Fourier amplitudes and its grey values and draw its phases (Theiler 1992,
  doi:10.1016/0167-2789(92)90102-S): blobs of the same size elsewhere. Alone they are too weak a null for trained
  networks, whose channels share anatomy; for methods that look at no layer they are the only one.
- None of this costs a pass through the network beyond the feature map, which is kept.
"""

import math
from collections.abc import Callable
from zlib import crc32

import numpy as np

from core.explain import truth
from core.explain.chance import Chance
from core.explain.heatmap import Heatmap, resized
from core.explain.heatmap.cache import feature_map
from core.model.classifier import Classifier

RANDOM_CAMS = 32  # seeds whose mean is chance: the standard error of a hit rate is then below 0.09 on every single film
SURROGATES = 16  # of each map; drawn on a coarse grid, for they cost a Fourier transform each
TOGETHER = 50  # surrogates drawn at once: what they need stays near the processor
GRAIN = 48  # side of that grid: finer than the cells of any last layer
PRIOR_BLUR = 1 / 16  # standard deviation of the lung prior's blur, in parts of the picture's side

Measure = Callable[[np.ndarray, np.ndarray], float]
"""A map and a mask, each (S, S), to a number 0 to 1: ``truth.hit``, ``truth.miou``, ``truth.mass_inside``."""


def random_cams(
    classifier: Classifier, picture: np.ndarray, count: int, seed: int = 0, layer: str | None = None
) -> np.ndarray:
    """Random CAMs of one film at the layer's own resolution, float32 (count, h, w), never negative.

    Args:
        picture: uint8 (S, S).
        layer: a stage of the network; its usual one unless given.
    """
    network = classifier.network
    stage = layer or network.usual_layer
    native = feature_map(classifier, picture, stage, network.cut(stage)[0])
    found = network.layout.map_of(native)[0].numpy(force=True)  # (K, h, w)
    weights = np.random.default_rng([seed, 0x5EED]).uniform(-1, 1, (count, len(found))).astype(np.float32)
    maps: np.ndarray = (weights @ found.reshape(len(found), -1)).reshape(count, *found.shape[1:])
    positive: np.ndarray = np.maximum(maps, 0)
    return positive


def phase_surrogates(map_: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Maps (count, H, W) with this map's values (H, W) and, nearly, its Fourier amplitudes, at other places."""
    amplitudes, values = np.abs(np.fft.rfft2(map_ - map_.mean())), np.sort(map_, axis=None)
    surrogates = np.empty((count, map_.size), map_.dtype)
    for start in range(0, count, TOGETHER):
        part = surrogates[start : start + TOGETHER]
        spectra = np.fft.rfft2(rng.standard_normal((len(part), *map_.shape)))
        noise = np.maximum(np.abs(spectra), 1e-12)
        spectra *= amplitudes
        spectra /= noise
        drawn = np.fft.irfft2(spectra, s=map_.shape).reshape(len(part), -1)
        for row, places in zip(part, np.argsort(drawn, axis=1), strict=True):
            row[places] = values  # the smallest drawn place gets the smallest value, and so on
    return surrogates.reshape(count, *map_.shape)


def lung_prior(lungs: np.ndarray) -> np.ndarray:
    """A map, float32 (S, S), that knows where lungs are, bool (S, S), and nothing else: their mask, blurred."""
    import cv2

    return cv2.GaussianBlur(lungs.astype(np.float32), (0, 0), max(lungs.shape) * PRIOR_BLUR)


def of(
    measure: Measure,
    mask: np.ndarray,
    lungs: np.ndarray | None,
    cams: np.ndarray | None,
    surrogates: np.ndarray | None = None,
) -> Chance:
    """Chance of a measure against a mask, bool (S, S), on one film.

    Args:
        measure: NaN for a map that it cannot judge, which is then left out of the means.
        lungs: bool (S, S); None where none were found, or where the lungs themselves are the mask.
        cams: Random CAMs of this film, (N, h, w); None for a network without a feature map.
        surrogates: of the map in question, (N, h, w); see ``surrogates_of``.
    """
    area = measure(np.ones(mask.shape, np.float32), mask)
    evenly = prior = math.nan
    if lungs is not None and lungs.any():
        evenly, prior = measure(lungs.astype(np.float32), mask), measure(lung_prior(lungs), mask)
    return Chance(area, evenly, prior, _mean(measure, mask, cams), _mean(measure, mask, surrogates))


def _mean(measure: Measure, mask: np.ndarray, maps: np.ndarray | None) -> float:
    if maps is None:
        return math.nan
    found = np.array([measure(map_, mask) for map_ in resized(maps, mask.shape)])
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else math.nan


def surrogates_of(map_: np.ndarray, seed: int = 0, count: int = SURROGATES) -> np.ndarray | None:
    """Phase surrogates of a map (S, S), (count, GRAIN, GRAIN); None for a blank or level map, which has no phases."""
    import cv2

    coarse = cv2.resize(np.maximum(map_, 0), (GRAIN, GRAIN), interpolation=cv2.INTER_AREA)
    if not np.ptp(coarse) > 0:
        return None
    return phase_surrogates(coarse, count, np.random.default_rng([seed, 0x5A])).astype(np.float32)


def of_map(
    classifier: Classifier, picture: np.ndarray, map_: Heatmap, lungs: np.ndarray | None, mask: np.ndarray | None
) -> dict[str, Chance]:
    """Chance of every measure of a map, by name: "lung_share", "hit", "iou", "mass_inside"; one pass at most.

    Args:
        picture: uint8 (S, S). Each film draws its own random maps, and every map of it meets the same ones.
        lungs: bool (S, S); without them there is no lung share.
        mask: where the finding is, bool (S, S); without it there is a lung share only.
    """
    seed, shape = crc32(picture.tobytes()), picture.shape
    layer = None if map_.layer == "film" else map_.layer.split(" + ")[-1]
    cams: np.ndarray | None = None  # of a network that is only a function
    if "maps" in classifier.network.tells:
        cams = resized(random_cams(classifier, picture, RANDOM_CAMS, seed, layer), shape)
    drawn = surrogates_of(map_.values, seed)
    surrogates = None if drawn is None else resized(drawn, shape)
    found = {}
    if lungs is not None and lungs.any():
        found["lung_share"] = of(_share, lungs, None, cams, surrogates)
    if mask is not None:
        measures: dict[str, Measure] = {"hit": truth.hit, "iou": truth.miou, "mass_inside": truth.mass_inside}
        found |= {name: of(measure, mask, lungs, cams, surrogates) for name, measure in measures.items()}
    return found


def _share(map_: np.ndarray, mask: np.ndarray) -> float:
    """The part of a map's mass inside the mask; NaN where it is blank, as a blank map's lung share is."""
    return truth.mass_inside(map_, mask) if map_.max() > 0 else math.nan
