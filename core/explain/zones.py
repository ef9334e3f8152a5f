"""Where a heatmap's evidence lies: in the lung fields, and if not, where it went.

Every pixel of the picture belongs to exactly one zone, so the shares add up to 1. Outside the lungs the frame comes
before anatomy: evidence in a corner is a marker or a tag, whatever lies beneath. The lungs are those seen beside the
heart, measured alike on films of every source, or shares of two sources could not be compared.
"""

import numpy as np

from core.explain.hide import regions
from core.lungs.segment import Lungs
from core.transform.preprocess import Preprocess

ZONES = ("lungs", "corner", "border", "mediastinum", "below the diaphragm", "elsewhere")


def on_picture(preprocess: Preprocess, lungs: Lungs, crop: np.ndarray | None) -> np.ndarray | None:
    """The lungs of a film in the frame of the model's picture, bool ``(S, S)``; None where none are found.

    Args:
        lungs: as found on the film.
        crop: what the picture was cut to, bool ``(H, W)``; None for the whole film.
    """
    if not lungs.found:
        return None
    mask = preprocess.to_picture(lungs.visible, crop)
    return mask if mask.any() else None


def zones(lungs: np.ndarray) -> dict[str, np.ndarray]:
    """The picture cut into ``ZONES``, each bool ``(S, S)``, given its lung mask (bool, not empty).

    The mediastinum is what has lung to its left and to its right in the same row; below the diaphragm is what has lung
    above and none below it, or lies lower than both lungs.
    """
    frame = regions(lungs.shape)
    from_left, from_right = _seen(lungs, 1), _seen(lungs[:, ::-1], 1)[:, ::-1]
    from_top, from_bottom = _seen(lungs, 0), _seen(lungs[::-1], 0)[::-1]
    lower_than_both = ~from_bottom.any(axis=1, keepdims=True)
    claims = {
        "lungs": lungs.astype(bool),
        "corner": frame["corners"],
        "border": frame["borders"],
        "mediastinum": from_left & from_right,
        "below the diaphragm": (from_top & ~from_bottom) | lower_than_both,
        "elsewhere": np.ones(lungs.shape, bool),
    }
    taken = np.zeros(lungs.shape, bool)
    cut = {}
    for name, claim in claims.items():
        cut[name] = claim & ~taken
        taken |= claim
    return cut


def shares(map_: np.ndarray, lungs: np.ndarray) -> dict[str, float]:
    """The part of the map's positive mass in each zone; they add up to 1, or are all 0 for a blank map."""
    evidence = np.maximum(map_, 0).astype(np.float64)
    total = evidence.sum() or 1.0
    return {name: float(evidence[zone].sum() / total) for name, zone in zones(lungs).items()}


def _seen(lungs: np.ndarray, axis: int) -> np.ndarray:
    """Whether any lung lies at or before each pixel along an axis."""
    return np.logical_or.accumulate(lungs, axis=axis)
