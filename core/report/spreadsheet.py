"""What leaves the building: tables as CSV, and what they and all other exports may say of a file's name.

File names carry patients' names more often than not, so whatever is exported calls a film by the first digits of the
SHA-256 of its bytes (as ``sha256sum`` prints it), and a patient by those of the name in the cohort, unless the owner
asks for names. A cell that a spreadsheet would take for a formula is defused, and the file begins with the mark by
which Excel knows UTF-8.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256 as sha256_of
from io import StringIO
from typing import Any, TextIO

import pandas as pd

from core import identity
from core.data.film_id import CONTENT, FILM_ID, base_name

MARK = "\ufeff"  # byte order mark
_FORMULA = ("=", "+", "-", "@")
_FILES = ("path", "lungs", "truth")  # columns of files; of the last two it is said only whether there are any


def called(name: str, sha256: str = "", names: bool = False) -> str:
    """What an export calls a film: ``film-`` and the first digits of its hash, or its name if that was asked for.

    A film whose content is not known (a file that cannot be read) is called by the hash of its name.
    """
    return name if names else f"film-{identity.short(sha256 or sha256_of(name.encode()).hexdigest())}"


def without_names(films: pd.DataFrame, names: bool = False) -> pd.DataFrame:
    """A table of films as it may leave: ``film`` instead of names, patients by hash, nothing of this machine's folders.

    Args:
        films: with a column film or path; sha256, patient, film_id, id, lungs and truth where they are known.
        names: file names and patients stay; folders, which may name a person as well, never do.
    """
    table = films.copy()
    name = "film" if "film" in table else "path"
    files = table[name].astype(str).map(base_name)
    if names:
        others = {column: table[column].astype(str).map(base_name) for column in _FILES if column in table}
        return table.assign(**(others | {name: files})).drop(columns=[c for c in (FILM_ID, "id") if c in table])
    known = table[CONTENT].fillna("").astype(str) if CONTENT in table else pd.Series("", table.index)
    table.insert(0, "_film", [called(file, sha) for file, sha in zip(files, known, strict=True)])
    if "patient" in table:
        table["patient"] = [patient_called(str(patient)) for patient in table["patient"]]
    hidden = [column for column in (*_FILES, "film", "name", FILM_ID, "id") if column in table]
    return table.drop(columns=hidden).rename(columns={"_film": "film"})


def frame_as_csv(frame: pd.DataFrame) -> str:
    """A table as CSV, as `as_csv`; what is not known is empty."""
    return as_csv(frame_rows(frame), [str(name) for name in frame])


def frame_rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a table; what is not known is empty."""
    rows = frame.astype(object).where(frame.notna(), "").to_dict("records")
    return ({str(name): value for name, value in row.items()} for row in rows)


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV with a heading, lines ended by a newline; numbers stay numbers, text can be no formula."""
    text = StringIO()
    write_csv(text, rows, columns)
    return MARK + text.getvalue()


def write_csv(file: TextIO, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Rows into an open file as they come, as `as_csv` but without its mark."""
    table = csv.DictWriter(file, fieldnames=[defused(name) for name in columns], lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({defused(name): defused(row.get(name, "")) for name in columns})


def defused(cell: Any) -> Any:
    """A text cell with a quote before what would start a formula (OWASP, CSV injection)."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")  # a bare carriage return would end the row for some readers
    return f"'{text}" if text.lstrip().startswith(_FORMULA) and not _is_number(text) else text


def patient_called(name: str) -> str:
    """What an export calls a patient: ``patient-`` and the first digits of the name's hash; "" for an unknown one."""
    return f"patient-{identity.short(sha256_of(name.encode()).hexdigest())}" if name else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
