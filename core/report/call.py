"""The answer to one film in words, in agreement with the grey zone of `core.report.figures.probability_bars`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.model.classifier import Prediction
from core.report.figures import NOT_SURE, margin

if TYPE_CHECKING:
    from core.explain.robustness import MildCopies


def in_words(prediction: Prediction) -> str:
    """What is called, with its doubts; nothing at all where the model may not judge the film."""
    label, index = prediction.label, prediction.index
    if prediction.domain.status == "out":
        return "No answer"
    if not prediction.output.exclusive:
        return _findings(prediction)
    if not prediction.positive:
        return f"Not sure; {label} comes nearest"
    others = [name for name in prediction.positive if name != label]
    if others:
        return f"{label}, but also " + " and ".join(others)
    above = margin(float(prediction.probabilities[index]), prediction.thresholds[index])
    return f"{label}, but not sure" if above < NOT_SURE else label


def _findings(prediction: Prediction) -> str:
    """Each finding called, and those of which the model is not sure."""
    p, cut_offs = prediction.by_class, prediction.cut_offs
    unsure = [name for name in p if abs(margin(p[name], cut_offs[name])) < NOT_SURE]
    sure = [name for name in prediction.called if name not in unsure]
    if not unsure:
        return joined(sure) or "No finding called"
    return f"{joined(sure) or 'No finding for sure'}; not sure of {joined(unsure)}"


def joined(names: Sequence[str]) -> str:
    """ "Effusion, Edema and Mass"."""
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def agreement(prediction: Prediction, copies: "MildCopies") -> str:
    """How far the answer holds when the film changes as little as films of one patient do; "" without an answer."""
    if prediction.domain.status == "out":
        return ""
    agreeing, asked = copies.agreeing(prediction.output.called(prediction.probabilities)), len(copies.called)
    return f"{agreeing} of {asked} mild copies agree"


def headline(prediction: Prediction, copies: "MildCopies") -> str:
    """The answer and, behind it, how many mildly changed copies of the film get the same."""
    return "; ".join(part for part in (in_words(prediction), agreement(prediction, copies)) if part)


def rule(prediction: Prediction) -> str:
    """By which rule this is called and nothing else, see `core.model.output`; "" without an answer."""
    if prediction.domain.status == "out":
        return ""
    if not prediction.output.exclusive:
        return "Each finding is called by itself, from its own cut-off on; several may be, or none."
    called, likeliest = prediction.index, int(np.argmax(prediction.probabilities))
    sentence = f"Called is the class that exceeds its own cut-off by the largest factor: {_factor(prediction, called)}."
    if called == likeliest:
        return sentence
    return f"{sentence} More probable, but by a smaller factor: {_factor(prediction, likeliest)}."


def _factor(prediction: Prediction, index: int) -> str:
    p, cut_off = float(prediction.probabilities[index]), prediction.thresholds[index]
    return f"{prediction.classes[index]}, {p:.3f} = {p / cut_off:.2f} x {cut_off:.3f}"
