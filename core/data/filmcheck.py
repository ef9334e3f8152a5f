"""Is each film an upright, whole chest film with white bones? Judged by its likeness to a typical one.

``typical_film.png`` is the mean of the 10,791 films of four public collections after each was brought to the same
brightness and contrast; no patient can be seen in it. A film is compared with it as it is, and turned, inverted and
cropped: the version that fits best tells what is wrong.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from core.data.signatures import SIDE, thumbnail_of

BLANK, FRAMED, STRANGE = "blank", "framed", "not like a chest film"
_CLEARLY = {  # how much better than upright (difference of correlations) a version must fit before it is believed
    "upside down": 0.15,
    "on its side": 0.2,
    "inverted": 0.15,
    "cropped or off centre": 0.3,
}
_UNLIKE = 0.15  # correlation below which even the best version is no chest film
_LEAST_SPREAD = 6  # grey levels of standard deviation; an empty detector has less
_LEAST_FILLED = 0.6  # share of the picture inside its black frame
_BLACK = 12  # grey level


def check(thumbnails: np.ndarray) -> list[str]:
    """For each thumbnail uint8 (N, 64, 64) what is wrong with its film, or "" ."""
    trimmed = [trim(t) for t in thumbnails]
    kinds, versions = _versions()
    if not len(thumbnails):
        return []
    films = _comparable(np.stack([film for film, _ in trimmed]))
    fit = films.reshape(len(films), -1) @ versions.reshape(len(versions), -1).T  # (N, versions) correlations
    best = fit.argmax(axis=1)
    found = []
    for i, thumbnail in enumerate(thumbnails):
        kind = kinds[best[i]]
        if thumbnail.std() < _LEAST_SPREAD:
            found.append(BLANK)
        elif fit[i].max() < _UNLIKE:
            found.append(STRANGE)
        elif fit[i, best[i]] - fit[i, 0] > _CLEARLY.get(kind, np.inf):
            found.append(kind)
        else:
            found.append(FRAMED if trimmed[i][1] < _LEAST_FILLED else "")
    return found


def trim(thumbnail: np.ndarray) -> tuple[np.ndarray, float]:
    """A thumbnail without its black frame, back at 64 x 64 pixels, and the share of the picture that was inside."""
    light = thumbnail > _BLACK
    rows, columns = np.flatnonzero(light.mean(axis=1) > 0.1), np.flatnonzero(light.mean(axis=0) > 0.1)
    if not len(rows) or not len(columns):
        return thumbnail, 0.0
    inside = thumbnail[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = inside.size / thumbnail.size
    return (thumbnail, share) if share == 1.0 else (_resized(inside), share)


@cache
def _versions() -> tuple[tuple[str, ...], np.ndarray]:
    """Names (V,) and float (V, 64, 64): the typical film, first as it is, then with each fault."""
    with Image.open(Path(__file__).with_name("typical_film.png")) as picture:
        film = np.asarray(picture.convert("L"))
    half = SIDE // 2
    faulty = {
        "": [film],
        "upside down": [film[::-1], film[::-1, ::-1]],
        "on its side": [np.rot90(film), np.rot90(film, 3)],
        "inverted": [255 - film],
        "cropped or off centre": [_resized(film[:half]), _resized(film[:, :half]), _resized(film[:, half:])],
    }
    kinds = tuple(kind for kind, films in faulty.items() for _ in films)
    return kinds, _comparable(np.stack([f for films in faulty.values() for f in films]))


def _comparable(films: np.ndarray) -> np.ndarray:
    """Smooth films (N, 64, 64), mean 0 and length 1 each, so that their product is a correlation."""
    smooth = gaussian_filter(films.astype(np.float32), (0, 1.5, 1.5))
    smooth -= smooth.mean(axis=(1, 2), keepdims=True)
    return smooth / (np.linalg.norm(smooth, axis=(1, 2), keepdims=True) + 1e-6)


def _resized(film: np.ndarray) -> np.ndarray:
    return thumbnail_of(np.ascontiguousarray(film))
