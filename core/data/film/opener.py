"""A file or bytes become one grey film, or an error that says why not.

The content decides, never the extension. Sizes are read from the header and limited before a pixel is decoded. Of what
a file says about its patient only view, sex and age are kept, and of its path only the base name.
"""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

from core.data.film import picture
from core.data.film.limits import EXPECTED, MAX_BYTES, Room, unlimited
from core.data.film.radiograph import Radiograph
from core.data.film.values import Values
from core.errors import FilmError


def read(source: str | Path | bytes | BinaryIO, name: str | None = None, room: Room = unlimited) -> Radiograph:
    """Read one film from a path, bytes or an open binary file.

    Args:
        source: the film. An open file is read from where it stands.
        name: what to call it; by default the file's own name. Folders are cut off.
        room: is told how many bytes the film will take, before a pixel is decoded, and may raise to refuse it.

    Raises:
        FilmError: it is not one readable film; the message says what came, what was expected and what to do.
    """
    data, name, digest = _opened(source, name)
    if _is_dicom(data):
        from core.data.film.dicom import reader  # pydicom takes its time to import

        return reader.read(data, name, digest, room)
    return picture.read(data, name, digest, room)


def read_with_values(
    source: str | Path | bytes | BinaryIO, name: str | None = None, room: Room = unlimited
) -> tuple[Radiograph, Values]:
    """The same film, and its values before they were windowed, with all their bits."""
    data, name, digest = _opened(source, name)
    if _is_dicom(data):
        from core.data.film.dicom import reader

        return reader.read_with_values(data, name, digest, room)
    film = picture.read(data, name, digest, room)
    return film, picture.values(data, film)


def _opened(source: str | Path | bytes | BinaryIO, name: str | None) -> tuple[bytes, str, str]:
    """The bytes of a film, what it is called, and the SHA-256 of its bytes."""
    given = name or (str(source) if isinstance(source, str | Path) else getattr(source, "name", None))
    name = re.split(r"[/\\]", str(given or "film"))[-1]
    data = _load(source, name)
    if not data:
        raise FilmError(f'"{name}" is empty', EXPECTED, "Copy or download the file again")
    return data, name, hashlib.sha256(data).hexdigest()


def _load(source: str | Path | bytes | BinaryIO, name: str) -> bytes:
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            came = f'"{name}" is a folder' if path.is_dir() else f'There is no file "{name}"'
            raise FilmError(came, EXPECTED, "Check the path")
        _check_bytes(path.stat().st_size, name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise FilmError(
                f'"{name}" cannot be read: {error.strerror}', EXPECTED, "Check the file's rights"
            ) from error
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else source.read(MAX_BYTES + 1)
    _check_bytes(len(data), name)
    return data


def _check_bytes(size: int, name: str) -> None:
    if size > MAX_BYTES:
        limit = f"at most {MAX_BYTES // 1_000_000} MB"
        raise FilmError(f'"{name}" has more than {limit[8:]}', limit, "Save the film smaller and try again")


def _is_dicom(data: bytes) -> bool:
    """The mark after the preamble, or, in old files without one, a first element of group 0002 or 0008."""
    return data[128:132] == b"DICM" or (data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00")
