"""Films from elsewhere: another collection, less what it shares with the films that a model learned from."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import EvaluationError
from core.evaluate import track_record
from core.evaluate.track_record import ELSEWHERE as KEPT

if TYPE_CHECKING:  # the sidebar of every page asks for a sentence, which needs none of these
    from core.data.cohort import Cohort
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.findings import FindingsEvaluation
    from core.model.card import Card

_BALANCED = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")


def unmet(cohort: "Cohort", home: "Cohort") -> "Cohort":
    """The films of a cohort that share neither patient nor picture with the films of a model's own.

    Args:
        cohort: films from elsewhere.
        home: the films that the model was trained, tuned and judged on.

    Returns:
        what is left, with a note that counts what is not.

    Raises:
        EvaluationError: nothing is left.
    """
    import numpy as np

    from core.data.cohort import JOIN, concatenate
    from core.data.split import groups

    group = groups(concatenate(JOIN.join((home.name, cohort.name)), [home, cohort]))
    new = ~np.isin(group[len(home) :], group[: len(home)])
    if not new.any():
        came = f"every film of {cohort.name} shares a patient or a picture with {home.name}"
        raise EvaluationError(came, "films from elsewhere", "Choose another collection")
    note = f"{int((~new).sum())} films that share a patient or a picture with {home.name} are left out"
    return replace(cohort.where(new), notes=(*cohort.notes, note))


def record(folder: Path, cohort: str, films: "Evaluation | FindingsEvaluation") -> None:
    """Keep in a checkpoint's card what it does on a collection that it never met, beside its figures at home."""
    from core.evaluate.findings import FindingsEvaluation
    from core.model.checkpoint import load, save

    checkpoint = load(folder)
    metrics = dict(checkpoint.card.metrics)
    kept = track_record.of_findings(films) if isinstance(films, FindingsEvaluation) else track_record.of(films)
    metrics[KEPT] = {**metrics.get(KEPT, {}), cohort: kept}
    save(replace(checkpoint, card=replace(checkpoint.card, metrics=metrics)), folder)


def record_home(folder: Path, judged: "Evaluation | FindingsEvaluation") -> None:
    """Keep in a card what follows from its model's own films: see `card_figures.of_own_films`."""
    from core.evaluate.card_figures import of_own_films, of_own_findings
    from core.evaluate.findings import FindingsEvaluation
    from core.model.checkpoint import load, save

    checkpoint = load(folder)
    made = (
        of_own_findings(checkpoint.card, judged)
        if isinstance(judged, FindingsEvaluation)
        else of_own_films(checkpoint.card, judged)
    )
    save(replace(checkpoint, card=made), folder)


def sentence(card: "Card") -> str:
    """The pair of figures that a system should be judged by: at home and elsewhere; "" where nothing is kept."""
    home, away = card.metrics.get("balanced_accuracy"), card.metrics.get(KEPT)
    if not isinstance(home, float) or not isinstance(away, dict):
        return ""
    told = [
        f"{row['balanced_accuracy']:.2f} [{row['balanced_accuracy_low']:.2f}, {row['balanced_accuracy_high']:.2f}] on "
        f"{row['films']:,} films of {name}"
        for name, row in away.items()
        if isinstance(row, dict) and all(isinstance(row.get(key), int | float) for key in ("films", *_BALANCED))
    ]
    if not told:
        return ""
    chance = 1 / len(card.classes)
    return f"Balanced accuracy {home:.2f} on its own test films, {' and '.join(told)}; by chance {chance:.2f}."
