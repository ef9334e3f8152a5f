"""Kaggle "CoronaHack": its CSV with its own spelling, labels joined as ``Label/Label_2_Virus_category``."""

from pathlib import Path

from core.data import spreadsheet
from core.data.cohort import Cohort
from core.data.patients import patient_of
from core.data.readers.files import LeftOut, in_order, walk
from core.data.readers.radiography import KERMANY
from core.data.table import samples, without_missing
from core.errors import CohortError

HEADS = ("X_ray_image_name", "Label", "Dataset_type", "Label_2_Virus_category", "Label_1_Virus_category")
_ORDER = ("Normal/NA", "Pnemonia/NA", "Pnemonia/COVID-19")


def recognise(root: Path) -> str:
    """Its table with the heads that nobody else has, and train and test folders."""
    table = _table(root)
    if table is None:
        return ""
    sides = sorted({p.name.lower() for p in root.glob("**/t[re]*") if p.is_dir()} & {"train", "test"})
    return f"the heads of {table.name}{' and the folders ' + ', '.join(sides) if sides else ''}"


def read(root: Path) -> Cohort:
    """One row per film that its table names and that is there.

    Raises:
        CohortError: its table is not there, or lacks a column.
    """
    path = _table(root)
    if path is None:
        raise CohortError(f'"{root.name}" holds no table of CoronaHack', f"a CSV with the heads {', '.join(HEADS)}")
    base = next((p.parent for p in sorted(root.glob("**/train"))), root)
    rows = []
    for row in spreadsheet.read(path).to_dict("records"):
        name = Path(row["X_ray_image_name"]).name
        patient = patient_of(name)
        rows.append(
            {
                "path": base / row["Dataset_type"].lower() / name,
                "label": f"{row['Label']}/{row['Label_2_Virus_category'] or 'NA'}",
                "patient": patient,
                "source": KERMANY if patient else "ieee8023 collection (web)",
                "split": row["Dataset_type"].lower(),
                "cause": row["Label_1_Virus_category"] or "NA",
            }
        )
    rows, missing = without_missing(rows)
    left_out, listed = LeftOut(), {str(row["path"]) for row in rows}
    for side in ("train", "test"):
        for film in walk(base / side, left_out):
            if str(film) not in listed:
                left_out.add("not in the table", f"{side}/{film.name}")
    table, notes = samples(rows, root)
    classes = in_order(table["label"], _ORDER)
    return Cohort("CoronaHack", table, classes, (*missing, *left_out.notes(), *notes), layout="coronahack")


def _table(root: Path) -> Path | None:
    """The CSV that has its heads."""
    for path in sorted(root.glob("*etadata*.csv")) if root.is_dir() else []:
        with path.open("rb") as file:
            head = spreadsheet.decode(file.read(4096).partition(b"\n")[0])
        if all(name in head for name in HEADS):
            return path
    return None
