"""Concepts: what a network looks for, as directions of its last feature map, found without anybody naming them.

The positive feature map of all films of a class is written as a sum of few parts, each a pattern of channels times a
map of where it fires (non-negative matrix factorisation). A part's relevance is what its removal costs the class's
logit. After Fel et al., *CRAFT: Concept Recursive Activation FacTorization for Explainability*, CVPR 2023, here on the
whole map instead of on crops; the place of each concept is compared with chance, which the paper does not do.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from scipy.stats import norm

from core.errors import ExplainError
from core.explain.zones import ZONES, zones
from core.intervals import LEVEL, of_mean

CONCEPTS = 6
FEWEST_FILMS = 12  # below, a concept is a film
_ITERATIONS = 400
_LEAST = 0.1  # of all relevance, for a concept to be the model's strategy and not a remainder
_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Concept:
    """One concept of one class.

    Args:
        number: 1 for the most relevant.
        channels: its pattern, float (K,), not negative, sums to 1.
        relevance: mean drop of the class's logit where the concept is taken out; with its interval ``low``, ``high``.
        share: its part of the positive relevance of all concepts of the class, 0 to 1.
        lung_share: mean part of its firing inside the lungs, with its interval; NaN where no film has lungs.
        lung_area: the part of the pictures that is lung: what a map that knows nothing gets.
        zone: where it fires most above that zone's share of the picture (one of `core.explain.zones.ZONES`); "" if
            no film has lungs.
        mean_map: where it fires, mean over films, float32 (h, w).
        examples: positions of the films that show it most.
    """

    number: int
    channels: np.ndarray
    relevance: float
    low: float
    high: float
    share: float
    lung_share: float
    lung_low: float
    lung_high: float
    lung_area: float
    zone: str
    mean_map: np.ndarray
    examples: tuple[int, ...]

    @property
    def relied_on(self) -> bool:
        """Whether taking it out costs the class something, and a tenth of all that its concepts are worth at least."""
        return self.low > 0 and self.share >= _LEAST

    @property
    def suspect(self) -> bool:
        """Whether the model relies on it and it shuns the lungs: even the interval's upper end lies below chance."""
        return self.relied_on and self.lung_high < self.lung_area

    @property
    def sentence(self) -> str:
        """What a reader should take from it."""
        at = f"fires most at: {self.zone}; " if self.zone else ""
        place = f"{self.lung_share:.2f} [{self.lung_low:.2f}, {self.lung_high:.2f}] of it inside the lungs, where "
        told = f"{at}{place}{self.lung_area:.2f} is lung" if self.zone else "no lungs were found to compare it with"
        return f"taking it out costs {self.relevance:+.2f} [{self.low:.2f}, {self.high:.2f}] of the logit; {told}"


def concepts(
    features: np.ndarray,
    head: Callable[[np.ndarray], np.ndarray],
    lungs: Sequence[np.ndarray | None],
    patients: np.ndarray,
    number: int = CONCEPTS,
    seed: int = 0,
) -> list[Concept]:
    """The concepts of one class, the most relevant first.

    Args:
        features: last feature maps of its films, float (N, K, h, w); what is negative does not take part.
        head: feature maps (B, K, h, w) -> the class's logit (B,).
        lungs: each film's lungs on the picture, bool (S, S), or None.
        patients: (N,), over whom intervals are drawn.
        number: of concepts.
        seed: of the factorisation.

    Raises:
        ExplainError: too few films, or maps without anything positive: a network that has learned nothing.
    """
    films, channels, height, width = features.shape
    if films < FEWEST_FILMS:
        raise ExplainError(f"{films} films came", f"{FEWEST_FILMS} of the class at least", "Take more films")
    positive = np.maximum(features, 0.0).astype(np.float64)
    if not positive.any() or not np.isfinite(positive).all():
        raise ExplainError("the feature maps hold nothing positive", "those of a trained network")
    table = positive.transpose(0, 2, 3, 1).reshape(-1, channels)
    where, patterns = _factorised(table, min(number, channels), seed)
    maps = where.reshape(films, height, width, -1).transpose(0, 3, 1, 2)  # (N, C, h, w)
    whole = head(features)
    drops = np.stack([whole - head(_without(features, maps[:, k], patterns[k])) for k in range(len(patterns))])
    gained = np.maximum(drops.mean(1), 0)
    order = np.argsort(-drops.mean(1), kind="stable")
    total = gained.sum() or 1.0
    found = []
    for place, k in enumerate(order, start=1):
        low, high = of_mean(drops[k], patients, share=False, seed=seed)
        strength = maps[:, k].max(axis=(1, 2))
        found.append(
            Concept(
                place, patterns[k] / (patterns[k].sum() or 1.0), float(drops[k].mean()), low, high,
                float(gained[k] / total), *_placed(maps[:, k], lungs, patients, seed),
                maps[:, k].mean(0).astype(np.float32), tuple(np.argsort(-strength, kind="stable")[:_EXAMPLES].tolist()),
            )
        )  # fmt: skip
    return found


def strengths(features: np.ndarray, concept: Concept) -> np.ndarray:
    """How strongly films show a concept, float (N,): the largest projection of any place on its pattern."""
    pattern = concept.channels / (np.linalg.norm(concept.channels) or 1.0)
    projected: np.ndarray = np.einsum("nkhw,k->nhw", np.maximum(features, 0), pattern).max(axis=(1, 2))
    return projected


def ties(
    strength: np.ndarray, samples: pd.DataFrame, columns: Sequence[str] = ("source", "view", "sex")
) -> pd.DataFrame:
    """What films that show a concept have in common: odds ratios of showing it above the median.

    Args:
        strength: of each film, (N,).
        samples: their rows, with the columns that are looked at.

    Returns:
        column, value, films, odds_ratio, low, high (a half added to each cell, Haldane 1956; Woolf's interval, at a
        level that holds for all rows together, Bonferroni), the most telling first. Values of fewer than five films,
        or of all but as many, are left out.
    """
    shown = strength > np.median(strength)
    cells = []
    for column in columns:
        said = samples[column].fillna("").astype(str).to_numpy() if column in samples else np.array([], str)
        for value in np.unique(said):
            has = said == value
            if value and 5 <= has.sum() <= len(samples) - 5:
                four = [(shown & has).sum(), (~shown & has).sum(), (shown & ~has).sum(), (~shown & ~has).sum()]
                cells.append((column, value, int(has.sum()), np.array(four) + 0.5))
    z = norm.ppf(1 - (1 - LEVEL) / 2 / max(len(cells), 1))
    found = []
    for column, value, films, (a, b, c, d) in cells:
        log, reach = np.log(a * d / (b * c)), z * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        odds = dict(zip(("odds_ratio", "low", "high"), np.exp([log, log - reach, log + reach]), strict=True))
        found.append({"column": column, "value": value, "films": films, **odds, "_clear": abs(log) - reach})
    table = pd.DataFrame(found, columns=["column", "value", "films", "odds_ratio", "low", "high", "_clear"])
    return table.sort_values("_clear", ascending=False).drop(columns="_clear").reset_index(drop=True)


def _factorised(table: np.ndarray, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(number, init="nndsvda", random_state=seed, max_iter=_ITERATIONS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a little more or less of a pattern changes no reading
        return model.fit_transform(table), model.components_


def _without(features: np.ndarray, map_: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    part = np.einsum("nhw,k->nkhw", map_, pattern)
    less: np.ndarray = np.where(features > 0, np.maximum(features - part, 0), features).astype(np.float32)
    return less


def _placed(
    maps: np.ndarray, lungs: Sequence[np.ndarray | None], patients: np.ndarray, seed: int
) -> tuple[float, float, float, float, str]:
    """Lung share with its interval, the part of the pictures that is lung, and the zone of most firing."""
    known = [film for film, mask in enumerate(lungs) if mask is not None and maps[film].max() > 0]
    if not known:
        return float("nan"), float("nan"), float("nan"), float("nan"), ""
    shares, areas = [], []
    for film in known:
        mask = lungs[film]
        assert mask is not None
        cut = zones(mask)
        map_ = cv2.resize(maps[film].astype(np.float32), mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        shares.append([map_[cut[name]].sum() / map_.sum() for name in ZONES])
        areas.append([cut[name].mean() for name in ZONES])
    by_zone, area = np.array(shares), np.array(areas)
    inside, lung = by_zone[:, ZONES.index("lungs")], float(area[:, ZONES.index("lungs")].mean())
    low, high = of_mean(inside, patients[known], share=True, seed=seed)
    above = by_zone.mean(0) / np.maximum(area.mean(0), 1e-6)
    return float(inside.mean()), low, high, lung, ZONES[int(above.argmax())]
