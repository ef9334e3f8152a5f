"""What is worked out over many films of a cohort, and kept between runs: measures, means, a map, the audit."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from core import identity
from core.data import measures as measuring
from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from core.errors import FilmError
from core.explain import embeddings
from core.explain.embeddings import Atlas
from pages.shared import resources
from pages.shared.resources import cohort

if TYPE_CHECKING:
    from core.data.audit.findings import Audit
    from core.model.classifier import Classifier
    from pages.shared.case import Case


def measures(spec: str, row: int) -> dict[str, float]:
    """Brightness, contrast and size of one film of a cohort."""
    key = resources.file_key("measures", cohort(spec), row, "path")
    return resources.kept(key, lambda: measuring.measures(cohort(spec).film(row).pixels))


def mean_film(spec: str, rows: tuple[int, ...], side: int = 192) -> tuple[np.ndarray, int]:
    """The mean of those films that can be read, squeezed to a square: float32 (side, side), 0-255; how many those are.

    FilmError where none of them can be read.
    """
    found = cohort(spec)
    read: list[int] = []

    def films() -> Iterator[np.ndarray]:
        for row in rows:
            try:
                pixels = found.film(row).pixels
            except FilmError:
                if row == rows[-1] and not read:
                    raise
                continue
            read.append(row)
            yield pixels

    key = identity.key("mean film", cohort=found.take(rows).key, side=side)
    return resources.kept(key, lambda: (measuring.mean_film(films(), side), len(read)))


def atlas_of(model: "Classifier", spec: str) -> Atlas:
    """The atlas of a model and a cohort, shared by every visitor; empty at first."""
    return resources.kept(identity.key("atlas", classifier=model.key, cohort=cohort(spec).key), Atlas)


def fill(found: Atlas, model: "Classifier", films: Cohort, rows: list[int], progress: Callable[[float], None]) -> None:
    """Score the rows that an atlas lacks, letting others have their turn; ``progress`` may raise to stop."""

    def told(share: float) -> None:
        pause()
        progress(share)

    with resources.long_work() as pause:
        embeddings.fill(found, model, films, rows, told)


def feature_of(case: "Case") -> np.ndarray:
    """What a model's last layer makes of the case, pooled, float32 (D,) of unit length."""
    found: np.ndarray = case.examined.keep("embedding", lambda: embeddings.embed(case.model, [case.film])[0][0])
    return found


def errors_near(model: "Classifier", cohort: Cohort, found: Atlas, feature: np.ndarray, tested: list[int]) -> str:
    """Where the model tends to be wrong on films like one with this feature vector (D,); "" where nobody knows."""
    from core.evaluate import errors_near as near
    from core.evaluate.scoring import class_of_label

    meaning = class_of_label(model, cohort.classes)
    labels = cohort.samples["label"].to_numpy()
    rows = [row for row in tested if meaning.get(labels[row])]
    if len(rows) < near.NEAREST:
        return ""
    called = [model.classes[index] for index in model.output.first(found.probabilities(rows))]
    meant = [meaning[labels[row]] for row in rows]
    return near.errors_near(found.matrix(rows) @ feature, meant, called, cohort.samples.iloc[rows]).sentence


def projection(features: np.ndarray, method: str) -> np.ndarray:
    """Features (N, D) of some films in two dimensions, float (N, 2)."""
    key = identity.key("projection", features=features, method=method)
    return resources.kept(key, lambda: embeddings.projection(features, method))


def audit(spec: str, rows: tuple[int, ...], progress: Progress = quiet) -> "Audit":
    """Leaks and confounds among some films of a cohort; ``progress`` (which may raise to end it) is told how far.

    What is found about each film stays on disk, so that another audit of it, also after a restart, takes seconds.
    """
    from core.data.audit import audit as run
    from core.lungs.masks import for_audit

    chosen, lungs = cohort(spec).take(list(rows)), for_audit()
    key = identity.key("audit", cohort=chosen.key, lungs=lungs.name)

    def audited() -> "Audit":
        with resources.long_work(lambda before: progress(resources.busy(before), 0, 0)) as pause:

            def told(what: str, done: int, total: int) -> None:
                pause()
                progress(what, done, total)

            return run(chosen, told, lungs)

    return resources.kept(key, audited)
