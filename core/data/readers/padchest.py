"""PadChest (Alicante): findings of reports, by physicians or by a network that learned from them (``method``)."""

import ast
from collections import Counter
from pathlib import Path

import pandas as pd

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.csv_heads import rows as table_of
from core.data.readers.csv_heads import with_heads
from core.data.readers.files import LeftOut, in_order, walk
from core.data.table import counted, samples, without_missing

HEADS = ("ImageID", "PatientID", "StudyID", "Projection", "Labels", "PatientSex_DICOM")
SOURCE = "PadChest (Alicante)"
UNUSABLE = ("exclude", "suboptimal study")  # labels of films that PadChest itself sets aside
NO_FINDINGS = ("normal", "unchanged", *UNUSABLE)  # labels that are none
MOST = 60  # findings that are kept, the most frequent; it has 174, most of them on a handful of films
VIEWS = {"L": "lateral", "AP_horizontal": "AP Supine"}


def recognise(root: Path) -> str:
    """Its table, by its heads."""
    found = _tables(root)
    return f"the heads of {found[0].name}" if found else ""


def read(root: Path) -> Cohort:
    """One row per film. What a report lists is present, what it does not list is absent; "unchanged" says nothing.

    Films in a view other than frontal or lateral, and those that PadChest sets aside, are left out and counted.
    """
    data = table_of(_tables(root)[0], HEADS)
    listed = [_words(cell) for cell in data["Labels"]]
    unusable = [bool(set(words) & set(UNUSABLE)) for words in listed]
    set_aside = data["Projection"].isin(("COSTAL", "EXCLUDE")) | pd.Series(unusable, data.index)
    often = Counter(word for words in listed for word in set(words) if word not in NO_FINDINGS)
    names = [name for name, _ in sorted(often.items(), key=lambda item: (-item[1], item[0]))]
    kept, dropped = names[:MOST], names[MOST:]
    left_out = LeftOut()
    files = {path.name: path for path in walk(root, left_out)}
    rows = []
    for row, words, aside in zip(data.to_dict("records"), listed, set_aside, strict=True):
        if aside:
            continue
        silent = not words or set(words) == {"unchanged"}
        told = dict.fromkeys(kept, "") if silent else {name: str(int(name in words)) for name in kept}
        name = row["ImageID"]
        present = [word for word in words if word not in NO_FINDINGS]
        rows.append(
            {
                "path": files.get(name, root / "images" / name),
                "label": findings.JOIN.join(present) or (findings.UNSURE if silent else findings.HEALTHY),
                "patient": row["PatientID"],
                "study": row["StudyID"],
                "source": SOURCE,
                "view": VIEWS.get(row["Projection"], row["Projection"]),
                "age": _age(row.get("PatientBirth", ""), row.get("StudyDate_DICOM", "")),
                "sex": row["PatientSex_DICOM"],
                "method": row.get("MethodLabel", ""),
                **findings.told(told, kept),
            }
        )
    rows, missing = without_missing(rows)
    table, said = samples(rows, root)
    notes = []
    if set_aside.any():
        notes.append(f"{counted(int(set_aside.sum()), 'film')} of other views, or set aside by PadChest, left out")
    if dropped:
        notes.append(f"the {MOST} most frequent findings are kept; {len(dropped)} rarer ones stand in the label only")
    classes = in_order(table["label"], (findings.HEALTHY,))
    return Cohort("PadChest", table, classes, (*notes, *missing, *said), layout="padchest")


def _tables(root: Path) -> list[Path]:
    return with_heads([*root.glob("*.csv"), *root.glob("*.csv.gz")], HEADS) if root.is_dir() else []


def _words(cell: str) -> list[str]:
    """ "['pleural effusion', ' normal']" as words, each once; nothing where the cell is not such a list."""
    try:
        found = ast.literal_eval(cell) if cell else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    words = (
        [" ".join(word.split()).lower() for word in found if isinstance(word, str)] if isinstance(found, list) else []
    )
    return [word for word in dict.fromkeys(words) if word]


def _age(birth: str, study: str) -> str:
    """Years between the year of birth and that of the study, as far as both are known."""
    born, taken = birth.partition(".")[0][:4], study[:4]
    return str(int(taken) - int(born)) if born.isdigit() and taken.isdigit() else ""
