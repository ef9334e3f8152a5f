"""Files that are whole or not there: written beside their place under a name of their own, then put there at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of ``path`` at the end, or vanishes on an error.

    No two writers share it, be they threads or processes: the last to finish wins, with a whole file.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        yield temporary
        temporary.chmod(0o644)  # safetensors would leave it to its owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Text as UTF-8, or bytes, as they are, in place of what the file held; all or nothing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
