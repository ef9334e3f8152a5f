"""What a layout is: how a folder is recognised as one, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.data.cohort import Cohort


@dataclass(frozen=True)
class Layout:
    """One way in which cohorts lie on disk."""

    name: str
    """As on the command line: "radiography"."""
    title: str
    """For people."""
    grounds: Callable[[Path], str]
    """By what a folder or file is recognised, in words that follow "recognised by"; "" where it is not."""
    read: Callable[[Path], Cohort]
    """Raises CohortError."""
