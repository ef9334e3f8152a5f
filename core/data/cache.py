"""Where Hilum keeps what it can always make again: hashes, decoded films, drawn phantoms."""

import atexit
import logging
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from core.errors import CohortError


def cache_dir() -> Path:
    """The cache folder, made if missing: ``HILUM_CACHE``, else the platform's place for caches.

    It holds thumbnails of patients, so it is its owner's alone; a folder that was there under ``HILUM_CACHE`` stays as
    it is, for others may use it as well. Where it cannot be written to, a folder of this process stands in, which goes
    with it (`trouble` says so).

    Raises:
        CohortError: no temporary folder can be made either.
    """
    folder = _usual()[0]
    return _stand_in() if folder is None else folder


def trouble() -> str:
    """Why nothing is kept between runs, in a sentence; "" where all is well."""
    return _usual()[1]


def _usual() -> tuple[Path | None, str]:
    """The folder, or None and why it cannot be used."""
    try:
        chosen = os.environ.get("HILUM_CACHE")
        folder = Path(chosen).expanduser() if chosen else _platform_cache() / "hilum"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        elif not chosen and stat.S_IMODE(folder.stat().st_mode) & 0o077:
            with suppress(OSError):  # somebody else's
                folder.chmod(0o700)
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home
        why = getattr(error, "strerror", None) or str(error)
        return None, f"The cache folder cannot be made ({why}): nothing is kept between runs. Set HILUM_CACHE."
    if os.access(folder, os.W_OK | os.X_OK):
        return folder, ""
    return None, "The cache folder cannot be written to: nothing is kept between runs. Set HILUM_CACHE to another."


@cache
def _stand_in() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="hilum-"))  # of mode 700
    except OSError as error:
        came = f"neither the cache nor a temporary folder can be written to ({error.strerror})"
        raise CohortError(came, "a folder with room to write in", "Set HILUM_CACHE or TMPDIR to one") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    logging.getLogger("hilum").warning(trouble())
    return folder


def _platform_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
