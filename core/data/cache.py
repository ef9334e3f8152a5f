"""Where Hilum keeps what it can always make again: hashes, decoded films, drawn phantoms."""

import os
import sys
from pathlib import Path


def cache_dir() -> Path:
    """The cache folder, made if missing: ``HILUM_CACHE``, else the platform's place for caches."""
    chosen = os.environ.get("HILUM_CACHE")
    folder = Path(chosen).expanduser() if chosen else _platform_cache() / "hilum"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _platform_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
