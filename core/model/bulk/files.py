"""Which files are meant: by name, folder, table or pattern."""

import glob
from collections.abc import Sequence
from pathlib import Path

from core.data.readers import open_cohort
from core.data.readers.files import LeftOut, walk
from core.data.spreadsheet import SUFFIXES
from core.errors import FilmError


def find_files(patterns: Sequence[str], left_out: LeftOut | None = None) -> list[Path]:
    """Files by name, folder, table or pattern with `*`, `?` and `**`; each once.

    In a folder the content decides what a film is, as it does in a cohort; a table (CSV, Parquet) gives its films.

    Args:
        left_out: is told what a folder or table holds besides films.

    Raises:
        FilmError: a pattern fits no film.
        CohortError: a table that cannot be read as one.
    """
    left_out = LeftOut() if left_out is None else left_out
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            files = list(walk(path, left_out))
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            cohort = open_cohort(path)
            files = [Path(p) for p in cohort.samples["path"]]
            for note in cohort.notes:
                left_out.say(note)
        elif path.exists():
            files = [path]
        else:
            files = sorted(p for p in map(Path, glob.glob(pattern, recursive=True)) if p.is_file())
        if not files:
            expected = "a file, a folder of films, or a pattern like films/*.png"
            raise FilmError(f"there is no film at {pattern}", expected, " ".join(left_out.notes()))
        found.update(dict.fromkeys(files))
    return list(found)
