"""The folders that public collections come in, each read as a `Cohort`.

What a collection does not say stays unknown: a patient or hospital is named only where a file name or table names it.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlparse

import pandas as pd
from PIL import Image

from core.data.cohort import COLUMNS, Cohort
from core.errors import CohortError

FILMS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm"})
KERMANY = "Kermany (Guangzhou, children)"
RSNA = "RSNA (adults)"

# The 1,341 Kermany normals have these numbers: just the films inside them are also found in CoronaHack.
_KERMANY_NORMALS = range(61, 1402)
_BOX_FRAME = 1024  # pixels a side of the frame in which the radiologists' boxes were drawn
RADIOGRAPHY_FOLDERS = ("COVID", "Normal", "Viral Pneumonia", "Lung_Opacity")
_RADIOGRAPHY_LABELS = {"COVID": "COVID-19", "Lung_Opacity": "Lung Opacity"}
_RADIOGRAPHY_ORDER = ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")
_CORONAHACK_ORDER = ("Normal/NA", "Pnemonia/NA", "Pnemonia/COVID-19")
_FRONTAL = ("PA", "AP", "AP Supine", "AP Erect")
_WEB_SOURCES = {
    "radiopaedia.org": "Radiopaedia",
    "www.eurorad.org": "Eurorad",
    "www.sirm.org": "SIRM",
    "github.com": "Hannover Medical School",
}
_FINDINGS = {  # the first word that occurs in a finding decides its label
    "COVID-19": ("covid-19",),
    "No Finding": ("no finding",),
    "Viral Pneumonia": ("sars", "mers", "varicella", "influenza", "herpes", "viral"),
    "Fungal Pneumonia": ("pneumocystis", "aspergillosis", "fungal"),
    "Bacterial Pneumonia": (
        *("streptococcus", "klebsiella", "mycoplasma", "e.coli", "legionella", "chlamydophila"),
        *("nocardia", "staphylococcus", "mrsa", "bacterial"),
    ),
    "Other Pneumonia": ("lipoid", "ards", "aspiration", "pneumonia"),
    "Tuberculosis": ("tuberculosis",),
}


def read_radiography(root: Path) -> Cohort:
    """Kaggle "COVID-19 Radiography Database": ``<Class>/images`` and, where present, ``<Class>/masks``."""
    rows: list[dict] = []
    for folder in sorted(p.parent for p in root.glob("*/images")):
        label = _RADIOGRAPHY_LABELS.get(folder.name, folder.name)
        boxes = _boxes(folder / "boxes.csv")
        for film in films_in(folder / "images"):
            rows.append(
                {
                    "path": film,
                    "label": label,
                    "patient": patient_of(film.name),
                    "source": _radiography_source(film.name),
                    "lungs": existing(folder / "masks" / film.name),
                    "boxes": _scaled(boxes[film.name], film) if film.name in boxes else "",
                }
            )
    classes = in_order((row["label"] for row in rows), _RADIOGRAPHY_ORDER)
    return Cohort("COVID-19 Radiography Database", table(rows), classes, layout="radiography")


def read_coronahack(root: Path) -> Cohort:
    """Kaggle "CoronaHack": its CSV with its own spelling, labels joined as ``Label/Label_2_Virus_category``."""
    data = pd.read_csv(next(root.glob("*orona*etadata.csv")), dtype=str).fillna("NA")
    base = next((p.parent for p in sorted(root.glob("**/train"))), root)
    rows = []
    for row in data.to_dict("records"):
        name = Path(row["X_ray_image_name"]).name
        kermany = bool(patient_of(name))
        rows.append(
            {
                "path": base / row["Dataset_type"].lower() / name,
                "label": f"{row['Label']}/{row['Label_2_Virus_category']}",
                "patient": patient_of(name),
                "source": KERMANY if kermany else "ieee8023 collection (web)",
                "split": row["Dataset_type"].lower(),
                "cause": row["Label_1_Virus_category"],
            }
        )
    rows, notes = without_missing(rows)
    classes = in_order((row["label"] for row in rows), _CORONAHACK_ORDER)
    return Cohort("CoronaHack", table(rows), classes, notes, layout="coronahack")


def read_covid_chestxray(root: Path, xray_only: bool = True, frontal_only: bool = True) -> Cohort:
    """The ieee8023 ``metadata.csv``; by default radiographs in a frontal view only. The finding stays as a slice."""
    data = pd.read_csv(root / "metadata.csv", dtype=str).fillna("")
    label = data["finding"].map(_label_of)
    wanted = label != ""
    notes = [f"{int((~wanted).sum())} rows without a usable finding left out"]
    for name, chosen, column, allowed in (
        ("other than radiographs", xray_only, "modality", ("X-ray",)),
        ("not frontal or of unknown view", frontal_only, "view", _FRONTAL),
    ):
        if chosen:
            fits = data[column].isin(allowed)
            notes.append(f"{int((wanted & ~fits).sum())} rows {name} left out")
            wanted &= fits
    rows = []
    for row in data[wanted].assign(label=label).to_dict("records"):
        path = root / (row.get("folder") or "images") / Path(row["filename"]).name
        rows.append(
            {
                "path": path,
                "label": row["label"],
                "patient": row["patientid"],
                "source": _WEB_SOURCES.get(urlparse(row["url"]).netloc, "journals and web"),
                "view": row["view"],
                "age": pd.to_numeric(row["age"], errors="coerce"),
                "sex": row["sex"],
                "finding": row["finding"],
                "lungs": existing(root / "lung_masks" / f"{path.stem}.png"),
            }
        )
    rows, missing = without_missing(rows)
    classes = in_order((row["label"] for row in rows), tuple(_FINDINGS))
    return Cohort("covid-chestxray-dataset", table(rows), classes, (*notes, *missing), layout="covid-chestxray")


def read_montgomery_shenzhen(root: Path) -> Cohort:
    """The two tuberculosis sets: ``images/MCUCXR_0001_0.png`` where the last digit is the label, with lung masks."""
    rows = [
        {
            "path": film,
            "label": "Tuberculosis" if film.stem.endswith("_1") else "Normal",
            "patient": film.stem[:-2],
            "source": "Montgomery" if film.name.startswith("MCU") else "Shenzhen",
            "lungs": existing(root / "masks" / f"{film.stem}.png")
            or existing(root / "masks" / f"{film.stem}_mask.png"),
        }
        for film in films_in(root / "images")
        if re.fullmatch(r"(MCU|CHN)CXR_\d+_[01]", film.stem)
    ]
    return Cohort("Montgomery and Shenzhen", table(rows), ("Normal", "Tuberculosis"), layout="montgomery-shenzhen")


def patient_of(name: str) -> str:
    """The patient that a public file name carries ("person1000_virus_1681.jpeg", "IM-0128-0001.jpeg"), or ""."""
    known = re.match(r"(person\d+)_|((?:NORMAL2-)?IM-\d+)-|(\d{8})_\d{3}\.", name)  # Kermany twice, NIH ChestX-ray14
    return next(filter(None, known.groups())) if known else ""


def films_in(folder: Path) -> list[Path]:
    """The film files of one folder by name, hidden ones left out."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in FILMS and not p.name.startswith("."))


def existing(path: Path) -> str:
    """The path as text if the file is there, else ""."""
    return str(path) if path.is_file() else ""


def in_order(labels: Iterable[str], first: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that occur, known ones in their usual order, then the others by name."""
    found = set(labels)
    return (*(c for c in first if c in found), *sorted(found - set(first)))


def without_missing(rows: list[dict]) -> tuple[list[dict], tuple[str, ...]]:
    """The rows whose file is there, and a note that counts and names the others."""
    there = [Path(row["path"]).is_file() for row in rows]
    missing = [Path(row["path"]).name for row, found in zip(rows, there, strict=True) if not found]
    if not missing:
        return rows, ()
    named = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
    verb = "row names a file that is" if len(missing) == 1 else "rows name a file that is"
    kept = [row for row, found in zip(rows, there, strict=True) if found]
    return kept, (f"{len(missing)} {verb} missing: {named}",)


def table(rows: list[dict]) -> pd.DataFrame:
    """Rows as a cohort's samples: all columns, unknown text as "", absolute paths; empty extra columns dropped."""
    if not rows:
        raise CohortError("the folder holds no film", "films as PNG, JPEG, TIFF, BMP, WebP or DICOM", "Check the path")
    data = pd.DataFrame(rows)
    for column in COLUMNS:
        if column not in data:
            data[column] = ""
    data["path"] = [str(Path(p).absolute()) for p in data["path"]]
    data["age"] = pd.to_numeric(data["age"], errors="coerce").astype(float)
    for column in data.columns.difference(data.select_dtypes("number").columns):
        data[column] = data[column].fillna("").astype(str)
    empty = [c for c in data if c not in COLUMNS and (data[c].isna() | data[c].eq("")).all()]
    others = [c for c in data if c not in COLUMNS and c not in empty]
    return data[[*COLUMNS, *others]]


def _radiography_source(name: str) -> str:
    if name.startswith("person"):
        return KERMANY
    normal = re.match(r"Normal-(\d+)\.", name)
    if normal:
        return KERMANY if int(normal[1]) in _KERMANY_NORMALS else RSNA
    return "NIH ChestX-ray14" if re.match(r"\d{8}_\d{3}\.", name) else "unknown"


def _boxes(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    data = pd.read_csv(path, dtype=str)
    return dict(zip(data["file"], data["boxes_xywh_1024"], strict=True))


def _scaled(boxes: str, film: Path) -> str:
    with Image.open(film) as picture:
        across, down = picture.width / _BOX_FRAME, picture.height / _BOX_FRAME
    scaled = []
    for box in boxes.split(";"):
        x, y, w, h = (float(v) for v in box.split(","))
        scaled.append(f"{x * across:.1f},{y * down:.1f},{w * across:.1f},{h * down:.1f}")
    return ";".join(scaled)


def _label_of(finding: str) -> str:
    text = finding.lower()
    return next((label for label, words in _FINDINGS.items() if any(word in text for word in words)), "")
