"""The key of a result: what made it, never what it is called.

Every cache, resume file, shelf and export keeps a result under `key` of its ingredients: the SHA-256 of the weights and
of the film, the preprocessing, the method with its options, and the version of the code that works it out. A name, a
title or a folder may come to mean something else while a server runs; these cannot. One ingredient changed gives
another key, so the result is computed anew; none changed, and it is found again.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from os import PathLike, stat
from pathlib import Path
from time import monotonic
from typing import Any

HOUSE = Path(__file__).resolve().parent
LIBRARIES = ("torch", "grad-cam", "opencv-python-headless", "numpy")  # their versions count as code
SHORT = 12  # digits by which a key is told to a reader
CHUNK = 1 << 20
FEW = 1000  # files whose stamps are asked for at each use
PATIENCE = 20  # times as long as asking took


def key(kind: str, *, code: Iterable[str] = (), **ingredients: Any) -> str:
    """SHA-256 hex of what a result is made of.

    Args:
        kind: what is made ("heatmaps"): two kinds never share a key.
        code: rooms of the house whose code works it out, such as "explain" or "lungs/segment.py".
        ingredients: by name; text, numbers, None, arrays, bytes, and lists and mappings of these. The order of a
            mapping does not matter; that of a list does. 1, 1.0 and True are three ingredients.

    Raises:
        TypeError: an ingredient whose content has no unmistakable text.
    """
    made_of = {"kind": kind, "code": code_version(tuple(code)), "ingredients": _plain(ingredients)}
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def short(found: str) -> str:
    """The first digits of a key or hash, for people."""
    return found[:SHORT]


def of_file(path: str | PathLike[str]) -> str:
    """SHA-256 hex of a file's bytes, as ``sha256sum`` prints it."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def stamp(path: str | PathLike[str]) -> tuple[int, int]:
    """Size in bytes and modification time in nanoseconds of a file or folder; (-1, -1) where there is none.

    What tells cheaply that a file was replaced since it was read. It is not the content: a copy has another one.
    """
    try:
        found = stat(path)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


class Stamps:
    """The stamps of many files as one text, asked for at each use while they are `FEW`.

    The system answers for a million files in seconds, and a page asks at each run: so many are asked anew only when
    the last answer is `PATIENCE` times as old as it took. A file replaced meanwhile shows then: within a second among
    four thousand on a disk, within a minute or two among a million.
    """

    def __init__(self) -> None:
        self._known: tuple[float, float, str] | None = None  # when it was asked, how long it took, what was said

    def of(self, paths: Callable[[], Collection[str | PathLike[str]]]) -> str:
        """Of the files that ``paths`` gives; the same ones at each call."""
        known = self._known
        if known and monotonic() < known[0] + PATIENCE * known[1]:
            return known[2]
        began = monotonic()
        files = paths()
        said = " ".join(map(str, map(stamp, files)))
        took = monotonic() - began if len(files) > FEW else 0.0
        self._known = monotonic(), took, said
        return said

    def __reduce__(self) -> tuple[type["Stamps"], tuple[()]]:
        return Stamps, ()  # another process has another clock, and asks for itself


@functools.cache
def code_version(rooms: tuple[str, ...]) -> str:
    """SHA-256 hex of the code in these rooms (folders or files below ``core``) and of the libraries it stands on.

    Every byte counts, comments too: telling code from comments would cost each start of the dashboard a second.
    """
    if not rooms:
        return ""
    digest = hashlib.sha256(" ".join(f"{name} {_installed(name)}" for name in LIBRARIES).encode())
    for room in sorted(rooms):
        place = HOUSE / room
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for file in files:
            digest.update(f"\n{file.relative_to(HOUSE).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _plain(value: Any) -> Any:
    """JSON in which values that differ in kind or content differ in text."""
    if value is None or isinstance(value, str):
        return value
    for kind in (bool, int, float):  # in this order: a bool is an int
        if isinstance(value, kind):
            return [kind.__name__, repr(kind(value))]
    if isinstance(value, bytes):
        return {"bytes": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {"mapping": sorted(([_plain(name), _plain(part)] for name, part in value.items()), key=repr)}
    if isinstance(value, list | tuple):
        return {"list": [_plain(part) for part in value]}
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):  # NumPy's, which this room need not import
        return {"array": [str(value.dtype), list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]}
    raise TypeError(f"a {type(value).__name__} is not an ingredient of a key")
