"""Where the films of joined cohorts come from: each is fetched or drawn by the cohort that knows it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fetches:
    """Gives a film's bytes by whichever cohort knows it."""

    parts: tuple[Callable[[str], bytes | None], ...]

    def __call__(self, path: str) -> bytes | None:
        return next((data for part in self.parts if (data := part(path)) is not None), None)


@dataclass(frozen=True)
class Maker:
    """Makes the files of a cohort that are missing or damaged; of module-level functions, so that processes share it.

    Args:
        make: makes the file at a path, unless it is there and whole.
        makes: whether a path is one of its files. What is in them follows from the path; all others are somebody's.
    """

    make: Callable[[Path], None]
    makes: Callable[[str | Path], bool]

    def __call__(self, path: Path) -> None:
        if self.makes(path):
            self.make(path)


@dataclass(frozen=True)
class Makers:
    """Those of joined cohorts."""

    parts: tuple["Maker | Makers", ...]

    def makes(self, path: str | Path) -> bool:
        """Whether one of them makes this file."""
        return any(part.makes(path) for part in self.parts)

    def __call__(self, path: Path) -> None:
        for part in self.parts:
            part(path)
