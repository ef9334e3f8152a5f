"""The answer to one film in words, in agreement with the grey zone of `core.report.figures.probability_bars`."""

from typing import TYPE_CHECKING

import numpy as np

from core.model.classifier import Prediction
from core.report.figures import NOT_SURE, margin
from core.words import joined

if TYPE_CHECKING:
    from core.explain.robustness import MildCopies
    from core.model.card import Card


def in_words(prediction: Prediction) -> str:
    """What is called, with its doubts; nothing at all where the model may not judge the film."""
    label, index = prediction.label, prediction.index
    if prediction.refused:
        return "No answer"
    if not prediction.output.exclusive:
        return _findings(prediction)
    if not prediction.positive:
        return f"Not sure; {label} comes nearest"
    others = [name for name in prediction.positive if name != label]
    if others:
        return f"{label}, but also {joined(others)}"
    above = margin(float(prediction.probabilities[index]), prediction.output.operating_points[index])
    return f"{label}, but not sure" if above < NOT_SURE else label


def _findings(prediction: Prediction) -> str:
    """Each finding called, and those of which the model is not sure."""
    p, points = prediction.by_class, prediction.operating_points
    unsure = [name for name in p if abs(margin(p[name], points[name])) < NOT_SURE]
    sure = [name for name in prediction.called if name not in unsure]
    if not unsure:
        return joined(sure) or "No finding called"
    return f"{joined(sure) or 'No finding for sure'}; not sure of {joined(unsure)}"


def agreement(prediction: Prediction, copies: "MildCopies") -> str:
    """How far the answer holds when the film changes as little as films of one patient do; "" without an answer."""
    if prediction.refused:
        return ""
    agreeing, asked = copies.agreeing(prediction.output.called(prediction.probabilities)), len(copies.called)
    return f"{agreeing} of {asked} mild copies agree"


def headline(prediction: Prediction, copies: "MildCopies") -> str:
    """The answer and, behind it, how many mildly changed copies of the film get the same, and its conformal set."""
    held = prediction.prediction_set.in_words if prediction.prediction_set and not prediction.refused else ""
    return "; ".join(part for part in (in_words(prediction), agreement(prediction, copies), held) if part)


def rule(prediction: Prediction) -> str:
    """By which rule this is called and nothing else, see `core.model.output`; "" without an answer."""
    if prediction.refused:
        return ""
    if not prediction.output.exclusive:
        return "Each finding is called on its own, from its operating point on: several may be, or none."
    called, likeliest = prediction.index, int(np.argmax(prediction.probabilities))
    sentence = f"The class called exceeds its own operating point by the largest factor: {_factor(prediction, called)}."
    if called == likeliest:
        return sentence
    return f"{sentence} More probable, but by a smaller factor: {_factor(prediction, likeliest)}."


def _factor(prediction: Prediction, index: int) -> str:
    p, point = float(prediction.probabilities[index]), prediction.output.operating_points[index]
    return f"{prediction.classes[index]}, {p:.3f} = {p / point:.2f} x {point:.3f}"


def promise(card: "Card") -> str:
    """What a prediction set of this model promises, and where that ends; "" where it has none."""
    kept = card.conformal
    if not kept:
        return ""
    few = [name for name, limit in kept["limits"].items() if limit is None]
    never = f" {joined(few)} cannot be ruled out: too few films." if few else ""
    return (
        f"Sets like this hold the truth for {100 * kept['level']:.0f} % of the films of each class, on films like "
        f"those they were fitted on ({kept['fitted_on']}); elsewhere nothing is promised.{never}"
    )


def triage(card: "Card", prediction: Prediction) -> str:
    """Whether a negative answer may stand as such; "" for other answers and for models without the rule."""
    rule = card.triage
    if not rule or prediction.refused or prediction.answer != rule["negative"]:
        return ""
    if rule["limit"] < 0:
        return (
            f"No film may be taken for {rule['negative']} on this answer alone: on its validation films a negative "
            "predictive value of 0.95 could not be shown."
        )
    finding, limit = 1 - prediction.by_class[rule["negative"]], rule["limit"]
    left = f"{100 * (1 - rule['called']):.0f} % of its validation films are left to the reader."
    if finding <= limit:
        return f"Ruled out: {finding:.3f} for any finding; up to {limit:.3f} it was right on 95 % or more. {left}"
    return f"Not ruled out but left to the reader: {finding:.3f} for any finding, above {limit:.3f}. {left}"
