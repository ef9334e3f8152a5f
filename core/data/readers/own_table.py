"""A table of one's own: CSV, TSV or Parquet with the columns path and label, and any others.

Instead of a label, or beside it, a table may say several findings of a film: in a column ``findings``
("Effusion|Edema", "No Finding"; what is not named is absent, an empty cell unknown), or in a column of 1, 0 and nothing
for each.
"""

from pathlib import Path

import pandas as pd

from core.data import findings, spreadsheet
from core.data.cohort import COLUMNS, Cohort
from core.data.readers.folders import SPLIT_NAMES
from core.data.table import FILES, absolute, counted, named, of_each, samples, without_missing_files
from core.data.text_column import BACKSLASH, holds
from core.errors import CohortError

LISTED = "findings"  # a column with the names of those present


def recognise(path: Path) -> str:
    """A file with the suffix of a table."""
    return f"the suffix {path.suffix.lower()}" if path.is_file() and path.suffix.lower() in spreadsheet.SUFFIXES else ""


def read(path: Path) -> Cohort:
    """One row per film; files absolute, or from the table's folder.

    Raises:
        CohortError: no readable table, no column path, neither label nor findings, an unknown split, or no film.
    """
    read_ = spreadsheet.read(path)
    data, twice = _with_findings(_known_heads(read_)), sorted(set(read_.columns[read_.columns.duplicated()]))
    if missing := [column for column in ("path", "label") if column not in data]:
        came = f'"{path.name}" has no column {" and no ".join(missing)}, only {", ".join(map(str, data.columns[:8]))}'
        expected = "the columns path and label, or path and findings (Effusion|Edema, or a column of 1 and 0 for each)"
        raise CohortError(came, expected, "Rename the columns")
    for column in set(FILES) & set(data):
        if holds(data[column], BACKSLASH):
            data[column] = data[column].str.replace("\\", "/", regex=False)
        data[column] = absolute(data[column], path.parent)
    if "split" in data:
        data["split"] = of_each(data["split"], lambda word: _split_name(word, path.name))
    nameless, unlabelled = data["path"].eq(""), data["label"].eq("") & data["path"].ne("")
    left_out = nameless | unlabelled
    rows, notes = without_missing_files(data[~left_out] if left_out.any() else data)
    if nameless.any():
        notes = (*notes, f"{counted(int(nameless.sum()), 'row')} without a file name left out")
    if unlabelled.any():
        files = named(dict.fromkeys(Path(p).name for p in data.loc[unlabelled, "path"]))
        notes = (*notes, f"{counted(int(unlabelled.sum()), 'row')} without a label left out: {files}")
    if twice:
        notes = (*notes, f"several columns are called {', '.join(map(str, twice))}: the first counts")
    table, said = samples(rows, path.parent, typed=True)
    return Cohort(path.stem, table, tuple(sorted(table["label"].unique())), (*notes, *said))


def _known_heads(data: pd.DataFrame) -> pd.DataFrame:
    """Heads that differ from ours in case only, as ours ("Path", "LABEL")."""
    ours = {name: name for name in (*COLUMNS, *FILES, "boxes", LISTED)}
    heads = [str(head) for head in data.columns]
    new = {head: ours[head.lower()] for head in heads if head.lower() in ours and head.lower() not in heads}
    renamed = data.rename(columns=new)
    return renamed.loc[:, ~renamed.columns.duplicated()]


def _with_findings(data: pd.DataFrame) -> pd.DataFrame:
    """The table with a finding column for each finding it says, and a label made of them where it has none.

    A column of 1 and 0 beside labels may be anything (a ward, a device): it is a finding only where its head says so.
    """
    if LISTED in data:
        cells = [[word.strip() for word in text.split(findings.JOIN) if word.strip()] for text in data[LISTED]]
        there = sorted({word for words in cells for word in words if not findings.means_none(word)})
        columns = {
            findings.column(name): ["" if not words else "1" if name in words else "0" for words in cells]
            for name in there
        }
        made = [findings.JOIN.join(words) or "" for words in cells]
        bare = data.drop(columns=LISTED).assign(**columns)
        return bare if "label" in bare else bare.assign(label=made)
    if "label" in data:
        return data
    usual = {*COLUMNS, *FILES, "boxes"}
    heads = [str(c) for c in data if c not in usual and not str(c).startswith(findings.PREFIX)]
    told = [head for head in heads if _are_findings(data[head])]
    named_so = [findings.column(name) for name in findings.names(data)]
    if not told and not named_so:
        return data
    said = {head.removeprefix(findings.PREFIX): data[head].tolist() for head in (*told, *named_so)}
    rows = [findings.with_absent(dict(zip(said, row, strict=True))) for row in zip(*said.values(), strict=True)]
    columns = {findings.column(name): [row[name] for row in rows] for name in said}
    return data.drop(columns=[*told, *named_so]).assign(**columns, label=list(map(findings.label, rows)))


def _are_findings(cells: pd.Series) -> bool:
    """Whether a column says 1, 0, -1 or nothing, and something at all."""
    said = [findings.number(word) for word in set(cells)]
    return None not in said and any(value == value for value in said)


def _split_name(word: str, name: str) -> str:
    text = word.strip().lower()
    if text and text not in SPLIT_NAMES:
        raise CohortError(f'"{name}" names the split "{word}"', "train, validation, test or nothing", "Rename it")
    return SPLIT_NAMES.get(text, "")
