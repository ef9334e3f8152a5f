"""What is left of an answer when only what a map marks is shown: average drop and increase in confidence.

Chattopadhay 2018 (Grad-CAM++, arXiv:1710.11063): the film is multiplied by the map, taken to 0 .. 1. A map that marks
what the answer rests on loses little of it. The figures are in use wherever methods are compared, so they are here;
they favour maps that mark nearly everything, as an evenly lit one loses nothing at all: read them beside Random CAM's.
"""

from collections.abc import Sequence

import numpy as np

from core.model.classifier import Classifier

_LEAST = 1e-6  # a rise below what a batch's order of sums may change


def shown_only(picture: np.ndarray, map_: np.ndarray) -> np.ndarray:
    """A picture, uint8 (S, S), darkened to black as its map, float (S, S) of any scale, falls to zero."""
    evidence = np.maximum(map_, 0)
    shown: np.ndarray = np.rint(picture * (evidence / evidence.max())).astype(np.uint8)
    return shown


def left(classifier: Classifier, shown: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Probabilities, float32 (B, C), of B films of which only what a map marks is shown.

    Args:
        shown: picture, uint8 (S, S), and map, float (S, S), of each; none of the maps is blank.
    """
    return classifier.predict_pictures(np.stack([shown_only(picture, map_) for picture, map_ in shown]))[1]


def drop_and_increase(probability: float, rest: float) -> tuple[float, float]:
    """The part of a class's probability that is lost, 0 to 1, and whether it rises (1 or 0).

    Args:
        probability: what the model gives the class on the whole picture; ``rest``: on what the map marks, see `left`.
    """
    return max(0.0, probability - rest) / max(probability, 1e-12), float(rest > probability + _LEAST)
