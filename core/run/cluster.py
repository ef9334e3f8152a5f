"""The same batches on a Ray cluster: paths go in, films are decoded by the actors, rows come out.

Facts of Ray 2.60 that decide how: an actor on every processor leaves none for reading and hangs the pipeline, so one
stays free; a dead actor is started again and its batch done again; errors in more than no block end the job, because
with any other setting a dead pool of fixed size waits for ever.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.errors import RunError
from core.run.parts import FIRST, Row
from core.run.stream import Batch, Rows, Work

_UNITS, _STAMP = "_units", "_stamp"  # columns that travel with the films
_BATCHES = 16  # in a block, at most: enough that Ray is not busy with blocks
_TURNS = 4  # blocks for each actor, at least: all get some, and none is waited for long at the end


class Ray:
    """Batches on the actors of a Ray cluster, in any order.

    Args:
        workers: actors; one fewer than the cluster's processors by default, and one at least.
        address: of a cluster ("auto", "ray://head:10001"); by default one on this machine, for this run.
        gpus: of each actor.

    Raises:
        RunError: Ray is not installed, the cluster does not answer, or no processor is left for reading.
    """

    def __init__(self, workers: int | None = None, address: str = "", gpus: float = 0.0) -> None:
        self.workers, self.address, self.gpus = workers, address, gpus

    def __call__(self, cohort: Cohort, work: Work, groups: Iterator[Batch]) -> Rows:
        """See `core.run.stream.Engine`."""
        ray = started(self.address)
        from ray.data import ActorPoolStrategy, DataContext, from_pandas

        processors = int(ray.cluster_resources().get("CPU", 1))
        size = self.workers or max(1, processors - 1)
        if size >= processors > 1:
            came = f"{size} actors were asked for on {processors} processors"
            raise RunError(came, f"{processors - 1} at most: one processor reads", "Lower --workers")
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.verbose_progress = False
        blocks, batch = _blocks(cohort, list(groups), size)
        if not blocks:
            return
        rows = from_pandas(blocks).map_batches(
            _Actor,
            batch_size=batch,
            batch_format="pandas",
            compute=ActorPoolStrategy(size=size),
            num_cpus=1 if processors > 1 else 0.5,
            num_gpus=self.gpus or None,
            fn_constructor_kwargs={"make": work.shipped(), "template": cohort.take([])},
        )
        for found in rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            told: list[Row] = pa.table(found).to_pylist()
            yield told, len({row["id"] for row in told})


class _Actor:
    """Works in a process of its own."""

    def __init__(self, make: Callable[[], Work], template: Cohort) -> None:
        import torch

        torch.set_num_threads(1)  # one processor is what it was given
        self.work, self.template = make(), template

    def __call__(self, films: pd.DataFrame) -> pd.DataFrame:
        units = [tuple(text.split("\n")) for text in films[_UNITS]]
        stamps = dict(zip(films[FILM_ID], films[_STAMP], strict=True))
        cohort = replace(self.template, samples=films.drop(columns=[_UNITS, _STAMP]))
        found = [{"stamp": stamps[row["id"]]} | row for row in self.work(cohort, units)]
        columns = self.work.columns
        table = pd.DataFrame(found, columns=[*FIRST, *columns.text, *columns.numbers])
        text = [*FIRST, *columns.text]
        table = table.astype(dict.fromkeys(columns.numbers, np.float64))
        table[text] = table[text].fillna("").astype(str)
        return table


def _blocks(cohort: Cohort, groups: list[Batch], actors: int) -> tuple[list[pd.DataFrame], int]:
    """The films that lack a row as tables of some batches, and how many films a batch has."""
    blocks: list[pd.DataFrame] = []
    batch = max((len(group.positions) for group in groups), default=0)
    count = max(1, min(_BATCHES, len(groups) // (_TURNS * actors)))
    for first in range(0, len(groups), count):
        some = groups[first : first + count]
        wanted = [found for group in some for found in zip(*group, strict=True) if found[1]]
        if wanted:
            positions, units, stamps = (list(column) for column in zip(*wanted, strict=True))
            frame = _plain(cohort.samples.iloc[positions].reset_index(drop=True))
            blocks.append(frame.assign(**{_UNITS: ["\n".join(asked) for asked in units], _STAMP: stamps}))
    return blocks, batch


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A table that Arrow takes: columns of mixed values as text, as a cohort's are."""
    objects = [str(name) for name in frame.columns.difference(frame.select_dtypes(["number", "bool"]).columns)]
    return frame.assign(**{name: frame[name].fillna("").astype(str) for name in objects})


def started(address: str = "", processors: int | None = None) -> Any:
    """Ray, connected to the cluster at ``address``, or with one of its own on this machine.

    Its own can be reached from this machine alone: whoever reaches a Ray cluster may run what they like on it.

    Args:
        processors: of a cluster of its own; as many as the machine has by default.

    Raises:
        RunError: Ray is not installed, or no cluster answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:  # Ray turns 127.0.0.1, asked for as an address, into the machine's outer one, unless told this
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as error:
        raise RunError("Ray is not installed", remedy="pip install -r requirements-cluster.txt") from error
    if not ray.is_initialized():
        # "local": without an address Ray would join whatever cluster somebody has started on this machine.
        options: dict[str, Any] = {"address": address} if address else {"address": "local", "num_cpus": processors}
        try:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, ValueError) as error:
            raise RunError(f"no Ray cluster answers at {address or 'this machine'}", remedy=str(error)) from error
    return ray
