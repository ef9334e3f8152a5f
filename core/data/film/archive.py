"""The films of a zip file, read in memory: bounded in number and size before anything is unpacked."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath

from core.data.film.limits import MAX_BYTES
from core.errors import FilmError

MOST_FILES, MOST_BYTES = 500, 1_000_000_000  # in one zip, unpacked
_NO_FILM = ("__MACOSX",)


def is_zip(data: bytes) -> bool:
    """Whether bytes begin as a zip does; no film does so."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def members(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Each file of a zip with its base name; folders, hidden files and what macOS adds are left out.

    Raises:
        FilmError: it is no zip, encrypted, too large, or holds too many files; nothing is unpacked then.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            found = [one for one in archive.infolist() if _is_wanted(one)]
            _check(found, name)
            for one in found:
                with archive.open(one) as file:
                    content = file.read(MAX_BYTES + 1)  # what the directory says of its size may be a lie
                if len(content) > min(MAX_BYTES, one.file_size):
                    raise FilmError(f'"{one.filename}" in "{name}" is larger than it says', "an honest zip")
                yield PurePosixPath(one.filename).name, content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise FilmError(f'"{name}" cannot be unpacked ({error})', "a zip of films", "Make the zip again") from error


def _is_wanted(one: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(one.filename).parts
    return not one.is_dir() and not any(part.startswith(".") or part in _NO_FILM for part in parts)


def _check(found: list[zipfile.ZipInfo], name: str) -> None:
    if not found:
        raise FilmError(f'"{name}" holds no file', "a zip of films")
    if len(found) > MOST_FILES:
        raise FilmError(f'"{name}" holds {len(found):,} files', f"at most {MOST_FILES}", "Open the folder as a cohort")
    size = sum(one.file_size for one in found)
    if size > MOST_BYTES:
        came = f'"{name}" unpacks to {size / 1e6:,.0f} MB'
        raise FilmError(came, f"at most {MOST_BYTES / 1e6:,.0f} MB", "Open the folder as a cohort")
