"""The hunter at work for a page: kept between runs, letting others have their turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import identity
from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from pages.shared import resources

if TYPE_CHECKING:
    from core.hunt.hypothesis import Hunt, Hypothesis
    from core.hunt.single import Trial
    from core.model.classifier import Classifier

CODE = ("hunt", "examine", "explain", "lungs/segment.py", "lungs/unet.py")  # beside that of the classifier


@dataclass(frozen=True, eq=False)
class Hunted:
    """A hunt, with what the page draws beside it.

    Args:
        hunt: see `core.hunt.hunter.hunt`.
        rows: of each film of the labelled cohort, its row in the cohort of the sidebar.
    """

    hunt: "Hunt"
    rows: tuple[int, ...]


def hunted(spec: str, model: "Classifier", films: int, class_name: str = "", progress: Progress = quiet) -> Hunted:
    """What the hunter finds on films of a cohort.

    Args:
        films: looked at, at most.
        class_name: whose answers are looked into; "" for every class.
        progress: told how far it is; may raise to end it.

    Raises:
        EvaluationError: no label of the cohort means anything to the model. ExplainError: it cannot be hunted.
    """
    from core.evaluate.scoring import labelled
    from core.hunt.hunter import hunt

    cohort = resources.cohort(spec)

    def work() -> Hunted:
        known = labelled(model, cohort)
        numbers = {name: row for row, name in enumerate(cohort.samples["film_id"])}
        with resources.long_work(lambda before: progress(resources.busy(before), 0, 0)) as pause:

            def told(what: str, done: int, total: int) -> None:
                pause()
                progress(what, done, total)

            found = hunt(model, known, films, progress=told, class_names=[class_name] if class_name else ())
        return Hunted(found, tuple(numbers[name] for name in known.samples["film_id"]))

    return resources.kept(key_of(cohort, model, films, class_name), work)


def is_kept(spec: str, model: "Classifier", films: int, class_name: str = "") -> bool:
    """Whether `hunted` would answer at once."""
    return key_of(resources.cohort(spec), model, films, class_name) in resources.shelf()


def key_of(cohort: Cohort, model: "Classifier", films: int, class_name: str = "") -> str:
    """What a hunt is known by."""
    return identity.key(
        "hunted", code=CODE, classifier=model.key, cohort=cohort.key, films=films, class_name=class_name
    )


def tried(spec: str, model: "Classifier", one: "Hypothesis", row: int, other: int) -> "list[Trial]":
    """A hypothesis with a cue, tried on one film and, pasted, on another; empty where one of them has no lungs."""
    from core.explain.swap import Sight
    from core.hunt.single import trials

    def work() -> "list[Trial]":
        sights = []
        for number in (row, other):
            film = resources.examined(model, resources.film(spec, number))
            if film.lungs is None or not film.lungs.any():
                return []
            sights.append(Sight(film.picture, film.lungs))
        return trials(model, one.class_name, one.cue, *sights)

    films = [resources.film(spec, number).sha256 for number in (row, other)]
    key = identity.key(
        "hypothesis tried", code=CODE, classifier=model.key, films=films, cue=one.cue, class_name=one.class_name
    )
    return resources.kept(key, work, "Testing it on the film")


def film_of_another_class(cohort: Cohort, model: "Classifier", class_name: str, after: int) -> int | None:
    """The row of a film whose label means another class of the model; the next one after a row."""
    from core.evaluate.scoring import class_of_label

    meant = cohort.samples["label"].map(class_of_label(model, cohort.classes)).fillna("")
    rows = np.flatnonzero((meant != "") & (meant != class_name))
    return None if not len(rows) else int(rows[np.searchsorted(rows, after) % len(rows)])
