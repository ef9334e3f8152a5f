"""Kaggle "COVID-19 Radiography Database": ``<Class>/images`` and, where present, ``<Class>/masks``.

Anybody may call folders COVID and Normal and number their films. Where films come from, and which were Kermany's, is
said only of a folder that bears several marks of the collection itself.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from core.data.cohort import Cohort
from core.data.patients import patient_of
from core.data.readers.files import LeftOut, existing, films_in, folders_in, has_films, in_order
from core.data.table import samples

KERMANY = "Kermany (Guangzhou, children)"
RSNA = "RSNA (adults)"
NIH = "NIH ChestX-ray14"
FOLDERS = ("COVID", "Normal", "Viral Pneumonia", "Lung_Opacity")
LEAST_MARKS = 3  # of the six of `marks`
_LABELS = {"COVID": "COVID-19", "Lung_Opacity": "Lung Opacity"}
_ORDER = ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")
_LAST = {"COVID": 3616, "Normal": 10192, "Viral Pneumonia": 1345, "Lung_Opacity": 6012}  # numbers of its film names
_MANY = 400  # films with names of the collection in one class: nobody's own thirty
_SIDE = 299  # pixels of its films
_SEEN = 20  # films whose size is looked at

# The 1,341 Kermany normals have these numbers: just the films inside them are also found in CoronaHack.
_KERMANY_NORMALS = range(61, 1402)
_BOX_FRAME = 1024  # pixels per side of the frame in which the radiologists' boxes were drawn


def recognise(root: Path) -> str:
    """The marks of the collection that a folder bears, in words; "" where they are fewer than ``LEAST_MARKS``."""
    if not any((root / name / "images").is_dir() for name in FOLDERS):
        return ""
    found = list(marks(root))
    return ", ".join(found) if len(found) >= LEAST_MARKS else ""


def marks(root: Path) -> Iterator[str]:
    """What the collection, and hardly another folder, has."""
    names = {name: [p.name for p in films_in(root / name / "images", LeftOut())] for name in FOLDERS}
    if all(names.values()):
        yield "all of its four class folders"
    if any((root / name / "masks").is_dir() and has_films(root / name / "masks") for name in FOLDERS):
        yield "masks beside the images"
    if any((root / f"{name}.metadata.xlsx").is_file() for name in FOLDERS) or (root / "README.md.txt").is_file():
        yield "its metadata files"
    if any(map(patient_of, names["Viral Pneumonia"])) or any(map(patient_of, names["Lung_Opacity"])):
        yield "file names of Kermany's and NIH's patients"
    if any(sum(_numbered(film, name) for film in films) >= _MANY for name, films in names.items()):
        yield "hundreds of films with its numbers"
    if _all_of_its_size([root / name / "images" / film for name, films in names.items() for film in films]):
        yield f"films of {_SIDE} x {_SIDE} pixels"


def read(root: Path) -> Cohort:
    """One row per film, with its lung mask and the radiologists' boxes where there are any."""
    rows: list[dict[str, Any]] = []
    left_out = LeftOut()
    for folder in folders_in(root):
        boxes = _boxes(folder / "boxes.csv")
        for film in films_in(folder / "images", left_out):
            row = {
                "path": film,
                "label": _LABELS.get(folder.name, folder.name),
                "patient": patient_of(film.name),
                "source": _source(film.name),
                "lungs": existing(folder / "masks" / film.name),
                "boxes": _scaled(boxes[film.name], film) if film.name in boxes else "",
            }
            rows.append(row)
    table, notes = samples(rows, root)
    classes = in_order(table["label"], _ORDER)
    said = (*left_out.notes(), *notes)
    return Cohort("COVID-19 Radiography Database", table, classes, said, layout="radiography")


def _numbered(film: str, folder: str) -> bool:
    found = re.fullmatch(rf"{folder}-(\d+)\.png", film)
    return found is not None and 1 <= int(found[1]) <= _LAST[folder]


def _all_of_its_size(films: list[Path]) -> bool:
    chosen = films[:: max(1, len(films) // _SEEN)][:_SEEN]
    try:
        return bool(chosen) and all(_size(film) == (_SIDE, _SIDE) for film in chosen)
    except (OSError, ValueError):
        return False


def _size(film: Path) -> tuple[int, int]:
    with Image.open(film) as picture:
        return picture.size


def _source(name: str) -> str:
    if name.startswith("person"):
        return KERMANY
    normal = re.match(r"Normal-(\d+)\.", name)
    if normal:
        return KERMANY if int(normal[1]) in _KERMANY_NORMALS else RSNA
    return NIH if re.match(r"\d{8}_\d{3}\.", name) else "unknown"


def _boxes(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    data = pd.read_csv(path, dtype=str)
    return dict(zip(data["file"], data["boxes_xywh_1024"], strict=True))


def _scaled(boxes: str, film: Path) -> str:
    across, down = (side / _BOX_FRAME for side in _size(film))
    corners = ([float(v) for v in box.split(",")] for box in boxes.split(";") if box.strip())
    return ";".join(f"{x * across:.1f},{y * down:.1f},{w * across:.1f},{h * down:.1f}" for x, y, w, h in corners)
