"""Where lung was found in each film of a cohort, small, for the test that must not see it.

This room knows no finder of lungs: whoever asks for an audit brings one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data.audit.shortcuts import HALF
from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.data.progress import Progress, in_batches, quiet
from core.data.signatures import VERSION, Signatures
from core.data.store import Store, digest

_BYTES = HALF * HALF // 8


@dataclass(frozen=True)
class LungsOf:
    """A finder of lungs.

    Args:
        find: bool (H, W) in the frame of a film, or None where no lungs are found.
        name: changes when its answers do: what it found is kept under it.
    """

    find: Callable[[Radiograph], np.ndarray | None]
    name: str


def lung_grids(cohort: Cohort, signs: Signatures, lungs: LungsOf, progress: Progress = quiet) -> np.ndarray:
    """Bool (N, 32, 32): the squashed film's cells in which any lung was found, and their neighbours."""
    store = Store(f"lungs-{VERSION}-1")
    keys = [digest(lungs.name, sha) for sha in signs.sha256]
    readable = np.flatnonzero(signs.sha256 != "")
    known = store.read([keys[i] for i in readable])
    lacking = [int(i) for i in readable if len(known.get(keys[i], b"")) != _BYTES]
    for some, grids in in_batches(lambda i: _grid(cohort.film(i), lungs), lacking, "finding lungs", progress):
        rows = [(keys[i], grid) for i, grid in zip(some, grids, strict=True)]
        store.write(rows)
        known |= dict(rows)
    nothing = bytes(_BYTES)
    packed = b"".join(known.get(keys[i], nothing) if signs.sha256[i] else nothing for i in range(len(cohort)))
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
    return bits.reshape(len(cohort), HALF, HALF).astype(bool)


def _grid(film: Radiograph, lungs: LungsOf) -> bytes:
    import cv2

    mask = lungs.find(film)
    if mask is None:
        return bytes(_BYTES)
    share = cv2.resize(mask.astype(np.float32), (HALF, HALF), interpolation=cv2.INTER_AREA)
    return np.packbits(cv2.dilate((share > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0).tobytes()
