"""A table of one's own: CSV, TSV or Parquet with the columns path and label, and any others."""

from pathlib import Path
from typing import Any, cast

import pandas as pd

from core.data import spreadsheet
from core.data.cohort import COLUMNS, Cohort
from core.data.readers.folders import SPLIT_NAMES
from core.data.table import FILES, counted, named, samples, without_missing
from core.errors import CohortError


def recognise(path: Path) -> str:
    """A file with the suffix of a table."""
    return f"the suffix {path.suffix.lower()}" if path.is_file() and path.suffix.lower() in spreadsheet.SUFFIXES else ""


def read(path: Path) -> Cohort:
    """One row per film; files absolute, or from the table's folder.

    Raises:
        CohortError: no readable table, no columns path and label, an unknown split, or no film.
    """
    read_ = spreadsheet.read(path)
    data, twice = _known_heads(read_), sorted(set(read_.columns[read_.columns.duplicated()]))
    if missing := [column for column in ("path", "label") if column not in data]:
        came = f'"{path.name}" has no column {" and no ".join(missing)}, only {", ".join(map(str, data.columns[:8]))}'
        raise CohortError(came, "the columns path and label", "Rename the columns")
    for column in set(FILES) & set(data):
        data[column] = [str(path.parent / file.replace("\\", "/")) if file else "" for file in data[column]]
    if "split" in data:
        data["split"] = [_split_name(word, path.name) for word in data["split"]]
    nameless, unlabelled = data["path"].eq(""), data["label"].eq("") & data["path"].ne("")
    mapped = cast("list[dict[str, Any]]", data[~nameless & ~unlabelled].to_dict("records"))
    rows, notes = without_missing(mapped)
    if nameless.any():
        notes = (*notes, f"{counted(int(nameless.sum()), 'row')} without a file name left out")
    if unlabelled.any():
        files = named(dict.fromkeys(Path(p).name for p in data.loc[unlabelled, "path"]))
        notes = (*notes, f"{counted(int(unlabelled.sum()), 'row')} without a label left out: {files}")
    if twice:
        notes = (*notes, f"several columns are called {', '.join(map(str, twice))}: the first counts")
    table, said = samples(rows, path.parent)
    return Cohort(path.stem, table, tuple(sorted(set(table["label"]))), (*notes, *said))


def _known_heads(data: pd.DataFrame) -> pd.DataFrame:
    """Heads that differ from ours in case only, as ours ("Path", "LABEL")."""
    ours = {name: name for name in (*COLUMNS, *FILES, "boxes")}
    heads = [str(head) for head in data.columns]
    new = {head: ours[head.lower()] for head in heads if head.lower() in ours and head.lower() not in heads}
    renamed = data.rename(columns=new)
    return renamed.loc[:, ~renamed.columns.duplicated()]


def _split_name(word: str, name: str) -> str:
    text = word.strip().lower()
    if text and text not in SPLIT_NAMES:
        raise CohortError(f'"{name}" names the split "{word}"', "train, validation, test or nothing", "Rename it")
    return SPLIT_NAMES.get(text, "")
