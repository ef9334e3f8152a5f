"""One identity of a film: where it lies within its cohort; its content, where it has moved since.

Two films of one file name ("COVID/1.png" and "Normal/1.png") are two films. Tables that were written before films had
an identity know their file name only; they are matched by source, patient and file name, as far as that is unambiguous.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from core.data.text_column import tidy

FILM_ID = "film_id"
"""Column of a cohort's samples and of everything that is kept about its films."""
CONTENT = "sha256"
"""Column of what is kept about films: SHA-256 hex of the file; "" where it is not known."""


def film_ids(paths: Sequence[str] | pd.Series, root: str | Path | None = None) -> list[str]:
    """Paths below ``root`` (by default their common folder) with forward slashes: the same on every machine.

    A path outside of ``root`` keeps all its parts, without drive and leading slash.
    """
    if not len(paths):
        return []
    return [str(path) for path in film_id_column(pd.Series(paths), root).tolist()]


def film_id_column(paths: pd.Series, root: str | Path | None = None) -> pd.Series:
    """`film_ids` of a column of paths, of which a table may have a million."""
    files = paths.astype(str)
    base = str(root) if root is not None else _common({os.path.dirname(p) for p in files})
    if not base.startswith("/"):
        return pd.Series([_below(path, base) for path in files], files.index)
    usual = plain(files)
    inside = usual & files.str.startswith(base + "/")
    found = files.str.slice(len(base) + 1)
    if not inside.all():
        found[~inside] = files[~inside].str.slice(1)
        found[~usual] = files[~usual].map(lambda path: _below(path, base))
    return found


def plain(paths: pd.Series) -> pd.Series:
    """Which paths (text) are absolute and have nothing to be tidied, as nearly all of a table's: bool (N,)."""
    if os.sep != "/":
        return pd.Series(False, paths.index)
    part = paths.str
    rooted = part.startswith("/") & ~part.endswith("/")
    if tidy(paths):
        return rooted
    untidy = part.contains("//", regex=False) | part.contains("/.", regex=False) | part.contains("\\", regex=False)
    return rooted & ~untidy


def unique(parts: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The identities of several cohorts, (name, its films' identities) each, as those of one.

    Only those that occur in several get the name of their cohort in front, so that the others stay what they were.
    """
    counts = pd.Series([identity for _, ids in parts for identity in set(ids)], dtype=object).value_counts()
    shared = set(counts.index[counts > 1])
    names = [name for name, _ in parts]
    titles = [name if names.count(name) == 1 else f"{name}#{k}" for k, name in enumerate(names, start=1)]
    return [
        f"{title}/{identity}" if identity in shared else identity
        for title, (_, ids) in zip(titles, parts, strict=True)
        for identity in ids
    ]


def find(wanted: pd.DataFrame, among: pd.DataFrame) -> np.ndarray:
    """For each film of one table the position of the same film in another, int64 (N,); -1 where it is not there.

    Args:
        wanted: with the columns path and, as far as they are known, film_id, source, patient and sha256.
        among: likewise. Of several rows that fit one film by content, the last counts; file names that fit several
            films fit none.
    """
    found = _positions(_content(wanted), _content(among))
    if FILM_ID in wanted and FILM_ID in among:
        other = _positions(_keys(wanted, FILM_ID), _keys(among, FILM_ID))
        other[_differ(wanted, among, other)] = -1
    else:
        names = _keys(among, "patient", "path")
        repeated = {key for key, n in pd.Series(names, dtype=object).value_counts().items() if n > 1}
        other = _positions(_keys(wanted, "patient", "path"), [None if key in repeated else key for key in names])
    return np.where(found >= 0, found, other)


def base_name(path: str) -> str:
    """The last part of a path, whichever way its slashes lean."""
    return str(path).replace("\\", "/").rpartition("/")[2]


def _common(folders: set[str]) -> str:
    try:
        return os.path.commonpath(folders)
    except ValueError:  # several drives, or some absolute and some not
        return ""


def _below(path: str, base: str) -> str:
    if base and path.startswith(base + os.sep) and os.pardir not in path:  # the usual case, without asking the system
        return PurePath(path[len(base) + 1 :]).as_posix()
    try:
        inside = os.path.relpath(path, base) if base else path
    except ValueError:  # another drive
        inside = os.pardir
    if inside.startswith(os.pardir):
        pure = PurePath(os.path.abspath(path))
        return PurePath(*pure.parts[1:]).as_posix()
    return PurePath(inside).as_posix()


def _keys(films: pd.DataFrame, *columns: str) -> list[tuple[str, ...] | None]:
    """What names each film: its source, and these columns; None where the last of them is empty."""
    parts = [
        films[c].fillna("").astype(str) if c in films else pd.Series("", films.index) for c in ("source", *columns)
    ]
    if columns[-1] == "path":
        parts[-1] = parts[-1].map(base_name)
    return [key if key[-1] else None for key in zip(*parts, strict=True)]


def _content(films: pd.DataFrame) -> list[str | None]:
    return [sha or None for sha in films[CONTENT].fillna("")] if CONTENT in films else [None] * len(films)


def _positions(wanted: Iterable[object], among: Iterable[object]) -> np.ndarray:
    places = {key: position for position, key in enumerate(among) if key is not None}
    return np.array([-1 if key is None else places.get(key, -1) for key in wanted], dtype=np.int64)


def _differ(wanted: pd.DataFrame, among: pd.DataFrame, found: np.ndarray) -> np.ndarray:
    """Where both tables know the content and it is not the same: another film has taken the place since."""
    ours, theirs = _content(wanted), _content(among)
    pairs = ((own, theirs[position] if position >= 0 else None) for own, position in zip(ours, found, strict=True))
    return np.array([own is not None and other is not None and own != other for own, other in pairs], dtype=bool)
