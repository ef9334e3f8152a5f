"""The ieee8023 "covid-chestxray-dataset": ``metadata.csv`` and images gathered from journals and the web."""

from pathlib import Path
from urllib.parse import urlparse

from core.data import spreadsheet
from core.data.cohort import Cohort
from core.data.readers.files import existing, in_order
from core.data.table import samples, without_missing
from core.errors import CohortError

HEADS = ("patientid", "finding", "view", "modality", "filename", "url")
_FRONTAL = ("PA", "AP", "AP Supine", "AP Erect")
_SOURCES = {
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


def recognise(root: Path) -> str:
    """Its ``metadata.csv``, by six of its heads."""
    path = root / "metadata.csv"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        head = spreadsheet.decode(file.read(4096).partition(b"\n")[0])
    names = {name.strip().strip('"') for name in head.split(",")}
    return f"the heads {', '.join(HEADS)} of metadata.csv" if set(HEADS) <= names else ""


def read(root: Path, xray_only: bool = True, frontal_only: bool = True) -> Cohort:
    """By default radiographs in a frontal view only. The finding stays as a slice.

    Raises:
        CohortError: the table is not there, or lacks a column.
    """
    data = spreadsheet.read(root / "metadata.csv")
    if absent := [name for name in HEADS if name not in data]:
        came = f'"metadata.csv" has no column {" and no ".join(absent)}'
        raise CohortError(came, f"the columns {', '.join(HEADS)}", "Open it as --layout folders, or take the original")
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
                "source": _SOURCES.get(urlparse(row["url"]).netloc, "journals and web"),
                "view": row["view"],
                "age": row.get("age", ""),
                "sex": row.get("sex", ""),
                "finding": row["finding"],
                "lungs": existing(root / "lung_masks" / f"{path.stem}.png"),
            }
        )
    rows, missing = without_missing(rows)
    table, said = samples(rows, root)
    classes = in_order(table["label"], tuple(_FINDINGS))
    return Cohort("covid-chestxray-dataset", table, classes, (*notes, *missing, *said), layout="covid-chestxray")


def _label_of(finding: str) -> str:
    text = finding.lower()
    return next((label for label, words in _FINDINGS.items() if any(word in text for word in words)), "")
