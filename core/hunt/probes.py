"""Can source, view, sex and age be read from the features that a class uses, and does its probability follow them?

A linear probe (Alain and Bengio, *Understanding intermediate layers using linear classifier probes*, 2016) on gradient
times input of each channel, cross-validated by patient. The control deals the attribute out anew among patients of one
class, so that what the class itself tells of it does not count. That something can be read does not mean that it is
used: the effect compares films of one class with and without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from core.data.audit.shortcuts import areas
from core.hunt.seen import Seen
from core.intervals import percentiles
from core.model.classifier import Classifier
from core.resamples import resamples

COLUMNS = ("source", "view", "sex", "age")
LEAST = 0.1  # of the probability, even at its interval's lower end
P = 0.01
_FEWEST = 10  # films with a value, and as many without
_IN_CLASS = 4  # of one class, with and without, for it to count in the effect
_DEALS = 199
_EXAMPLES = 5
_FOLDS = 5
_RIDGE = 0.1  # of the kernel's mean diagonal


@dataclass(frozen=True)
class Probe:
    """One value of one attribute before one class.

    Args:
        column, value: e.g. "source" and "B"; of the age "above 57" years.
        films: how many have it.
        auroc: of the probe, cross-validated; ``chance`` is what 95 of 100 deals stay below, ``p`` the share of deals
            that reach it.
        examples: five films that have it, those with the highest probability; places among the films seen.
        effect: how much higher the class's probability is on films that have it than on others of the same class, mean
            over classes, with its interval over patients; NaN where no class has enough of both.
    """

    class_name: str
    column: str
    value: str
    films: int
    auroc: float
    chance: float
    p: float
    effect: float
    low: float
    high: float
    examples: tuple[int, ...] = ()

    @property
    def relied_on(self) -> bool:
        """Whether it can be read beyond chance and moves the answer."""
        return self.p < P and self.low >= LEAST


def probes(classifier: Classifier, seen: Seen, columns: Sequence[str] = COLUMNS, seed: int = 0) -> list[Probe]:
    """Every attribute that is known and varies, before every class."""
    told = [(column, value, has) for column in columns for value, has in _values(seen.samples, column)]
    if not told:
        return []
    rng, folds = np.random.default_rng(seed), _folds(seen.patients, seed)
    dealt = [np.column_stack([has, *_deals(has, seen.labels, seen.patients, rng)]) for _, _, has in told]
    weights = resamples(seen.patients, seed=seed)
    found = []
    for index, name in enumerate(classifier.classes):
        kernel = _kernel(used(classifier, seen.features, index))
        for (column, value, has), targets in zip(told, dealt, strict=True):
            reached = areas(_scores(kernel, targets.astype(float), folds), targets)
            effect = _effect(seen.probabilities[:, index].astype(float), has, seen.labels, weights)
            shown = np.flatnonzero(has)
            first = tuple(shown[np.argsort(-seen.probabilities[shown, index], kind="stable")][:_EXAMPLES].tolist())
            chance, p = float(np.percentile(reached[1:], 95)), float((reached >= reached[0]).mean())
            found.append(Probe(name, column, value, int(has.sum()), float(reached[0]), chance, p, *effect, first))
    return found


def used(classifier: Classifier, features: np.ndarray, index: int) -> np.ndarray:
    """What each channel of the last feature map (N, K, h, w) adds to a class's logit, float64 (N, K): gradient times
    input, summed over places (Simonyan 2013)."""
    parts = []
    for start in range(0, len(features), 32):
        some = torch.from_numpy(np.ascontiguousarray(features[start : start + 32]))
        map_ = some.to(classifier.device).requires_grad_(True)
        with torch.enable_grad():
            [gradient] = torch.autograd.grad(classifier.network.head(map_)[:, index].sum(), map_)
        parts.append((gradient * map_).sum((2, 3)).numpy(force=True))
    found: np.ndarray = np.concatenate(parts).astype(np.float64)
    return found


def _values(samples: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray]]:
    """Each value with the films that have it, bool (N,); of two values the rarer one only."""
    if column not in samples:
        return []
    if column == "age":
        age = samples["age"].to_numpy(float)
        middle = float(np.nanmedian(age)) if np.isfinite(age).any() else np.nan
        cells = [(f"above {middle:.0f}", age > middle)] if np.isfinite(age).mean() > 0.9 else []
    else:
        said = samples[column].fillna("").astype(str).to_numpy()
        counts = pd.Series(said[said != ""]).value_counts()
        names = counts.index[1:] if len(counts) == 2 else counts.index
        cells = [(str(name), said == name) for name in names] if (said != "").mean() > 0.9 else []
    return [(name, has) for name, has in cells if _FEWEST <= has.sum() <= len(samples) - _FEWEST]


def _folds(patients: np.ndarray, seed: int) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(int(patients.max()) + 1)
    fold: np.ndarray = order[patients] % _FOLDS
    return fold


def _deals(has: np.ndarray, labels: np.ndarray, patients: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The attribute (N,) dealt out anew among the patients of each class, many times."""
    _, first = np.unique(patients, return_index=True)
    of_patient, label = has[first], labels[first]
    dealt = []
    for _ in range(_DEALS):
        new = of_patient.copy()
        for one in np.unique(label):
            members = np.flatnonzero(label == one)
            new[members] = of_patient[rng.permutation(members)]
        dealt.append(new[patients])
    return dealt


def _kernel(features: np.ndarray) -> np.ndarray:
    spread = features.std(0)
    scaled = (features - features.mean(0))[:, spread > 0] / spread[spread > 0]
    kernel: np.ndarray = scaled @ scaled.T / max(scaled.shape[1], 1)
    return kernel


def _scores(kernel: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Ridge regression of all targets (N, D) at once, each film scored by the folds that it is not in."""
    scores = np.zeros_like(targets)
    for fold in np.unique(folds):
        test, train = folds == fold, folds != fold
        own = kernel[np.ix_(train, train)]
        ridge = own + (_RIDGE * np.trace(own) / len(own) + 1e-9) * np.eye(len(own))
        centred = targets[train] - targets[train].mean(0)
        scores[test] = kernel[np.ix_(test, train)] @ np.linalg.solve(ridge, centred)
    return scores


def _effect(p: np.ndarray, has: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    total, counted = np.zeros(weights.shape[1]), 0
    for label in np.unique(labels):
        with_, without = has & (labels == label), ~has & (labels == label)
        if min(with_.sum(), without.sum()) >= _IN_CLASS:
            parts = [(p[m] @ weights[m]) / np.maximum(weights[m].sum(0), 1e-9) for m in (with_, without)]
            total, counted = total + parts[0] - parts[1], counted + 1
    if not counted:
        return np.nan, np.nan, np.nan
    low, high = percentiles((total[1:] / counted)[:, None])
    return float(total[0] / counted), float(low[0]), float(high[0])
