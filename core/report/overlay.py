"""Evidence drawn on a film: a heatmap, its contours and colour bar, outlines, side by side. Pure pixels, no interface.

Two choices matter here. A map is blended with an opacity *proportional to its own value*, so a film keeps its exact
grey wherever the map is zero, whatever the opacity. And colour stands for a value on a stated scale (``Style.top``), so
that two maps drawn with one scale can be compared; nothing is stretched behind the reader's back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Colormap = Literal["inferno", "viridis", "cividis", "plasma"]
COLORMAPS: tuple[Colormap, ...] = ("inferno", "viridis", "cividis", "plasma")  # perceptually uniform, colour-blind safe
LUNGS, TRUTH, BOX = (86, 180, 233), (0, 158, 115), (240, 228, 66)  # Okabe-Ito sky blue, green and yellow
NEGATIVE = ((222, 235, 247), (8, 69, 148))  # light to dark blue: evidence against the class


@dataclass(frozen=True)
class Style:
    """How a map is drawn."""

    opacity: float = 0.5  # of the strongest evidence, 0 to 1
    threshold: float = 0.0  # share of `top` below which nothing is drawn, 0 to 1
    colormap: Colormap = "inferno"
    top: float | None = None  # value that gets the last colour; None: the largest absolute value of the map
    contours: bool = False  # lines at a quarter, half and three quarters of `top`


def overlay(picture: np.ndarray, map_: np.ndarray, style: Style | None = None) -> np.ndarray:
    """A heatmap blended onto the film it explains.

    Args:
        picture: ``uint8 (H, W)``, the film.
        map_: ``float (H, W)`` evidence, any scale; negative values are drawn blue.
        style: opacity, threshold, colours and scale; the defaults if None.

    Returns:
        ``uint8 (H, W, 3)``; equal to the film wherever the map is zero or below the threshold.
    """
    style = style or Style()
    share = _share(map_, style)
    strength = np.abs(share)
    alpha = style.opacity * np.minimum(1.0, strength / 0.5) * (strength >= style.threshold)
    film = np.repeat(picture[..., None], 3, axis=2).astype(np.float32)
    blended = film + alpha[..., None] * (colours(share, style.colormap) - film)
    drawn = np.rint(blended).astype(np.uint8)
    return contour(drawn, share) if style.contours else drawn


def colours(share: np.ndarray, colormap: Colormap = "inferno") -> np.ndarray:
    """``float (...)`` shares of the scale in [-1, 1] -> ``float32 (..., 3)`` RGB 0-255; blue below zero."""
    index, against = np.rint(np.abs(share) * 255).astype(np.uint8), np.asarray(share < 0)
    rgb: np.ndarray = _table(colormap)[index]
    if against.any():  # of most maps nothing is
        rgb[against] = _negative()[index[against]]
    return rgb


def contour(image: np.ndarray, share: np.ndarray, levels: Sequence[float] = (0.25, 0.5, 0.75)) -> np.ndarray:
    """Lines of equal evidence on an RGB image: ``share`` is the map over its scale, ``levels`` are shares of it."""
    for level in levels:
        image = outline(image, share >= level, (255, 255, 255), thickness=2 if level == 0.5 else 1)
    return image


def outline(
    image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = LUNGS, thickness: int = 2
) -> np.ndarray:
    """A copy of an RGB image ``uint8 (H, W, 3)`` with the borders of a mask ``bool (H, W)``, those of its holes too."""
    import cv2

    borders, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.ascontiguousarray(image).copy(), borders, -1, colour, thickness, cv2.LINE_AA)


def beside(*images: np.ndarray, gap: int = 8) -> np.ndarray:
    """RGB images of one height in a row, ``gap`` white pixels between them."""
    white = np.full((images[0].shape[0], gap, 3), 255, np.uint8)
    row = [part for image in images for part in (white, image)]
    return np.concatenate(row[1:], axis=1)


def colourbar(style: Style, top: float, height: int, signed: bool = False) -> np.ndarray:
    """The legend of an overlay, ``uint8 (height, 72, 3)``: colours beside the values they stand for."""
    import cv2

    share = np.linspace(1.0, -1.0 if signed else 0.0, height)
    image = np.full((height, 72, 3), 255, np.uint8)
    image[:, 4:18] = np.rint(colours(share, style.colormap))[:, None]
    for at in (1.0, 0.5, 0.0, -0.5, -1.0) if signed else (1.0, 0.75, 0.5, 0.25, 0.0):
        row = int(np.argmin(np.abs(share - at)))
        baseline = int(np.clip(row + 4, 10, height - 3))
        cv2.putText(
            image, f"{at * top:.3g}", (22, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (60, 60, 60), 1, cv2.LINE_AA
        )
    return image


def ruler(image: np.ndarray, millimetres: float) -> np.ndarray:
    """A picture uint8 (H, W) or (H, W, 3) with a scale at its lower left: ticks of 1 cm, as long as fits a third of it.

    Args:
        millimetres: that a pixel of this picture spans.
    """
    import cv2

    drawn = np.ascontiguousarray(image).copy()
    height, width = drawn.shape[:2]
    length = next((cm for cm in (10, 5, 2, 1) if 10 * cm / millimetres <= width / 3), 0)
    if not length:
        return drawn
    left, bottom, tick = width // 40 + 2, height - height // 40 - 3, max(height // 80, 3)
    ends = [round(left + 10 * cm / millimetres) for cm in range(length + 1)]
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):  # white on a black rim: seen on any film
        cv2.line(drawn, (ends[0], bottom), (ends[-1], bottom), colour, thick)
        for number, x in enumerate(ends):
            tall = 2 * tick if number in (0, length) else tick
            cv2.line(drawn, (x, bottom), (x, bottom - tall), colour, thick)
        at, size = (ends[0], bottom - 3 * tick), max(height / 900, 0.35)
        cv2.putText(drawn, f"{length} cm", at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick, cv2.LINE_AA)
    return drawn


def enlarge(image: np.ndarray, side: int) -> np.ndarray:
    """Any ``(H, W)`` or ``(H, W, 3)`` array made at least ``side`` pixels high, smoothly; masks keep hard edges."""
    import cv2

    scale = max(1, -(-side // image.shape[0]))
    if scale == 1:
        return image
    if image.dtype == bool:
        return image.repeat(scale, axis=0).repeat(scale, axis=1)
    size = (image.shape[1] * scale, image.shape[0] * scale)
    method = cv2.INTER_LINEAR if np.issubdtype(image.dtype, np.floating) else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=method)


def png(image: np.ndarray) -> bytes:
    """A grey or RGB ``uint8`` image as the bytes of a PNG file."""
    import cv2

    stored = image if image.ndim == 2 else image[..., ::-1]
    return cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _share(map_: np.ndarray, style: Style) -> np.ndarray:
    top = style.top if style.top is not None else float(np.abs(map_).max(initial=0.0))
    return np.clip(map_ / top, -1.0, 1.0) if top > 0 else np.zeros_like(map_)


@cache
def _table(colormap: Colormap) -> np.ndarray:
    """The upper three quarters of a colour map: its black end would read as darkened film."""
    import cv2

    codes = {"inferno": cv2.COLORMAP_INFERNO, "viridis": cv2.COLORMAP_VIRIDIS, "cividis": cv2.COLORMAP_CIVIDIS}
    ramp = np.linspace(64, 255, 256).round().astype(np.uint8)[:, None]
    table: np.ndarray = cv2.applyColorMap(ramp, codes.get(colormap, cv2.COLORMAP_PLASMA))[:, 0, ::-1].astype(np.float32)
    return table


@cache
def _negative() -> np.ndarray:
    light, dark = (np.array(end, float) for end in NEGATIVE)
    table: np.ndarray = (light + np.linspace(0, 1, 256)[:, None] * (dark - light)).astype(np.float32)
    return table
