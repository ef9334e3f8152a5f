"""The registry of figures: name, statistic, scale, kind of interval and meaning of each in one row.

What computes, bounds, draws or explains a figure reads its row; the formulas themselves are `metrics`. Rows are in the
order in which figures are shown.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.evaluate import metrics
from core.evaluate.resampled import Resampled


class Policy(Enum):
    """How a figure's interval is made (see `core.intervals`); the value is what CSV and JSON say."""

    PROPORTION = "Wilson, mended near 0 and 1"  # successes of trials
    SCORE = "score interval of the bootstrap's variance over patients"
    RANKING = "score interval of the bootstrap's variance over patients, of the rarer side at most"
    LOSS = "Hall's transformation of Student's t, by patient"
    CALIBRATION = "the luck of its bins below, the bootstrap over patients above"
    MEAN_OF_SHARES = "MOVER of the classes' intervals"
    AT_PREVALENCE = "MOVER of sensitivity and specificity"
    LUCK = "range of 95 % under perfect calibration, no confidence interval"


Statistic = Callable[[Resampled], np.ndarray]
"""Films under every resample to the figure: (1+R, C) of classes, (1+R,) of the whole."""


@dataclass(frozen=True)
class Term:
    """One figure.

    Attributes:
        title: as a column heading.
        policy: how its interval is made.
        help: one or two sentences for a reader without statistics.
        counts: successes and trials from confusion matrices, where it is a plain proportion.
        statistic: how it is computed, where it is none; neither where it follows from other figures.
        of_class: whether each class has its own; else it is one of all films.
        by_smallest: whether, of all films' figures, it rests on the smallest class.
        undefined: why it may have no value, ``{name}`` being the class.
        scale: lowest and highest value; the highest may be infinite.
    """

    title: str
    policy: Policy
    help: str
    counts: Callable[[np.ndarray], metrics.Counts] | None = None
    statistic: Statistic | None = None
    of_class: bool = False
    by_smallest: bool = False
    undefined: str = ""
    higher_is_better: bool = True
    scale: tuple[float, float] = (0.0, 1.0)

    @property
    def computed(self) -> bool:
        """Whether it is computed from films, not from other figures."""
        return self.counts is not None or self.statistic is not None

    def samples(self, films: Resampled) -> np.ndarray:
        """The figure under every resample: (1+R, C), or (1+R,) of all films."""
        if self.counts is not None:
            return metrics.share(self.counts(films.confusion))
        if self.statistic is None:
            raise TypeError(f"{self.title} follows from other figures")
        return self.statistic(films)

    def pooled(self, films: Resampled) -> np.ndarray:
        """The same as one figure (1+R,): of a figure of classes the mean over those that there are."""
        found = self.samples(films)
        pooled: np.ndarray = found[:, films.present].mean(axis=1) if self.of_class else found
        return pooled


GLOSSARY: dict[str, Term] = {
    "precision": Term(
        "Precision (PPV)",
        Policy.PROPORTION,
        "Of the films called this class, the share that really are. It depends on how common the class is here.",
        counts=metrics.precision_counts,
        of_class=True,
        undefined="no films called {name}",
    ),
    "recall": Term(
        "Sensitivity",
        Policy.PROPORTION,
        "Recall: of the films of this class, the share the model found.",
        counts=metrics.recall_counts,
        of_class=True,
        undefined="no films of {name}",
    ),
    "f1": Term(
        "F1",
        Policy.SCORE,
        "Harmonic mean of precision and recall: low as soon as one of the two is low.",
        statistic=lambda films: metrics.f1(films.confusion),
        of_class=True,
        undefined="no films of {name}",
    ),
    "specificity": Term(
        "Specificity",
        Policy.PROPORTION,
        "Of the films of all other classes, the share the model rightly left alone.",
        counts=metrics.specificity_counts,
        of_class=True,
        undefined="no films of another class than {name}",
    ),
    "npv": Term(
        "NPV",
        Policy.PROPORTION,
        "Of the films not called this class, the share that really are something else. It depends on how common the "
        "class is here.",
        counts=metrics.npv_counts,
        of_class=True,
        undefined="every film was called {name}",
    ),
    "auroc": Term(
        "AUROC",
        Policy.RANKING,
        "Chance that a film of this class gets a higher probability than a film of another class; 0.5 is a coin toss. "
        "It needs no operating point.",
        statistic=lambda films: films.scores.auroc,
        of_class=True,
        undefined="it needs films of {name} and of other classes",
    ),
    "average_precision": Term(
        "Average precision",
        Policy.RANKING,
        "Area under the precision-recall curve. A coin toss scores the share of the class, so rare classes start low.",
        statistic=lambda films: films.scores.average_precision,
        of_class=True,
        undefined="no films of {name}",
    ),
    "prevalence": Term(
        "Prevalence",
        Policy.PROPORTION,
        "Share of these films that are of this class.",
        counts=metrics.prevalence_counts,
        of_class=True,
    ),
    "ppv_at": Term(
        "PPV at your prevalence",
        Policy.AT_PREVALENCE,
        "Of the films called this class, the share that would really be, were the class as common as you set.",
        of_class=True,
        undefined="{name} needs films called so, of it and of other classes",
    ),
    "npv_at": Term(
        "NPV at your prevalence",
        Policy.AT_PREVALENCE,
        "Of the films not called this class, the share that would really be something else, were the class as common "
        "as you set.",
        of_class=True,
        undefined="{name} needs films not called so, of it and of other classes",
    ),
    "accuracy": Term(
        "Accuracy",
        Policy.PROPORTION,
        "Share of films called correctly. With one common class it flatters a model that always says that class.",
        counts=metrics.accuracy_counts,
    ),
    "balanced_accuracy": Term(
        "Balanced accuracy",
        Policy.MEAN_OF_SHARES,
        "Mean recall of the classes: every class counts the same, rare or common.",
        statistic=lambda films: metrics.balanced_accuracy(films.confusion),
        by_smallest=True,
    ),
    "mcc": Term(
        "MCC",
        Policy.SCORE,
        "Matthews correlation of called and true classes: 1 is perfect, 0 no better than chance, below 0 worse.",
        statistic=lambda films: metrics.mcc(films.confusion),
        by_smallest=True,
        undefined="all films are of one class or were called one class",
        scale=(-1.0, 1.0),
    ),
    "kappa": Term(
        "Cohen's kappa",
        Policy.SCORE,
        "Agreement with the labels beyond what chance alone would give: 1 is perfect, 0 is chance.",
        statistic=lambda films: metrics.kappa(films.confusion),
        by_smallest=True,
        undefined="all films are of one class and were called it",
        scale=(-1.0, 1.0),
    ),
    "log_loss": Term(
        "Log loss",
        Policy.LOSS,
        "Mean of -ln(probability given to the true class): confident errors cost most. Lower is better.",
        statistic=lambda films: films.scores.log_loss,
        higher_is_better=False,
        scale=(0.0, math.inf),
    ),
    "brier": Term(
        "Brier score",
        Policy.LOSS,
        "Mean squared distance between probabilities and truth; with three or more classes summed over them (0 to 2), "
        "with two classes 0 to 1. Lower is better.",
        statistic=lambda films: films.scores.brier,
        higher_is_better=False,
        scale=(0.0, 2.0),
    ),
    "ece": Term(
        "ECE",
        Policy.CALIBRATION,
        "Mean gap between how sure the model is and how often it is right, over 10 bins of confidence. Lower is "
        "better; few films alone raise it above zero, and its interval starts at 0 where that could be all there is.",
        statistic=lambda films: films.scores.ece,
        higher_is_better=False,
    ),
    "ece_floor": Term(
        "ECE of a perfect model",
        Policy.LUCK,
        "What a perfectly calibrated model with the same probabilities would show on so few films: an ECE near it is "
        "no flaw.",
        higher_is_better=False,
    ),
}

OF_FINDINGS: dict[str, Term] = {
    "exact_match": Term(
        "Exact match", Policy.SCORE, "The share of films of which every known finding is called correctly."
    ),
    "hamming": Term(
        "Hamming loss", Policy.SCORE, "The share of a film's known findings that are called wrongly, on average.",
        higher_is_better=False,
    ),
    "called_per_film": Term(
        "Findings called per film", Policy.SCORE, "How many findings the model calls on a film, on average.",
        scale=(0.0, math.inf),
    ),
    "present_per_film": Term(
        "Findings present per film", Policy.SCORE, "How many known findings a film shows, on average.",
        scale=(0.0, math.inf),
    ),
}  # fmt: skip
"""Figures of films with several findings."""
