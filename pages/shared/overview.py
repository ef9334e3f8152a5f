"""What is worked out over many films of a cohort, and kept between runs: measures, means, a map, the audit."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from core import identity
from core.data import film_facts
from core.data import measures as measuring
from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.data.progress import Progress, quiet
from core.errors import FilmError
from core.explain import embeddings
from core.explain.embeddings import Embeddings
from pages.shared import resources
from pages.shared.resources import cohort

if TYPE_CHECKING:
    from core.data.audit.findings import Audit, Finding
    from core.model.classifier import Classifier
    from pages.shared.case import Case


def measures(spec: str, row: int) -> dict[str, float]:
    """Brightness, contrast and size of one film of a cohort."""
    key = _measures_key(cohort(spec), row)
    return resources.kept(key, lambda: _from_disk(key) or _measured(cohort(spec), key, cohort(spec).film(row)))


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


def embeddings_of(model: "Classifier", spec: str) -> Embeddings:
    """The embeddings of a cohort by a model, shared by every visitor; empty at first."""
    return resources.kept(identity.key("embeddings", classifier=model.key, cohort=cohort(spec).key), Embeddings)


def fill(
    found: Embeddings, model: "Classifier", films: Cohort, rows: list[int], progress: Callable[[float], None]
) -> None:
    """Score the rows that are missing, letting others have their turn; ``progress`` may raise to stop.

    Each film is read once for the embeddings and for its measures, and both are kept between starts.
    """
    before = set(found.rows())

    def told(share: float) -> None:
        pause()
        progress(share)

    def measured(row: int, film: Radiograph) -> None:
        key = _measures_key(films, row)
        resources.kept(key, lambda: _from_disk(key) or _measured(films, key, film))

    try:
        with resources.long_work() as pause:
            embeddings.fill(found, model, films, rows, told, measured)
    finally:  # a cancelled run keeps what it has done
        there = set(found.rows())
        new = [row for row in rows if row in there and row not in before]
        names = _scored_keys(model, films, new)
        scored = {names[row]: np.concatenate([found.matrix([row])[0], found.probabilities([row])[0]]) for row in new}
        film_facts.keep(scored if films.fetch is None else {})


def missing(found: Embeddings, model: "Classifier", films: Cohort, rows: list[int]) -> int:
    """How many of these rows the embeddings lack, after they were given what is kept of them from earlier starts."""
    names, size = _scored_keys(model, films, found.not_looked_for(rows)), len(model.classes)
    facts = film_facts.kept(list(names.values()))
    for row, name in names.items():
        if name in facts:
            found.add(row, facts[name][:-size], facts[name][-size:])
    return len(found.missing(rows))


def _scored_keys(model: "Classifier", films: Cohort, rows: list[int]) -> dict[int, str]:
    return {row: resources.file_key("scored", films, row, "path", model.key) for row in rows}


def _measures_key(films: Cohort, row: int) -> str:
    return resources.file_key("measures", films, row, "path", identity.code_version(("data/measures.py",)))


def _from_disk(key: str) -> dict[str, float] | None:
    fact = film_facts.kept([key]).get(key)
    return None if fact is None else dict(zip(measuring.NAMES, map(float, fact), strict=True))


def _measured(films: Cohort, key: str, film: Radiograph) -> dict[str, float]:
    found = measuring.measures(film.pixels)
    if films.fetch is None:  # of films from a PACS nothing is kept on disk
        film_facts.keep({key: np.array(list(found.values()))})
    return found


def feature_of(case: "Case") -> np.ndarray:
    """What a model's last layer makes of the case, pooled, float32 (D,) of unit length."""
    found: np.ndarray = case.examined.keep("embedding", lambda: embeddings.embed(case.model, [case.film])[0][0])
    return found


def errors_near(model: "Classifier", cohort: Cohort, found: Embeddings, feature: np.ndarray, tested: list[int]) -> str:
    """Where the model tends to be wrong on films like one with this feature vector (D,); "" where nobody knows."""
    from core.evaluate import errors_near as near
    from core.evaluate.scoring import class_of_label

    meaning = class_of_label(model, cohort.classes)
    labels = cohort.samples["label"].to_numpy()
    there = set(found.rows())
    rows = [row for row in tested if row in there and meaning.get(labels[row])]
    if len(rows) < near.NEAREST:
        return ""
    called = [model.classes[index] for index in model.output.first(found.probabilities(rows))]
    meant = [meaning[labels[row]] for row in rows]
    return near.errors_near(found.matrix(rows) @ feature, meant, called, cohort.samples.iloc[rows]).sentence


def projection(features: np.ndarray, method: str) -> np.ndarray:
    """Features (N, D) of some films in two dimensions, float (N, 2)."""
    key = identity.key("projection", features=features, method=method)
    return resources.kept(key, lambda: embeddings.projection(features, method))


def audit(
    spec: str, rows: tuple[int, ...], progress: Progress = quiet, tell: Callable[[list["Finding"]], None] | None = None
) -> "Audit":
    """Leaks and confounds among some films of a cohort; ``progress`` (which may raise to end it) is told how far.

    What is found about each film stays on disk, so that another audit of it, also after a restart, takes seconds.
    ``tell`` is given the findings that are known before its end.
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

            return run(chosen, told, lungs, tell)

    return resources.kept(key, audited)
