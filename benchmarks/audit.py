"""`python -m benchmarks.audit`: what the search for copies finds, what it wrongly calls one, and what it costs.

Recall of planted copies, one alteration at a time (0.95 is promised but for three hard combinations); pairs of
different patients, and of two exposures of one, that are called one picture; the same of known pairs without a search;
films hashed a second; how the hash stage grows from 1,000 to 100,000 films. Uses the real films (HILUM_DATA), and a
cache of its own. On one quiet core it takes some twenty minutes:
OMP_NUM_THREADS=1 taskset -c 0 python -m benchmarks.audit
"""

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from benchmarks import copies, copypairs
from core.data.cohort import Cohort
from core.data.duplicates import MAX_BITS, candidates
from core.data.readers import data_root
from core.data.signatures import ANGLES, UPRIGHT, signatures

T = TypeVar("T")
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
MOST_FOR_ALL_PAIRS = 10_000
PARTS = ("called", "recall", "growth", "pairs")


def main() -> None:
    """Print the tables; exit status 1 where recall is below what is promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    help_ = "films of different patients among which false pairs are counted (default: 2700, 3.6 million pairs)"
    parser.add_argument("--films", type=int, default=2700, help=help_)
    parser.add_argument("--among", type=int, default=1000, help="films among which copies are planted (default: 1000)")
    parser.add_argument("--planted", type=int, default=60, help="copies planted at a time (default: 60)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    args = parser.parse_args()
    kept = True
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HILUM_CACHE"] = cache
        strangers = copies.strangers(data_root(), args.films)
        among = strangers.take(np.arange(len(strangers))[: args.among])
        if "pairs" in args.parts:
            kept &= copypairs.altered(among, args.planted)
            copypairs.exposed(copies.exposures(data_root()))
        if set(args.parts) <= {"pairs"}:
            sys.exit(not kept)
        hashes = speed(among)
        if "called" in args.parts:
            copies.wrongly_called(strangers, copies.exposures(data_root()))
        if "recall" in args.parts:
            kept &= copies.recall(among, args.planted)
        if "growth" in args.parts:
            growth(hashes)
    sys.exit(not kept)


def speed(cohort: Cohort) -> np.ndarray:
    """Films a second from files to signatures, decoding included, without and with the cache; returns the hashes."""
    cold, signs = _timed(lambda: signatures(cohort))
    warm, _ = _timed(lambda: signatures(cohort))
    print(f"hashed {len(cohort):,} films: {len(cohort) / cold:,.0f} films/s, from the cache {len(cohort) / warm:,.0f}")
    return signs.hashes


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
