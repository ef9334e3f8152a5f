"""How long-running work reports its progress; a callback that raises ends it, and what was found until then is kept."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
_BATCH = 16  # items between two reports, at which others have their turn on a server


def quiet(what: str, done: int, total: int) -> None:
    """A ``Progress`` that says nothing."""


def in_batches(
    work: Callable[[T], R], items: Sequence[T], what: str, progress: Progress = quiet
) -> Iterator[tuple[Sequence[T], list[R]]]:
    """Do the work on all cores and give it out batch by batch, for the caller to keep before the next is begun."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(items), _BATCH):
            some = items[start : start + _BATCH]
            yield some, list(pool.map(work, some))
            progress(what, start + len(some), len(items))
