"""What a film looks like in a few kilobytes: a thumbnail, perceptual hashes of it turned by a few degrees, its frame.

Decoding is the slow part of every comparison of films, so it is done once per file and kept in the cache.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.data.borders import MEASURES, measure
from core.data.cache import cache_dir
from core.data.cohort import Cohort
from core.errors import FilmError

SIDE = 64  # pixels a side of a thumbnail
ANGLES = (-6, -4, -2, 0, 2, 4, 6)  # degrees by which the hashes are turned
UPRIGHT = ANGLES.index(0)
HASH_SIDE = 16  # a hash has 16 x 16 bits
MARGIN = 6  # pixels of a thumbnail cut off all round, more than the corners that turning leaves empty
_VERSION = "2"  # change it when a signature changes


@dataclass(frozen=True, eq=False)
class Signatures:
    """One row a film of a cohort, in its order; a film that could not be read is zero throughout and in ``errors``.

    Args:
        sha256: str (N,), of the files' bytes.
        hashes: uint8 (N, angles, 32), perceptual hashes of the film turned by each of ``ANGLES``, 256 bits each.
        thumbnails: uint8 (N, 64, 64), squashed to a square.
        frame: one column for each of `frame.MEASURES`.
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


def signatures(cohort: Cohort) -> Signatures:
    """The signatures of all films of a cohort, from the cache where the file has not changed since."""
    paths = [Path(p) for p in cohort.samples["path"]]
    known: dict[str, dict] = {}
    for folder in {p.parent for p in paths}:
        known |= _load(folder)
    stale = [i for i, path in enumerate(paths) if known.get(str(path), {}).get("stamp") != _stamp(path)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fresh = list(pool.map(lambda i: _sign(cohort, i), stale))
    known |= {row["path"]: row for row in fresh}
    for folder in {paths[i].parent for i in stale}:
        _save(folder, [row for row in known.values() if Path(row["path"]).parent == folder and not row["error"]])
    return _gather([known[str(path)] for path in paths])


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


def _sign(cohort: Cohort, i: int) -> dict:
    path = Path(str(cohort.samples["path"].iat[i]))
    row = {"path": str(path), "error": "", "sha256": "", "colour": 0.0} | dict.fromkeys(MEASURES, 0.0)
    try:
        film = cohort.film(i)
    except FilmError as error:
        blank = np.zeros((SIDE, SIDE), np.uint8)
        return row | {
            "stamp": "",
            "error": str(error),
            "thumbnail": blank.tobytes(),
            "hashes": bytes(len(ANGLES) * HASH_SIDE**2 // 8),
        }
    thumbnail = thumbnail_of(film.pixels)
    return row | {
        "sha256": film.sha256,
        "colour": film.colour,
        "stamp": _stamp(path),
        "thumbnail": thumbnail.tobytes(),
        "hashes": hashes_of(thumbnail).tobytes(),
        **measure(film.pixels),
    }


def _gather(rows: Sequence[dict]) -> Signatures:
    n = len(rows)
    return Signatures(
        sha256=np.array([row["sha256"] for row in rows], dtype=object),
        hashes=np.frombuffer(b"".join(row["hashes"] for row in rows), np.uint8).reshape(
            n, len(ANGLES), HASH_SIDE**2 // 8
        ),
        thumbnails=np.frombuffer(b"".join(row["thumbnail"] for row in rows), np.uint8).reshape(n, SIDE, SIDE),
        frame=pd.DataFrame({name: [row[name] for row in rows] for name in MEASURES}, dtype=float),
        colour=np.array([row["colour"] for row in rows], np.float64),
        errors={i: row["error"] for i, row in enumerate(rows) if row["error"]},
    )


def _stamp(path: Path) -> str:
    """What changes when the file does; "" for a file that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _shard(folder: Path) -> Path:
    return cache_dir() / "signatures" / f"{sha256(f'{_VERSION} {folder}'.encode()).hexdigest()[:24]}.parquet"


def _load(folder: Path) -> dict[str, dict]:
    try:
        rows = pd.read_parquet(_shard(folder)).to_dict("records")
    except (OSError, ValueError):  # not there yet, or cut off: it can be made again
        return {}
    return {str(row["path"]): {str(k): v for k, v in row.items()} for row in rows}


def _save(folder: Path, rows: list[dict]) -> None:
    shard = _shard(folder)
    shard.parent.mkdir(parents=True, exist_ok=True)
    partial = shard.with_suffix(f".{os.getpid()}")
    pd.DataFrame(rows).to_parquet(partial, index=False)
    os.replace(partial, shard)
