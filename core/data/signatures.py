"""What a film looks like in a few kilobytes: a thumbnail, perceptual hashes of it turned by a few degrees, its frame.

Decoding is the slow part of every comparison of films, so it is done once per file and kept in the cache.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.data.borders import MEASURES, measure
from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.data.progress import Progress, in_batches, quiet
from core.data.store import Store, digest
from core.errors import FilmError

SIDE = 64  # pixels per side of a thumbnail
ANGLES = (-6, -4, -2, 0, 2, 4, 6)  # degrees by which the hashes are turned
UPRIGHT = ANGLES.index(0)
HASH_SIDE = 16  # a hash has 16 x 16 bits
MARGIN = 6  # pixels of a thumbnail cut off all round, more than the corners that turning leaves empty
VERSION = "3"  # change it when a signature changes, or what is read from a file
_ROW = np.dtype(
    [
        ("stamp", "S48"),
        ("sha256", "S64"),
        ("colour", "<f8"),
        ("frame", "<f8", len(MEASURES)),
        ("hashes", "u1", (len(ANGLES), HASH_SIDE**2 // 8)),
        ("thumbnail", "u1", (SIDE, SIDE)),
    ]
)


@dataclass(frozen=True, eq=False)
class Signatures:
    """One row per film of a cohort, in its order; a film that could not be read is zero throughout and in ``errors``.

    Args:
        sha256: str (N,), of the files' bytes.
        hashes: uint8 (N, angles, 32), perceptual hashes of the film turned by each of ``ANGLES``, 256 bits each.
        thumbnails: uint8 (N, 64, 64), squashed to a square.
        frame: one column for each of `borders.MEASURES`.
        colour: float64 (N,), mean saturation, 0 to 1.
        errors: position of a film -> why it could not be read.
    """

    sha256: np.ndarray
    hashes: np.ndarray
    thumbnails: np.ndarray
    frame: pd.DataFrame
    colour: np.ndarray
    errors: dict[int, str]

    def __len__(self) -> int:
        return len(self.sha256)


def signatures(
    cohort: Cohort, progress: Progress = quiet, see: Callable[[Radiograph], None] = lambda film: None
) -> Signatures:
    """The signatures of all films of a cohort, from the cache where the file has not changed since.

    Args:
        progress: told of the films read; if it raises, what was read until then is kept.
        see: shown each film that has to be read, in any thread, so that no one need read it again.
    """
    paths = [Path(p) for p in cohort.samples["path"]]
    keys = [digest(path) for path in paths]
    store = Store(f"signatures-{VERSION}")
    kept = store.read(keys)
    rows: np.ndarray = np.zeros(len(paths), _ROW)
    errors: dict[int, str] = {}
    stale = []
    for i, (path, key) in enumerate(zip(paths, keys, strict=True)):
        old = np.frombuffer(kept.get(key, b""), _ROW)
        if len(old) and old["stamp"][0] == _stamp(path):
            rows[i] = old[0]
        else:
            stale.append(i)
    for some, signed in in_batches(lambda i: _sign(cohort, i, see), stale, "reading films", progress):
        for i, row in zip(some, signed, strict=True):
            if isinstance(row, str):
                errors[i] = row
            else:
                rows[i] = row
        store.write([(keys[i], rows[i].tobytes()) for i in some if i not in errors])
    return Signatures(
        sha256=np.array([digest.decode() for digest in rows["sha256"]], dtype=object),
        hashes=rows["hashes"],
        thumbnails=rows["thumbnail"],
        frame=pd.DataFrame(rows["frame"], columns=list(MEASURES), dtype=float),
        colour=rows["colour"],
        errors=errors,
    )


def turned(thumbnail: np.ndarray, degrees: float) -> Image.Image:
    """The middle of a thumbnail uint8 (64, 64), turned counter-clockwise: a square without empty corners."""
    picture = Image.fromarray(thumbnail)
    if degrees:
        picture = picture.rotate(degrees, Image.Resampling.BILINEAR)
    return picture.crop((MARGIN, MARGIN, SIDE - MARGIN, SIDE - MARGIN))


def hashes_of(thumbnail: np.ndarray) -> np.ndarray:
    """uint8 (angles, 32): the perceptual hash of a thumbnail uint8 (64, 64) turned by each of ``ANGLES``."""
    import imagehash

    bits = [imagehash.phash(turned(thumbnail, a), hash_size=HASH_SIDE, highfreq_factor=3).hash for a in ANGLES]
    return np.packbits(np.stack(bits).reshape(len(ANGLES), -1), axis=1)


def thumbnail_of(pixels: np.ndarray) -> np.ndarray:
    """uint8 (64, 64) from a film uint8 (H, W)."""
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0))


def _sign(cohort: Cohort, i: int, see: Callable[[Radiograph], None]) -> np.ndarray | str:
    """The row of film ``i``, or why it cannot be read."""
    try:
        film = cohort.film(i)
    except FilmError as error:
        return str(error)
    see(film)
    row = np.zeros((), _ROW)
    row["stamp"], row["sha256"] = _stamp(Path(str(cohort.samples["path"].iat[i]))), film.sha256.encode()
    measured = measure(film.pixels)
    row["colour"], row["frame"] = film.colour, tuple(measured[name] for name in MEASURES)
    row["thumbnail"] = thumbnail_of(film.pixels)
    row["hashes"] = hashes_of(row["thumbnail"])
    return row


def _stamp(path: Path) -> bytes:
    """What changes when the file does; empty for a file that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return b""
    return f"{stat.st_size} {stat.st_mtime_ns}".encode()
