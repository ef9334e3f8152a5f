"""The one schema of a cohort's table: whatever a reader mapped is typed here, once, and what is wrong is said.

Labels, patients, sites and sexes are words, also where they look like numbers or like nothing ("None", "NA", "0"); only
an empty cell is empty. One film is one row.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data import findings
from core.data.cohort import COLUMNS
from core.data.film_id import FILM_ID, film_id_column, plain
from core.data.labels import look_alikes
from core.data.text_column import tidy, without_blanks
from core.errors import CohortError

FILES = ("path", "lungs", "truth")  # columns that name files
NUMBERS = ("age", "severity")
OLDEST = 120  # years; a higher number is not an age
MANY = 20_000  # rows of a table up to which every file is looked at when it is opened
_LOOKED_AT = 500  # files of a longer one
_NAMED = 10  # files that a note names
_YEARS = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_AGE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([YMWD]?)(?:EARS?|RS?|O)?", re.IGNORECASE)
_NO_AGE = ("nan", "na", "n/a", "none", "null", "-", "unknown")
_SEXES = {"M": "M", "MALE": "M", "MAN": "M", "F": "F", "FEMALE": "F", "WOMAN": "F", "W": "F"}
_BOX = re.compile(r"-?\d+(?:\.\d+)?(?:,-?\d+(?:\.\d+)?){3}")
_FEW = 20  # different whole numbers of a column are names (of wards, scanners), more are measurements


def samples(
    rows: Sequence[dict[str, Any]] | pd.DataFrame, root: Path | None = None, typed: bool = False
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Mapped rows as a cohort's samples, and notes on what was left out or not understood.

    Args:
        rows: at least ``path`` and ``label``; any further columns. Of one film there may be several rows (one per box):
            they become one where they agree; a row that gives its film another label is refused by name.
        root: folder of the cohort, below which films are named; by default their common folder.
        typed: cells are `words` already, and files `absolute`: a million are not looked at twice.

    Returns:
        the table: all of ``COLUMNS`` and ``film_id``, text but for age (years), findings and columns of measurements,
        unknown text "", absolute paths; further columns that say nothing are dropped.

    Raises:
        CohortError: there is no film.
    """
    data = pd.DataFrame(rows)
    if not len(data):
        raise CohortError("the folder holds no film", "films as PNG, JPEG, TIFF, BMP, WebP or DICOM", "Check the path")
    notes: list[str] = []
    if not typed:
        for column in data:
            data[column] = words(data[column])
    for column in COLUMNS:
        if column not in data:
            data[column] = ""
    for column in FILES:
        if column in data and not typed:
            data[column] = absolute(data[column])
    spelled = look_alikes({str(label): n for label, n in data["label"].value_counts().items()})
    data["label"] = of_each(data["label"], spelled.__getitem__)
    data["sex"] = of_each(data["sex"], lambda word: _SEXES.get(word.upper(), word))
    if "boxes" in data:
        data["boxes"] = _boxes(data, notes)
    data = _without_missing_masks(_one_row_per_film(data, notes), notes)
    data["age"] = _ages(data, notes)
    data[FILM_ID] = film_id_column(data["path"], root)
    told = [findings.column(name) for name in findings.names(data)]
    data = findings.typed(data, notes)
    others = [c for c in data if c not in (*COLUMNS, FILM_ID) and (data[c].notna() & data[c].ne("")).any()]
    for column in others:
        data[column] = _measurements(data[column]) if column not in (*FILES, "boxes", *told) else data[column]
    return data[[*COLUMNS, FILM_ID, *others]].reset_index(drop=True), tuple(notes)


def of_each(values: pd.Series, function: Callable[[str], Any]) -> pd.Series:
    """A function of each cell (text, none missing), asked once for each different text: a million films have a few."""
    places, different = pd.factorize(values)
    made = pd.Series([function(str(text)) for text in different], dtype=None if len(different) else object)
    return made.take(places).set_axis(values.index)


def absolute(files: pd.Series, folder: Path | None = None) -> pd.Series:
    """Paths as absolute ones, relative ones from a folder (the current one by default); "" stays.

    Those that are absolute and plain already cost nothing, nor does a table that names all of them from its folder.
    """
    asked = files.ne("") & ~plain(files)
    if not asked.any():
        return files
    base = Path.cwd() if folder is None else folder.absolute()
    if (
        os.sep == "/"
        and asked.all()
        and tidy(files)
        and not (files.str.startswith(("/", ".")) | files.str.endswith("/")).any()
    ):
        return str(base).rstrip("/") + "/" + files
    found = files.copy()
    found[asked] = [str(base / file) for file in files[asked]]
    return found


def words(values: pd.Series) -> pd.Series:
    """Any column as text without blanks at its ends: 3.0 of a column of numbers is "3", nothing is ""."""
    if isinstance(values.dtype, pd.StringDtype):
        stripped = values if without_blanks(values) else values.str.strip()
        return stripped.fillna("") if stripped.hasnans else stripped
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return values.map(_word).astype(object)
    places, different = pd.factorize(values)
    said = ["", *(f"{int(v)}" if float(v).is_integer() else repr(float(v)) for v in different)]
    return pd.Series(said).take(places + 1).set_axis(values.index)


def years(text: str) -> float:
    """An age as tables and DICOM write it, in years: "44", "44,5", "058Y", "006M"; NaN where it is none."""
    found = _AGE.fullmatch(text.strip())
    if not found:
        return float("nan")
    value = float(found[1].replace(",", ".")) * _YEARS[found[2].upper()]
    return value if value <= OLDEST else float("nan")


def named(names: Iterable[str]) -> str:
    """The first ten names, and how many more there are."""
    every = list(names)
    return ", ".join(every[:_NAMED]) + (f" and {len(every) - _NAMED} more" if len(every) > _NAMED else "")


def without_missing(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The rows whose file is there, and a note that counts and names the others.

    Raises:
        CohortError: rows there are, but not one of their files.
    """
    there, notes = _there([str(row["path"]) for row in rows])
    return [row for row, found in zip(rows, there, strict=True) if found], notes


def without_missing_files(data: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The same of a table; of more than `MANY` rows only some are looked at, and none is left out.

    A film that turns out to be missing says so where it is met; `core data --check` looks at all of them.
    """
    if len(data) <= MANY:
        there, notes = _there(data["path"].tolist())
        return (data if all(there) else data[there]), notes
    looked_at = data["path"].iloc[np.linspace(0, len(data) - 1, _LOOKED_AT).astype(int)].tolist()
    missing = [Path(file).name for file in looked_at if not Path(file).is_file()]
    if len(missing) == len(looked_at):
        raise _none_there(f"{len(missing):,} of {len(data):,} rows were looked at, and each names", missing)
    if not missing:
        return data, ()
    came = f"{len(missing):,} of {len(looked_at):,} rows that were looked at name a file that is missing"
    return data, (f"{came}: {named(missing)}; python -m core data --check looks at all",)


def _there(paths: list[str]) -> tuple[list[bool], tuple[str, ...]]:
    """Which files are there, and a note on the others."""
    there = [Path(path).is_file() for path in paths]
    missing = [Path(path).name for path, found in zip(paths, there, strict=True) if not found]
    if not missing:
        return there, ()
    if len(missing) == len(paths):
        raise _none_there(f"all {len(paths)} rows name", missing)
    verb = "row names a file that is" if len(missing) == 1 else "rows name a file that is"
    return there, (f"{len(missing)} {verb} missing: {named(missing)}",)


def _none_there(rows: str, missing: list[str]) -> CohortError:
    came = f"no film is there: {rows} a file that is missing ({named(missing)})"
    return CohortError(came, "the films that the table names", "Check the paths, or move the table beside its films")


def _word(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _without_missing_masks(data: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    for column in ("lungs", "truth"):
        if column in data and len(data) <= MANY:  # of more, a mask that is missing is none where it is asked for
            gone = data[column].ne("") & ~data[column].map(lambda p: Path(p).is_file())
            if gone.any():
                files = named(dict.fromkeys(Path(p).name for p in data.loc[gone, column]))
                films = counted(int(gone.sum()), "film")
                notes.append(f"{films} shown without the {column} mask that is missing: {files}")
                data.loc[gone, column] = ""
    return data


def _boxes(data: pd.DataFrame, notes: list[str]) -> list[str]:
    """Boxes "x,y,w,h;..." without blanks and empty places; those that are none are left out and named."""
    wrong, kept = [], []
    for path, text in zip(data["path"], data["boxes"], strict=True):
        parts = [re.sub(r"\s+", "", part) for part in text.split(";")]
        good = [part for part in parts if _BOX.fullmatch(part)]
        wrong += [f'"{part}" of {Path(path).name}' for part in parts if part and part not in good]
        kept.append(";".join(good))
    if wrong:
        notes.append(f"{counted(len(wrong), 'box')} left out, not x,y,w,h: {named(wrong)}")
    return kept


def _one_row_per_film(data: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Rows of one film as one; those that name different masks of it stay, for they are different marks."""
    paths = data["path"].array
    if bool((paths[:-1] < paths[1:]).all()) or data["path"].is_unique:  # of a sorted table it is soon told
        return data
    key = [column for column in FILES if column in data]
    repeated = data[key].duplicated(keep=False)
    marked = data.drop_duplicates(key)["path"].duplicated(keep=False)
    if marked.any():
        files = named(dict.fromkeys(Path(p).name for p in data.drop_duplicates(key).loc[marked, "path"]))
        notes.append(f"{int(marked.sum()):,} rows name different masks of one film, and each counts: {files}")
    if not repeated.any():
        return data
    refused: list[str] = []
    apart: dict[str, list[str]] = {}
    merged = []
    for _, rows in data[repeated].groupby(key, sort=False):
        name = Path(rows["path"].iloc[0]).name
        agreeing = rows[rows["label"] == rows["label"].iloc[0]]
        if len(agreeing) < len(rows):
            others = ", ".join(dict.fromkeys(rows.loc[rows["label"] != rows["label"].iloc[0], "label"]))
            refused.append(f"{name} ({rows['label'].iloc[0]} first, then {others})")
        first = agreeing.iloc[0].copy()
        for column in data.columns.difference([*key, "label"]):
            said = list(dict.fromkeys(value for value in agreeing[column] if value))
            first[column] = ";".join(said) if column == "boxes" else (said or [""])[0]
            if len(said) > 1 and column in COLUMNS:
                apart.setdefault(column, []).append(name)
        merged.append(first)
    joined = int(repeated.sum()) - len(merged)
    notes.append(f"{counted(joined, 'repeated row')} of {counted(len(merged), 'film')} joined: a film counts once")
    if refused:
        notes.append(f"{counted(len(refused), 'film')} under two labels, of which the first counts: {named(refused)}")
    for column, names in apart.items():
        films = counted(len(names), "film")
        notes.append(f"{films} with several values of {column}, of which the first counts: {named(names)}")
    single = pd.concat([data[~repeated], pd.DataFrame(merged)])
    return single.sort_index(kind="stable")


def _ages(data: pd.DataFrame, notes: list[str]) -> pd.Series:
    found = of_each(data["age"], years).astype(float)
    doubtful = data.loc[found.isna() & data["age"].ne(""), "age"]
    strange = ~doubtful.str.lower().isin(_NO_AGE)
    if strange.any():
        said = named(f'"{word}"' for word in dict.fromkeys(doubtful[strange]))
        notes.append(f"{counted(int(strange.sum()), 'age')} not understood: {said}")
    return found


def _measurements(values: pd.Series) -> pd.Series:
    """A column of numbers as numbers; a few whole ones (wards, scanners, yes and no) stay words."""
    numbers = pd.to_numeric(values.where(values.ne("")), errors="coerce")
    if numbers.isna().ne(values.eq("")).any():
        return values
    whole = (numbers.dropna() % 1 == 0).all()
    padded = values.str.fullmatch(r"0\d+").any()
    return values if padded or (whole and numbers.nunique() <= _FEW and values.name not in NUMBERS) else numbers


def counted(n: int, what: str) -> str:
    """``1 row``, ``2,000 rows``, ``2 boxes``."""
    plural = f"{what}es" if what.endswith("x") else f"{what}s"
    return f"{n:,} {what if n == 1 else plural}"
