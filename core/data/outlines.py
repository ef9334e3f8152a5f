"""CheXlocalize's outlines: a JSON of run-length coded masks by film and finding, as COCO codes them.

``{"patient64541_study1_view1_frontal": {"Edema": {"size": [height, width], "counts": "..."}, ...}, ...}``
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.data.labels import fold
from core.errors import CohortError

DEVICES = "Support Devices"  # outlined as well, and no finding of the lung
_MOST_PIXELS = 100_000_000
_MOST_BYTES = 500_000_000


def keys(path: Path) -> tuple[str, ...]:
    """The films that a file outlines.

    Raises:
        CohortError: it is not such a file.
    """
    return tuple(_contents(str(path), path.stat().st_mtime_ns))


def mask(place: str, finding: str = "") -> np.ndarray | None:
    """Bool (H, W) in the frame of the original film, or None where nothing is outlined.

    Args:
        place: "PATH#FILM", as a cohort's ``outlines`` say it.
        finding: whose outline; all findings but devices together by default.

    Raises:
        CohortError: the file is none, or a mask does not fit its size.
    """
    path, _, film = place.rpartition("#")
    outlined = _contents(path, Path(path).stat().st_mtime_ns).get(film, {})
    wanted = [name for name in outlined if (fold(name) == fold(finding) if finding else name != DEVICES)]
    parts = [decode(outlined[name]) for name in wanted]
    whole = np.any(parts, axis=0) if parts and len({part.shape for part in parts}) == 1 else None
    return whole if whole is not None and whole.any() else None


def decode(coded: Any) -> np.ndarray:
    """Bool (H, W) of one mask as COCO codes it: runs of 0 and 1 down the columns, each as 5-bit groups, the third and
    later ones as differences to the run before the last.

    Raises:
        CohortError: it is not such a mask, or its runs do not add up to its size.
    """
    try:
        (high, wide), text = coded["size"], coded["counts"].encode("ascii")
        if not (0 < high * wide <= _MOST_PIXELS):
            raise ValueError(f"{high} x {wide} pixels")
        runs: list[int] = []
        place = 0
        while place < len(text):
            value, shift, more = 0, 0, True
            while more:
                group = text[place] - 48
                value |= (group & 0x1F) << shift
                more, place, shift = bool(group & 0x20), place + 1, shift + 5
            if group & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if min(runs, default=0) < 0 or sum(runs) != high * wide:
            raise ValueError(f"runs of {sum(runs)} pixels for {high} x {wide}")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, UnicodeError) as error:
        came = f"a mask that cannot be decoded ({error})"
        raise CohortError(came, "a size and counts as COCO writes them", "Take CheXlocalize's own file") from error
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(wide, high).T


@lru_cache(maxsize=2)
def _contents(path: str, changed: int) -> dict[str, Any]:
    """The file as it was at that time of change."""
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES // 1_000_000} MB")
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
            raise ValueError("no masks by film and finding")
    except (OSError, ValueError, RecursionError) as error:
        came = f'"{Path(path).name}" is not a file of outlines ({str(error)[:100]})'
        raise CohortError(came, "CheXlocalize's gt_segmentations JSON", "Take its own file") from error
    return found
