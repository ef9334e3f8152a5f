"""What a heatmap gets that knows nothing of the answer: chance, measured instead of assumed.

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
from dataclasses import dataclass

import numpy as np

from core.explain import truth
from core.explain.heatmap import resized
from core.explain.heatmap.cache import feature_map
from core.intervals import of_mean
from core.model.classifier import Classifier

RANDOM_CAMS = 32  # seeds whose mean is chance: the standard error of a hit rate is then below 0.09 on every single film
PRIOR_BLUR = 1 / 16  # standard deviation of the lung prior's blur, in parts of the picture's side

Measure = Callable[[np.ndarray, np.ndarray], float]
"""A map and a mask, each (S, S), to a number between 0 and 1: ``truth.hit``, ``truth.mass_inside``, ``truth.miou``."""


def random_cams(
    classifier: Classifier, picture: np.ndarray, count: int, seed: int = 0, layer: str | None = None
) -> np.ndarray:
    """Random CAMs of one film at the layer's own resolution, float32 (count, h, w), never negative.

    Args:
        picture: uint8 (S, S).
        layer: a stage of the network; its last unless given.
    """
    stage = layer or classifier.network.layers[-1]
    found = feature_map(classifier, picture, stage, classifier.network.cut(stage)[0])[0].numpy(force=True)  # (K, h, w)
    weights = np.random.default_rng([seed, 0x5EED]).uniform(-1, 1, (count, len(found))).astype(np.float32)
    maps: np.ndarray = (weights @ found.reshape(len(found), -1)).reshape(count, *found.shape[1:])
    positive: np.ndarray = np.maximum(maps, 0)
    return positive


def phase_surrogates(map_: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Maps (count, H, W) with this map's values (H, W) and, nearly, its Fourier amplitudes, at other places."""
    amplitudes = np.abs(np.fft.rfft2(map_ - map_.mean()))
    noise = np.fft.rfft2(rng.standard_normal((count, *map_.shape)))
    drawn = np.fft.irfft2(amplitudes * noise / np.maximum(np.abs(noise), 1e-12), s=map_.shape).reshape(count, -1)
    ranks = np.argsort(np.argsort(drawn, axis=1), axis=1)
    return np.sort(map_, axis=None)[ranks].reshape(count, *map_.shape)


def lung_prior(lungs: np.ndarray) -> np.ndarray:
    """A map, float32 (S, S), that knows where lungs are, bool (S, S), and nothing else: their mask, blurred."""
    import cv2

    return cv2.GaussianBlur(lungs.astype(np.float32), (0, 0), max(lungs.shape) * PRIOR_BLUR)


@dataclass(frozen=True)
class Chance:
    """What one measure of one film gives to maps that know nothing of the answer, each 0 to 1; NaN where unknown.

    Attributes:
        area: an evenly lit picture.
        lungs: evenly lit lungs.
        lung_prior: the blurred lung mask.
        random_cam: the mean of Random CAMs of many seeds.
    """

    area: float
    lungs: float = math.nan
    lung_prior: float = math.nan
    random_cam: float = math.nan

    @property
    def best(self) -> float:
        """The strongest baseline there is: what a map must beat."""
        return float(np.nanmax([self.area, self.lungs, self.lung_prior, self.random_cam]))


def of(measure: Measure, mask: np.ndarray, lungs: np.ndarray | None, cams: np.ndarray | None) -> Chance:
    """Chance of a measure against a mask, bool (S, S), on one film.

    Args:
        lungs: bool (S, S); None where none were found, or where the lungs themselves are the mask.
        cams: Random CAMs of this film, (N, h, w); None for a network without a feature map. Blank ones count as 0.
    """
    area = measure(np.ones(mask.shape, np.float32), mask)
    evenly = prior = drawn = math.nan
    if lungs is not None and lungs.any():
        evenly, prior = measure(lungs.astype(np.float32), mask), measure(lung_prior(lungs), mask)
    if cams is not None:
        drawn = float(np.mean([measure(map_, mask) for map_ in resized(cams, mask.shape)]))
    return Chance(area, evenly, prior, drawn)


def of_film(
    classifier: Classifier,
    picture: np.ndarray,
    mask: np.ndarray,
    lungs: np.ndarray | None = None,
    measure: Measure = truth.hit,
    seed: int = 0,
    layer: str | None = None,
) -> Chance:
    """``of`` with the Random CAMs of this film's own network: one pass, or none where its feature map is still kept."""
    return of(measure, mask, lungs, random_cams(classifier, picture, RANDOM_CAMS, seed, layer))


@dataclass(frozen=True)
class Gain:
    """What a measure has beyond chance, over the same films.

    Attributes:
        value, chance: the two means.
        difference: value - chance, film by film, on average; ``low`` and ``high`` are the limits of its 95 % interval,
            bootstrapped by patient; NaN for a single patient.
        skill: (value - chance) / (1 - chance): 0 at chance, 1 when perfect; NaN where chance is perfect.
        films: how many it rests on: those where both are known.
    """

    value: float
    chance: float
    difference: float
    low: float
    high: float
    skill: float
    films: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero: more, or less, than chance."""
        return self.low > 0 or self.high < 0


def gain(values: np.ndarray, chance: np.ndarray, patients: np.ndarray, seed: int = 0) -> Gain:
    """A measure beside its chance on the same N films, each float (N,); films where either is NaN are left out.

    Args:
        patients: (N,), of any sort: films of one patient count together.
    """
    known = np.isfinite(values) & np.isfinite(chance)
    if not known.any():
        return Gain(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    differences = values[known] - chance[known]
    low, high = of_mean(differences, patients[known], share=False, seed=seed)
    value, by_chance = float(values[known].mean()), float(chance[known].mean())
    return Gain(value, by_chance, value - by_chance, low, high, skill(value, by_chance), int(known.sum()))


def skill(value: float, chance: float) -> float:
    """The part of the way from chance to perfection, (h - c) / (1 - c); NaN where chance is perfect."""
    return (value - chance) / (1 - chance) if chance < 1 else math.nan
