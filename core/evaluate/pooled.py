"""The figures of several findings together: means over findings, all labels pooled, and whole films.

Resamples draw patients once for all findings, so that what two findings of one patient share counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.data.patients import count
from core.evaluate import ranking
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.glossary import GLOSSARY, OF_FINDINGS
from core.intervals import FEWEST, Estimate, of_mean, percentiles, settle
from core.lazy import cached_property
from core.resamples import Weights, drawn, first, how, total

SHOWN = ("auroc", "average_precision", "recall", "specificity", "precision", "npv", "f1")
_MICRO = 200  # resamples of the rankings of all labels pooled, which are as many rows as films times findings
_PAIRED = "percentiles of the bootstrap over patients, paired"
_HOW = "score interval of the bootstrap's variance over patients"


@dataclass(frozen=True, eq=False)
class Pooled:
    """What follows from an evaluation for all its findings at once, at their operating points."""

    of: FindingsEvaluation

    @cached_property
    def films(self) -> dict[str, Estimate]:
        """Per film: exact match, Hamming loss, findings called and present per film."""
        told = self.of.known.any(axis=1)
        wrong = (self.of.called() != (self.of.targets == 1)) & self.of.known
        share = wrong[told].sum(axis=1) / self.of.known[told].sum(axis=1)
        values = {
            "exact_match": (share == 0).astype(float),
            "hamming": share,
            "called_per_film": self.of.called()[told].sum(axis=1).astype(float),
            "present_per_film": (self.of.targets[told] == 1).sum(axis=1).astype(float),
        }
        clusters = self.of.clusters[told]
        return {key: _mean(key, value, clusters, self._how) for key, value in values.items()}

    @cached_property
    def macro(self) -> dict[str, Estimate]:
        """Means over the findings of `averaged`; where a figure of one is not defined, over the others."""
        return {key: self.average(key, self.averaged) for key in SHOWN}

    def average(self, key: str, names: Sequence[str]) -> Estimate:
        """The mean of a figure of ``SHOWN`` over these findings; where it is not defined for one, over the others."""
        rows = [self.of.classes.index(name) for name in names]
        fewest = min((self._fewest(c) for c in rows), default=0)
        return _settled(key, _average(self._samples[key][rows]), fewest, len(self.of), self._how)

    def difference(self, other: "Pooled", key: str, names: Sequence[str]) -> Estimate:
        """The same of another model less this one, of the same films in the same order and the same resamples."""
        rows = [self.of.classes.index(name) for name in names]
        gaps = _average(other._samples[key][rows]) - _average(self._samples[key][rows])
        if min((self._fewest(c) for c in rows), default=0) < FEWEST:
            return Estimate.without(float(gaps[0]), len(self.of), GLOSSARY[key].help)
        low, high = percentiles(gaps[1:][~np.isnan(gaps[1:]), None])
        method = _PAIRED + how(self._weights)
        return Estimate(float(gaps[0]), float(low[0]), float(high[0]), len(self.of), GLOSSARY[key].help, method=method)

    @cached_property
    def averaged(self) -> tuple[str, ...]:
        """The findings whose figures the macro average holds; all that can be judged where none has enough patients."""
        enough = tuple(name for c, name in enumerate(self.of.classes) if self._fewest(c) >= FEWEST)
        return enough or self.of.judged

    @cached_property
    def micro(self) -> dict[str, Estimate]:
        """All known labels pooled, whatever the finding: the frequent ones count most."""
        counts = {name: value.sum(axis=0) for name, value in self._counts.items()}
        film, finding = np.nonzero(self.of.known)
        truth, weights = self.of.targets[film, finding] == 1, first(self._weights, _MICRO)[film]
        fewest = min(count(self.of.clusters[film[truth == side]]) for side in (True, False))
        areas = ranking.areas(self.of.probabilities[film, finding], truth, weights)
        samples = _rates(counts) | dict(zip(("auroc", "average_precision"), areas, strict=True))
        return {key: _settled(key, samples[key], fewest, int(self.of.known.sum()), self._how) for key in SHOWN}

    @cached_property
    def _weights(self) -> Weights:
        return drawn(self.of.clusters)

    @property
    def _how(self) -> str:
        return _HOW + how(self._weights)

    @cached_property
    def _counts(self) -> dict[str, np.ndarray]:
        """True and false positives and negatives of each finding in each resample, (C, 1 + R)."""
        called, there = self.of.called(), self.of.targets == 1
        cells = {"tp": called & there, "fp": called & ~there, "fn": ~called & there, "tn": ~called & ~there}
        return {name: total((cell & self.of.known).T.astype(np.float32), self._weights) for name, cell in cells.items()}

    @cached_property
    def _samples(self) -> dict[str, np.ndarray]:
        """Each figure of each finding in each resample, (C, 1 + R); NaN where undefined."""
        found = _rates(self._counts)
        areas = np.full((2, *found["recall"].shape), np.nan)
        for c, name in enumerate(self.of.classes):
            if name in self.of.judged:
                known = self.of.known[:, c]
                truth, weights = self.of.targets[known, c] == 1, self._weights[known]
                areas[:, c] = ranking.areas(self.of.probabilities[known, c], truth, weights)
        return found | {"auroc": areas[0], "average_precision": areas[1]}

    def _fewest(self, c: int) -> int:
        """Patients on the rarer side of a finding."""
        sides = (self.of.clusters[self.of.targets[:, c] == side] for side in (0, 1))
        return min(map(count, sides))


def _rates(counts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "recall": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "precision": tp / (tp + fp),
            "npv": tn / (tn + fn),
            "f1": 2 * tp / (2 * tp + fp + fn),
        }


def _average(of_findings: np.ndarray) -> np.ndarray:
    """The mean over findings (C, 1 + R) of those that are defined; NaN where none is."""
    defined = ~np.isnan(of_findings)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, of_findings, 0).sum(axis=0) / defined.sum(axis=0))


def _settled(key: str, samples: np.ndarray, patients: int, n: int, method: str) -> Estimate:
    value, help_ = float(samples[0]), GLOSSARY[key].help
    if np.isnan(value):
        return Estimate(value, value, value, n, help_, "not defined: no finding that some films show and some lack")
    if patients < FEWEST:
        return Estimate.without(value, n, help_)
    low, high = settle(value, samples[1:], patients)
    return Estimate(value, min(low, value), max(high, value), n, help_, method=method)


def _mean(key: str, values: np.ndarray, clusters: np.ndarray, method: str) -> Estimate:
    value, share = float(values.mean()), key in ("exact_match", "hamming")
    low, high = of_mean(values, clusters, share)
    return Estimate(value, min(low, value), max(high, value), len(values), OF_FINDINGS[key].help, method=method)
