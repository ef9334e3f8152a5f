"""The two tuberculosis sets: ``images/MCUCXR_0001_0.png`` where the last digit is the label, with lung masks."""

import re
from pathlib import Path

from core.data.cohort import Cohort
from core.data.readers.files import LeftOut, existing, films_in, in_order
from core.data.table import samples

_NAME = re.compile(r"(MCU|CHN)CXR_\d{4}_[01]")


def recognise(root: Path) -> str:
    """Films with the names of the sets."""
    films = films_in(root / "images", LeftOut())
    count = sum(_NAME.fullmatch(film.stem) is not None for film in films)
    return f"{count:,} films named like MCUCXR_0001_0 or CHNCXR_0327_1" if count and count >= len(films) / 2 else ""


def read(root: Path) -> Cohort:
    """One row per film of the sets."""
    left_out = LeftOut()
    rows = []
    for film in films_in(root / "images", left_out):
        if not _NAME.fullmatch(film.stem):
            left_out.add("not named like a film of these sets", film.name)
            continue
        masks = root / "masks"
        row = {
            "path": film,
            "label": "Tuberculosis" if film.stem.endswith("_1") else "Normal",
            "patient": film.stem[:-2],
            "source": "Montgomery" if film.name.startswith("MCU") else "Shenzhen",
            "lungs": existing(masks / f"{film.stem}.png", masks / f"{film.stem}_mask.png"),
        }
        rows.append(row)
    table, notes = samples(rows, root)
    classes = in_order(table["label"], ("Normal", "Tuberculosis"))
    return Cohort("Montgomery and Shenzhen", table, classes, (*left_out.notes(), *notes), layout="montgomery-shenzhen")
