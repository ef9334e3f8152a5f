"""Cohort x work -> rows: a few batches at a time, in order, so memory does not grow with the number of films."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.identity import short
from core.run.index import Index
from core.run.parts import Columns, Parts, Row, Writer

Rows = Generator[tuple[list[Row], int], None, None]
"""Rows as they come, and how many films they are of."""
Engine = Callable[[Cohort, "Work", Iterator["Batch"]], Rows]
"""Who works: cohort, work and batches -> rows."""
Told = Callable[[int, int], None]
"""Called with the films done and the films in all."""


class Work(Protocol):
    """What turns films into rows. Threads share one; it holds nothing that changes.

    Attributes:
        key: what its rows are known by, see `core.identity`.
        columns: of its rows, besides `parts.FIRST`.
        units: what it is asked of each film: ``("",)``, or several methods; a row for each.
    """

    columns: Columns
    units: tuple[str, ...]

    @property
    def key(self) -> str:
        """See above."""
        ...

    def shipped(self) -> "Callable[[], Work]":
        """What makes the same work in another process; it can be pickled."""
        ...

    def __call__(self, films: Cohort, units: Sequence[tuple[str, ...]]) -> list[Row]:
        """The rows of a batch of films, each for its own units, in order; with "id" and "unit".

        A film that cannot be read has a row with its "error".
        """
        ...


class Known(Protocol):
    """Which rows are there already, such as `core.run.index.Index`."""

    def stands(self, film: str, unit: str, stamp: str, path: Path | None = None) -> bool:
        """Whether this unit of a film need not be done again; ``stamp`` is that of its file now."""
        ...


class Batch(NamedTuple):
    """Films that are worked on together: their places in the cohort, and what is asked of each."""

    positions: list[int]
    units: list[tuple[str, ...]]
    stamps: list[str]

    @property
    def films(self) -> int:
        """How many of them have something to be asked."""
        return sum(map(bool, self.units))


def rows(
    cohort: Cohort,
    work: Work,
    batch: int = 16,
    progress: Told = lambda done, total: None,
    pause: Callable[[], None] | None = None,
    known: Known | None = None,
    engine: Engine | None = None,
) -> Iterator[list[Row]]:
    """The missing rows of all films, batch by batch; nothing is kept.

    Args:
        batch: films that go through the network together.
        progress: called with films done and films in all, when the caller is through with a batch.
        pause: called before each batch; batches are then worked on one by one, so nothing is at work when it is called.
        known: the rows that are there already; none by default.
        engine: `Threads` by default, in order, or `core.run.cluster.Ray`.
    """
    done = 0

    def groups() -> Iterator[Batch]:
        nonlocal done
        for group in _missing(cohort, work, known, batch):
            done += len(group.positions) - group.films
            if pause is not None:
                pause()
            yield group

    coming = (engine or Threads(None if pause is None else 1))(cohort, work, groups())
    with closing(coming):  # whoever stops listening leaves no thread at work
        for found, films in coming:
            yield found
            done += films
            progress(done, len(cohort))


def into(
    parts: Parts,
    cohort: Cohort,
    work: Work,
    batch: int = 16,
    engine: Engine | None = None,
    progress: Told = lambda done, total: None,
    index: Index | None = None,
) -> int:
    """Put the missing rows of all films into parts; what an earlier run of the same key left is not done again.

    Args:
        engine: `Threads` by default, or `core.run.cluster.Ray`.
        index: of these parts, where the caller has read it already.

    Returns:
        the number of rows that were there before.

    Raises:
        OSError: a part cannot be written; those before it stay.
    """
    parts.begin()
    index = parts.index() if index is None else index
    writer = Writer(parts)
    try:
        for found in rows(cohort, work, batch, progress, known=index, engine=engine):
            writer.add(found)
    finally:
        writer.flush()
    return len(index)


def _missing(cohort: Cohort, work: Work, known: Known | None, batch: int) -> Iterator[Batch]:
    """The films that lack a row, in batches; a film's file is looked at only when its turn comes."""
    names, paths = cohort.samples[FILM_ID].astype(str).array, cohort.samples["path"].astype(str).array
    waiting = Batch([], [], [])
    for position in range(len(cohort)):
        stamp, wanted = "", work.units
        if known is not None:
            stamp = _stamp(cohort, position)
            made = cohort.fetch is not None or cohort.is_drawn(paths[position])
            path = None if made else Path(paths[position])
            wanted = tuple(unit for unit in wanted if not known.stands(names[position], unit, stamp, path))
        waiting.positions.append(position)
        waiting.units.append(wanted)
        waiting.stamps.append(stamp)
        if len(waiting.positions) == batch:
            yield waiting
            waiting = Batch([], [], [])
    if waiting.positions:
        yield waiting


def _stamp(cohort: Cohort, position: int) -> str:
    """Size and time of change of a film's file, and where it lies, hashed.

    Two cohorts may have films of one name, size and time ("X/p/1.dcm" and "Y/p/1.dcm", unpacked together), and a drawn
    film follows from its whole path alone.
    """
    path = str(cohort.samples["path"].iat[position])
    place = path if cohort.fetch is not None else os.path.abspath(path)
    return f"{cohort.stamp(position)} {short(hashlib.sha256(os.fsencode(place)).hexdigest())}"


def worked(cohort: Cohort, work: Work, batch: Batch) -> list[Row]:
    """The rows of one batch, each with the stamp that its film had before it was read."""
    wanted = [place for place, units in enumerate(batch.units) if units]
    if not wanted:
        return []
    films = cohort.take(np.array([batch.positions[place] for place in wanted]))
    stamps = dict(zip(films.samples[FILM_ID], (batch.stamps[place] for place in wanted), strict=True))
    return [{"stamp": stamps[row["id"]]} | row for row in work(films, [batch.units[place] for place in wanted])]


class Threads:
    """Batches on this machine, in order.

    Reading, resizing and the network all work outside Python's global lock, so threads share one network and no core
    waits for another's stage.

    Args:
        workers: threads; one for each processor by default.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def __call__(self, cohort: Cohort, work: Work, groups: Iterator[Batch]) -> Rows:
        """See `Engine`."""
        if self.workers == 1:
            for group in groups:
                yield worked(cohort, work, group), group.films
            return
        waiting: deque[tuple[Future[list[Row]], int]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                while True:
                    for group in islice(groups, 2 * self.workers + 1 - len(waiting)):
                        waiting.append((pool.submit(worked, cohort, work, group), group.films))
                    if not waiting:
                        return
                    future, films = waiting.popleft()
                    yield future.result(), films
            finally:  # whoever stops listening, or an error, leaves nothing in the queue
                for future, _ in waiting:
                    future.cancel()
