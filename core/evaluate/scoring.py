"""`Classifier x Cohort -> Evaluation`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from core.data.cohort import Cohort, file_name
from core.data.film.radiograph import Radiograph
from core.data.film_id import CONTENT
from core.data.labels import resolve
from core.errors import EvaluationError, FilmError
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.operating import of_card
from core.evaluate.provenance import PROVENANCE, provenance, split_of
from core.model.classifier import Classifier


def class_of_label(classifier: Classifier, labels: Iterable[str]) -> dict[str, str]:
    """What labels of a cohort are to a model, label -> class; those that mean none of its classes are not in it."""
    return resolve(labels, classifier.card.recipe.get("labels", {}), classifier.classes)


def labelled(classifier: Classifier, cohort: Cohort) -> Cohort:
    """The films whose label is a class of the model, or that its recipe maps to one; under the model's class names.

    Of a model of findings: the films of which one of its findings is known, with what is known of them.

    Raises:
        EvaluationError: no label of the cohort means anything to the model.
    """
    mapping = classifier.card.recipe.get("labels", {})
    fitting = (
        cohort.relabel(mapping, classifier.classes)
        if classifier.output.exclusive
        else cohort.with_findings(mapping, classifier.classes)
    )
    if not len(fitting):
        came = f"no film of {cohort.name} is labelled with a class of {classifier.card.name}"
        expected = f"some of the labels {', '.join(dict.fromkeys([*mapping, *classifier.classes]))}"
        remedy = f"Name what they mean with --labels, e.g. --labels {cohort.classes[0]}={classifier.classes[0]}"
        raise EvaluationError(came, expected, remedy)
    return fitting


def collections(classifier: Classifier) -> tuple[str, ...]:
    """Sources and cohorts that a model learned from, as its card names them."""
    data = classifier.card.data
    return (str(data.get("name", "")), *map(str, data.get("sources") or ()))


def with_provenance(classifier: Classifier, cohort: Cohort, known: pd.DataFrame | None) -> Cohort:
    """The same films with the split each had in training, and their `Provenance` as a column of its own."""
    found = provenance(cohort, known, collections(classifier))
    films = cohort.with_splits([split_of(name) for name in found])
    return replace(films, samples=films.samples.assign(**{PROVENANCE: [name.value for name in found]}))


def split_in_training(cohort: Cohort, known: pd.DataFrame | None) -> list[str]:
    """The split (N,) that each film had when the model was trained; "" for all others. See `provenance`."""
    return [split_of(name) for name in provenance(cohort, known)]


def score(
    classifier: Classifier,
    cohort: Cohort,
    progress: Callable[[int, int], None] = lambda done, total: None,
    batch: int = 32,
    pause: Callable[[], None] = lambda: None,
) -> tuple[Evaluation | FindingsEvaluation, tuple[str, ...]]:
    """Score every labelled film of a cohort.

    Args:
        progress: called with the films done and the films in all, after each.
        batch: films that pass the network together.
        pause: called before each film is read, when nothing is at work: a server lets others have their turn there.

    Returns:
        the evaluation (each film's in-domain status is column ``domain``), and notes: films left out, and why.

    Raises:
        EvaluationError: no film that can be judged.
    """
    cohort = labelled(classifier, cohort)
    broken: list[str] = []
    rows: list[int] = []
    contents: list[str] = []

    def films() -> Iterator[Radiograph]:
        for row in range(len(cohort)):
            pause()
            try:
                film = cohort.film(row)
            except FilmError as error:
                broken.append(str(error))
                continue
            rows.append(row)
            contents.append(film.sha256)
            yield film

    predictions = []
    for prediction in classifier.predict_many(films(), batch):
        predictions.append((prediction.probabilities, prediction.logits, prediction.domain.status))
        progress(len(predictions) + len(broken), len(cohort))
    if not predictions:
        raise EvaluationError(f"none of the {len(cohort)} films of {cohort.name} can be read", remedy=broken[0])
    probabilities, logits, domain = zip(*predictions, strict=True)
    samples = cohort.samples.iloc[rows].reset_index(drop=True)
    samples = samples.assign(path=samples["path"].map(file_name), domain=domain, **{CONTENT: contents}).drop(
        columns=["lungs", "truth", "outlines"], errors="ignore"
    )
    unread = (f"{len(broken)} films could not be read, e.g. {broken[0]}",) if broken else ()
    p, z = np.stack(probabilities).astype(np.float64), np.stack(logits).astype(np.float64)
    name, output = classifier.card.name, classifier.output
    evaluation: Evaluation | FindingsEvaluation
    if output.exclusive:
        evaluation = Evaluation(cohort.classes, cohort.labels()[rows], p, samples, z, name, of_card(classifier.card))
    else:
        points = dict(zip(output.classes, output.thresholds, strict=True))
        targets = output.targets(samples).astype(np.float64)
        evaluation = FindingsEvaluation(output.classes, targets, p, samples, points, z, name)
    return evaluation, (*cohort.notes, *unread)
