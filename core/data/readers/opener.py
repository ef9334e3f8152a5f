"""Open any cohort: a folder, a table, or the drawn one; the layout is recognised, or said."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.data.cohort import Cohort
from core.data.readers.files import is_utf8, shown
from core.data.readers.layouts import LAYOUTS
from core.errors import CohortError, HilumError

AS = "::"  # between a path and the layout that it is to be read as: "/srv/films::folders"
_KNOWN = "a folder of class folders, a CSV or Parquet with the columns path and label, or a known public collection"
_LONGEST = 160  # characters of a path that an error shows


def data_root() -> Path:
    """Folder of the real films: ``HILUM_DATA``, else ``../shared/data`` beside the repository. It need not exist."""
    return Path(os.environ.get("HILUM_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


def open_cohort(path: str | Path, layout: str | None = None) -> Cohort:
    """Open the cohort at ``path``: a folder, a CSV or Parquet file, or "phantom", "phantom:fair", "phantom:confounded",
    "phantom:new-hospital" for drawn films; "phantom:wire:0.9" for those with one of the twelve planted shortcuts, which
    follows the class on nine films of ten.

    Args:
        path: may itself name the layout behind two colons, ``/srv/films::folders``.
        layout: a key of ``LAYOUTS`` that overrules what would be recognised; the film's provenance is claimed then.

    Raises:
        CohortError: nothing there, or no layout fits; the message says what would.
    """
    if is_drawn(path):
        from core.data.phantom import cohort

        kind, _, strength = str(path).partition(":")[2].partition(":")
        try:
            share = float(strength or 1)
        except ValueError as error:
            raise CohortError(f"{strength} came as the strength of a shortcut", "a number from 0 to 1") from error
        return cohort.cohort(kind or "fair", strength=share)  # type: ignore[arg-type]  # refuses unknown kinds
    given, named = split_layout(str(path))
    layout, path = layout or named, _there(given)
    if layout is not None:
        if layout not in LAYOUTS:
            raise CohortError(f'There is no layout "{layout}"', ", ".join(LAYOUTS))
        return _read(path, layout, "the layout was named")
    name, grounds = _recognised(path)
    if name is None:
        inside = cohorts_below(path)
        if len(inside) == 1:  # archives often hold the folder in a folder
            return open_cohort(inside[0])
        raise _no_cohort(path, inside)
    return _read(path, name, f"recognised by {grounds}")


def split_layout(spec: str) -> tuple[str, str | None]:
    """A path and the layout named behind it, None where none is; a path that is there as it stands names none."""
    path, sign, name = spec.rpartition(AS)
    if not sign or name not in LAYOUTS or _is_there(spec):
        return spec, None
    return path, name


def _there(path: str | Path) -> Path:
    """The path with its home folder, which exists; CohortError otherwise."""
    told = shown(path)
    told = told if len(told) <= _LONGEST else f"{told[: _LONGEST // 2]} … {told[-_LONGEST // 2 :]}"
    try:
        found = Path(path).expanduser()
        there = found.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a user that does not exist, a NUL
        why = getattr(error, "strerror", None) or str(error)
        raise CohortError(f'"{told}" is not a path that can be opened ({why})', _KNOWN, "Check the path") from error
    if not there:
        raise CohortError(f'There is no "{told}"', _KNOWN, "Check the path")
    if not is_utf8(str(found)):
        came = f'the path "{told}" has a name that is not UTF-8'
        raise CohortError(came, "names in UTF-8", "Rename it, for example by convmv")
    return found


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long, a NUL
        return False


def open_cohorts(paths: Sequence[str | Path], layout: str | None = None) -> list[Cohort]:
    """Open each path, and in place of a folder that holds several cohorts each of these.

    Raises:
        CohortError: as `open_cohort`.
    """
    found: list[str | Path] = []
    for path in paths:
        folder = Path(path)
        below = cohorts_below(folder) if folder.is_dir() and not layout and layout_of(folder) is None else []
        found += below or [path]
    return [open_cohort(path, layout) for path in found]


def renamed(cohorts: Sequence[Cohort], names: Mapping[str, str]) -> list[Cohort]:
    """The cohorts with some labels under other names.

    Raises:
        CohortError: a label occurs in none of them.
    """
    there = list(dict.fromkeys(label for cohort in cohorts for label in cohort.classes))
    if absent := [label for label in names if label not in there]:
        came = f"no film is labelled {', '.join(absent)}"
        raise CohortError(came, f"some of the labels {', '.join(there)}", "Give --labels as the cohort spells them")
    return [cohort.renamed(names) for cohort in cohorts]


def is_drawn(spec: str | Path) -> bool:
    """Whether this names a drawn cohort ("phantom:fair") and no path; a drive letter (``C:\\films``) is not a kind."""
    return str(spec).partition(":")[0] == "phantom" and not Path(spec).exists()


def layout_of(path: Path) -> str | None:
    """The first layout that recognises a folder or file, or None."""
    return _recognised(path)[0]


def cohorts_below(folder: Path) -> list[Path]:
    """The cohorts that are direct children of a folder, by name."""
    children = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return [child for child in children if child.is_dir() and layout_of(child)]


def _recognised(path: Path) -> tuple[str | None, str]:
    for name, layout in LAYOUTS.items():
        try:
            grounds = layout.grounds(path)
        except OSError as error:  # a folder that may not be entered
            raise CohortError(f'"{path.name}" cannot be read: {error.strerror}', _KNOWN, "Check its rights") from error
        if grounds:
            return name, grounds
    return None, ""


def _read(path: Path, name: str, grounds: str) -> Cohort:
    try:
        cohort = LAYOUTS[name].read(path)
    except HilumError:
        raise
    except Exception as error:  # a table with other columns than its collection's, a file that may not be read
        came = f'"{path.name}" cannot be read as {LAYOUTS[name].title} ({type(error).__name__}: {error})'
        raise CohortError(came, _KNOWN, f"Name another layout with --layout: {', '.join(LAYOUTS)}") from error
    return replace(cohort, grounds=grounds)


def _no_cohort(path: Path, inside: Sequence[Path]) -> CohortError:
    tables = sorted(p.name for p in path.iterdir() if LAYOUTS["table"].grounds(p)) if path.is_dir() else []
    if inside:
        remedy = f"Open one of its cohorts: {', '.join(p.name for p in inside[:6])}"
    elif tables:
        remedy = f"Open its table ({', '.join(tables[:3])}), or put the films of each class in a folder of its name"
    else:
        remedy = "Put the films of each class in a folder of its name"
    return CohortError(f'"{path.name}" is not a cohort', _KNOWN, remedy)
