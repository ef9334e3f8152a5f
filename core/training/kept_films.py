"""What the decoded films of a run were made from: a file beside theirs that tells old pixels from those of today."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core import identity
from core.atomic import write_whole
from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.transform.preprocess import Preprocess

CODE = ("transform", "data/film", "lungs/segment.py", "lungs/unet.py")


def record(cohort: Cohort, preprocess: Preprocess, path: Path, contents: Sequence[tuple[str, str]]) -> None:
    """Keep what the films in ``path`` were made from: each film's (stamp, SHA-256), and how they were decoded."""
    films = [[name, *known] for name, known in zip(cohort.samples[FILM_ID], contents, strict=True)]
    write_whole(_beside(path), json.dumps({"key": _key(cohort, preprocess), "films": films}, ensure_ascii=False))


def made_by(cohort: Cohort, preprocess: Preprocess, path: Path) -> bool:
    """Whether ``path`` holds these films as they would be decoded today: known ones, and all of them."""
    return path.is_file() and _kept(path).get("key") == _key(cohort, preprocess) and _is_whole(path)


def changed(cohort: Cohort, path: Path) -> list[str]:
    """The films whose files hold other bytes than when they were decoded; a new time of change alone is none."""
    kept = {name: (stamp, content) for name, stamp, content in _kept(path).get("films", [])} if path.is_file() else {}
    found = []
    for position, name in enumerate(cohort.samples[FILM_ID].astype(str)):
        stamp, content = kept.get(name, ("", ""))
        file = Path(str(cohort.samples["path"].iat[position]))
        if (
            name in kept
            and cohort.stamp(position) != stamp
            and not (file.is_file() and identity.of_file(file) == content)
        ):
            found.append(name)
    return found


def contents(cohort: Cohort, path: Path) -> tuple[str, ...]:
    """SHA-256 of each film's file as it was decoded, (N,); "" where it is not known."""
    kept = {name: content for name, _, content in _kept(path).get("films", [])}
    return tuple(kept.get(name, "") for name in cohort.samples[FILM_ID].astype(str))


def remove(path: Path) -> None:
    """Delete the decoded films and what is kept of them."""
    for file in (path, _beside(path)):
        file.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    """Whether the file is as long as its own heading says."""
    try:
        np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return True


def _beside(path: Path) -> Path:
    return path.with_suffix(".json")


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_beside(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(cohort: Cohort, preprocess: Preprocess) -> str:
    names = cohort.samples[FILM_ID].astype(str).tolist()
    return identity.key("films", code=CODE, films="\0".join(names), preprocess=preprocess.to_dict())
