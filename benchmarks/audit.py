"""`python -m benchmarks.audit`: films hashed a second, copies found, and how pairing grows from 1,000 to 100,000 films.

Uses the real films (HILUM_DATA). Larger cohorts are made of their hashes with a quarter of the bits changed, which puts
them as far apart as different patients are. Comparing all pairs is measured beside ours as long as it is bearable.
"""

import argparse
import io
import math
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
from PIL import Image

from core.data.cohort import Cohort, concatenate
from core.data.duplicates import MAX_BITS, candidates, near_duplicates
from core.data.film.radiograph import from_pixels
from core.data.readers import data_root, open_cohorts
from core.data.signatures import ANGLES, UPRIGHT, Signatures, hashes_of, signatures, thumbnail_of

T = TypeVar("T")
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
MOST_FOR_ALL_PAIRS = 10_000


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=1000, help="real films to hash and copy (default: 1000)")
    args = parser.parse_args()
    cohorts = open_cohorts([data_root()])
    whole = concatenate("all", cohorts)
    some = whole.take(np.sort(np.random.default_rng(0).permutation(len(whole))[: args.films]))
    hashes = speed(some)
    recall(some)
    growth(hashes)


def speed(cohort: Cohort) -> np.ndarray:
    """Films a second from files to signatures, decoding included, without and with the cache; returns the hashes."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HILUM_CACHE"] = cache
        cold, signs = _timed(lambda: signatures(cohort))
        warm, _ = _timed(lambda: signatures(cohort))
    print(f"hashed {len(cohort):,} films: {len(cohort) / cold:,.0f} films/s, from the cache {len(cohort) / warm:,.0f}")
    return signs.hashes


def recall(cohort: Cohort) -> None:
    """Copies found of those planted, and pairs of other films called one that the untouched films do not have."""
    films = [cohort.film(i).pixels for i in range(len(cohort))]
    own = _signed(films)
    known = {tuple(pair) for pair in near_duplicates(own)[["first", "second"]].to_numpy().tolist()}
    others = len(films) * (len(films) - 1)
    print(f"\n{'copies made by':22}{'found':>8}{'other pairs called one':>26}")
    for name, alter in ALTERATIONS.items():
        rng = np.random.default_rng(1)
        both = _joined(own, _signed([alter(film, rng) for film in films]))
        pairs = near_duplicates(both)[["first", "second"]].to_numpy()
        planted = pairs[:, 1] - pairs[:, 0] == len(films)
        rest = {tuple(sorted(pair)) for pair in (pairs[~planted] % len(films)).tolist()} - known
        print(f"{name:22}{planted.sum() / len(films):8.1%}{len(rest) / others:26.5%}")


def growth(hashes: np.ndarray) -> None:
    """Processor seconds to pair 1,000 to 100,000 hashes, ours and all against all, and the power of N ours grows by."""
    print(f"\n{'films':>9}{'ours, s':>10}{'all pairs, s':>14}{'grows as':>10}")
    before = (0, 0.0)
    for size in SIZES:
        many = _enlarged(hashes, size)
        seconds, _ = _timed(partial(candidates, many), time.process_time)
        every = (
            f"{_timed(partial(_all_pairs, many), time.process_time)[0]:14.2f}"
            if size <= MOST_FOR_ALL_PAIRS
            else f"{'-':>14}"
        )
        power = f"N^{math.log(seconds / before[1]) / math.log(size / before[0]):.2f}" if before[0] else ""
        print(f"{size:9,}{seconds:10.2f}{every}{power:>10}", flush=True)
        before = (size, seconds)


def _turn(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(Image.fromarray(film).rotate(rng.uniform(-5, 5), Image.Resampling.BICUBIC))


def _rescale(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    picture, factor = Image.fromarray(film), rng.uniform(0.4, 1.6)
    return np.asarray(picture.resize((int(picture.width * factor), int(picture.height * factor))))


def _recompress(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(film).save(file, "JPEG", quality=int(rng.integers(25, 80)))
    return np.asarray(Image.open(file))


def _expose(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure (gamma 0.7 to 1.4), contrast and window, which may clip."""
    light = ((film / 255) ** rng.uniform(0.7, 1.4) - 0.5) * rng.uniform(0.75, 1.25) + 0.5 + rng.uniform(-0.05, 0.05)
    return (np.clip(light, 0, 1) * 255).astype(np.uint8)


ALTERATIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "turning up to 5 deg": _turn,
    "rescaling 0.4 to 1.6": _rescale,
    "JPEG quality 25 to 80": _recompress,
    "another exposure": _expose,
    "all four": lambda film, rng: _recompress(_rescale(_turn(_expose(film, rng), rng), rng), rng),
}


def _signed(films: list[np.ndarray]) -> Signatures:
    thumbnails = np.stack([thumbnail_of(film) for film in films])
    hashes = np.stack([hashes_of(thumbnail) for thumbnail in thumbnails])
    digests = np.array([from_pixels(film, "film").sha256 for film in films], dtype=object)
    return Signatures(digests, hashes, thumbnails, pd.DataFrame(), np.zeros(len(films)), {})


def _joined(first: Signatures, second: Signatures) -> Signatures:
    arrays = [
        np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("sha256", "hashes", "thumbnails", "colour")
    ]
    return Signatures(arrays[0], arrays[1], arrays[2], pd.DataFrame(), arrays[3], {})


def _enlarged(hashes: np.ndarray, size: int) -> np.ndarray:
    """uint8 (size, angles, 32): real hashes, each copy with a quarter of its bits changed alike at every angle."""
    rng = np.random.default_rng(2)
    chosen = hashes[rng.integers(0, len(hashes), size)]
    flips = rng.integers(0, 256, (2, size, 1, hashes.shape[2]), dtype=np.uint8)
    return chosen ^ (flips[0] & flips[1])


def _all_pairs(hashes: np.ndarray) -> int:
    """The peer: every upright hash against every hash at every angle; how many are close."""
    upright = np.ascontiguousarray(hashes[:, UPRIGHT]).view(np.uint64)
    close = 0
    for angle in range(len(ANGLES)):
        for row in np.ascontiguousarray(hashes[:, angle]).view(np.uint64):
            close += int((np.bitwise_count(upright ^ row).sum(axis=1) <= MAX_BITS).sum())
    return close


def _timed(work: Callable[[], T], clock: Callable[[], float] = time.perf_counter) -> tuple[float, T]:
    start = clock()
    result = work()
    return clock() - start, result


if __name__ == "__main__":
    main()
