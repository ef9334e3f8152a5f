"""Open any cohort: a folder, a table, or the drawn one; the layout is recognised by itself.

The public collections are in `layouts`; here are the folder of class folders, a CSV or Parquet of one's own, and the
table of all layouts with what each is recognised by.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from core.data.cohort import Cohort
from core.data.readers import layouts, nih, siim
from core.data.readers.layouts import FILMS, films_in, patient_of, table, without_missing
from core.errors import CohortError

_SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_TABLES = (".csv", ".parquet")
_KNOWN = "a folder of class folders, a CSV or Parquet with the columns path and label, or a known public collection"


def data_root() -> Path:
    """Folder of the real films: ``HILUM_DATA``, else ``../shared/data`` beside the repository. It need not exist."""
    return Path(os.environ.get("HILUM_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")


def open_cohort(path: str | Path) -> Cohort:
    """Open the cohort at ``path``: a folder, a CSV or Parquet file, or "phantom", "phantom:fair", "phantom:confounded",
    "phantom:new-hospital" for drawn films.

    Raises:
        CohortError: nothing there, or no layout fits; the message says what would.
    """
    if is_drawn(path):
        from core.data.phantom import cohort

        return cohort.cohort(str(path).partition(":")[2] or "fair")  # type: ignore[arg-type]  # it refuses an unknown kind
    path = Path(path).expanduser()
    if not path.exists():
        raise CohortError(f'There is no "{path}"', _KNOWN, "Check the path")
    layout = layout_of(path)
    if layout is None:
        inside = cohorts_below(path)
        if len(inside) == 1:  # archives often hold the folder in a folder
            return open_cohort(inside[0])
        named = ", ".join(p.name for p in inside[:6])
        remedy = (
            f"Open one of its cohorts: {named}" if inside else "Put the films of each class in a folder of its name"
        )
        raise CohortError(f'"{path.name}" is not a cohort', _KNOWN, remedy)
    return LAYOUTS[layout][1](path)


def is_drawn(spec: str | Path) -> bool:
    """Whether this names a drawn cohort ("phantom:fair") and no path; a drive's letter (``C:\\films``) is no kind."""
    return str(spec).partition(":")[0] == "phantom" and not Path(spec).exists()


def open_cohorts(paths: Sequence[str | Path]) -> list[Cohort]:
    """Open each path, and in place of a folder that holds several cohorts each of these.

    Raises:
        CohortError: as `open_cohort`.
    """
    found: list[str | Path] = []
    for path in paths:
        folder = Path(path)
        below = cohorts_below(folder) if folder.is_dir() and layout_of(folder) is None else []
        found += below or [path]
    return [open_cohort(path) for path in found]


def layout_of(path: Path) -> str | None:
    """The first layout that recognises a folder or file, or None."""
    return next((name for name, (recognises, _) in LAYOUTS.items() if recognises(path)), None)


def cohorts_below(folder: Path) -> list[Path]:
    """The cohorts that are direct children of a folder, by name."""
    children = sorted(p for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return [child for child in children if child.is_dir() and layout_of(child)]


def read_folders(root: Path) -> Cohort:
    """A folder of class folders, with or without train, val and test above them."""
    splits = {child: _SPLIT_NAMES[child.name.lower()] for child in _folders(root) if child.name.lower() in _SPLIT_NAMES}
    rows: list[dict] = [
        {"path": film, "label": folder.name, "split": split, "patient": patient_of(film.name)}
        for parent, split in (splits or {root: ""}).items()
        for folder in _folders(parent)
        for film in films_in(folder)
    ]
    return Cohort(root.name, table(rows), tuple(sorted({row["label"] for row in rows})), layout="folders")


def read_table(path: Path) -> Cohort:
    """A CSV or Parquet of one's own: columns path (absolute, or from the table's folder), label, and any others."""
    try:
        data = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path, dtype={"patient": str})
    except Exception as error:
        raise CohortError(f'"{path.name}" is not a readable table', "a CSV or Parquet file", "Save it again") from error
    missing = [column for column in ("path", "label") if column not in data]
    if missing:
        came = f'"{path.name}" has no column {" and no ".join(missing)}, only {", ".join(map(str, data.columns[:8]))}'
        raise CohortError(came, "the columns path and label", "Rename the columns")
    for column in {"path", "lungs", "truth"} & set(data):
        data[column] = [str(path.parent / str(p).replace("\\", "/")) if p and p == p else "" for p in data[column]]
    if "split" in data:
        data["split"] = [_split_name(value, path.name) for value in data["split"].fillna("")]
    unlabelled = data["label"].isna() | data["label"].eq("")
    rows, notes = without_missing(data[~unlabelled].to_dict("records"))
    if unlabelled.any():
        notes = (*notes, f"{int(unlabelled.sum())} rows without a label left out")
    samples = table(rows)
    return Cohort(path.stem, samples, tuple(sorted(set(samples["label"]))), notes)


def _split_name(value: object, name: str) -> str:
    text = str(value).strip().lower()
    if text and text not in _SPLIT_NAMES:
        raise CohortError(f'"{name}" names the split "{value}"', "train, validation, test or nothing", "Rename it")
    return _SPLIT_NAMES.get(text, "")


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _has_films(folder: Path) -> bool:
    return any(p.suffix.lower() in FILMS for p in folder.iterdir())


def _is_tuberculosis(path: Path) -> bool:
    return any(any(path.glob(f"images/{prefix}CXR_*_[01].*")) for prefix in ("CHN", "MCU"))


def _is_radiography(path: Path) -> bool:
    return any((path / name / "images").is_dir() for name in layouts.RADIOGRAPHY_FOLDERS)


def _is_folders(path: Path) -> bool:
    """At least two class folders with films, directly or below train, val or test."""
    if not path.is_dir():
        return False
    parents = [p for p in _folders(path) if p.name.lower() in _SPLIT_NAMES] or [path]
    return any(sum(_has_films(folder) for folder in _folders(parent)) > 1 for parent in parents)


Recognise = Callable[[Path], bool]
Read = Callable[[Path], Cohort]
LAYOUTS: dict[str, tuple[Recognise, Read]] = {
    "table": (lambda path: path.is_file() and path.suffix.lower() in _TABLES, read_table),
    "siim": (siim.recognises, siim.read_siim),
    "nih": (nih.recognises, nih.read_nih),
    "coronahack": (lambda path: any(path.glob("*orona*etadata.csv")), layouts.read_coronahack),
    "covid-chestxray": (lambda path: (path / "metadata.csv").is_file(), layouts.read_covid_chestxray),
    "montgomery-shenzhen": (_is_tuberculosis, layouts.read_montgomery_shenzhen),
    "radiography": (_is_radiography, layouts.read_radiography),
    "folders": (_is_folders, read_folders),
}
