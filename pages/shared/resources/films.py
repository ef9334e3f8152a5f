"""The films of a cohort, their masks and thumbnails: known by their files as they are now."""

from typing import Any

import numpy as np

from core import identity
from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.data.film.values import Values
from pages.shared.resources.cohorts import cohort
from pages.shared.resources.shelves import kept, shelf_of


def film(spec: str, row: int) -> Radiograph:
    """One film of a cohort, decoded; anew when its file changes."""
    found = cohort(spec)
    return kept(file_key("film", found, row, "path"), lambda: found.film(row))


def values(spec: str, row: int) -> Values:
    """The values of a film of a cohort before they are windowed; anew when its file changes."""
    found, there = cohort(spec), film(spec, row)
    if there.bit_depth <= 8:
        return Values(there.pixels)
    return kept(file_key("values", found, row, "path"), lambda: found.values(row))


def keep_values(of: Radiograph, made: Values) -> None:
    """Keep the values of an uploaded film among what is worked out from it: they may have to make room."""
    if of.bit_depth > 8:
        shelf_of(of).put(identity.key("values", film=of.sha256), made)


def values_of_upload(of: Radiograph) -> tuple[Values, bool]:
    """The values of an uploaded film, and whether they are whole; else those of its 8-bit grey are left."""
    if of.bit_depth <= 8:
        return Values(of.pixels), True
    there: Values | None = shelf_of(of).get(identity.key("values", film=of.sha256))
    return (Values(of.pixels), False) if there is None else (there, True)


def mask(spec: str, row: int, column: str) -> np.ndarray | None:
    """A mask of one film of a cohort, bool (H, W); None where there is none."""
    found = cohort(spec)
    if column not in found.samples or not found.samples[column].iat[row]:
        return None
    shape = film(spec, row).shape
    of_film = file_key("film", found, row, "path")  # boxes follow the film as it was stored

    def packed() -> np.ndarray | None:  # one bit per pixel
        made = found.mask(row, column, shape)
        return None if made is None else np.packbits(made)

    bits = kept(file_key("mask", found, row, column, of_film), packed)
    return None if bits is None else np.unpackbits(bits, count=shape[0] * shape[1]).view(bool).reshape(shape)


def thumbnail(spec: str, row: int, side: int = 160) -> bytes:
    """One film of a cohort as a small PNG, squeezed to a square."""
    found = cohort(spec)
    return kept(file_key("thumbnail", found, row, "path", side), lambda: small(found.film(row).pixels, side))


def file_key(kind: str, found: Cohort, row: int, column: str, *more: Any) -> str:
    """What is read from a file of a cohort: known by the file as it is now."""
    path = str(found.samples[column].iat[row])
    stamp = None if found.is_drawn(path) else identity.stamp(path)
    return identity.key(kind, path=path, stamp=stamp, more=more)


def small(pixels: np.ndarray, side: int = 160) -> bytes:
    """A grey picture as a small square PNG."""
    import cv2

    from core.report.overlay import png

    return png(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))
