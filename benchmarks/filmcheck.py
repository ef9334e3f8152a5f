"""`python -m benchmarks.filmcheck`: which faults of a film the audit finds, and how many good films it accuses.

Learned on one half of the patients of HILUM_DATA, measured on the other. The real films that it accuses are named, so
that one can look; some of them are at fault. `--write` learns from all and writes core/data/filmcheck.npz.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks import domain
from core.data.audit import filmcheck
from core.data.audit.filmcheck import features, trim
from core.data.cohort import concatenate
from core.data.readers import data_root, open_cohorts
from core.data.signatures import SIDE, signatures, thumbnail_of
from core.data.split import groups

TYPICAL = 8  # films to learn
RIDGE = 10.0
HALF = SIDE // 2
Alter = Callable[[np.ndarray], np.ndarray]


def _stretched(part: np.ndarray) -> np.ndarray:
    return np.stack([thumbnail_of(np.ascontiguousarray(film)) for film in part])


GOOD: tuple[Alter, ...] = (lambda f: f, lambda f: f[:, :, ::-1])
TURNED: tuple[tuple[Alter, ...], ...] = (  # in the order of filmcheck.TURNED
    GOOD,
    (lambda f: f[:, ::-1], lambda f: f[:, ::-1, ::-1]),
    (lambda f: np.rot90(f, 1, (1, 2)),),
    (lambda f: np.rot90(f, 3, (1, 2)),),
    (lambda f: 255 - f,),
)
CUT: tuple[tuple[Alter, ...], ...] = (  # in the order of filmcheck.CUT
    GOOD,
    (lambda f: _stretched(f[:, :, :HALF]),),
    (lambda f: _stretched(f[:, :, HALF:]),),
    (lambda f: _stretched(f[:, :HALF]),),
)


def main() -> None:
    """Print the table, and name the real films that are accused."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="learn from all films and keep it")
    write = options.parse_args().write
    cohort = concatenate("all", open_cohorts([data_root()]))
    thumbnails = signatures(cohort).thumbnails
    names = np.array([Path(path).name for path in cohort.samples["path"]])
    side = np.random.default_rng(0).permutation(len(cohort))[groups(cohort)] % 2 == 0
    accused: list[str] = []
    found: dict[str, Counter[str]] = {}
    for learn, judge in ((side, ~side), (~side, side)):
        learned = fit(thumbnails[learn])
        with patch.object(filmcheck, "_learned", lambda learned=learned: learned):
            kinds = filmcheck.check(thumbnails[judge])
            accused += [f"{kind}: {name}" for kind, name in zip(kinds, names[judge], strict=True) if kind]
            for title, films in faulty(thumbnails[judge]):
                found.setdefault(title, Counter()).update(filmcheck.check(films))
    for title, counts in found.items():
        called = ", ".join(f"{kind or 'good'} {n / counts.total():.1%}" for kind, n in counts.most_common(3))
        print(f"{title:14}{counts.total():7,} films: {called}")
    print(f"{'as they are':14}{len(cohort):7,} films: {len(accused)} accused", *sorted(accused), sep="\n  ")
    if write:
        path, learned = Path(filmcheck.__file__).with_name("filmcheck.npz"), fit(thumbnails)
        turned, cut = learned["turned"].astype(np.float16), learned["cut"].astype(np.float16)
        np.savez_compressed(path, turned=turned, cut=cut, typical=learned["typical"])


def fit(thumbnails: np.ndarray) -> dict[str, np.ndarray]:
    """Two ridge regressions from features to faults, float32 (1025, faults), and typical films, uint8 (8, 64, 64)."""
    from sklearn.cluster import MiniBatchKMeans

    films = np.stack([trim(thumbnail)[0] for thumbnail in thumbnails])
    centres = MiniBatchKMeans(TYPICAL, random_state=0, n_init=3).fit(features(films)[:, :-1]).labels_
    means = [films[centres == k].astype(np.float32).mean(axis=0) for k in range(TYPICAL)]
    return {"turned": _ridge(films, TURNED), "cut": _ridge(films, CUT), "typical": np.stack(means).astype(np.uint8)}


def faulty(thumbnails: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Films with a known fault, and pictures that are not films: uint8 (N, 64, 64) by title."""
    some = np.stack([trim(thumbnail)[0] for thumbnail in thumbnails[::10]])
    alterations = {"upside down": TURNED[1], "on its side": TURNED[2] + TURNED[3], "inverted": TURNED[4]}
    alterations |= {"left or right": CUT[1] + CUT[2], "upper half": CUT[3]}
    films = [(title, np.concatenate([alter(some) for alter in alters])) for title, alters in alterations.items()]
    rng = np.random.default_rng(0)
    drawn = {"photograph": domain.photograph, "page of text": domain.page, "hand": domain.hand, "noise": domain.noise}
    return films + [(title, np.stack([thumbnail_of(draw(rng)) for _ in range(200)])) for title, draw in drawn.items()]


def _ridge(films: np.ndarray, faults: tuple[tuple[Alter, ...], ...]) -> np.ndarray:
    size = features(films[:1]).shape[1]
    gram, moments = RIDGE * np.eye(size), np.zeros((size, len(faults)))
    for column, alters in enumerate(faults):
        for alter in alters:
            seen = features(alter(films)).astype(np.float64)
            gram += seen.T @ seen
            moments[:, column] += seen.sum(axis=0)
    return np.linalg.solve(gram, moments).astype(np.float32)


if __name__ == "__main__":
    main()
