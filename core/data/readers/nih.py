"""NIH ChestX-ray14: findings mined from reports, patients, ages, views and the official split; and what RSNA's
radiologists read on some.

The mined findings are weak: of 286 films called Pneumonia that radiologists read again, 124 show an opacity.
"""

from pathlib import Path

import pandas as pd
from PIL import Image

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.files import existing, in_order
from core.data.spreadsheet import decode
from core.data.table import samples, without_missing
from core.errors import CohortError

SOURCE = "NIH ChestX-ray14"
ENTRIES, BOXES, READING = "Data_Entry_2017*.csv", "BBox_List_2017.csv", "rsna_reading.csv"
HEADS = ("Image Index", "Finding Labels", "Patient ID")
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia"),
    *("Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax"),
)
FRAME = 1024  # pixels per side of the frame in which all boxes were drawn
RSNA_CLASSES = ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")


def recognise(root: Path) -> str:
    """NIH's own table of films, by its name and heads."""
    for path in sorted(root.glob(ENTRIES)) if root.is_dir() else []:
        with path.open("rb") as file:
            head = decode(file.read(4096).partition(b"\n")[0])
        if all(name in head for name in HEADS):
            return f"the heads of {path.name}"
    return ""


def read(root: Path) -> Cohort:
    """One row per film: its fourteen mined findings, and as a label those present ("Effusion|Fibrosis").

    ``train_val_list.txt`` and ``test_list.txt``, where they lie beside the table, are the split. Further columns:
    ``reading`` (RSNA's class, "" where nobody read it) and ``boxes`` (RSNA's where it was read, else NIH's), in pixels
    of the film as stored.

    Raises:
        CohortError: the table lacks a column.
    """
    path = sorted(root.glob(ENTRIES))[0]
    data = pd.read_csv(path, dtype=str).fillna("")
    if absent := [column for column in HEADS if column not in data]:
        came = f'"{path.name}" has no column {" and no ".join(absent)}'
        raise CohortError(came, f"the columns {', '.join(HEADS)}", "Take NIH's own table")
    readings, drawn, splits = _reading(root / READING), _drawn(root / BOXES), _splits(root)
    rows = []
    for row in data.to_dict("records"):
        name = Path(row["Image Index"]).name
        film = next((p for p in (root / "images" / name, *root.glob(f"images_*/images/{name}")) if existing(p)), None)
        film = film or root / "images" / name
        read, boxes = readings.get(name, ("", ""))
        rows.append(
            {
                "path": film,
                "label": row["Finding Labels"],
                "patient": f"NIH {row['Patient ID']}",
                "source": SOURCE,
                "split": splits.get(name, ""),
                **findings.listed(row["Finding Labels"].split(findings.JOIN), FINDINGS),
                "view": row.get("View Position", ""),
                "age": row.get("Patient Age", ""),
                "sex": row.get("Patient Sex", row.get("Patient Gender", "")),
                "reading": read,
                "boxes": _scaled(boxes if read else drawn.get(name, ""), film),
            }
        )
    rows, notes = without_missing(rows)
    table, said = samples(rows, root)
    classes = in_order(table["label"], ("No Finding",))
    return Cohort("NIH ChestX-ray14", table, classes, (*notes, *said), layout="nih")


def read_by_rsna(root: Path) -> Cohort:
    """Of NIH's films those that RSNA's radiologists read, with their reading as the label."""
    return as_rsna_read(read(root))


def as_rsna_read(cohort: Cohort) -> Cohort:
    """The films that RSNA's radiologists read, labelled with their reading instead of the mined findings.

    Raises:
        CohortError: they read none of them.
    """
    read = cohort.samples.get("reading", pd.Series("", cohort.samples.index))
    if not read.ne("").any():
        raise CohortError(f"{cohort.name} has no film that RSNA read", f"{READING} beside NIH's own table")
    bare = cohort.samples.drop(columns=[findings.column(name) for name in cohort.findings])
    samples = bare.assign(label=read)[read.ne("")]
    return Cohort(f"{cohort.name}, as RSNA read it", samples, RSNA_CLASSES, cohort.notes, layout="nih")


def _splits(root: Path) -> dict[str, str]:
    """File name -> the official split; its test films are of other patients than the rest."""
    found: dict[str, str] = {}
    for name, split in LISTS.items():
        if (root / name).is_file():
            found |= dict.fromkeys((root / name).read_text(encoding="utf-8").split(), split)
    return found


def _reading(path: Path) -> dict[str, tuple[str, str]]:
    """File name -> RSNA's class, and its boxes "x,y,w,h;..." in the frame of 1,024 pixels."""
    if not path.is_file():
        return {}
    data = pd.read_csv(path, dtype=str).fillna("")
    return {name: (read, boxes) for name, read, boxes in data.iloc[:, :3].itertuples(index=False)}


def _drawn(path: Path) -> dict[str, str]:
    """File name -> NIH's boxes. Its header says "Bbox [x", "y", "w", "h]"; the places count, not the names."""
    if not path.is_file():
        return {}
    data = pd.read_csv(path, dtype=str, usecols=range(6)).fillna("")
    found: dict[str, list[str]] = {}
    for name, _, *box in data.itertuples(index=False):
        found.setdefault(name, []).append(",".join(box))
    return {name: ";".join(boxes) for name, boxes in found.items()}


def _scaled(boxes: str, film: Path) -> str:
    """Boxes of the frame of 1,024 pixels in those of the stored film."""
    if not boxes or not film.is_file():
        return ""
    with Image.open(film) as picture:
        across, down = picture.width / FRAME, picture.height / FRAME
    scaled = [[float(v) for v in box.split(",")] for box in boxes.split(";")]
    return ";".join(f"{x * across:.1f},{y * down:.1f},{w * across:.1f},{h * down:.1f}" for x, y, w, h in scaled)
