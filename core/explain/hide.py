"""Hide a region of a film under a named filling, or every region in turn.

The same few lines serve the what-if page, occlusion heatmaps and the shortcut tests.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.errors import ExplainError

if TYPE_CHECKING:
    from core.model.classifier import Classifier

Fill = Literal["blur", "mean", "inpaint", "black"]
FILLS: dict[str, str] = {
    "blur": "a strong blur of the film itself: no detail left, brightness kept",
    "mean": "the film's mean grey",
    "inpaint": "continued from the surroundings (Telea 2004)",
    "black": "black, as on an empty film",
}
SEAMLESS = "inpaint"  # leaves nothing of a letter, where a blur leaves a bright smear that still points at a class
BLUR = 1 / 16  # standard deviation of the blur, in parts of the picture's side: ribs and vessels vanish
BORDER, CORNER = 0.08, 0.18  # width of the border and side of a corner, in parts of the picture's side
BATCH = 32

Progress = Callable[[float], None]


def hide(picture: np.ndarray, mask: np.ndarray, fill: str = "blur") -> np.ndarray:
    """A copy of the picture, uint8 (S, S), whose pixels under ``mask``, bool (S, S), are filled.

    Raises:
        ExplainError: unknown fill, or a mask of another shape than the picture.
    """
    if fill not in FILLS:
        raise ExplainError(f"there is no fill {fill!r}", f"one of {', '.join(FILLS)}")
    if mask.shape != picture.shape:
        raise ExplainError(f"the mask's shape is {mask.shape}", f"the picture's, {picture.shape}")
    return np.where(mask, _filling(picture, mask, fill), picture).astype(np.uint8)


def regions(shape: tuple[int, int], lungs: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Named masks, bool (S, S), of a picture of this shape; those of the lungs only where a lung mask is given."""
    height, width = shape
    rows, columns = np.ogrid[:height, :width]
    from_side = np.minimum(rows, height - 1 - rows) / height, np.minimum(columns, width - 1 - columns) / width
    named = {
        "borders": (from_side[0] < BORDER) | (from_side[1] < BORDER),
        "corners": (from_side[0] < CORNER) & (from_side[1] < CORNER),
    }
    if lungs is not None and lungs.any():
        named = {"lungs": lungs.astype(bool), "outside lungs": ~lungs.astype(bool)} | named
    return named


def sweep(
    classifier: "Classifier",
    picture: np.ndarray,
    window: int | None = None,
    stride: int | None = None,
    fill: str = "blur",
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Hide every window of the film in turn and watch each class's logit.

    Args:
        picture: uint8 (S, S).
        window: side of the square window, pixels; S / 8 unless given.
        stride: pixels between windows; half a window unless given.
        progress: called with the share done, 0 to 1, after each batch.

    Returns:
        The drop of the logit at each pixel, float32 (C, S, S), averaged over the windows that covered it, and the
        logits (C,) of the film as it is.
    """
    side = min(picture.shape)
    window = window or max(side // 8, 1)
    stride = stride or max(window // 2, 1)
    if not (1 <= window <= side and 1 <= stride <= window):
        raise ExplainError(
            f"a window of {window} pixels moved by {stride} does not cover a picture of side {side}",
            "1 <= stride <= window <= side",
        )
    logits = classifier.predict_pictures(picture[None])[0][0]  # (C,)
    places = list(_windows(picture.shape, window, stride))
    drops = np.zeros((len(logits), *picture.shape), np.float32)
    covered = np.zeros(picture.shape, np.float32)
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        hidden = np.stack([hide(picture, _mask(picture.shape, place), fill) for place in batch])
        for place, hidden_logits in zip(batch, classifier.predict_pictures(hidden)[0], strict=True):
            drops[:, *place] += (logits - hidden_logits)[:, None, None]
            covered[place] += 1
        if progress:
            progress(min(1.0, (start + len(batch)) / len(places)))
    return drops / covered, logits


def _filling(picture: np.ndarray, mask: np.ndarray, fill: str) -> np.ndarray | float:
    import cv2

    if fill == "blur":
        return cv2.GaussianBlur(picture, (0, 0), max(picture.shape) * BLUR, borderType=cv2.BORDER_REPLICATE)
    if fill == "mean":
        return round(float(picture.mean()))
    if fill == "inpaint":
        return cv2.inpaint(picture, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return 0


def _windows(shape: tuple[int, ...], window: int, stride: int) -> Iterator[tuple[slice, slice]]:
    """Squares that together cover the whole picture; the last of each row and column sits flush with the edge."""
    tops, lefts = (sorted({*range(0, side - window, stride), side - window}) for side in shape)
    for top in tops:
        for left in lefts:
            yield slice(top, top + window), slice(left, left + window)


def _mask(shape: tuple[int, ...], place: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[place] = True
    return mask
