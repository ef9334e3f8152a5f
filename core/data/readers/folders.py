"""A folder of class folders, with or without train, val and test above them; films at any depth below their class.

Where all subfolders of the classes are plainly called as patients are (`COVID/P001/a.png`), each is taken for one
patient, the same in every class: which keeps films together that may be of one person, and parts none.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.data import labels
from core.data.cohort import Cohort
from core.data.patients import names_patient, patient_of
from core.data.readers import radiography
from core.data.readers.files import LeftOut, existing, films_in, folders_in, has_films, holds_masks, walk
from core.data.table import samples

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def recognise(root: Path) -> str:
    """At least two class folders with films, directly or below train, val or test."""
    if not root.is_dir():
        return ""
    splits = list(_splits(root))
    for parent in splits or [root]:
        classes = [folder.name for folder in folders_in(parent) if _is_class(folder)]
        if len(classes) > 1:
            below = f" below {', '.join(p.name for p in splits)}" if splits else ""
            return f"{len(classes)} class folders{below}: {', '.join(classes[:6])}"
    return ""


def read(root: Path) -> Cohort:
    """One row per film, labelled with its class folder's name."""
    left_out = LeftOut()
    splits = _splits(root)
    by_patient = _patients([folder for parent in splits or [root] for folder in folders_in(parent)])
    rows: list[dict[str, Any]] = []
    for parent, split in (splits or {root: ""}).items():
        _leave_out_loose(parent, root, left_out)
        for folder in folders_in(parent, left_out):
            rows += _class(folder, root, split, left_out, bool(by_patient))
    if splits:
        _leave_out_loose(root, root, left_out)
        for folder in folders_in(root):
            if folder not in splits:
                reason = "masks" if holds_masks(folder) else "in a folder that is neither train, validation nor test"
                left_out.add(reason, folder.name, sum(1 for _ in walk(folder, LeftOut())))
    table, notes = samples(rows, root)
    classes = tuple(sorted(set(table["label"])))
    told = f"{len(by_patient):,} patients, as the folders below the classes are called" if by_patient else ""
    said = (*([told] if told else []), *_not_claimed(root), *left_out.notes(), *notes)
    return Cohort(root.name, table, classes, said, layout="folders")


def _class(folder: Path, root: Path, split: str, left_out: LeftOut, by_patient: bool) -> list[dict[str, Any]]:
    """The rows of one class folder; what it holds besides films is counted.

    Args:
        by_patient: its subfolders are patients.
    """
    name = folder.relative_to(root).as_posix()
    if holds_masks(folder):
        left_out.add("masks", name, sum(1 for _ in walk(folder, LeftOut())))
        return []
    inside = LeftOut()
    films = list(walk(folder, inside))
    for reason, files in inside.reasons.items():
        for file, count in files.items():
            left_out.add(reason, f"{name}/{file}", count)
    return [
        {
            "path": film,
            "label": folder.name,
            "split": split,
            "patient": _patient(film, folder, by_patient),
            "lungs": existing(film.parent.parent / "masks" / film.name) if film.parent != folder else "",
        }
        for film in films
    ]


def _patient(film: Path, folder: Path, by_patient: bool) -> str:
    inside = film.relative_to(folder).parts
    return inside[0] if by_patient and len(inside) > 1 else patient_of(film.name)


def _leave_out_loose(parent: Path, root: Path, left_out: LeftOut) -> None:
    for film in films_in(parent, left_out):
        left_out.add("in no class folder", film.relative_to(root).as_posix())


def _splits(root: Path) -> dict[Path, str]:
    return {child: SPLIT_NAMES[child.name.lower()] for child in folders_in(root) if child.name.lower() in SPLIT_NAMES}


def _is_class(folder: Path) -> bool:
    """Films lie in it, or in its folder images; below a folder that is called as a label is, at any depth."""
    if holds_masks(folder):
        return False
    if has_films(folder) or has_films(folder / "images"):
        return True
    known = labels.term(folder.name) is not None and has_films(folder, deep=True)
    return known or (not names_patient(folder.name) and bool(_patients([folder])))


def _patients(classes: Iterable[Path]) -> set[str]:
    """The names of the subfolders with films, where there are two or more and all are plainly patients'; else none."""
    below = [child for folder in classes if not holds_masks(folder) for child in folders_in(folder)]
    names = {child.name for child in below if not holds_masks(child) and has_films(child, deep=True)}
    return names if len(names) > 1 and all(map(names_patient, names)) else set()


def _not_claimed(root: Path) -> tuple[str, ...]:
    """Of folders named as the Radiography Database's are: why they are not taken for it."""
    if not any((root / name / "images").is_dir() for name in radiography.FOLDERS):
        return ()
    found = list(radiography.marks(root))
    bears = ", ".join(found) or "none"
    return (
        f"folders named like those of the COVID-19 Radiography Database, but {len(found)} of its six marks ({bears}): "
        "where the films come from is not claimed; --layout radiography claims it",
    )
