"""Is each film an upright, whole chest film with white bones? Judged by a thumbnail, without a network.

``filmcheck.npz`` holds what the films of four public collections have in common, learned by `benchmarks.filmcheck`: two
linear discriminants, which tell an upright film from the same film turned, inverted or cut in half, and eight typical
films, each the mean of hundreds. No patient can be seen in it.
"""

from functools import cache
from pathlib import Path

import numpy as np

from core.data.signatures import SIDE, thumbnail_of

BLANK, FRAMED, STRANGE = "blank", "framed", "unlike a usual chest film"
TURNED = ("", "upside down", "on its side", "on its side", "inverted")  # what each score of the first discriminant says
CUT = ("", *("cropped or off centre",) * 3)  # and of the second: left half, right half, upper half
_CLEARLY = {  # lead over the score of a good film from which a fault is believed; no good film of 10,791 reached it
    "upside down": 0.35,
    "on its side": 0.15,
    "inverted": 0.3,
    "cropped or off centre": 0.5,
}
_UNLIKE = 0.25  # correlation with each typical film below which a film is strange
_LEAST_SPREAD = 6  # grey levels of standard deviation; an empty detector has less
_LEAST_FILLED = 0.6  # share of the picture inside its black frame
_BLACK = 12  # grey level


def check(thumbnails: np.ndarray) -> list[str]:
    """For each thumbnail uint8 (N, 64, 64) what is wrong with its film, or "" ."""
    if not len(thumbnails):
        return []
    inside, filled = zip(*map(trim, thumbnails), strict=True)
    films = np.stack(inside)
    found = np.where(np.array(filled) < _LEAST_FILLED, FRAMED, "").astype(object)
    learned = _learned()
    for kinds in (
        _believed(CUT, features(films) @ learned["cut"]),
        np.where(similarity(films, learned["typical"]) < _UNLIKE, STRANGE, ""),
        _believed(TURNED, features(films) @ learned["turned"]),
        np.where(thumbnails.std(axis=(1, 2)) < _LEAST_SPREAD, BLANK, ""),
    ):  # what comes later counts more
        found[kinds != ""] = kinds[kinds != ""]
    names: list[str] = found.tolist()
    return names


def trim(thumbnail: np.ndarray) -> tuple[np.ndarray, float]:
    """A thumbnail without its black frame, back at 64 x 64 pixels, and the share of the picture that was inside."""
    light = thumbnail > _BLACK
    rows, columns = np.flatnonzero(light.mean(axis=1) > 0.1), np.flatnonzero(light.mean(axis=0) > 0.1)
    if not len(rows) or not len(columns):
        return thumbnail, 0.0
    inside = thumbnail[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = inside.size / thumbnail.size
    return (thumbnail, share) if share == 1.0 else (thumbnail_of(np.ascontiguousarray(inside)), share)


def features(films: np.ndarray) -> np.ndarray:
    """float32 (N, 1025): smooth films uint8 (N, 64, 64) at 32 x 32 pixels, mean 0 and length 1, and a constant."""
    half = SIDE // 2
    small = _smooth(films).reshape(len(films), half, 2, half, 2).mean(axis=(2, 4)).reshape(len(films), -1)
    small /= np.linalg.norm(small, axis=1, keepdims=True) + 1e-6
    return np.concatenate([small, np.ones((len(films), 1), np.float32)], axis=1)


def similarity(films: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """float32 (N,): the highest correlation of films uint8 (N, 64, 64) with one of ``typical`` uint8 (K, 64, 64)."""
    first, second = (_smooth(f).reshape(len(f), -1) for f in (films, typical))
    lengths = np.linalg.norm(first, axis=1)[:, None] * np.linalg.norm(second, axis=1) + 1e-6
    similarity: np.ndarray = (first @ second.T / lengths).max(axis=1)
    return similarity


def _believed(names: tuple[str, ...], scores: np.ndarray) -> np.ndarray:
    """The fault (N,) with the highest score, of scores (N, names), where it leads clearly; else ""."""
    best = np.array(names, dtype=object)[scores.argmax(axis=1)]
    clearly = np.array([_CLEARLY.get(name, np.inf) for name in best])
    return np.where(scores.max(axis=1) - scores[:, 0] > clearly, best, "")


def _smooth(films: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(films.astype(np.float32), (0, 1.5, 1.5))
    centred: np.ndarray = smooth - smooth.mean(axis=(1, 2), keepdims=True)
    return centred


@cache
def _learned() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("filmcheck.npz")) as arrays:
        return {name: arrays[name].astype(np.uint8 if name == "typical" else np.float32) for name in arrays}
