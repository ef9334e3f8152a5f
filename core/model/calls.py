"""The rule by which one of several exclusive classes is called; light, so that figures need no network for it."""

import numpy as np


def by_cut_offs(probabilities: np.ndarray, cut_offs: np.ndarray) -> np.ndarray:
    """Index (...,) of the class whose probability is the largest multiple of its own cut-off; of equal ones the first.

    Args:
        probabilities: (..., C), 0 to 1.
        cut_offs: (C,), above 0. Equal ones call the most likely class.
    """
    return np.asarray(np.argmax(probabilities / np.asarray(cut_offs), axis=-1))
