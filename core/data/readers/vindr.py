"""VinDr-CXR (Hanoi): findings and boxes by several radiologists, as PhysioNet and as Kaggle give them.

Of three readers two decide: what most of them call is present, what none calls is absent, and what a minority calls is
unknown. The test films have one answer each, agreed upon by five.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.boxes import Box, in_film
from core.data.readers.csv_heads import heads, with_heads
from core.data.readers.csv_heads import rows as table_of
from core.data.readers.files import LeftOut, in_order, walk
from core.data.table import samples, without_missing

LABELS = ("image_id", "Aortic enlargement", "Nodule/Mass", "Pulmonary fibrosis", "No finding")
MARKS = ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max")
SIZES = ("image_id", "dim0", "dim1")  # of Kaggle's films that were made smaller: height and width of the original
KAGGLE = "class_id"  # a head of Kaggle's table of marks, which is its table of labels as well
SOURCE = "VinDr (Hanoi)"
_SPLITS = {"train": "train", "test": "test"}


def recognise(root: Path) -> str:
    """PhysioNet's tables of labels, or Kaggle's of marks, by their heads."""
    found = [*_labels(root), *(path for path in _marks(root) if KAGGLE in heads(path) and "rad_id" in heads(path))]
    return f"the heads of {', '.join(path.name for path in found)}" if found else ""


def read(root: Path) -> Cohort:
    """One row per film: findings by majority of its readers, how many read it, all their boxes.

    Boxes are in the original's pixels; Kaggle's ``train_meta.csv`` leads to films that were made smaller.
    """
    votes: dict[str, list[dict[str, float]]] = {}
    split: dict[str, str] = {}
    for path in _labels(root):
        for row in table_of(path, ("image_id",)).to_dict("records"):
            cells = {str(k).replace("diseases", "disease"): findings.number(v) for k, v in row.items()}
            named = {k: v for k, v in cells.items() if k and k.lower() not in ("image_id", "rad_id")}
            votes.setdefault(row["image_id"], []).append({k: v for k, v in named.items() if v is not None})
            split[row["image_id"]] = _split(path)
    boxes: dict[str, list[Box]] = {}
    for path in _marks(root):
        marks = table_of(path, MARKS)
        for name, group in marks.groupby("image_id", sort=False):
            boxes[str(name)] = list(_boxes(group))
        if not _labels(root) and "rad_id" in marks:
            votes |= _by_reader(marks)
            split |= dict.fromkeys(votes, "")
    sizes = {
        row["image_id"]: (float(row["dim1"]), float(row["dim0"]))
        for path in with_heads(root.glob("*meta*.csv"), SIZES)
        for row in table_of(path, SIZES).to_dict("records")
    }
    left_out = LeftOut()
    files = {path.stem: path for path in walk(root, left_out)}
    rows = []
    for name, read_by in votes.items():
        path = files.get(name, root / (split[name] or "train") / f"{name}.dicom")
        told = _majority(read_by)
        rows.append(
            {
                "path": path,
                "label": findings.label(told),
                "source": SOURCE,
                "split": split[name],
                "readers": len(read_by),
                "boxes": in_film(boxes.get(name, ()), path, sizes.get(name)),
                **findings.told(told, told),
            }
        )
    rows, missing = without_missing(rows)
    table, said = samples(rows, root)
    classes = in_order(table["label"], (findings.HEALTHY,))
    return Cohort("VinDr-CXR", table, classes, (*missing, *said), layout="vindr")


def _labels(root: Path) -> list[Path]:
    return with_heads([*root.glob("*.csv"), *root.glob("annotations/*.csv")], LABELS) if root.is_dir() else []


def _marks(root: Path) -> list[Path]:
    return with_heads([*root.glob("*.csv"), *root.glob("annotations/*.csv")], MARKS) if root.is_dir() else []


def _split(path: Path) -> str:
    return next((split for word, split in _SPLITS.items() if word in path.stem), "")


def _boxes(marks: pd.DataFrame) -> Iterable[Box]:
    numbers = marks[["x_min", "y_min", "x_max", "y_max"]].apply(pd.to_numeric, errors="coerce").dropna()
    for left, top, right, bottom in numbers.itertuples(index=False):
        yield left, top, right - left, bottom - top


def _by_reader(marks: pd.DataFrame) -> dict[str, list[dict[str, float]]]:
    """Kaggle's marks as votes: what a reader did not mark, that reader found absent."""
    every = [str(name) for name in dict.fromkeys(marks["class_name"])]
    found: dict[str, list[dict[str, float]]] = {}
    for (name, _), group in marks.groupby(["image_id", "rad_id"], sort=False):
        seen = set(group["class_name"])
        found.setdefault(str(name), []).append({finding: float(finding in seen) for finding in every})
    return found


def _majority(votes: list[dict[str, float]]) -> dict[str, str]:
    """Finding -> "1", "0" or "" by the share of readers who call it."""
    found = {}
    for name in dict.fromkeys(name for vote in votes for name in vote):
        share = sum(vote.get(name, 0.0) == 1 for vote in votes) / len(votes)
        found[name] = "1" if share > 0.5 else "0" if share == 0 else ""
    return found
