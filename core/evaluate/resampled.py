"""Films under every resample: what the statistics of the registry are computed from.

A resample is a column of film weights. `Scores` holds what no operating point changes and is kept by the evaluation;
`Resampled` adds the calls of one operating point: a confusion matrix for each resample, and nothing else.
"""

from dataclasses import dataclass

import numpy as np

from core.evaluate import metrics, ranking
from core.evaluate.calibration import calibration_error
from core.lazy import cached_property
from core.resamples import Weights


@dataclass(frozen=True, eq=False)
class Scores:
    """Probabilities of films whose label is known, under film weights; each figure is computed when it is asked for."""

    labels: np.ndarray  # int (N,), 0 .. C-1
    probabilities: np.ndarray  # float (N, C)
    weights: Weights  # (N, 1+R); column 0 is the films themselves

    @property
    def confidence(self) -> np.ndarray:
        """Probability of the most likely class (N,)."""
        confidence: np.ndarray = self.probabilities.max(axis=1).astype(float)
        return confidence

    @property
    def right(self) -> np.ndarray:
        """Whether the most likely class is the true one, bool (N,)."""
        right: np.ndarray = self.probabilities.argmax(axis=1) == self.labels
        return right

    def sweep(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of one class: thresholds (T,), true and false positives (T, 1+R), as `ranking.swept` gives them."""
        return ranking.swept(self.probabilities[:, index], self.labels == index, self.weights)

    @property
    def auroc(self) -> np.ndarray:
        """(1+R, C)"""
        return self._ranking[0]

    @property
    def average_precision(self) -> np.ndarray:
        """(1+R, C)"""
        return self._ranking[1]

    @cached_property
    def losses(self) -> dict[str, np.ndarray]:
        """Of each film (N,): "log_loss" and "brier"."""
        return {
            "log_loss": metrics.log_losses(self.labels, self.probabilities),
            "brier": metrics.briers(self.labels, self.probabilities),
        }

    @cached_property
    def log_loss(self) -> np.ndarray:
        """(1+R,)"""
        return metrics.mean(self.losses["log_loss"], self.weights)

    @cached_property
    def brier(self) -> np.ndarray:
        """(1+R,)"""
        return metrics.mean(self.losses["brier"], self.weights)

    @cached_property
    def ece(self) -> np.ndarray:
        """(1+R,)"""
        return calibration_error(self.confidence, self.right, self.weights)

    @cached_property
    def _ranking(self) -> tuple[np.ndarray, np.ndarray]:
        of_class = enumerate(self.probabilities.T)
        found = [ranking.areas(scores, self.labels == index, self.weights) for index, scores in of_class]
        areas, precisions = (np.stack(column, axis=1) for column in zip(*found, strict=True))
        return areas, precisions


@dataclass(frozen=True, eq=False)
class Resampled:
    """Scores, and the calls of one operating point."""

    scores: Scores
    called: np.ndarray  # int (N,)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(1+R, C, C), rows = true class."""
        classes = self.scores.probabilities.shape[1]
        return metrics.confusion(self.scores.labels, self.called, classes, self.scores.weights)

    @property
    def support(self) -> np.ndarray:
        """Films of each class (1+R, C)."""
        support: np.ndarray = self.confusion.sum(axis=2)
        return support

    @property
    def present(self) -> np.ndarray:
        """Which classes the films themselves contain, bool (C,)."""
        present: np.ndarray = self.support[0] > 0
        return present
