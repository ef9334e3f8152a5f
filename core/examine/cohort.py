"""A whole cohort examined: one row for each film and method. What rows hold, and their summary: `core.explain.cohort`.

The question is always about the class that the film is labelled with, or the one the model called (``of``): where is
the evidence for it? Films whose label means nothing to the model are left out by the caller.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core import identity
from core.data.cohort import Cohort
from core.errors import FilmError
from core.examine.examined import BATCH, CODE, Examined, examine, examine_many
from core.explain.cohort import KEPT, Of, columns, film_id
from core.lungs.segment import weights_sha256
from core.model.classifier import Classifier, batches
from core.shelf import Shelf


def score(
    classifier: Classifier,
    cohort: Cohort,
    methods: Sequence[str] = ("gradcam",),
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[tuple[str, str]] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """A row for each film and method; see ``rows`` for the arguments and columns."""
    found = list(rows(classifier, cohort, methods, layer=layer, of=of, curves=curves, done=done, progress=progress))
    return pd.DataFrame(found, columns=columns())


def rows(
    classifier: Classifier,
    cohort: Cohort,
    methods: Sequence[str] = ("gradcam",),
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[tuple[str, str]] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    batch: int = BATCH,
    shelf: Callable[[], Shelf] = Shelf,
) -> Iterator[dict[str, Any]]:
    """The rows one by one, so that a killed run can keep what it has; a film is read once for all its methods.

    Args:
        of: whose evidence is judged: the film's own class, or the class the model called.
        curves: deletion, insertion and ROAD as well (a second per film).
        done: films (by ``film_id``) with the method they need not be judged by again.
        progress: called with films done and films in all.
        batch: films that pass the network together.
        shelf: makes the shelf of each film's parts.

    Yields:
        ``columns()``: shares are 0 to 1, NaN where there is no lung mask, no truth (a "truth" mask or "boxes" of the
        cohort) or no curve. Beside ``hit`` stand its chances, ``hit_area``, ``hit_lung_prior`` and so on. ``blank`` is
        1 for a map without positive evidence: its lung share is NaN, and against a truth it scores 0. ``outside`` is 1
        where the truth lies wholly outside the picture: neither a hit nor a miss. An unreadable file gives no row.
    """
    key = rows_key(classifier, layer=layer, of=of, curves=curves)
    for positions in batches(range(len(cohort)), batch):
        opened: dict[int, Examined] = {}
        wanted, stamps = {}, {}
        for position in positions:
            name = film_id(cohort, position)
            wanted[position] = [method for method in methods if (name, method) not in done]
            if wanted[position]:
                stamps[position] = cohort.stamp(position)  # before it is read: a later change shows
                try:
                    opened[position] = open_film(classifier, cohort, position, shelf())
                except FilmError:
                    continue
        ready = dict(zip(opened, examine_many(opened.values(), batch), strict=True))
        for position in positions:
            for method in wanted[position] if position in ready else ():
                row = _row(ready[position], cohort, position, method, layer, of, curves)
                yield row | {"key": key, "stamp": stamps[position]}
            ready.pop(position, None)
            opened.pop(position, None)
            progress(position + 1, len(cohort))


def open_film(classifier: Classifier, cohort: Cohort, position: int, shelf: Shelf | None = None) -> Examined:
    """A film of a cohort before a model, with what the cohort knows of it; FilmError where it cannot be read."""
    film = cohort.film(position)
    label = str(cohort.samples["label"].iat[position])
    return examine(classifier, film, label, lambda: truth_of(cohort, position, film.shape), shelf)


def truth_of(cohort: Cohort, position: int, shape: tuple[int, int]) -> np.ndarray | None:
    """Where the finding of a film (H, W) is known to be: its "truth" mask, else its "boxes"; else None."""
    for column in ("truth", "outlines", "boxes"):
        mask = cohort.mask(position, column, shape)
        if mask is not None and mask.any():
            return mask
    return None


def rows_key(classifier: Classifier, **settings: Any) -> str:
    """What rows are known by, see `core.identity`; two rows of one key, film and method are one result."""
    return identity.key("rows", code=CODE, classifier=classifier.key, finder=weights_sha256(), **settings)


def _row(
    examined: Examined, cohort: Cohort, position: int, method: str, layer: str | None, of: Of, curves: bool
) -> dict[str, Any]:
    said, classes = examined.prediction, examined.classifier.classes
    name = examined.label if of == "label" else said.label
    map_ = examined.heatmaps(method, [name], layer)[name]
    sample: dict[str, Any] = {str(key): value for key, value in cohort.samples.iloc[position].items()}
    facts = {
        "id": film_id(cohort, position),
        "sha256": examined.film.sha256,
        "model": examined.classifier.card.name,
        "cohort": cohort.name,
        "film": examined.film.name,
        **{key: sample.get(key, "") for key in KEPT},
        "class": name,
        "predicted": said.answer,
        "probability": float(said.probabilities[classes.index(name)]),
        "method": method,
    }
    return dict.fromkeys(columns(), float("nan")) | facts | examined.measures(map_, curves)
