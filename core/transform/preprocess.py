"""Radiograph -> the square picture a network sees -> tensor, and heatmaps back into the film's frame.

Training and serving share this one object (the checkpoint carries it), so they cannot drift apart. All geometry is one
`Frame`: the rectangle of the film that fills a rectangle of the picture; both directions read the same frame.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch

from core.data.film.radiograph import Radiograph
from core.errors import RecipeError

Fit = Literal["squash", "pad", "crop"]
Contrast = Literal["none", "stretch", "equalise", "clahe"]
Region = Literal["film", "lungs"]
CHOICES = {
    "fit": ("squash", "pad", "crop"),
    "contrast": ("none", "stretch", "equalise", "clahe"),
    "region": ("film", "lungs"),
}

LUNG_MARGIN = 0.08  # of the lung box's longer side, added on each side: costophrenic angles and apices stay visible
STRETCH_TAILS = 0.01  # share of pixels allowed to saturate at either end of a contrast stretch
CLAHE_CLIP, CLAHE_TILES = 2.0, 8


@dataclass(frozen=True)
class Frame:
    """Which part of the film fills which part of the picture; each as (top, left, height, width) in whole pixels."""

    film: tuple[int, int, int, int]
    picture: tuple[int, int, int, int]


@dataclass(frozen=True)
class Preprocess:
    """How a film becomes the input of a network."""

    size: int = 224
    """Side of the square picture, pixels."""
    fit: Fit = "squash"
    """An oblong film is squashed to a square, padded with black, or cropped round its centre."""
    contrast: Contrast = "none"
    """Grey levels as they are, stretched between 1st and 99th percentile, equalised, or locally equalised (CLAHE)."""
    region: Region = "film"
    """The whole film, or a square round the lung fields (which then need a mask; without one, the whole film)."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Subtracted from each channel, all equally grey, in units of white = 1 (ImageNet's); one number = one channel."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """Divides each channel after the mean is subtracted."""

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise RecipeError(f"preprocess.{name} is {getattr(self, name)!r}", f"one of {', '.join(allowed)}")
        if not 16 <= self.size <= 2048:
            raise RecipeError(f"preprocess.size is {self.size}", "a side between 16 and 2048 pixels")
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean) or min(self.std) <= 0:
            expected = "three numbers each, or one each for a grey network, std above zero"
            raise RecipeError("preprocess.mean and preprocess.std do not fit", expected)

    @property
    def channels(self) -> int:
        """How many channels the network takes, 1 or 3."""
        return len(self.mean)

    def picture(self, film: Radiograph, lungs: np.ndarray | None = None) -> np.ndarray:
        """The film as the model sees it: uint8 (S, S). `lungs` is a bool mask (H, W) in the film's frame."""
        frame = self.frame(film.pixels.shape, lungs)
        content = _contrast(_resize(_cut(film.pixels, frame.film), frame.picture[2:]), self.contrast)
        return _paste(content, frame.picture, (self.size, self.size))

    def tensor(self, pictures: np.ndarray | torch.Tensor) -> torch.Tensor:
        """uint8 (B, S, S) -> float32 (B, 1 or 3, S, S), normalised."""
        grey = torch.as_tensor(pictures).to(torch.float32).unsqueeze(1)  # (B, 1, S, S)
        # Into each channel first: OpenVINO folds a bare division into the first kernels, which then see one channel.
        grey = grey.expand(-1, len(self.mean), -1, -1)
        mean, std = (torch.tensor(v, device=grey.device).view(1, -1, 1, 1) for v in (self.mean, self.std))
        return grey / (255 * std) - mean / std

    def to_film(self, map_: np.ndarray, film_shape: tuple[int, ...], lungs: np.ndarray | None = None) -> np.ndarray:
        """A float map (S, S) of the picture -> float32 (H, W) on the film; 0 where the model did not look."""
        frame = self.frame(film_shape, lungs)
        content = _resize(_cut(map_.astype(np.float32), frame.picture), frame.film[2:])
        return _paste(content, frame.film, film_shape)

    def to_picture(self, mask: np.ndarray, lungs: np.ndarray | None = None) -> np.ndarray:
        """A bool or float array (H, W) on the film -> the same kind (S, S) on the picture; 0 (False) in the padding."""
        frame = self.frame(mask.shape, lungs)
        content = _resize(_cut(mask.astype(np.float32), frame.film), frame.picture[2:])
        placed = _paste(content, frame.picture, (self.size, self.size))
        return placed >= 0.5 if mask.dtype == bool else placed

    def frame(self, film_shape: tuple[int, ...], lungs: np.ndarray | None = None) -> Frame:
        """The geometry for a film of this shape, shared by every method above."""
        height, width = film_shape[:2]
        whole = (0, 0, self.size, self.size)
        if self.region == "lungs" and lungs is not None and lungs.any():
            return _square_frame(_lung_box(lungs), (height, width), self.size)
        if self.fit == "crop":
            side = min(height, width)
            return Frame(((height - side) // 2, (width - side) // 2, side, side), whole)
        if self.fit == "pad":
            side = max(height, width)
            return _square_frame(((height - side) // 2, (width - side) // 2, side, side), (height, width), self.size)
        return Frame((0, 0, height, width), whole)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a card or a recipe."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Preprocess":
        """Inverse of `to_dict`; missing keys take their default. RecipeError names an unknown key."""
        unknown = sorted(set(values) - set(cls.__dataclass_fields__))
        if unknown:
            raise RecipeError(
                f"preprocess has no setting {', '.join(unknown)}", f"one of {', '.join(cls.__dataclass_fields__)}"
            )
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**settings)


def _lung_box(lungs: np.ndarray) -> tuple[int, int, int, int]:
    """Square (top, left, side, side) round a mask with its margin; it may reach past the film."""
    rows, columns = np.flatnonzero(lungs.any(axis=1)), np.flatnonzero(lungs.any(axis=0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    side = round(max(height, width) * (1 + 2 * LUNG_MARGIN))
    top, left = rows[0] + (height - side) // 2, columns[0] + (width - side) // 2
    limit = lungs.shape
    # Moved inside the film where it fits: real pixels beat black padding.
    top = int(np.clip(top, min(0, limit[0] - side), max(0, limit[0] - side)))
    left = int(np.clip(left, min(0, limit[1] - side), max(0, limit[1] - side)))
    return top, left, side, side


def _square_frame(box: tuple[int, int, int, int], film: tuple[int, int], size: int) -> Frame:
    """The part of a square box that lies on the film, and its place in a picture of `size` pixels."""
    top, left, side, _ = box
    rows = max(top, 0), min(top + side, film[0])
    columns = max(left, 0), min(left + side, film[1])
    scale = size / side
    (y0, y1), (x0, x1) = (_span(a - origin, b - origin, scale) for (a, b), origin in ((rows, top), (columns, left)))
    return Frame(
        (rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0]),
        (y0, x0, y1 - y0, x1 - x0),
    )


def _span(start: int, stop: int, scale: float) -> tuple[int, int]:
    """A range of film pixels as a range of picture pixels, never empty."""
    first = round(start * scale)
    return first, max(first + 1, round(stop * scale))


def _cut(array: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    top, left, height, width = box
    return array[top : top + height, left : left + width]


def _paste(content: np.ndarray, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> np.ndarray:
    """`content` at its place on a black canvas; the content itself when it fills the canvas."""
    if content.shape == tuple(shape[:2]):
        return content
    canvas = np.zeros(shape[:2], content.dtype)
    _cut(canvas, box)[:] = content
    return canvas


def _resize(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pixel-area average when both sides shrink (no aliasing), linear interpolation otherwise."""
    import cv2

    height, width = shape
    if array.shape == (height, width):
        return array.copy()
    shrinks = height <= array.shape[0] and width <= array.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(array), (width, height), interpolation=method)


def _contrast(picture: np.ndarray, kind: Contrast) -> np.ndarray:
    import cv2

    if kind == "stretch":
        shares = np.cumsum(np.bincount(picture.ravel(), minlength=256)) / picture.size
        low, high = np.searchsorted(shares, (STRETCH_TAILS, 1 - STRETCH_TAILS))
        table = np.clip((np.arange(256) - low) * (255 / max(high - low, 1)), 0, 255)
        return cv2.LUT(picture, np.round(table).astype(np.uint8))
    if kind == "equalise":
        return cv2.equalizeHist(picture)
    if kind == "clahe":
        return cv2.createCLAHE(CLAHE_CLIP, (CLAHE_TILES, CLAHE_TILES)).apply(picture)
    return picture
