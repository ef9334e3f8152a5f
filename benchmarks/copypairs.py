"""Known pairs judged by keypoints alone: the part of `benchmarks.audit` that needs no search.

A film and its altered copy must be called a copy; two films of one patient must not, unless they are one film under two
names, which is for the eye to say. Every pair of films of one patient is compared, not only those that a search names.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from benchmarks.copies import ALTERATIONS, HARD, PROMISED
from core.data.cohort import Cohort
from core.data.copies.keypoints import FLIPS, Description
from core.data.copies.library import describe
from core.data.copies.verify import COPY, POSSIBLE, agreement
from core.errors import FilmError
from core.intervals import wilson

FIRST = ("mirrored and inverted", "mirrored", "inverted")  # by which an alteration's name begins


def altered(cohort: Cohort, many: int) -> bool:
    """Print, for each alteration, how many copies are called copies of their film; whether all is as promised."""
    chosen = np.random.default_rng(2).permutation(len(cohort))[:many]
    levels: dict[str, list[str]] = {name: [] for name in ALTERATIONS}
    for k, i in enumerate(chosen):
        film = cohort.film(int(i)).pixels
        own = describe(film)
        for name, alter in ALTERATIONS.items():
            copy = describe(np.ascontiguousarray(alter(film, np.random.default_rng(k))))
            levels[name].append(agreement(own, copy, _flip(name)).level)
    print(f"\n{len(chosen)} films against their altered copies, by keypoints alone")
    print(f"{'altered':40}{'called copies':>16}{'95 %':>16}{'copy or possible':>18}")
    kept = True
    for name, found in levels.items():
        sure = found.count(COPY)
        low, high = wilson(sure, len(found))
        kept &= sure / len(found) >= PROMISED or name in HARD
        share, interval = f"{sure / len(found):.3f}", f"[{low:.3f}, {high:.3f}]"
        print(f"{name:40}{share:>16}{interval:>16}{(sure + found.count(POSSIBLE)) / len(found):18.3f}", flush=True)
    return kept


def exposed(cohort: Cohort) -> None:
    """Print how many pairs of two films of one patient are called copies or possible, and which."""
    table = cohort.samples.reset_index(drop=True)
    counts = {COPY: 0, POSSIBLE: 0, "": 0}
    print()
    for _, films in table.groupby("patient"):
        for a, b in combinations(_described(cohort, films.index.tolist()), 2):
            level = agreement(a[1], b[1], 0).level
            counts[level] += 1
            if level == COPY:
                print(f"  copy: {table['film_id'].iat[a[0]]} | {table['film_id'].iat[b[0]]}", flush=True)
    print(f"{sum(counts.values()):,} pairs of two films of one patient, byte copies left out, by keypoints alone")
    print(f"called copies: {counts[COPY]}; possible: {counts[POSSIBLE]}")


def _described(cohort: Cohort, rows: list[int]) -> Iterator[tuple[int, Description]]:
    """The films of these rows that are files of their own."""
    seen = set()
    for row in rows:
        try:
            film = cohort.film(row)
        except FilmError:
            continue
        if film.sha256 not in seen:
            seen.add(film.sha256)
            yield row, describe(film.pixels)


def _flip(name: str) -> int:
    """How an alteration flips a film, as `FLIPS` numbers it."""
    return next((FLIPS.index(flip) for flip in FIRST if name.startswith(flip)), 0)
