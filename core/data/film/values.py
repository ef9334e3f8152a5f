"""A film's values before they are windowed: 16 bits stay 16 bits until somebody looks, or the model is fed.

The model is fed `Radiograph.pixels`, the film as its file asks to be shown. A window chosen by a reader is drawn from
the values here and changes nothing that the model sees.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data.film.turn import AS_STORED, Turn

_LUNGS = (0.01, 0.99)  # quantiles of the values in the lungs that become black and white
_SAMPLE = 500_000  # of them are looked at, at the most about twice as many
_INTEGERS = (np.uint8, np.int16, np.uint16, np.int32)


@dataclass(frozen=True)
class Window:
    """Centre and width in the film's values, as LINEAR_EXACT has them (PS3.3 C.11.2.1.3.2); the width is above 0."""

    centre: float
    width: float

    @property
    def ends(self) -> tuple[float, float]:
        """The values that become black and white (or white and black)."""
        return self.centre - self.width / 2, self.centre + self.width / 2


@dataclass(frozen=True, eq=False)
class Values:
    """One film's values.

    Args:
        values: integers of the fewest bits that hold them, or float32; (rows, columns) as stored, after the modality
            step, read-only.
        inverse: the lowest value is white.
        asked: the window that the file asks for; None where it asks for none, or for a table or a curve.
        finish: uint8 (rows, columns) -> square pixels.
        turn: from there to the film's frame (H, W).
    """

    values: np.ndarray
    inverse: bool = False
    asked: Window | None = None
    finish: Callable[[np.ndarray], np.ndarray] = lambda pixels: pixels
    turn: Turn = AS_STORED

    def __post_init__(self) -> None:
        frozen = _fewest_bits(self.values).view()
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.values.min()), float(self.values.max())

    def full(self) -> Window:
        """The window in which nothing is cut off."""
        return _between(*self.range)

    def of_lungs(self, lungs: np.ndarray) -> Window | None:
        """The window of what lies in the lungs, but for its darkest and brightest hundredth; None without lungs.

        Args:
            lungs: bool, in the film's frame (H, W).
        """
        rows, columns = self.values.shape
        lungs = self.turn.stored(lungs)
        down, across = (np.arange(n) * side // n for n, side in zip((rows, columns), lungs.shape, strict=True))
        inside = self.values[lungs[down][:, across]]
        some = inside[:: max(1, inside.size // _SAMPLE)]
        return _between(*(float(v) for v in np.quantile(some, _LUNGS))) if some.size else None

    def shown(self, window: Window) -> np.ndarray:
        """The film in a window, uint8 (H, W), 0 = black."""
        low, high = window.ends
        share = (self.values.astype(np.float32) - np.float32(low)) * np.float32(255.0 / max(high - low, 1e-9))
        pixels = np.rint(np.clip(share, 0.0, 255.0)).astype(np.uint8)
        return self.turn.shown(self.finish(255 - pixels if self.inverse else pixels))


def _between(low: float, high: float) -> Window:
    return Window((low + high) / 2, max(high - low, 1e-6))


def _fewest_bits(values: np.ndarray) -> np.ndarray:
    """The same values in the smallest type that holds them all."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind in "iu" or not np.mod(values, 1.0).any():
        low, high = int(values.min()), int(values.max())
        for kind in _INTEGERS:
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return values.astype(kind)
    return values.astype(np.float32)
