"""Films that show one picture, however they were cropped, shifted, framed, mirrored, turned, inverted or exposed.

Three stages, each costlier than the one before. Perceptual hashes (`core.data.duplicates`) find what was only
compressed, scaled or turned a little; of films that they clearly call one, one stands for all from there on. Bags of
visual words (`words`) name the films that may share a picture with each. Keypoints and details (`verify`) decide, also
where the hashes were in doubt: two exposures of one patient may look alike to them. What is learned about a film or a
pair is kept, so that a film is paid for once.

Measured on 14,516 public films, and what is missed: `benchmarks.audit`.
"""

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from itertools import combinations

import numpy as np
import pandas as pd

from core.data.cache import cache_dir
from core.data.cohort import Cohort
from core.data.copies.keypoints import FLIPS
from core.data.copies.library import Library
from core.data.copies.verify import COPY, POSSIBLE, Agreement, agreement
from core.data.copies.words import nearest
from core.data.duplicates import near_duplicates
from core.data.progress import Progress, in_batches, one_thread_each, quiet
from core.data.signatures import VERSION as READ
from core.data.signatures import Signatures, signatures
from core.data.store import Store, digest
from core.errors import CohortError

COLUMNS = ("first", "second", "level", "similarity", "inliers", "flip")
_VERDICT = struct.Struct("<HfHf")  # as `Agreement` has them
_VERSION = f"{READ}-2"  # change it when a verdict changes
_TYPES = {
    "first": "int64",
    "second": "int64",
    "flip": "int64",
    "level": "str",
    "similarity": "float64",
    "inliers": "int64",
}
_FEW = 100  # keypoints of a film, below which it says little that they do not agree
_MOST_TOGETHER = 50  # films that the hashes call one picture, up to which each pair of them is looked at
_BLOCK = 2000  # pairs compared between two reports


def find_copies(cohort: Cohort, signs: Signatures | None = None, progress: Progress = quiet) -> pd.DataFrame:
    """Pairs of films that show one picture.

    Args:
        cohort: films; those that cannot be read are in no pair.
        signs: their signatures, where the caller has them.
        progress: told what is being done; if it raises, the work ends and what was found is kept.

    Returns:
        first < second (positions), level ("copy" or "possible": to be looked at), similarity (0.7 to 1, correlation of
        details), inliers (keypoints on one affine map; -1 where the hashes alone decided), flip ("", "mirrored",
        "inverted", "mirrored and inverted": the first as against the second). Each pair once, in order; possible copies
        between two known patients are left out.

    Raises:
        CohortError: the cache cannot be written.
    """
    library = Library()
    signs = signed(cohort, library, progress) if signs is None else signs
    every = near_duplicates(signs)
    hashed, doubtful = every[~every["aligned"]], every[every["aligned"]]
    stands_for = _representatives(signs, hashed)
    readable = signs.sha256 != ""
    unsure = np.concatenate([_not_called(hashed, stands_for), doubtful[["first", "second"]].to_numpy(np.int64)])
    chosen = np.union1d(np.flatnonzero((stands_for == np.arange(len(cohort))) & readable), unsure.ravel())
    keys = signs.sha256[chosen].tolist()
    _describe(cohort, chosen, keys, library, progress)
    alone = stands_for[chosen] == chosen
    bags = [bag if one else bag[:0] for bag, one in zip(library.bags(keys), alone, strict=True)]
    pairs = nearest(bags, progress)
    verified = _verified(pairs, keys, library, progress)
    inside = np.pad(np.searchsorted(chosen, unsure), ((0, 0), (0, 1)))  # not flipped
    within = _verified(inside, keys, library, quiet)
    within = within.assign(first=chosen[within["first"]], second=chosen[within["second"]])  # positions in the cohort
    unseen = _undecided(doubtful, within, dict(zip(chosen.tolist(), map(len, library.bags(keys)), strict=True)))
    found = [within, unseen, _spread(verified, chosen, stands_for)]
    pairs_of_all = _joined(hashed, pd.concat(found, ignore_index=True))
    return _without_strangers(pairs_of_all, cohort.samples["patient"].to_numpy(dtype=object))


def signed(cohort: Cohort, library: Library, progress: Progress = quiet) -> Signatures:
    """The signatures of a cohort; films that have to be read for them are described at the same time."""
    try:
        return signatures(cohort, progress, library.add)
    finally:
        library.flush()


def _representatives(signs: Signatures, hashed: pd.DataFrame) -> np.ndarray:
    """int64 (N,): the first of the films that are one file, or that the hashes call one picture."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(signs)
    first_of_file = pd.Series(np.arange(count)).groupby(signs.sha256).transform("first").to_numpy()
    first_of_file = np.where(signs.sha256 == "", np.arange(count), first_of_file)  # unreadable films are not one
    left = np.concatenate([hashed["first"].to_numpy(np.int64), np.arange(count)])
    right = np.concatenate([hashed["second"].to_numpy(np.int64), first_of_file])
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    group = connected_components(links, directed=False)[1]
    return pd.Series(np.arange(count)).groupby(group).transform("first").to_numpy(np.int64)


def _not_called(hashed: pd.DataFrame, stands_for: np.ndarray) -> np.ndarray:
    """int64 (M, 2): films that the hashes call one with a third, and not with each other."""
    called = set(zip(hashed["first"], hashed["second"], strict=True))
    groups = pd.Series(np.unique(hashed[["first", "second"]].to_numpy(np.int64)))
    pairs = [
        pair
        for _, members in groups.groupby(stands_for[groups])
        if len(members) <= _MOST_TOGETHER
        for pair in combinations(members.tolist(), 2)
        if pair not in called
    ]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _undecided(doubtful: pd.DataFrame, verified: pd.DataFrame, keypoints: dict[int, int]) -> pd.DataFrame:
    """The doubtful pairs of the hashes on which keypoints do not agree: possible copies.

    Films with few keypoints can agree on few: these stay what the hashes call them.
    """
    pair = ["first", "second"]
    decided = pd.MultiIndex.from_frame(verified[pair])
    left = doubtful[~pd.MultiIndex.from_frame(doubtful[pair]).isin(decided)]
    few = [min(keypoints[a], keypoints[b]) < _FEW for a, b in zip(left["first"], left["second"], strict=True)]
    rows = left.assign(level=np.where(few, COPY, POSSIBLE), inliers=-1, flip=0)
    return rows[list(_TYPES)].astype(_TYPES)


def _describe(cohort: Cohort, chosen: np.ndarray, keys: list[str], library: Library, progress: Progress) -> None:
    """Describe the films that are not described yet."""
    lacking = set(library.lacks(keys))
    films = [int(i) for i, key in zip(chosen, keys, strict=True) if key in lacking]
    try:
        for _ in in_batches(lambda i: library.add(cohort.film(i)), films, "finding keypoints", progress):
            library.flush()
    finally:
        library.flush()
    if films and (left := library.lacks(keys)):
        came = f"what was found about {len(left)} films could not be kept in {cache_dir()}"
        raise CohortError(came, "a cache folder with room to write in", "Set HILUM_CACHE to another folder")


def _verified(pairs: np.ndarray, keys: list[str], library: Library, progress: Progress) -> pd.DataFrame:
    """The pairs (M, 3) of positions and flips that pass verification, with level, similarity and inliers."""
    store = Store(f"pairs-{_VERSION}")
    found = []
    for start in range(0, len(pairs), _BLOCK):
        block = pairs[start : start + _BLOCK]
        names = [digest(*sorted((keys[a], keys[b])), flip) for a, b, flip in block.tolist()]
        known = {name: Agreement(*_VERDICT.unpack(value)) for name, value in store.read(names).items()}
        fresh = {name: row for name, row in zip(names, block.tolist(), strict=True) if name not in known}
        judged = dict(zip(fresh, _judge(list(fresh.values()), keys, library), strict=True))
        store.write((name, _VERDICT.pack(*astuple(a))) for name, a in judged.items())
        known |= judged
        found += [
            (*row, known[name].level, known[name].correlation, known[name].inliers)
            for name, row in zip(names, block.tolist(), strict=True)
            if known[name].level
        ]
        progress("comparing films", start + len(block), len(pairs))
    table = pd.DataFrame(found, columns=list(_TYPES))
    return table.astype(_TYPES)


def _judge(rows: list[list[int]], keys: list[str], library: Library) -> list[Agreement]:
    """The agreement of each pair, always seen from the film whose file comes first, so that order tells nothing."""

    def judged(row: list[int]) -> Agreement:
        low, high = sorted((keys[row[0]], keys[row[1]]))
        first, second = library.load([low, high])
        return agreement(first, second, row[2]) if first and second else Agreement()

    with one_thread_each(), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(judged, rows))


def _spread(verified: pd.DataFrame, chosen: np.ndarray, stands_for: np.ndarray) -> pd.DataFrame:
    """From pairs of films that stand for others to pairs of all of these."""
    members = pd.Series(np.arange(len(stands_for))).groupby(stands_for).agg(list)
    rows = [
        (min(a, b), max(a, b), *rest)
        for first, second, *rest in verified.itertuples(index=False)
        for a in members[stands_for[chosen[first]]]
        for b in members[stands_for[chosen[second]]]
    ]
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


def _without_strangers(pairs: pd.DataFrame, patient: np.ndarray) -> pd.DataFrame:
    """Without possible copies between two known patients: drawn patients, who share one skeleton, come as near."""
    first, second = patient[pairs["first"]], patient[pairs["second"]]
    strangers = (first != second) & (first != "") & (second != "") & (pairs["level"] != COPY).to_numpy()
    kept: pd.DataFrame = pairs[~strangers].reset_index(drop=True)
    return kept


def _joined(hashed: pd.DataFrame, verified: pd.DataFrame) -> pd.DataFrame:
    """Both tables as one, each pair once: as the hashes call it, else at its best."""
    ours = hashed.assign(level=COPY, inliers=-1, flip=0)[list(_TYPES)].astype(_TYPES).assign(rank=0)
    both = pd.concat([ours, verified.assign(rank=np.where(verified["level"] == COPY, 1, 2))], ignore_index=True)
    both = both.sort_values(["first", "second", "rank", "inliers"], ascending=[True, True, True, False])
    both = both.drop_duplicates(["first", "second"])
    return both.assign(flip=[FLIPS[flip] for flip in both["flip"]])[list(COLUMNS)].reset_index(drop=True)
