"""Heatmaps marked against known findings. A mark is made once for all visitors."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core import identity
from core.data.cohort import Cohort
from core.explain.cohort import columns, film_id
from pages.shared import evaluations, resources

if TYPE_CHECKING:
    from core.model.classifier import Classifier

TOGETHER = 4  # films that go through the network at once, while nobody else has a turn


def films(model: "Classifier", cohort: Cohort, each: int) -> Cohort:
    """Films with a known finding that the model did not learn from: at most ``each`` of a class and severity.

    Raises:
        EvaluationError: no label of the cohort means anything to the model, or no finding's place is known.
    """
    from core.examine.localisation import markable

    return markable(evaluations.with_training_splits(model, cohort), each)


def marks(model: "Classifier", chosen: Cohort, methods: Sequence[str]) -> pd.DataFrame:
    """The marks made so far of these films: see `core.examine.cohort.table`."""
    found = [resources.shelf().get(key) for key in _keys(model, chosen, methods).values()]
    return pd.DataFrame([mark for mark in found if mark], columns=columns())


def mark(model: "Classifier", chosen: Cohort, methods: Sequence[str], progress: Callable[[float], None]) -> None:
    """Make the marks that are missing; ``progress`` gets the share done and may raise to stop: what is made stays."""
    from core.examine.cohort import Explain, table
    from core.run import stream

    keys = _keys(model, chosen, methods)
    with resources.long_work() as pause:

        def told(count: int, total: int) -> None:
            pause()
            progress(count / total)

        shelf = partial(resources.memory().shelf, "films being marked")  # in turns, also in the middle of a slow map
        work = Explain(model, methods, shelf=shelf)
        batch, known, engine = min(work.batch, TOGETHER), _Marked(keys), stream.Threads(1)
        for rows in stream.rows(chosen, work, batch, told, known=known, engine=engine):
            made = pd.DataFrame([row for row in rows if not row["error"]], columns=list(work.columns.schema.names))
            for row in table(chosen, made, model, work.key).to_dict("records"):
                resources.shelf().put(keys[row["id"], row["method"]], row)


class _Marked:
    """The marks that are on the shelf: their keys hold what the files are now."""

    def __init__(self, keys: dict[tuple[str, str], str]) -> None:
        self.keys = keys

    def stands(self, film: str, unit: str, stamp: str, path: Path | None = None) -> bool:
        """See `core.run.stream.Known`."""
        return self.keys[film, unit] in resources.shelf()


def _keys(model: "Classifier", chosen: Cohort, methods: Sequence[str]) -> dict[tuple[str, str], str]:
    """What each mark is known by, by film and method: weights, the film's files as they are now, its label."""
    from core.examine.cohort import rows_key

    made_of = {"rows": rows_key(model, layer=None, of="label", curves=False)}
    known = [name for name in ("path", "label", "truth", "outlines", "boxes") if name in chosen.samples]
    said = chosen.samples[known].astype(str).to_dict("records")
    films = [(film_id(chosen, row), {**said[row], "stamp": chosen.stamp(row)}) for row in range(len(chosen))]
    return {
        (name, method): identity.key("mark", film=film, method=method, **made_of)
        for name, film in films
        for method in methods
    }
