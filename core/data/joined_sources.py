"""How the films of joined cohorts come about: each by the cohort that knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import HilumError


@dataclass(frozen=True)
class Fetches:
    """Gives a film's bytes by whichever cohort knows it."""

    parts: tuple[Callable[[str], bytes | None], ...]

    def __call__(self, path: str) -> bytes | None:
        return next((data for part in self.parts if (data := part(path)) is not None), None)


@dataclass(frozen=True)
class Prepares:
    """Makes a missing file by whichever cohort knows how; a value, so that processes can share it."""

    parts: tuple[Callable[[Path], None], ...]

    def __call__(self, path: Path) -> None:
        for part in self.parts:
            try:
                part(path)
            except HilumError:  # a file of another cohort
                continue
            if path.is_file():
                return
