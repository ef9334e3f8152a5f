"""A folder of films and nothing else: no label is known. Never recognised by itself, only where it is asked for."""

from pathlib import Path

from core.data.cohort import Cohort
from core.data.patients import patient_of
from core.data.readers.files import LeftOut, has_films, walk
from core.data.table import samples
from core.errors import CohortError

NO_LABEL = "no label"  # the one class of such a cohort


def recognise(root: Path) -> str:
    """Nothing: most folders with pictures in them are no cohort, so somebody has to say that this one is."""
    del root
    return ""


def holds_films(path: str) -> bool:
    """Whether films lie in this folder or below, so that it can be opened without labels; stops at the first."""
    try:
        return Path(path).expanduser().is_dir() and has_films(Path(path).expanduser(), deep=True)
    except (OSError, RuntimeError, ValueError):
        return False


def read(root: Path) -> Cohort:
    """One row per film at any depth."""
    left_out = LeftOut()
    rows = [{"path": film, "label": NO_LABEL, "patient": patient_of(film.name)} for film in walk(root, left_out)]
    if not rows:
        raise CohortError(f'"{root.name}" holds no film', "a folder with films in it, at any depth", "Check the path")
    table, notes = samples(rows, root)
    return Cohort(root.name, table, (NO_LABEL,), (*left_out.notes(), *notes), layout="films")
