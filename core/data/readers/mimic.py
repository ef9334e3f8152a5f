"""MIMIC-CXR-JPG (Boston): CheXpert's fourteen observations of each study's report, for all films of the study.

Three tables belong together: ``mimic-cxr-2.0.0-chexpert``, ``-metadata`` and ``-split``, as CSV or CSV.GZ.
"""

from pathlib import Path

from core.data import findings
from core.data.cohort import Cohort
from core.data.readers.chexpert import FINDINGS
from core.data.readers.csv_heads import rows as table_of
from core.data.readers.csv_heads import with_heads
from core.data.readers.files import existing, in_order
from core.data.table import counted, samples, without_missing

LABELS = ("subject_id", "study_id", "Enlarged Cardiomediastinum", "Pleural Other")
FILMS = ("dicom_id", "subject_id", "study_id", "ViewPosition")
SPLIT = ("dicom_id", "split")
SOURCE = "BIDMC (MIMIC-CXR)"
_SPLITS = {"train": "train", "validate": "validation", "test": "test"}
_LATERAL = ("LATERAL", "LL")


def recognise(root: Path) -> str:
    """Its tables of labels and of films, by their heads."""
    found = [*_tables(root, LABELS), *_tables(root, FILMS)]
    return f"the heads of {', '.join(path.name for path in found)}" if len(found) >= 2 else ""


def read(root: Path) -> Cohort:
    """One row per film: its study's findings, the official split where its table is there, the view.

    Films of studies without labels are left out and counted.
    """
    labels = table_of(_tables(root, LABELS)[0], LABELS)
    told = {
        row["study_id"]: findings.with_absent({name: row.get(name, "") for name in FINDINGS if name in row})
        for row in labels.to_dict("records")
    }
    splits = {
        row["dicom_id"]: _SPLITS.get(row["split"], "")
        for path in _tables(root, SPLIT)
        for row in table_of(path, SPLIT).to_dict("records")
    }
    rows, silent = [], 0
    for row in table_of(_tables(root, FILMS)[0], FILMS).to_dict("records"):
        film, subject, study = row["dicom_id"], row["subject_id"], row["study_id"]
        if study not in told:
            silent += 1
            continue
        below = Path("files") / f"p{subject[:2]}" / f"p{subject}" / f"s{study}"
        view = "lateral" if row["ViewPosition"] in _LATERAL else row["ViewPosition"]
        rows.append(
            {
                "path": existing(*(root / below / f"{film}{end}" for end in (".jpg", ".png", ".dcm")))
                or str(root / below / f"{film}.jpg"),
                "label": findings.label(told[study]),
                "patient": subject,
                "study": study,
                "source": SOURCE,
                "split": splits.get(film, ""),
                "view": view,
                **findings.told(told[study], told[study]),
            }
        )
    rows, missing = without_missing(rows)
    table, said = samples(rows, root)
    notes = (f"{counted(silent, 'film')} of studies without labels left out",) if silent else ()
    first = (findings.HEALTHY, *FINDINGS, findings.UNSURE)
    return Cohort("MIMIC-CXR-JPG", table, in_order(table["label"], first), (*notes, *missing, *said), layout="mimic")


def _tables(root: Path, needed: tuple[str, ...]) -> list[Path]:
    return with_heads([*root.glob("*.csv"), *root.glob("*.csv.gz")], needed) if root.is_dir() else []
