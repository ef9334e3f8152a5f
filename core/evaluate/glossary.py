"""What every figure means, in plain words: the one table that pages, the command line and documents read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """How one figure is named and explained."""

    title: str  # as a column heading
    help: str  # one or two sentences for a reader without statistics
    higher_is_better: bool = True


GLOSSARY: dict[str, Term] = {
    "precision": Term(
        "Precision (PPV)",
        "Of the films called this class, the share that really are. It depends on how common the class is here.",
    ),
    "recall": Term("Sensitivity (recall)", "Of the films of this class, the share the model found."),
    "specificity": Term("Specificity", "Of the films of all other classes, the share the model rightly left alone."),
    "npv": Term(
        "NPV",
        "Of the films not called this class, the share that really are something else. It depends on how common the "
        "class is here.",
    ),
    "f1": Term("F1", "Harmonic mean of precision and recall: low as soon as one of the two is low."),
    "auroc": Term(
        "AUROC",
        "Chance that a film of this class gets a higher probability than a film of another class; 0.5 is a coin toss. "
        "It needs no cut-off.",
    ),
    "average_precision": Term(
        "Average precision",
        "Area under the precision-recall curve. A coin toss scores the share of the class, so rare classes start low.",
    ),
    "prevalence": Term("Prevalence", "Share of these films that are of this class."),
    "ppv_at": Term(
        "PPV at your prevalence",
        "Of the films called this class, the share that would really be, were the class as common as you set.",
    ),
    "npv_at": Term(
        "NPV at your prevalence",
        "Of the films not called this class, the share that would really be something else, were the class as common "
        "as you set.",
    ),
    "accuracy": Term(
        "Accuracy",
        "Share of films called rightly. With one common class it flatters a model that always says that class.",
    ),
    "balanced_accuracy": Term(
        "Balanced accuracy", "Mean recall of the classes: every class counts the same, rare or common."
    ),
    "mcc": Term(
        "MCC", "Matthews correlation of called and true classes: 1 is perfect, 0 no better than chance, below 0 worse."
    ),
    "kappa": Term(
        "Cohen's kappa", "Agreement with the labels beyond what chance alone would give: 1 is perfect, 0 is chance."
    ),
    "log_loss": Term(
        "Log loss",
        "Mean of -ln(probability given to the true class): confident errors cost most. Lower is better.",
        higher_is_better=False,
    ),
    "brier": Term(
        "Brier score",
        "Mean squared distance between probabilities and truth; with three or more classes summed over them (0 to 2), "
        "with two classes 0 to 1. Lower is better.",
        higher_is_better=False,
    ),
    "ece": Term(
        "ECE",
        "Mean gap between how sure the model is and how often it is right, over 10 bins of confidence. Lower is "
        "better; few films alone raise it above zero, and its interval starts at 0 where that could be all there is.",
        higher_is_better=False,
    ),
    "ece_floor": Term(
        "ECE of a perfect model",
        "What a perfectly calibrated model with the same probabilities would show on so few films: an ECE near it is "
        "no flaw.",
        higher_is_better=False,
    ),
}
