"""Which files of a folder are films: content decides, here and nowhere else; what is left out is counted by reason.

A file whose name claims a picture (.png, .dcm) stays among the films even if it is damaged, so that it is named where
it is read. Masks lie in folders of their own (masks, lung_masks).
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.data.film.file_kind import describe
from core.data.table import named

CLAIMING = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom", ".ima"}
)
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM")
NOT_UTF8 = "a name that is not UTF-8"
_HEAD = 1024  # bytes that are looked at
_MASKS = re.compile(r"(lung|lungs|lesion|left|right|[a-z]+_)?[ _-]?(mask|masks|segmentations?)", re.IGNORECASE)
_LITTER = re.compile(r"\.|__macosx|thumbs\.db$|desktop\.ini$", re.IGNORECASE)


@dataclass
class LeftOut:
    """What a reader leaves out, by reason."""

    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    """Reason -> name of a file or folder -> how many files that are."""
    said: list[str] = field(default_factory=list)
    """Sentences of others on what they left out."""

    @property
    def count(self) -> int:
        """How many files."""
        return sum(sum(files.values()) for files in self.reasons.values())

    def add(self, reason: str, name: str, files: int = 1) -> None:
        """One file more, or all of a folder."""
        self.reasons.setdefault(reason, {})[name] = files

    def say(self, note: str) -> None:
        """What another reader noticed."""
        self.said.append(note)

    def notes(self) -> tuple[str, ...]:
        """One sentence for each reason: how many files, why, and the first ten names."""
        counted = [(reason, sum(files.values()), named(files)) for reason, files in self.reasons.items()]
        sentences = (
            f"{n:,} {'file' if n == 1 else 'files'} left out ({why}): {names}" for why, n, names in counted if n
        )
        return (*sentences, *self.said)


def is_film(path: Path) -> bool:
    """Whether a file is a film by its content, or claims to be one by its name."""
    return not why_not(path)


def why_not(path: Path) -> str:
    """Why a file is not a film ("a text file"), or ""."""
    if os.path.splitext(path.name)[1].lower() in CLAIMING:
        return ""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        return f"not readable ({error.strerror})"
    if not head:
        return "empty"
    return "" if _is_picture(head) or _is_dicom(head) else describe(head)


def walk(root: Path, left_out: LeftOut, deep: bool = True) -> Iterator[Path]:
    """The films below a folder by name, linked folders too (each once); what is none is counted.

    Args:
        deep: those in folders below it as well; folders of masks never.
    """
    for folder, names in _folders(root, left_out if deep else None):
        for name in names:
            path = folder / name
            badly_named = NOT_UTF8 if not is_utf8(name) else ""
            reason = "hidden" if _LITTER.match(name) else badly_named or why_not(path)
            if reason:
                left_out.add(reason, shown(path.relative_to(root).as_posix()))
            else:
                yield path
        if not deep:
            return


def films_in(folder: Path, left_out: LeftOut) -> list[Path]:
    """The films that lie directly in a folder, by name."""
    return list(walk(folder, left_out, deep=False)) if folder.is_dir() else []


def folders_in(path: Path, left_out: LeftOut | None = None) -> list[Path]:
    """The folders that lie directly in one, by name; hidden ones and those whose names are not UTF-8 left out.

    Args:
        left_out: is told of the latter.
    """
    if not path.is_dir():
        return []
    found = sorted(p for p in path.iterdir() if not _LITTER.match(p.name) and p.is_dir())
    for folder in found:
        if left_out is not None and not is_utf8(folder.name):
            left_out.add(NOT_UTF8, shown(folder.name), sum(len(files) for _, _, files in os.walk(folder)))
    return [folder for folder in found if is_utf8(folder.name)]


def is_utf8(name: str) -> bool:
    """Whether a name can be written down: Python stands in lone surrogates for bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str | Path) -> str:
    r"""A name for people, with ``\xe9`` in place of bytes that are not UTF-8."""
    return os.fsencode(name).decode(errors="backslashreplace")


def has_films(folder: Path, deep: bool = False) -> bool:
    """Whether a folder holds a film; stops at the first."""
    return any(True for _ in walk(folder, LeftOut(), deep))


def holds_masks(folder: Path) -> bool:
    """Whether a folder is one of masks, by its name."""
    return _MASKS.fullmatch(folder.name) is not None


def existing(*paths: Path) -> str:
    """The first of these that is a file, as text, else ""."""
    return next((str(path) for path in paths if path.is_file()), "")


def in_order(labels: Iterable[str], first: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that occur, known ones in their usual order, then the others by name."""
    found = set(labels)
    return (*(c for c in first if c in found), *sorted(found - set(first)))


def _folders(root: Path, left_out: LeftOut | None) -> Iterator[tuple[Path, list[str]]]:
    """Each folder with the names of its files; each is entered once, and none that lies above the root, by no link."""
    entered: set[str] = set()
    above = os.path.realpath(root)

    def unreadable(error: OSError) -> None:
        if left_out is not None:
            folder = os.path.relpath(error.filename or root, root)
            left_out.add(f"in a folder that cannot be read: {error.strerror}", shown(folder))

    for place, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        real = os.path.realpath(place)
        # A link to a folder above leads to the films of other classes, too.
        if real in entered or (real != above and os.path.commonpath((real, above)) == real):
            folders.clear()
            continue
        entered.add(real)
        here = Path(place)
        for folder in list(folders):
            if _LITTER.match(folder) or holds_masks(here / folder) or not is_utf8(folder):
                folders.remove(folder)
                if left_out is not None:
                    inside = sum(len(files) for _, _, files in os.walk(here / folder))
                    reason = "hidden" if _LITTER.match(folder) else "masks" if is_utf8(folder) else NOT_UTF8
                    left_out.add(reason, shown((here / folder).relative_to(root).as_posix()), inside)
        folders.sort()
        yield here, sorted(n for n in names if not os.path.isdir(os.path.join(place, n)))


def _is_picture(head: bytes) -> bool:
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _is_dicom(head: bytes) -> bool:
    """The mark after the preamble, or, in files without one, a first element of group 0002 or 0008."""
    return head[128:132] == b"DICM" or (head[:2] in (b"\x02\0", b"\x08\0") and head[3:4] == b"\0")
