"""`Evaluation`: labels and probabilities of some films, and every figure that follows from them.

This file holds the data and their splits; resamples are in `resampled`, figures in `glossary` and `estimates`;
calibration, curves and the file format (`storage`) have files of their own. All that does not depend on the operating
point (resamples, rankings, calibration) is computed once and kept, so that a moved operating point costs one confusion
matrix per resample: milliseconds on thousands of films.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.patients import count, numbered
from core.errors import EvaluationError
from core.evaluate.calibration import calibration_floor, reliability
from core.evaluate.curves import Curves, curves
from core.evaluate.drafts import Replicates
from core.evaluate.estimates import Figures, figures
from core.evaluate.operating import ARGMAX, OperatingPoint
from core.evaluate.provenance import Provenance, provenances
from core.evaluate.resampled import Resampled, Scores
from core.evaluate.scopes import kind
from core.lazy import cached_property
from core.moved import elsewhere
from core.resamples import Weights, drawn

COLUMNS = ("scope", "of", "figure", "value", "low", "high", "n", "note", "method")
SPLITS = tuple(name.value for name in Provenance)
__getattr__ = elsewhere(__name__, from_parquet="core.evaluate.storage", to_parquet="core.evaluate.storage")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's probabilities on films whose label is known.

    Raises:
        EvaluationError: no films, shapes that do not fit, invalid probabilities.
    """

    classes: tuple[str, ...]
    labels: np.ndarray  # int (N,), index into classes
    probabilities: np.ndarray  # float (N, C), rows sum to 1
    samples: pd.DataFrame  # N rows: path (file name), patient, source, split, any slice column
    logits: np.ndarray | None = None  # float (N, C), before temperature
    name: str = ""  # of the model, as a reader knows it
    point: OperatingPoint = ARGMAX  # the model's own, by which a film is called unless another is asked for

    def __post_init__(self) -> None:
        shape = (len(self.samples), len(self.classes))
        if not len(self.samples):
            raise EvaluationError("there are no films to evaluate", "at least one labelled film")
        if self.probabilities.shape != shape or self.labels.shape != shape[:1]:
            came = f"probabilities {self.probabilities.shape} and labels {self.labels.shape}"
            raise EvaluationError(came, f"shapes {shape} and {shape[:1]} for {shape[0]} films of {shape[1]} classes")
        if not np.allclose(self.probabilities.sum(axis=1), 1, atol=1e-2) or self.probabilities.min() < 0:
            raise EvaluationError("some film's probabilities do not sum to 1", "a softmax of logits")
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise EvaluationError("a label lies outside the classes", f"0 to {len(self.classes) - 1}")

    def __len__(self) -> int:
        return len(self.samples)

    def where(self, mask: np.ndarray | pd.Series) -> "Evaluation":
        """The films where the mask (N,) is true."""
        rows = np.flatnonzero(np.asarray(mask))
        return Evaluation(
            self.classes,
            self.labels[rows],
            self.probabilities[rows],
            self.samples.iloc[rows].reset_index(drop=True),
            None if self.logits is None else self.logits[rows],
            self.name,
            self.point,
        )

    def split(self, name: str) -> "Evaluation":
        """The films of one split: train, validation or test."""
        present = self.samples["split"]
        if not (present == name).any():
            raise EvaluationError(f"there are no {name} films", f"one of {', '.join(sorted(set(present)))}")
        return self.where(present == name)

    def by_split(self, own: bool = False) -> dict[str, "Evaluation"]:
        """The films of each provenance there is, in the order of `Provenance`; where none is known, no split is "new".

        Args:
            own: these are the films that the model was trained and judged on. There, films of no split were left out of
                training because they share a patient or a picture with a film of another split: they are no news.
        """
        names = provenances(self.samples, own)
        kept = [name for name in SPLITS if (names == name).any()]
        if own and len(kept) > 1:
            kept = [name for name in kept if name != Provenance.LEFT_OUT.value]
        return {name: self.where(names == name) for name in kept}

    def divided(self, by: str, groups: "Callable[[], np.ndarray | pd.Series]") -> dict[str, "Evaluation"]:
        """The films of each group, made once, so that each keeps its resamples and rankings.

        Args:
            by: what this division is known by.
            groups: gives the group's name of each film (N,); asked the first time only.
        """
        if by not in self._divisions:
            names = np.asarray(groups(), dtype=object)
            self._divisions[by] = {str(name): self.where(names == name) for name in sorted(set(names.tolist()))}
        return self._divisions[by]

    @cached_property
    def _divisions(self) -> dict[str, dict[str, "Evaluation"]]:
        return {}

    @cached_property
    def clusters(self) -> np.ndarray:
        """Patient number of each film (N,); a film whose patient is unknown is a patient of its own."""
        return numbered(self.samples)

    @cached_property
    def weights(self) -> Weights:
        """Bootstrap weights (N, 1+R); column 0 is the films themselves. Of very many films by groups of patients."""
        return drawn(self.clusters)

    def called(self, point: OperatingPoint | None = None) -> np.ndarray:
        """Index of the class called for each film (N,), by the model's own operating point or by another."""
        return (point or self.point).decide(self.probabilities, self.classes)

    def confusion(self, point: OperatingPoint | None = None) -> np.ndarray:
        """Films by true class (rows) and called class (columns), int (C, C)."""
        n = len(self.classes)
        return np.bincount(self.labels * n + self.called(point), minlength=n * n).reshape(n, n)

    def figures(self, point: OperatingPoint | None = None, prevalence: Mapping[str, float] | None = None) -> Figures:
        """Every figure, by scope (a class or a `Total`) and key of the glossary."""
        return figures(self._replicates(point), self.classes, prevalence)

    def report(
        self, point: OperatingPoint | None = None, prevalence: Mapping[str, float] | None = None
    ) -> pd.DataFrame:
        """The same as a tidy table of ``COLUMNS``; ``of`` tells a class from a total of the same name."""
        rows = [
            (str(scope), kind(scope), key, figure.value, figure.low, figure.high, figure.n, figure.note, figure.method)
            for scope, group in self.figures(point, prevalence).items()
            for key, figure in group.items()
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @cached_property
    def curves(self) -> dict[str, Curves]:
        """ROC and precision-recall curve of each class with their bands."""
        return {name: self.curve(name) for name in self.classes}

    def curve(self, class_name: str) -> Curves:
        """Those of one class."""
        c = self.classes.index(class_name)
        patients = int(self._patients["recall"][c]), int(self._patients["specificity"][c])
        return curves(*self.scores.sweep(c), patients)

    def reliability(self, class_name: str | None = None) -> pd.DataFrame:
        """Reliability bins of one class's probability, or of the confidence in the most likely class."""
        clusters = self.clusters if self.clustered else None
        if class_name is None:
            return reliability(self.scores.confidence, self.scores.right, clusters=clusters)
        index = self.classes.index(class_name)
        return reliability(self.probabilities[:, index].astype(float), self.labels == index, clusters=clusters)

    @cached_property
    def scores(self) -> Scores:
        """What no operating point changes, under every resample."""
        return Scores(self.labels, self.probabilities, self.weights)

    def _replicates(self, point: OperatingPoint | None) -> Replicates:
        called = self.called(point)
        patients = self._patients | {"precision": self._behind(called), "npv": self._behind(called, same=False)}
        errors = float((1 - self.scores.confidence).sum()), int((~self.scores.right).sum())
        films = Resampled(self.scores, called)
        return Replicates(films, self._floor, patients, errors, self.clusters, self.clustered)

    @cached_property
    def _floor(self) -> np.ndarray:
        clusters = self.clusters if self.clustered else None
        return calibration_floor(self.scores.confidence, came_true=self.scores.right, clusters=clusters)

    @cached_property
    def clustered(self) -> bool:
        """Whether some patient has more than one film here."""
        return count(self.clusters) < len(self)

    @cached_property
    def _patients(self) -> dict[str, np.ndarray]:
        return {"recall": self._behind(self.labels), "specificity": self._behind(self.labels, same=False)}

    def _behind(self, of: np.ndarray, same: bool = True) -> np.ndarray:
        """Patients (C,) who have a film that is of, or was called, each class; or one that is not."""
        return np.array([count(self.clusters[(of == c) == same]) for c in range(len(self.classes))])
