"""Patients as public file names carry them."""

import re
from pathlib import PurePath

import numpy as np
import pandas as pd

# Kermany numbers the children of each kind from 1: person12_virus and person12_bacteria are two of them. Of 2,646 pairs
# of number and kind none lies on both sides of CoronaHack's split, although 650 have several films.
_KNOWN = re.compile(r"(person\d+_(?:virus|bacteria))_|((?:NORMAL2-)?IM-\d+)-|(\d{8})_\d{3}\.")  # the last: NIH
# A folder that is plainly one patient's: "P001", "patient_12", "case 7", "00012"; neither "AP", "batch1" nor grade "2".
_WORDS = "patient|pat|pt|p|case|subject|subj|sub|person|participant|pid|id"
_FOLDER = re.compile(rf"(?:{_WORDS})[ _-]?\d+|\d{{3,}}", re.IGNORECASE)
_NUMBER_ALONE = re.compile(r"person\d+")


def patient_of(name: str) -> str:
    """The patient that a public file name carries ("person1000_virus_1681.jpeg", "IM-0128-0001.jpeg"), or ""."""
    known = _KNOWN.match(PurePath(name.replace("\\", "/")).name)
    return next(filter(None, known.groups())) if known else ""


def names_patient(folder: str) -> bool:
    """Whether a folder's name is plainly one patient's: a word for one with a number, or three digits and more."""
    return _FOLDER.fullmatch(folder) is not None


def per_kind(samples: pd.DataFrame) -> pd.DataFrame:
    """Samples with Kermany's patients by number and kind, also where they were kept by their number alone."""
    if "patient" not in samples or "path" not in samples:
        return samples
    old = samples["patient"].astype(str).str.fullmatch(_NUMBER_ALONE)
    if not old.any():
        return samples
    named = samples["path"].astype(str).map(patient_of)
    return samples.assign(patient=samples["patient"].mask(old & named.ne(""), named))


def numbered(samples: pd.DataFrame) -> np.ndarray:
    """Patient number of each film, int (N,); a film whose patient is unknown is a patient of its own."""
    patient = samples.get("patient", pd.Series("", index=samples.index)).fillna("").astype(str)
    unknown = patient.eq("").to_numpy(bool)
    if not unknown.any():
        return pd.factorize(patient)[0]
    return pd.factorize(np.where(unknown, -1 - np.arange(len(patient)), pd.factorize(patient)[0]))[0]


def count(numbers: np.ndarray) -> int:
    """How many patients some films are of, by their numbers (n,) as `numbered` gives them: without a sort."""
    return int(np.count_nonzero(np.bincount(numbers)))
