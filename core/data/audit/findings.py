"""What an audit says, and what its tests look at."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.copies.verify import COPY
from core.data.film_id import FILM_ID
from core.data.signatures import Signatures


@dataclass(frozen=True)
class Finding:
    """The outcome of one test.

    Args:
        key: short name for programs.
        title: for people.
        passed: None if the test could not be run.
        sentence: what was found.
        films: their ``film_id``, those that matter most first.
        figures: name -> value, for programs.
    """

    key: str
    title: str
    passed: bool | None
    sentence: str
    films: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """All findings on one cohort, or on what several share."""

    name: str
    films: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True if no test failed."""
        return all(finding.passed is not False for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, eq=False)
class Listed:
    """What a test can look at before any film is read.

    Args:
        cohort: the films.
        groups: int (N,), equal for films of one patient or, as far as pictures were compared, of one picture.
    """

    cohort: Cohort
    groups: np.ndarray

    def column(self, name: str) -> pd.Series:
        """One column of the samples."""
        return self.cohort.samples[name]

    def names(self, positions: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        """The identities of the films at these positions, each once."""
        return tuple(dict.fromkeys(self.column(FILM_ID).iloc[np.asarray(positions, dtype=np.int64)]))


@dataclass(frozen=True, eq=False)
class Viewed(Listed):
    """What a test can look at once every film was read.

    Args:
        signatures: of each film.
    """

    signatures: Signatures


@dataclass(frozen=True, eq=False)
class Case(Viewed):
    """What a test can look at once films were compared with each other.

    Args:
        pairs: of films that show one picture, as of `find_copies`.
        lungs: bool (N, 32, 32), where lung was found in each film; None where it was not looked for.
    """

    pairs: pd.DataFrame
    lungs: np.ndarray | None = None

    @property
    def copies(self) -> pd.DataFrame:
        """The pairs that are one picture beyond doubt."""
        return self.pairs[self.pairs["level"] == COPY]


def count_films(n: int) -> str:
    """How many films, in words."""
    return f"{n:,} film" if n == 1 else f"{n:,} films"


def some(names: Sequence[str]) -> str:
    """The first three names."""
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
