"""`Classifier x Cohort -> Evaluation`."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.cohort import Cohort, file_name
from core.data.film_id import CONTENT, FILM_ID
from core.data.labels import resolve
from core.data.table import counted
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.operating import of_card
from core.evaluate.provenance import PROVENANCE, provenance, split_of
from core.identity import short
from core.model.classifier import Classifier
from core.run import stream
from core.run.parts import Parts
from core.run.score import Score


def class_of_label(classifier: Classifier, labels: Iterable[str]) -> dict[str, str]:
    """The model's class for each label of a cohort; labels that mean none of its classes are left out."""
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
    pause: Callable[[], None] | None = None,
    parts: Parts | None = None,
) -> tuple[Evaluation | FindingsEvaluation, tuple[str, ...]]:
    """Score every labelled film of a cohort.

    Args:
        progress: called with the films done and the films in all.
        batch: films that go through the network together.
        pause: called before each batch, when nothing is at work: a server lets others have their turn there.
        parts: where rows are kept as they come, so that a killed run goes on (see `parts_in`); its rows stay there.

    Returns:
        the evaluation (each film's in-domain status is column ``domain``), and notes: films left out, and why.

    Raises:
        EvaluationError: no film that can be judged.
    """
    cohort = labelled(classifier, cohort)
    work = Score(classifier, all_answers=True)
    if parts is None:
        told = [row for found in stream.rows(cohort, work, batch, progress, pause) for row in found]
        frame = pd.DataFrame(told, columns=list(work.columns.schema.names))
    else:
        stream.into(parts, cohort, work, batch, progress=progress)
        needed = ["sha256", "error", "domain", *work.columns.numbers]
        frame = pd.concat(list(parts.in_order(cohort.samples[FILM_ID].array, columns=needed)))
    return of_rows(classifier, cohort, frame)


def parts_in(folder: Path, classifier: Classifier) -> Parts:
    """Where a run in this folder keeps its rows; one folder per model."""
    work = Score(classifier, all_answers=True)
    return Parts(folder / f".scores-{short(work.key)}", work.key, work.columns)


def of_rows(
    classifier: Classifier, cohort: Cohort, frame: pd.DataFrame
) -> tuple[Evaluation | FindingsEvaluation, tuple[str, ...]]:
    """The evaluation of films that were scored.

    Args:
        cohort: labelled as the model's.
        frame: rows of `core.run.score.Score`; those of other films are not looked at.

    Returns:
        as `score`.
    """
    here = frame.set_index("id").reindex(cohort.samples[FILM_ID].astype(str)).reset_index(drop=True)
    said = here["error"].fillna("never scored").to_numpy(str)
    broken, rows = said[said != ""], np.flatnonzero(said == "")
    if not len(rows):
        came = f"none of the {len(cohort)} films of {cohort.name} can be read"
        raise EvaluationError(came, remedy=broken[0] if len(broken) else "")
    here, samples = here.iloc[rows].reset_index(drop=True), cohort.samples.iloc[rows].reset_index(drop=True)
    samples = samples.assign(
        path=samples["path"].map(file_name), domain=here["domain"].astype(str), **{CONTENT: here["sha256"].astype(str)}
    ).drop(columns=["lungs", "truth", "outlines"], errors="ignore")
    more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
    unread = (f"{counted(len(broken), 'film')} could not be read: {broken[0]}{more}",) if len(broken) else ()
    p, z = (here[[f"{kind}_{name}" for name in classifier.classes]].to_numpy(np.float64) for kind in ("p", "logit"))
    name, output = classifier.card.name, classifier.output
    evaluation: Evaluation | FindingsEvaluation
    if output.exclusive:
        evaluation = Evaluation(cohort.classes, cohort.labels()[rows], p, samples, z, name, of_card(classifier.card))
    else:
        points = dict(zip(output.classes, output.operating_points, strict=True))
        targets = output.targets(samples).astype(np.float64)
        evaluation = FindingsEvaluation(output.classes, targets, p, samples, points, z, name)
    return evaluation, (*cohort.notes, *unread)
