"""How stored pixels are turned so that a frontal film hangs as films hang: the patient's left at the right, head up."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Turn:
    """One of the eight ways in which a film can lie, as the steps that undo it.

    Args:
        exchanged: rows become columns, first.
        upside_down: the last row becomes the first.
        mirrored: the last column becomes the first.
    """

    exchanged: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def __bool__(self) -> bool:
        return self.exchanged or self.upside_down or self.mirrored

    def shown(self, stored: np.ndarray) -> np.ndarray:
        """Pixels or a mask as stored (rows, columns, ...), as the film hangs."""
        pixels = stored.swapaxes(0, 1) if self.exchanged else stored
        return np.ascontiguousarray(self._flipped(pixels))

    def stored(self, shown: np.ndarray) -> np.ndarray:
        """Inverse of `shown`."""
        pixels = self._flipped(shown)
        return np.ascontiguousarray(pixels.swapaxes(0, 1) if self.exchanged else pixels)

    def _flipped(self, pixels: np.ndarray) -> np.ndarray:
        return pixels[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]


AS_STORED = Turn()
