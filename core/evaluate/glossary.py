"""The registry of figures: name, meaning, scale and kind of interval; what computes, draws or explains one reads it."""

import math
from dataclasses import dataclass
from enum import Enum


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


@dataclass(frozen=True)
class Term:
    """How one figure is named, explained and bounded."""

    title: str  # as a column heading
    policy: Policy
    help: str  # one or two sentences for a reader without statistics
    higher_is_better: bool = True
    scale: tuple[float, float] = (0.0, 1.0)  # lowest and highest value; the highest may be infinite


GLOSSARY: dict[str, Term] = {
    "precision": Term(
        "Precision (PPV)",
        Policy.PROPORTION,
        "Of the films called this class, the share that really are. It depends on how common the class is here.",
    ),
    "recall": Term("Sensitivity (recall)", Policy.PROPORTION, "Of the films of this class, the share the model found."),
    "specificity": Term(
        "Specificity", Policy.PROPORTION, "Of the films of all other classes, the share the model rightly left alone."
    ),
    "npv": Term(
        "NPV",
        Policy.PROPORTION,
        "Of the films not called this class, the share that really are something else. It depends on how common the "
        "class is here.",
    ),
    "f1": Term("F1", Policy.SCORE, "Harmonic mean of precision and recall: low as soon as one of the two is low."),
    "auroc": Term(
        "AUROC",
        Policy.RANKING,
        "Chance that a film of this class gets a higher probability than a film of another class; 0.5 is a coin toss. "
        "It needs no cut-off.",
    ),
    "average_precision": Term(
        "Average precision",
        Policy.RANKING,
        "Area under the precision-recall curve. A coin toss scores the share of the class, so rare classes start low.",
    ),
    "prevalence": Term("Prevalence", Policy.PROPORTION, "Share of these films that are of this class."),
    "ppv_at": Term(
        "PPV at your prevalence",
        Policy.AT_PREVALENCE,
        "Of the films called this class, the share that would really be, were the class as common as you set.",
    ),
    "npv_at": Term(
        "NPV at your prevalence",
        Policy.AT_PREVALENCE,
        "Of the films not called this class, the share that would really be something else, were the class as common "
        "as you set.",
    ),
    "accuracy": Term(
        "Accuracy",
        Policy.PROPORTION,
        "Share of films called rightly. With one common class it flatters a model that always says that class.",
    ),
    "balanced_accuracy": Term(
        "Balanced accuracy",
        Policy.MEAN_OF_SHARES,
        "Mean recall of the classes: every class counts the same, rare or common.",
    ),
    "mcc": Term(
        "MCC",
        Policy.SCORE,
        "Matthews correlation of called and true classes: 1 is perfect, 0 no better than chance, below 0 worse.",
        scale=(-1.0, 1.0),
    ),
    "kappa": Term(
        "Cohen's kappa",
        Policy.SCORE,
        "Agreement with the labels beyond what chance alone would give: 1 is perfect, 0 is chance.",
        scale=(-1.0, 1.0),
    ),
    "log_loss": Term(
        "Log loss",
        Policy.LOSS,
        "Mean of -ln(probability given to the true class): confident errors cost most. Lower is better.",
        higher_is_better=False,
        scale=(0.0, math.inf),
    ),
    "brier": Term(
        "Brier score",
        Policy.LOSS,
        "Mean squared distance between probabilities and truth; with three or more classes summed over them (0 to 2), "
        "with two classes 0 to 1. Lower is better.",
        higher_is_better=False,
        scale=(0.0, 2.0),
    ),
    "ece": Term(
        "ECE",
        Policy.CALIBRATION,
        "Mean gap between how sure the model is and how often it is right, over 10 bins of confidence. Lower is "
        "better; few films alone raise it above zero, and its interval starts at 0 where that could be all there is.",
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
