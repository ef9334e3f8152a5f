"""What is left of an answer when only what a map marks is shown: average drop and increase in confidence.

Chattopadhay 2018 (Grad-CAM++, arXiv:1710.11063): the film is multiplied by the map, taken to 0 .. 1. A map that marks
what the answer rests on loses little of it. The figures are in use wherever methods are compared, so they are here;
they favour maps that mark nearly everything, as an evenly lit one loses nothing at all: read them beside Random CAM's.
"""

import math

import numpy as np

from core.model.classifier import Classifier

_LEAST = 1e-6  # a rise below what a batch's order of sums may change


def shown_only(picture: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """A picture, uint8 (S, S), darkened to black as its map, float (S, S) of any scale, falls to zero."""
    evidence = np.maximum(map_, 0)
    shown: np.ndarray = np.rint(picture * (evidence / evidence.max())).astype(np.uint8)
    return shown


def drop_and_increase(
    classifier: Classifier, picture: np.ndarray, map_: np.ndarray, index: int, probability: float
) -> tuple[float, float]:
    """The part of a class's probability that is lost, 0 to 1, and whether it rises (1 or 0); one pass.

    Args:
        picture: uint8 (S, S).
        index: of the class that the map is of; ``probability``: what the model gives it on the whole picture.

    Returns:
        NaN for both where the map is blank: it shows nothing.
    """
    if not map_.max() > 0:
        return math.nan, math.nan
    left = float(classifier.predict_pictures(shown_only(picture, map_)[None])[1][0, index])
    return max(0.0, probability - left) / max(probability, 1e-12), float(left > probability + _LEAST)
