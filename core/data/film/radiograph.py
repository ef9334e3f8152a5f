"""The value that every room passes on: one grey film, and the little that may be known of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from core.data.film.limits import REMEDY
from core.data.film.turn import AS_STORED, Turn
from core.errors import FilmError

PLANES = {
    "patient": "in the patient, as calibrated",
    "detector": "at the detector: in the patient they are smaller, by the magnification",
    "scanned": "on the film that was scanned: in the patient they are smaller, by the magnification",
    "stated": "as the file states them, without saying where",
}


@dataclass(frozen=True)
class Spacing:
    """How many millimetres a pixel of ``Radiograph.pixels`` spans, and where (PS3.3 10.7.1): a key of ``PLANES``."""

    millimetres: float
    plane: str = "stated"

    @property
    def sentence(self) -> str:
        """Where the lengths are meant."""
        return f"Lengths are {PLANES[self.plane]}."

    def area(self, pixels: float) -> float:
        """Square centimetres of this many pixels."""
        return pixels * (self.millimetres / 10.0) ** 2


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One film, as every room of the house sees it.

    Args:
        pixels: uint8 (H, W), read-only, 0 = black, 255 = white; dense tissue is white.
        name: file name without its folder.
        sha256: hex digest of the file's bytes (of the pixels for drawn or altered films).
        source_shape: (H, W) in pixels, as stored.
        bit_depth: bits per stored sample.
        format: "PNG", "JPEG", "TIFF", "BMP", "WEBP", "DICOM", or "pixels" for films that were never a file.
        tags: only the keys view, body part (if not the chest), sex, age, photometric and modality, each where known.
        notes: what the reader did to the film, in words.
        colour: mean saturation (max - min of the channels), 0 = grey to 1; high in photographs.
        spacing: how large a pixel is; None where it is unknown, or where what the file says is not believed.
        turn: what was done to the stored pixels so that the film hangs; what refers to them has to undo it.
    """

    pixels: np.ndarray
    name: str
    sha256: str
    source_shape: tuple[int, int]
    bit_depth: int = 8
    format: str = "pixels"
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    colour: float = 0.0
    spacing: Spacing | None = None
    turn: Turn = AS_STORED

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 2:
            came = f'"{self.name}" holds {self.pixels.dtype} pixels of shape {self.pixels.shape}'
            raise FilmError(came, "uint8 pixels of shape (height, width)", REMEDY)
        frozen = np.ascontiguousarray(self.pixels).view()
        frozen.flags.writeable = False
        object.__setattr__(self, "pixels", frozen)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def with_pixels(self, pixels: np.ndarray, note: str) -> "Radiograph":
        """The same film altered: other pixels uint8 (H, W), one more note, and a digest of its own."""
        return replace(self, pixels=pixels, sha256=_digest(pixels), notes=(*self.notes, note))


def from_pixels(pixels: np.ndarray, name: str) -> Radiograph:
    """A film that was never a file, from uint8 (H, W)."""
    height, width = pixels.shape[:2]
    return Radiograph(pixels, name, _digest(pixels), (height, width))


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
