"""Deletion, insertion and ROAD: what happens to the answer while more and more of what the map marks is hidden.

These are pictures, and no verdict hangs on them: by trial their areas pass 9 to 43 % of perfect maps, and their z, from
eight random maps in pairs, is 2 or more on 5 to 7 % of maps that know nothing. The occlusion test of the trust card
(`core.explain.trust.faithfulness`) asks the same question with an answer.

Notable choices:
- Every curve is compared with the same curve of random maps on the same film and given as a z-score, because a bare
  area depends on the film, the fill and the class. Random maps keep the heatmap's Fourier amplitudes and draw its
  phases: blobs of the same size, elsewhere.
- Deletion hides the highest part of the map under the film's own blur; insertion shows only the highest part. ROAD
  (Rong 2022) fills by noisy linear imputation, which hides that anything was hidden, and combines both ends:
  (least relevant first - most relevant first) / 2. ROAD favours blurred maps, so it is never shown alone.
- Hiding the lowest part of a map is hiding the highest part of its negative. The fractions are symmetric and the random
  maps come in pairs r, -r, so one set of pictures serves both ends, and nearly half as many go through the network.
- Pictures go through the classifier's bulk engine: its third digit is far below the spread of the random maps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.explain.hide import hide
from core.model.classifier import Classifier

FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the picture hidden; symmetric about a half
ROAD_FRACTIONS = (0.2, 0.5, 0.8)
RANDOM_MAPS = 8  # half of them the negatives of the other half
NOISE = 0.6  # grey levels; ROAD's 0.01 in units of a standardised picture
SWEEPS = 8  # of Jacobi's iteration at each level of the imputation
TIE = 1e-5  # part of a random map that is added: it decides the order where the map is level
FLAT = 1e-3  # spread of the random maps' areas below which the answer does not depend on what is hidden


@dataclass(frozen=True, eq=False)
class Curve:
    """The class's probability while more and more of the film is hidden (or shown).

    Attributes:
        fractions: part of the picture hidden (deletion) or shown (insertion), float ``(K,)``.
        scores: calibrated probability at each fraction, float ``(K,)``; for ROAD half the difference of its two ends.
        random: the same of each random map, float ``(R, K)``.
        better: 1 when a larger area is better (insertion, ROAD), -1 when a smaller one is (deletion).
    """

    fractions: np.ndarray
    scores: np.ndarray
    random: np.ndarray
    better: int

    @property
    def area(self) -> float:
        """Mean of the curve over its fractions: a probability."""
        return float(self.scores.mean())

    @property
    def chance(self) -> float:
        """The same of the random maps, on average."""
        return float(self.random.mean())

    @property
    def z(self) -> float | None:
        """How many of the random maps' standard deviations this map does better; None when they hardly differ.

        A description and no test: the random maps are few and come in pairs.
        """
        spread = float(self.random.mean(axis=1).std(ddof=1))
        return self.better * (self.area - self.chance) / spread if spread > FLAT else None


def curves(
    classifier: Classifier, picture: np.ndarray, map_: np.ndarray, class_name: str, seed: int = 0
) -> dict[str, Curve]:
    """The curves "deletion", "insertion" and "road" of a map ``(S, S)`` of a picture, uint8 ``(S, S)``."""
    rng = np.random.default_rng(seed)
    randoms = random_maps(map_, rng, RANDOM_MAPS)
    ordered = map_ + TIE * random_maps(map_, rng, 2)[0]
    maps = np.concatenate([ordered[None], -ordered[None], randoms])  # (2 + R, S, S)
    blurred_film = hide(picture, np.ones(picture.shape, bool), "blur")
    pictures = [
        _altered(maps, FRACTIONS, lambda mask: np.where(mask, blurred_film, picture)),
        _altered(maps, ROAD_FRACTIONS, lambda mask: impute(picture, mask, rng)),
    ]
    index = classifier.classes.index(class_name)
    scores = classifier.probabilities(classifier.engine(np.concatenate(pictures))[0])[:, index]
    blurred = scores[: len(pictures[0])].reshape(len(maps), -1)
    imputed = scores[len(pictures[0]) :].reshape(len(maps), -1)
    hidden, road = np.array(FRACTIONS), np.array(ROAD_FRACTIONS)
    # To show the highest part f is to hide the lowest 1 - f, hence the reversal; r and -r are neighbours: swapped.
    swapped = np.arange(RANDOM_MAPS) ^ 1
    return {
        "deletion": Curve(hidden, blurred[0], blurred[2:], -1),
        "insertion": Curve(1 - hidden[::-1], blurred[1, ::-1], blurred[2:][swapped, ::-1], 1),
        "road": Curve(road, (imputed[1] - imputed[0]) / 2, (imputed[2:][swapped] - imputed[2:]) / 2, 1),
    }


def random_maps(map_: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """Float32 ``(count, S, S)``: as smooth as this one (its Fourier amplitudes, random phases); r, -r, r', -r', ..."""
    amplitudes = np.abs(np.fft.rfft2(map_ - map_.mean()))
    noise = np.fft.rfft2(rng.standard_normal((count // 2, *map_.shape)))
    drawn = np.fft.irfft2(amplitudes * noise / np.maximum(np.abs(noise), 1e-12), s=map_.shape)
    return np.stack([drawn, -drawn], axis=1).reshape(count, *map_.shape).astype(np.float32)


def impute(picture: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """ROAD's noisy linear imputation: each hidden pixel becomes the weighted mean of its eight neighbours, plus noise.

    The library solves one sparse system with as many unknowns as pixels; here it is relaxed from coarse to fine, which
    comes within a few grey levels of its solution in a hundredth of the time.
    """
    filled = _relaxed(picture.astype(np.float32), mask.astype(np.float32))
    noisy = filled + NOISE * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.where(mask, np.clip(np.rint(noisy), 0, 255), picture).astype(np.uint8)


def _relaxed(values: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Fill ``hidden`` (1 = unknown) of float32 ``(H, W)`` by Jacobi's iteration, begun with the same at half size."""
    import cv2

    if min(values.shape) > 2:
        half = (max(values.shape[1] // 2, 1), max(values.shape[0] // 2, 1))
        known = cv2.resize(1 - hidden, half, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(values * (1 - hidden), half, interpolation=cv2.INTER_AREA) / np.maximum(known, 1e-6)
        coarse = _relaxed(coarse, (known < 1e-3).astype(np.float32))
        start = cv2.resize(coarse, values.shape[::-1], interpolation=cv2.INTER_LINEAR)
    else:
        start = np.full_like(values, values[hidden == 0].mean() if (hidden == 0).any() else 127.5)
    filled = np.where(hidden > 0, start, values)
    kernel = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32) / 12
    for _ in range(SWEEPS):
        filled = np.where(hidden > 0, cv2.filter2D(filled, -1, kernel, borderType=cv2.BORDER_REPLICATE), values)
    return filled


def _altered(maps: np.ndarray, fractions: tuple[float, ...], fill: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The picture with the highest part of each map hidden by ``fill``, uint8 ``(M * K, S, S)``, map by map."""
    limits = np.quantile(maps, [1 - fraction for fraction in fractions], axis=(1, 2)).T  # (M, K)
    return np.stack([fill(map_ > limit) for map_, row in zip(maps, limits, strict=True) for limit in row])
