"""What the checkpoint that a run starts from (``--weights FOLDER``) has learned from: no news to its successor.

A film that the first model was trained on cannot judge the second one, whatever split the second run's seed puts it in.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.film_id import find
from core.errors import CheckpointError
from core.evaluate.met import with_taught
from core.model.checkpoint import EVALUATION
from core.model.checkpoint import find as folder_of
from core.model.checkpoint import read_card as card_of


def without_met(divided: Cohort, weights: str) -> Cohort:
    """The division without the validation and test films that the starting checkpoint has learned from.

    Films it was trained on leave both, those it was tuned on (its validation films) leave the test films; so do other
    films of their patients. They are in no split then, and the cohort's notes say how many.

    Args:
        divided: films with their splits.
        weights: as in a recipe: "none", "imagenet", a file, or the folder of a checkpoint.
    """
    folders = list(ancestors(weights))
    split = divided.samples["split"].to_numpy(dtype=object)
    trained, tuned = np.zeros(len(divided), bool), np.zeros(len(divided), bool)
    notes = []
    for folder in folders:
        if not (folder / EVALUATION).is_file():
            notes.append(f"nothing is kept of what {folder.name} learned from: test films may be known to it")
            continue
        known = with_taught(pd.read_parquet(folder / EVALUATION), folder)
        trained |= _met(divided, known[known["split"] == "train"])
        tuned |= _met(divided, known[known["split"] == "validation"])
    leave = (np.isin(split, ["validation", "test"]) & trained) | ((split == "test") & tuned)
    if leave.any():
        counts = ", ".join(f"{int((leave & (split == name)).sum())} {name}" for name in ("validation", "test"))
        names = ", ".join(folder.name for folder in folders)
        notes.append(f"{int(leave.sum())} films left out of the judging ({counts}): {names} had learned from them")
    kept = divided.with_splits(np.where(leave, "", split)) if leave.any() else divided
    return replace(kept, notes=(*kept.notes, *notes))


def ancestors(weights: str) -> Iterator[Path]:
    """The folder of the checkpoint that a run starts from, of the one that started from, and so on, as far as known."""
    met: set[Path] = set()
    place = Path(weights)
    while weights not in ("none", "imagenet") and place.is_dir() and place.resolve() not in met:
        met.add(place.resolve())
        yield place
        try:
            weights = str(card_of(place).recipe.get("network", {}).get("weights", "none"))
            beside = place.parent / weights  # cards name the folder alone
            place = beside if beside.is_dir() else folder_of(weights)
        except CheckpointError:
            return


def _met(cohort: Cohort, known: pd.DataFrame) -> np.ndarray:
    """Which films (N,) of a cohort are among the known ones, or of one of their patients of the same source."""
    same = find(cohort.samples, known) >= 0
    people = {tuple(row) for row in known[["source", "patient"]].fillna("").astype(str).to_numpy() if row[1]}
    named = cohort.samples[["source", "patient"]].astype(str).to_numpy()
    return np.asarray(same | np.array([tuple(row) in people for row in named], bool))
