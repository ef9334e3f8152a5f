"""A zip from anybody, unpacked for a moment: bounded, without folders, so that no name leads elsewhere."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CheckpointError

MAX_FILES, MAX_BYTES = 1000, 4 * 2**30
_CHUNK = 1 << 20


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with the files of a zip, all side by side; gone afterwards.

    Raises:
        CheckpointError: it is no zip, or would unpack to too much.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as packed:
                files = [info for info in packed.infolist() if not info.is_dir()]
                if len(files) > MAX_FILES or sum(info.file_size for info in files) > MAX_BYTES:
                    raise CheckpointError(
                        f"{path.name} would unpack to too much", f"{MAX_FILES} files, {MAX_BYTES:,} bytes"
                    )
                for info in files:
                    _unpack(packed, info, Path(folder))
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise CheckpointError(f"{path.name} is no zip that can be read ({error})") from error
        yield Path(folder)


def _unpack(packed: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    """No more bytes than the zip says: what it says was counted."""
    name = Path(info.filename.replace("\\", "/")).name
    if not name or (folder / name).exists():
        return
    left = info.file_size
    with packed.open(info) as source, (folder / name).open("wb") as target:
        while left and (chunk := source.read(min(_CHUNK, left))):
            target.write(chunk)
            left -= len(chunk)
