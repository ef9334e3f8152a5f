"""Kaggle "RSNA Pneumonia Detection Challenge": films of NIH, read again by radiologists, with boxes round opacities.

An opacity that may be pneumonia is what they marked; "No Lung Opacity / Not Normal" has another finding, or none that
they would call pneumonia. ``patientId`` is an exam's: NIH's own patients are not named here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.boxes import Box, in_film
from core.data.readers.csv_heads import rows as table_of
from core.data.readers.csv_heads import with_heads
from core.data.readers.files import LeftOut, in_order, walk
from core.data.table import samples, without_missing
from core.errors import CohortError

BOXES, CLASSES = "stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"
HEADS = ("patientId", "x", "y", "width", "height", "Target")
READ = ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
FINDING = "Lung Opacity"
SOURCE = "RSNA (adults)"
FRAME = (1024.0, 1024.0)  # pixels of the frame in which the boxes were drawn, which is that of the DICOM files


def recognise(root: Path) -> str:
    """The competition's table of boxes, by its name and heads."""
    return f"the heads of {BOXES}" if with_heads([root / BOXES], HEADS) else ""


def read(root: Path) -> Cohort:
    """One row per film: its class, whether there is an opacity, the radiologists' boxes in pixels of the stored film.

    Raises:
        CohortError: a table lacks a column, or a box is not made of numbers.
    """
    marked = table_of(root / BOXES, HEADS)
    read_as: dict[str, str] = {}
    if (root / CLASSES).is_file():
        told = table_of(root / CLASSES, ("patientId", "class"))
        read_as = dict(zip(told["patientId"], told["class"], strict=True))
    boxes: dict[str, list[Box]] = {}
    target: dict[str, str] = {}
    for row in marked.to_dict("records"):
        name = row["patientId"]
        target[name] = row["Target"]
        if findings.number(row["Target"]) == 1:
            boxes.setdefault(name, []).append(_box(row))
    left_out = LeftOut()
    files = {path.stem: path for path in walk(root, left_out)}
    found = []
    for name, present in target.items():
        path = files.get(name, root / "stage_2_train_images" / f"{name}.dcm")
        usual = FINDING if findings.number(present) == 1 else "No Lung Opacity"
        found.append(
            {
                "path": path,
                "label": read_as.get(name, usual),
                "patient": name,
                "source": SOURCE,
                findings.column(FINDING): present,
                "boxes": in_film(boxes.get(name, ()), path, FRAME),
            }
        )
    found, missing = without_missing(found)
    table, said = samples(found, root)
    return Cohort("RSNA Pneumonia", table, in_order(table["label"], READ), (*missing, *said), layout="rsna")


def _box(row: Mapping[Any, str]) -> Box:
    try:
        return float(row["x"]), float(row["y"]), float(row["width"]), float(row["height"])
    except ValueError as error:
        came = f'"{BOXES}" has a box {row["x"]}, {row["y"]}, {row["width"]}, {row["height"]} of {row["patientId"]}'
        raise CohortError(came, "four numbers where Target is 1", "Take the competition's own table") from error
