"""Which files are meant: by name, folder, table or pattern."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.data.readers import open_cohort
from core.data.readers.files import LeftOut, walk
from core.data.spreadsheet import SUFFIXES
from core.errors import FilmError


def find_files(patterns: Sequence[str], left_out: LeftOut | None = None) -> list[str]:
    """The paths of files by name, folder, table or pattern with `*`, `?` and `**`; each once.

    As text: a million `Path` would take six times the memory.

    In a folder the content decides what a film is, as it does in a cohort; a table (CSV, Parquet) gives its films.

    Args:
        left_out: is told what a folder or table holds besides films.

    Raises:
        FilmError: a pattern fits no film.
        CohortError: a table that cannot be read as one.
    """
    left_out = LeftOut() if left_out is None else left_out
    found: dict[str, None] = {}
    for pattern in patterns:
        none = True
        for film in _meant(pattern, left_out):
            found[str(film)], none = None, False
        if none:
            expected = "a file, a folder of films, or a pattern like films/*.png"
            raise FilmError(f"there is no film at {pattern}", expected, " ".join(left_out.notes()))
    return list(found)


def _meant(pattern: str, left_out: LeftOut) -> Iterable[Path]:
    path = Path(pattern)
    if path.is_dir():
        return walk(path, left_out)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        cohort = open_cohort(path)
        for note in cohort.notes:
            left_out.say(note)
        return map(Path, cohort.samples["path"])
    if path.exists():
        return [path]
    return (film for film in sorted(map(Path, glob.glob(pattern, recursive=True))) if film.is_file())
