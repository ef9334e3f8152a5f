"""How long-running work reports its progress; a callback that raises ends it, and what was found until then is kept."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
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
    with one_thread_each(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(items), _BATCH):
            some = items[start : start + _BATCH]
            yield some, list(pool.map(work, some))
            progress(what, start + len(some), len(items))


class _OneThreadEach(AbstractContextManager[None]):
    """Counts who wants it, so that what was before comes back when the last is done."""

    def __init__(self) -> None:
        self._before, self._users, self._changing = ExitStack(), 0, Lock()

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self._changing:
            self._users += 1
            if self._users == 1:
                self._before.enter_context(threadpool_limits(1, user_api="blas"))

    def __exit__(self, *_: object) -> None:
        with self._changing:
            self._users -= 1
            if not self._users:
                self._before.close()


_one_thread_each = _OneThreadEach()


def one_thread_each() -> AbstractContextManager[None]:
    """NumPy's products of matrices use no threads of their own within: for work that keeps every core busy already.

    Otherwise each of its threads wakes as many others, and most of the time goes into waiting.
    """
    return _one_thread_each
