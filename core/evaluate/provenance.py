"""How a film relates to a model's training: decided here and nowhere else."""

from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import pandas as pd

from core.data.cohort import JOIN, Cohort
from core.data.film_id import find

PROVENANCE = "provenance"
"""Column of an evaluation's samples."""


class Provenance(StrEnum):
    """How much of a film a model had seen before it was asked about it, from most to least."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    LEFT_OUT = "left out"  # of the training cohort, in no split: it shares a patient or a picture with another split
    NEW = "new"  # a film the model never met, of a collection it learned from
    EXTERNAL = "external"  # of a collection the model never met


_OF_SPLIT = {"": Provenance.LEFT_OUT} | {split: Provenance(split) for split in ("train", "validation", "test")}
_RANK = {name: rank for rank, name in enumerate(Provenance)}
_NOBODY = {"", "unknown"}  # sources that name no collection


def provenance(cohort: Cohort, known: pd.DataFrame | None, collections: Iterable[str] = ()) -> list[Provenance]:
    """The provenance (N,) of each film of a cohort; whatever the order of the rows.

    Args:
        known: the samples of the evaluation kept beside the checkpoint. A film is the same if its content is, or its
            identity and source (file name, source and patient in evaluations without identities). Another film of a
            known patient of the same source counts as met too, for the pictures of one collection come under other
            names in another; of several splits the one that the model learned most from counts. None: nothing is kept.
        collections: sources and cohorts that the model learned from, as its card names them.
    """
    parts = {part for name in collections for part in str(name).split(JOIN)} - _NOBODY
    people = cohort.samples[["source", "patient"]].astype(str).to_numpy().tolist()
    if known is None or not len(known):
        met: list[Provenance | None] = [None] * len(cohort)
        patients: dict[tuple[str, str], Provenance] = {}
    else:
        splits = [_OF_SPLIT.get(name, Provenance.TRAIN) for name in known["split"].fillna("").astype(str)]
        # `find` takes the last of several rows that fit.
        order = np.argsort([-_RANK[split] for split in splits], kind="stable")
        known, splits = known.iloc[order].reset_index(drop=True), [splits[i] for i in order]
        rows = known[["source", "patient"]].fillna("").astype(str).to_numpy().tolist()
        patients = {(source, patient): split for split, (source, patient) in zip(splits, rows, strict=True) if patient}
        met = [splits[position] if position >= 0 else None for position in find(cohort.samples, known)]
        parts |= {source for source, _ in rows} - _NOBODY
    of_known = bool(parts & set(cohort.name.split(JOIN)))
    return [
        split
        or patients.get((source, patient))
        or (Provenance.NEW if of_known or source in parts else Provenance.EXTERNAL)
        for split, (source, patient) in zip(met, people, strict=True)
    ]


def provenances(samples: pd.DataFrame, own: bool) -> pd.Series:
    """The provenance of each film, as `Evaluation.by_split` names it."""
    none = Provenance.LEFT_OUT.value if own else Provenance.NEW.value
    names = samples["split"].fillna("").astype(str)
    told = samples[PROVENANCE] if PROVENANCE in samples else pd.Series("", index=names.index)
    return names.where(names != "", told.fillna("").replace("", none))


def split_of(name: Provenance) -> str:
    """The split that a film had in training: "train", "validation", "test", or "" for none."""
    return name.value if name in (Provenance.TRAIN, Provenance.VALIDATION, Provenance.TEST) else ""
