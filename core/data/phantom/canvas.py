"""Paper to draw on: body centimetres to pixels, smooth outlines, soft noise.

Everything is drawn in float64 from 8-bit coverage masks: the last bits may differ between processors, and only at that
precision do they never reach the 8-bit film, which must come out the same to the byte everywhere.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike

from core.lazy import cached_property

FILM_CM = 37.0
_SUBPIXEL_BITS = 8


@dataclass(frozen=True)
class Canvas:
    """A square film of ``size`` pixels over 37 cm, the body scaled, tilted and shifted on it.

    Body coordinates are centimetres of an average man: x to the image's right (the patient's left), y down, the origin
    at the film's centre.
    """

    size: int
    scale: float = 1.0
    tilt: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def pixels_per_cm(self) -> float:
        return self.size / FILM_CM

    @cached_property
    def _matrix(self) -> np.ndarray:
        angle = np.deg2rad(self.tilt)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn * self.scale * self.pixels_per_cm

    @cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Body x and y (cm) of every pixel's centre, each float64 (size, size)."""
        inverse = np.linalg.inv(self._matrix)
        middle = self.size / 2 - 0.5
        across = np.arange(self.size) - middle - self.shift[0] * self.pixels_per_cm
        down = (np.arange(self.size) - middle - self.shift[1] * self.pixels_per_cm)[:, None]
        return inverse[0, 0] * across + inverse[0, 1] * down, inverse[1, 0] * across + inverse[1, 1] * down

    @cached_property
    def half(self) -> "Canvas":
        """The same film at half the resolution, for parts without fine detail."""
        return replace(self, size=-(-self.size // 2))

    def enlarge(self, field: np.ndarray) -> np.ndarray:
        """A field drawn on ``half``, at full resolution."""
        return cv2.resize(field, (self.size, self.size), interpolation=cv2.INTER_LINEAR)

    def pixels(self, points: ArrayLike) -> np.ndarray:
        """Body cm (..., 2) to pixel positions (..., 2)."""
        offset = self.size / 2 - 0.5 + np.array(self.shift) * self.pixels_per_cm
        moved: np.ndarray = np.asarray(points, dtype=np.float64) @ self._matrix.T + offset
        return moved

    def length(self, cm: float) -> float:
        """A length on the body in pixels."""
        return cm * self.scale * self.pixels_per_cm

    def blank(self) -> np.ndarray:
        return np.zeros((self.size, self.size), np.uint8)

    def fill(self, outline: ArrayLike, onto: np.ndarray | None = None, value: int = 255) -> np.ndarray:
        """Fill one outline (N, 2) or several (K, N, 2) in body cm on an 8-bit sheet (default: a fresh one)."""
        sheet = self.blank() if onto is None else onto
        fixed = np.round(self.pixels(outline) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        for part in fixed.reshape(-1, *fixed.shape[-2:]):
            cv2.fillPoly(sheet, [part], value, cv2.LINE_AA, _SUBPIXEL_BITS)
        return sheet

    def cover(self, outline: ArrayLike, soften: float = 0.0) -> np.ndarray:
        """Share of each pixel inside an outline, 0-1, its edge blurred by ``soften`` cm."""
        return self.soft(self.fill(outline) / 255.0, soften)

    def soft(self, field: np.ndarray, cm: float) -> np.ndarray:
        """Blur by a Gaussian of ``cm``; wide ones are computed on a reduced copy."""
        sigma = self.length(cm)
        if sigma < 0.2:
            return field
        reduce = 1 << max(0, int(np.log2(sigma / 3))) if sigma > 6 else 1
        if reduce > 1:
            side = -(-self.size // reduce)
            small = cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)
            small = cv2.GaussianBlur(small, (0, 0), sigma / reduce, borderType=cv2.BORDER_REPLICATE)
            return cv2.resize(small, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return cv2.GaussianBlur(field, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)

    def noise(self, rng: np.random.Generator, cm: float, octaves: int = 1) -> np.ndarray:
        """Smooth noise with lumps of about ``cm``, each octave half as large and half as strong; deviation near 1."""
        total = np.zeros((self.size, self.size))
        scale = np.sqrt(sum(4.0**-octave for octave in range(octaves)))
        for octave in range(octaves):
            cells = max(3, round(FILM_CM / (cm / 2**octave)))
            lattice = rng.standard_normal((cells, cells)) / (2**octave * scale)
            total += cv2.resize(lattice, (self.size, self.size), interpolation=cv2.INTER_CUBIC)
        return total


def curve(points: ArrayLike, steps: int = 8, closed: bool = True) -> np.ndarray:
    """A Catmull-Rom curve through points (N, 2): smooth, and it touches every one of them. Gives (N * steps, 2)."""
    p = np.asarray(points, dtype=np.float64)
    padded = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    bent = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat = bent.reshape(-1, 2)
    return flat if closed else np.vstack([flat, p[-1:]])


def band(line: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """The outline (..., 2 N, 2) of a strip of the given full width, a number or (N,), round a line (..., N, 2)."""
    along = np.diff(line, axis=-2, append=2 * line[..., -1:, :] - line[..., -2:-1, :])
    normal = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    normal /= np.maximum(np.sqrt((normal**2).sum(-1, keepdims=True)), 1e-9)
    aside = normal * np.broadcast_to(width, line.shape[-2])[:, None] / 2
    return np.concatenate([line + aside, (line - aside)[..., ::-1, :]], axis=-2)


def ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """A soft step: 0 below, 1 above zero, over ``width``."""
    return np.clip(distance / width + 0.5, 0.0, 1.0)


def oval(centre: ArrayLike, wide: float, high: float) -> np.ndarray:
    """The outline of an ellipse from its two half-axes."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.asarray(centre) + np.stack([wide * np.cos(angle), high * np.sin(angle)], axis=1)
