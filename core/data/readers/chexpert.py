"""Stanford's CheXpert: fourteen observations by its labeller or by radiologists, and CheXlocalize's outlines of ten.

1 is present, 0 absent, -1 uncertain and nothing not mentioned; the last two are unknown here. "No Finding" makes what a
row leaves blank absent, but for devices. Lateral films are marked in ``view``.
"""

import re
from pathlib import Path

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.csv_heads import rows as table_of
from core.data.readers.csv_heads import with_heads
from core.data.readers.files import existing, in_order
from core.data.table import samples, without_missing

FINDINGS = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other"),
    *("Fracture", "Support Devices"),
)
HEADS = ("Path", "Enlarged Cardiomediastinum", "Pleural Other", "Support Devices")
SOURCE = "Stanford (CheXpert)"
SPLITS = {"train": "train", "valid": "validation", "val": "validation", "test": "test"}
_FILM = re.compile(r"(?:(train|valid|val|test)/)?((patient\d+)/(study\d+)/(view\d+_(frontal|lateral)[^/]*))$")
_OUTLINES = "gt_segmentations_*.json"


def recognise(root: Path) -> str:
    """A table with CheXpert's heads whose paths are CheXpert's."""
    found = _tables(root)
    return f"the heads of {', '.join(path.name for path in found)}" if found else ""


def read(root: Path) -> Cohort:
    """One row per film of all tables: findings, patient and study, view ("AP", "PA", "lateral"), split by folder.

    ``outlines`` names the film in CheXlocalize's file of outlines, where that lies in the folder or beside it.

    Raises:
        CohortError: no film is there.
    """
    outlined = _outlined(root)
    rows = []
    for table in _tables(root):
        for row in table_of(table, HEADS).to_dict("records"):
            match = _FILM.search(row["Path"].replace("\\", "/"))
            if not match:
                continue
            split, tail, patient, study, _, side = match.groups()
            told = findings.with_absent({name: row.get(name, "") for name in FINDINGS if name in row})
            key = tail.rsplit(".", 1)[0].replace("/", "_")
            rows.append(
                {
                    "path": _place(table.parent, row["Path"], split, tail),
                    "label": findings.label(told),
                    "patient": patient,
                    "study": f"{patient}/{study}",
                    "source": SOURCE,
                    "split": SPLITS.get(split or "", ""),
                    "view": "lateral" if side == "lateral" else row.get("AP/PA", "") or "frontal",
                    "age": "" if row.get("Age") == "0" else row.get("Age", ""),  # 0 stands for unknown there
                    "sex": row.get("Sex", ""),
                    "outlines": f"{outlined[key]}#{key}" if key in outlined else "",
                    **findings.told(told, told),
                }
            )
    rows, missing = without_missing(rows)
    cohort, said = samples(rows, root)
    first = (findings.HEALTHY, *FINDINGS, findings.UNSURE)
    return Cohort("CheXpert", cohort, in_order(cohort["label"], first), (*missing, *said), layout="chexpert")


def _tables(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return with_heads([*root.glob("*.csv"), *root.glob("CheXpert/*.csv")], HEADS)


def _place(folder: Path, written: str, split: str | None, tail: str) -> str:
    """Where a film lies: below its table, in a folder of its split, which is called valid or val."""
    names = [split] if split not in ("valid", "val") else ["valid", "val"]
    inside = [folder / name / tail for name in names if name]
    return existing(folder / written, folder.parent / written, *inside, folder / tail) or str(folder / written)


def _outlined(root: Path) -> dict[str, str]:
    """Film -> the file of CheXlocalize that outlines it; the place is a path."""
    from core.data.outlines import keys

    found: dict[str, str] = {}
    for folder in (root, root / "CheXlocalize", root.parent / "CheXlocalize"):
        for path in sorted(folder.glob(_OUTLINES)) if folder.is_dir() else []:
            found |= dict.fromkeys(keys(path), str(path.absolute()))
    return found
