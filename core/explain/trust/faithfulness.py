"""The occlusion test: does the class's logit drop most where the map has most, more than for maps that know nothing?

The statistic is Pearson's correlation, over the cells of the bank, of the square roots of the map's mass and of the
logit's drop (a drop below zero counts as none). Its chance is measured on the same film, by Random CAMs of the map's
own layer and by phase surrogates of the map. p is the larger of the two shares of such maps that do as well, with the
usual correction: (1 + those as good) / (1 + all) (Phipson 2010, doi:10.2202/1544-6115.1585).
"""

import math
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from core.explain import nulls
from core.explain.heatmap import Heatmap
from core.explain.trust.bank import Bank, masses
from core.model.classifier import Classifier

NULLS = 400  # of each sort: p moves in steps of a quarter of a percent, and no map costs a pass
GRAIN = 48  # side at which surrogates are drawn: a multiple of both grids, finer than any cell


@dataclass(frozen=True)
class Faithfulness:
    """How a map fares against the bank.

    Attributes:
        correlation: -1 to 1; 0 where the map or the answer is level.
        p: the share of maps that know nothing and do as well, in (0, 1].
        random_cam, surrogate: the same share for each sort of them; 1 / (1 + N) at the least. ``random_cam`` is
            NaN for a network that is only a function, from which none comes.
        response: how far the logit moves when cells are hidden: the standard deviation of its drops, in logits.
    """

    correlation: float
    p: float
    random_cam: float
    surrogate: float
    response: float


def against_chance(
    classifier: Classifier, picture: np.ndarray, heatmap: Heatmap, bank: Bank, seed: int = 0
) -> Faithfulness:
    """The test of one heatmap of one picture, uint8 (S, S).

    Args:
        bank: of the same classifier and picture.
        seed: of the maps that know nothing, beside the picture's content: each film draws its own.
    """
    drops = bank.drops[:, classifier.classes.index(heatmap.class_name)]
    evidence = np.maximum(heatmap.values, 0)
    own = crc32(picture.tobytes())
    layer = None if heatmap.layer == "film" else heatmap.layer.split(" + ")[-1]
    tested: dict[str, tuple[np.ndarray, tuple[int, ...]]] = {}
    if "maps" in classifier.network.tells:
        tested["random_cam"] = nulls.random_cams(classifier, picture, NULLS, own + seed, layer), picture.shape
    surrogates = nulls.phase_surrogates(_grained(evidence), NULLS, np.random.default_rng([own, seed]))
    wanted = np.sqrt(np.maximum(drops, 0))
    mine = _correlation(masses(evidence, picture.shape, bank.grids)[None], wanted)[0]
    tested["surrogate"] = surrogates, (GRAIN, GRAIN)
    p = {
        name: _p(mine, _correlation(masses(maps, shape, bank.grids), wanted)) for name, (maps, shape) in tested.items()
    }
    by_cam = p.get("random_cam", math.nan)
    return Faithfulness(float(mine), max(p.values()), by_cam, p["surrogate"], float(drops.std()))


def _grained(map_: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.resize(map_, (GRAIN, GRAIN), interpolation=cv2.INTER_AREA)


def _correlation(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pearson's, of the roots of masses (M, N) with the roots of drops (N,): (M,); 0 where one side is level."""
    roots = np.sqrt(np.maximum(found, 0))
    roots = roots - roots.mean(axis=1, keepdims=True)
    wanted = wanted - wanted.mean()
    scale = np.linalg.norm(roots, axis=1) * np.linalg.norm(wanted)
    correlation: np.ndarray = np.divide(roots @ wanted, scale, out=np.zeros(len(roots)), where=scale > 1e-12)
    return correlation


def _p(mine: float, others: np.ndarray) -> float:
    return float((1 + (others >= mine - 1e-9).sum()) / (1 + len(others)))
