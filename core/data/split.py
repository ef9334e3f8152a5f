"""Splits that keep every patient, and every picture that occurs twice, on one side.

A film's place depends on its file name and the seed, never on the folder or the machine, and little on other films.
"""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.copies import find_copies
from core.data.film_id import film_ids
from core.data.progress import Progress, quiet
from core.data.store import in_memory
from core.data.stratify import deal, strata
from core.errors import CohortError

_LARGEST_SHARE = 0.25  # of a class that one of validation and test may take, unless a larger share is asked for


def groups(cohort: Cohort, pairs: pd.DataFrame | None = None, progress: Progress = quiet) -> np.ndarray:
    """int64 (N,): films of one patient, or of what may be one picture, have the same number.

    Args:
        pairs: as of `find_copies`, which looks for them where they are not given. A possible copy counts as one: to
            keep two films together that need not be costs less than to divide two that must not.
        progress: told how far the search is.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    with in_memory(cohort.fetch is not None):
        pairs = find_copies(cohort, progress=progress) if pairs is None else pairs
    patient = cohort.samples["patient"]
    known = np.flatnonzero(patient.to_numpy() != "")
    first_film = pd.Series(known, index=known).groupby(patient.iloc[known].to_numpy()).transform("first")
    left = np.concatenate([pairs["first"].to_numpy(), known])
    right = np.concatenate([pairs["second"].to_numpy(), first_film.to_numpy()])
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(cohort), len(cohort)))
    group: np.ndarray = connected_components(links, directed=False)[1].astype(np.int64)
    return group


def split(
    cohort: Cohort,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    per_split: int | None = None,
    use_source: bool = False,
    progress: Progress = quiet,
) -> Cohort:
    """The same cohort with every film in train, validation or test; stratified by class, or by findings (`stratify`).

    Args:
        cohort: films; a patient or near-duplicate is never divided.
        validation, test: shares of each class, 0 to 1, together below 1.
        seed: another seed, another split.
        per_split: that many films in each of validation and test instead, as evenly over the classes as possible;
            of findings that many at most, in their own shares.
        use_source: keep the test films that the source itself set apart, and of its validation films those that share
            no patient or picture with them; training films that share one with either are left out, and what the
            source lacks is taken from the rest.
        progress: told how far the search for copies is; what it finds is kept, so that the next split takes seconds.

    Raises:
        CohortError: too few films, shares that leave no training films, or no split of the source's own.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        came = f"shares of {validation:g} for validation and {test:g} for test leave nothing to train on"
        raise CohortError(came, "shares that add up to less than 1")
    group = groups(cohort, progress=progress)
    labels = cohort.labels()
    sizes = np.bincount(labels, minlength=len(cohort.classes))
    chosen = np.full(len(cohort), "train", dtype=object)
    free = np.ones(len(cohort), bool)
    notes: list[str] = []
    if use_source:
        chosen, free, notes = _source_split(cohort, group)
    order = _order(cohort, group, seed)
    open_ = {
        name: share
        for name, share in (("test", test), ("validation", validation))
        if not (use_source and (chosen == name).any())
    }
    if cohort.findings:
        chosen = _by_findings(cohort, order, group, chosen, free, open_, per_split)
    else:
        chosen = _by_class(labels, sizes, order, group, chosen, free, open_, per_split, use_source)
    notes.append(f"split by patient and near-duplicate: {len(order)} groups of {len(cohort)} films, seed {seed}")
    return replace(cohort.with_splits(chosen), notes=(*cohort.notes, *notes))


def _by_class(
    labels: np.ndarray,
    sizes: np.ndarray,
    order: np.ndarray,
    group: np.ndarray,
    chosen: np.ndarray,
    free: np.ndarray,
    wanted: dict[str, float],
    per_split: int | None,
    use_source: bool,
) -> np.ndarray:
    """The split of each film (N,): free groups taken in order, as long as no class gets more than its quota."""
    chosen, free = chosen.copy(), free.copy()
    for name, share in wanted.items():
        quota = _even_quota(sizes, per_split) if per_split else np.floor(sizes * share + 0.5).astype(int)
        if use_source:  # its test films count in the sizes, and may be most of a class
            left = np.bincount(labels[free], minlength=len(sizes))
            quota = np.minimum(quota, np.ceil(left * _LARGEST_SHARE).astype(int))
        picked = _pick(order, group, labels, quota, free)
        chosen[picked] = name
        free &= ~picked
    return chosen


def _by_findings(
    cohort: Cohort,
    order: np.ndarray,
    group: np.ndarray,
    chosen: np.ndarray,
    free: np.ndarray,
    wanted: dict[str, float],
    per_split: int | None,
) -> np.ndarray:
    """The split of each film (N,): free groups dealt so that each finding comes near its share of every split.

    Shares are of all films and taken from the free ones, at most a quarter of these where the source has a split.
    """
    part = len(cohort) / max(int(free.sum()), 1)
    most = _LARGEST_SHARE if part > 1 or per_split else 1.0
    shares = [min((per_split / len(cohort) if per_split else share) * part, most) for share in wanted.values()]
    there = order[np.isin(order, group[free])]
    parts = deal(there, group, strata(cohort.present()), [1 - sum(shares), *shares])
    names = np.array(["train", *wanted], dtype=object)
    return np.where(free, names[np.maximum(parts, 0)], chosen)


def _order(cohort: Cohort, group: np.ndarray, seed: int) -> np.ndarray:
    """The groups, shuffled by a digest of their first file name (int64, each group once)."""
    table = pd.DataFrame({"group": group, "name": [p.rsplit("/", 1)[-1] for p in film_ids(cohort.samples["path"])]})
    first = table.groupby("group")["name"].min()
    digest = first.map(lambda name: sha256(f"{seed}/{name}".encode()).hexdigest())
    return pd.DataFrame({"digest": digest, "name": first}).sort_values(["digest", "name"]).index.to_numpy(np.int64)


def _pick(order: np.ndarray, group: np.ndarray, labels: np.ndarray, quota: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Bool (N,): whole free groups, taken in order as long as no class gets more than its quota."""
    by_group = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[by_group], np.arange(group.max() + 2))
    left = quota.copy()
    picked = np.zeros(len(group), bool)
    for g in order:
        films = by_group[edges[g] : edges[g + 1]]
        need = np.bincount(labels[films], minlength=len(quota))
        if free[films].all() and (need <= left).all():
            picked[films] = True
            left = left - need
    return picked


def _even_quota(sizes: np.ndarray, total: int) -> np.ndarray:
    """``total`` films shared evenly among the classes; what a small class lacks the others give."""
    most = np.floor(sizes * _LARGEST_SHARE).astype(int)
    if most.sum() < total:
        came = f"{total} films per split were asked for, but the cohort has only {most.sum()}"
        raise CohortError(came, f"at most a {_LARGEST_SHARE:.0%} share of each class", "Ask for fewer, or for shares")
    quota = np.zeros_like(sizes)
    while quota.sum() < total:
        open_ = np.flatnonzero(quota < most)
        missing = total - quota.sum()
        extra = np.full(len(open_), missing // len(open_))
        extra[: missing % len(open_)] += 1
        quota[open_] = np.minimum(quota[open_] + extra, most[open_])
    return quota


def _source_split(cohort: Cohort, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The source's own splits, the films that are still free, and a note on what would have leaked."""
    own = cohort.samples["split"].to_numpy(dtype=object)
    if "test" not in own:
        raise CohortError(f"{cohort.name} has no test split of its own", "one", "Split it by shares instead")
    with_test = np.isin(group, group[own == "test"])
    validation = (own == "validation") & ~with_test
    held = (own == "test") | validation
    free = ~with_test & ~np.isin(group, group[validation])
    chosen = np.where(held, own, np.where(free, "train", ""))
    out = ~held & ~free
    training, judging = int((out & (own != "validation")).sum()), int((out & (own == "validation")).sum())
    also = f", and {judging} validation films with its test films," if judging else ""
    note = (
        f"the source's own split; {training} training films share a patient or picture with it{also} and are left out"
    )
    return chosen, free, [note]
