"""The answer to one film as a phrase, in agreement with the grey zone of `core.report.figures.probability_bars`."""

from collections.abc import Sequence

from core.model.classifier import Prediction
from core.report.figures import NOT_SURE, margin


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
