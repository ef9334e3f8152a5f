"""Kaggle "SIIM-FISABIO-RSNA COVID-19 Detection": adults of BIMCV (Valencia), read by radiologists.

The labels are appearances, not tests: a typical appearance is no proof of COVID-19, a negative film no proof against
it. Patients are not named; a study is one visit of one patient, so the study stands in the column ``patient``.
"""

from pathlib import Path

import pandas as pd
from PIL import Image

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.files import LeftOut, in_order, walk
from core.data.table import samples, without_missing
from core.errors import CohortError

OPACITY = "Lung Opacity"
SOURCE = "BIMCV (Valencia)"
STUDIES, IMAGES, SIZES = "train_study_level.csv", "train_image_level.csv", "meta.csv"
APPEARANCES = ("Negative for Pneumonia", "Typical Appearance", "Indeterminate Appearance", "Atypical Appearance")


def recognise(root: Path) -> str:
    """Both of the competition's tables."""
    return f"{STUDIES} and {IMAGES}" if (root / STUDIES).is_file() and (root / IMAGES).is_file() else ""


def read(root: Path) -> Cohort:
    """Both tables joined: one row per film, its study's appearance, its boxes in pixels of the film as stored.

    Boxes are given in the original's pixels; ``meta.csv`` (``dim0`` height, ``dim1`` width) leads from there to films
    that were made smaller or squashed to squares. Without it the films are taken to be the originals.

    Raises:
        CohortError: a table lacks a column, or a film's row holds no box that can be read.
    """
    studies = _read(root / STUDIES, ("id", *APPEARANCES))
    images = _read(root / IMAGES, ("id", "label", "StudyInstanceUID"))
    appearance = dict(zip(studies["id"].str.removesuffix("_study"), studies.apply(_appearance, axis=1), strict=True))
    sizes: dict[str, tuple[float, float]] = {}
    if (root / SIZES).is_file():
        meta = _read(root / SIZES, ("image_id", "dim0", "dim1"))
        sizes = {r["image_id"]: (float(r["dim0"]), float(r["dim1"])) for r in meta.to_dict("records")}
    left_out = LeftOut()
    files = {p.stem: p for p in walk(root / "train", left_out)}
    rows = []
    for row in images.to_dict("records"):
        name, study = row["id"].removesuffix("_image"), row["StudyInstanceUID"]
        path = files.get(name, root / "train" / f"{name}.dcm")
        rows.append(
            {
                "path": path,
                "label": appearance.get(study, ""),
                "patient": study,
                "source": SOURCE,
                "boxes": _boxes(row["label"], path, sizes.get(name), root),
                findings.column(OPACITY): _opacity(row["label"], appearance.get(study, "")),
            }
        )
    unread = sum(not row["label"] for row in rows)
    notes = (f"{unread} films of studies without an appearance left out",) if unread else ()
    rows, missing = without_missing([row for row in rows if row["label"]])
    table, said = samples(rows, root)
    classes = in_order(table["label"], APPEARANCES)
    told = (*notes, *missing, *left_out.notes(), *said)
    return Cohort("SIIM-FISABIO-RSNA COVID-19", table, classes, told, layout="siim")


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    data = pd.read_csv(path, dtype=str).fillna("")
    if absent := [column for column in columns if column not in data]:
        came = f'"{path.name}" has no column {" and no ".join(absent)}'
        raise CohortError(came, f"the columns {', '.join(columns)}", "Take the competition's own table")
    return data


def _appearance(row: "pd.Series") -> str:
    """The one appearance that is marked, or "" where none or several are."""
    marked = [name for name in APPEARANCES if row[name] in ("1", "1.0")]
    return marked[0] if len(marked) == 1 else ""


def _opacity(boxes: str, appearance: str) -> str:
    """1 where radiologists drew a box, 0 in studies without pneumonia; nothing is said of a study's other films."""
    if boxes.startswith("opacity"):
        return "1"
    return "0" if appearance == APPEARANCES[0] else ""


def _boxes(label: str, path: Path, original: tuple[float, float] | None, root: Path) -> str:
    """ "opacity 1 x0 y0 x1 y1 ..." in the original's pixels -> "x,y,w,h;..." in those of the stored film."""
    words = label.split()
    if not words or words[0] == "none" or not path.is_file():
        return ""
    across = down = 1.0
    if original:
        with Image.open(path) as picture:
            across, down = picture.width / original[1], picture.height / original[0]
    groups = [words[i : i + 6] for i in range(0, len(words), 6)]
    try:
        corners = [(float(x0), float(y0), float(x1), float(y1)) for _, _, x0, y0, x1, y1 in groups]
    except ValueError as error:
        came = f'"{(root / IMAGES).name}" says "{label[:60]}" of {path.name}'
        raise CohortError(came, '"none 1 0 0 1 1", or "opacity 1 x0 y0 x1 y1" for each box') from error
    boxes = [(x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down) for x0, y0, x1, y1 in corners]
    return ";".join(",".join(f"{value:.1f}" for value in box) for box in boxes)
