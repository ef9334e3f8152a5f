"""The rule by which one of several exclusive classes is called; light, so that figures need no network for it."""

import numpy as np


def by_operating_points(probabilities: np.ndarray, operating_points: np.ndarray) -> np.ndarray:
    """Index (...,) of the class whose probability is the largest multiple of its operating point; of ties the first.

    Args:
        probabilities: (..., C), 0 to 1.
        operating_points: (C,), above 0. Equal ones call the most likely class.
    """
    return np.asarray(np.argmax(probabilities / np.asarray(operating_points), axis=-1))
