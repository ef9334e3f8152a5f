"""The answer to one film as a phrase, in agreement with the grey zone of `core.report.figures.probability_bars`."""

from core.model.classifier import Prediction
from core.report.figures import NOT_SURE, margin


def in_words(prediction: Prediction) -> str:
    """The class called, with its doubts; no class at all where the model may not judge the film."""
    label, index = prediction.label, prediction.index
    if prediction.domain.status == "out":
        return "No answer"
    if not prediction.positive:
        return f"Not sure; {label} comes nearest"
    others = [name for name in prediction.positive if name != label]
    if others:
        return f"{label}, but also " + " and ".join(others)
    above = margin(float(prediction.probabilities[index]), prediction.thresholds[index])
    return f"{label}, but not sure" if above < NOT_SURE else label
