"""What is known of how good the models are: the evaluation kept beside each checkpoint, and those made here.

An evaluation keeps its resamples, so each is opened once for all visitors. Scoring a cohort takes seconds to minutes:
the work shows its progress and can be cancelled.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core import identity
from core.data import film_id
from core.data.cohort import Cohort
from core.evaluate.provenance import PROVENANCE
from core.resamples import MANY
from pages.shared import resources

if TYPE_CHECKING:
    from core.evaluate.compare import Comparison
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.findings import FindingsEvaluation
    from core.model.classifier import Classifier

FAIR = ("test", "new", "external")  # a model can be judged by them
TOGETHER = 8  # films that go through the network at once, while nobody else has a turn
RESAMPLES = 12 * 1024  # bytes per film that the resamples of an evaluation and of its parts by age and source take ...
BEYOND = 512  # ... and of those beyond `MANY`, whose weights are kept by group, samples and numbers
Splits = dict[str, Any]  # by provenance: `Evaluation`, or `FindingsEvaluation` of a model of findings


def own(model: str) -> Splits:
    """The films of a model's own cohort, as kept beside its checkpoint; EvaluationError if nothing is."""
    return _kept(model)[1]


def _kept(model: str) -> "tuple[Evaluation | FindingsEvaluation, Splits]":
    """All films of the evaluation kept beside a checkpoint, those left out of training included, and its splits."""
    from core.evaluate import met
    from core.evaluate.storage import from_parquet

    file = _file(model)

    def read() -> "tuple[Evaluation | FindingsEvaluation, Splits]":
        card = resources.cards().get(model)
        found = met.kept(card, file) if card else from_parquet(file, model)
        return found, found.by_split(own=True)

    return resources.kept(_kept_key(model), read, "Opening the evaluation", lambda made: _nbytes(len(made[0])))


def _nbytes(films: int) -> int:
    return RESAMPLES * min(films, MANY) + BEYOND * max(films - MANY, 0)


def _file(model: str) -> Path:
    """Where the evaluation of a model's own films lies, if it has one."""
    from core.errors import CheckpointError
    from core.model.checkpoint import EVALUATION, find

    try:
        return find(model) / EVALUATION
    except CheckpointError:
        return Path(model) / EVALUATION


def _kept_key(model: str) -> str:
    """The evaluation's file as it is now, and the card beside it, which holds the operating points of findings."""
    from core.model.checkpoint import CARD

    file = _file(model)
    stamps = [identity.stamp(path) for path in (file, file.with_name(CARD))]
    return identity.key("kept evaluation", file=str(file), stamps=stamps, model=model)


def validation(model: str, finding: str = "") -> "Evaluation | None":
    """The films that operating points are chosen on, whatever films are judged; None where none are kept.

    Args:
        finding: of a model of findings, the one in question.
    """
    from core.errors import EvaluationError

    try:
        films = own(model).get("validation")
        return films.of(finding) if films is not None and finding else films
    except EvaluationError:
        return None


def made(model: "Classifier", cohort: Cohort) -> Splits | None:
    """The evaluation of a model on a cohort, if somebody has asked for it."""
    kept = resources.shelf().get(_key(model, cohort))
    return kept[1] if kept else None


def whole(model: "Classifier", cohort: Cohort) -> Any:
    """The same in one piece, its films' provenance among the samples."""
    kept = resources.shelf().get(_key(model, cohort))
    return kept[0] if kept else None


def with_training_splits(model: "Classifier", cohort: Cohort) -> Cohort:
    """`core.evaluate.met.with_training_splits` with what is kept beside the model."""
    from core.evaluate import met

    return met.with_training_splits(model, cohort, known(model))


def known(model: "Classifier") -> pd.DataFrame | None:
    """The samples of the films that a model has met; None where nothing is kept of them."""
    from core.errors import EvaluationError
    from core.evaluate import met

    try:
        samples = _kept(model.card.name)[0].samples
    except EvaluationError:
        return None
    return met.with_taught(samples, _file(model.card.name).parent)  # what is damaged there is said, not passed over


def split_in_training(model: "Classifier", cohort: Cohort, row: int) -> str:
    """The split that a film of a cohort had when the model was trained; "" for none."""
    from core.evaluate import scoring

    splits = resources.kept(_key(model, cohort, "splits"), lambda: scoring.split_in_training(cohort, known(model)))
    return splits[row]


def unseen(model: "Classifier", spec: str) -> np.ndarray:
    """Which films of a cohort a model can be asked about fairly, bool (N,): it knows their label and never met them.

    A cohort's own test films come first, so that all models of its classes get the same; EvaluationError if the model
    knows no label of the cohort.
    """
    cohort = resources.cohort(spec)
    return resources.kept(_key(model, cohort, "unseen"), lambda: _unseen(model, cohort))


def _unseen(model: "Classifier", cohort: Cohort) -> np.ndarray:
    met = with_training_splits(model, cohort).samples
    fair = cohort.samples["path"].isin(met["path"][met[PROVENANCE].isin(FAIR)])
    test = cohort.samples["split"] == "test"
    return (fair & test if (fair & test).any() else fair).to_numpy()


def make(model: "Classifier", cohort: Cohort, progress: Callable[[float], None]) -> Splits:
    """Score a cohort and keep the evaluation; ``progress`` gets the share done and may raise to stop.

    Films go through the network a few at a time, and between them whoever else asks has a turn.
    """
    from core.evaluate.scoring import score

    films = with_training_splits(model, cohort)
    with resources.long_work() as pause:
        evaluation, _ = score(model, films, lambda done, total: progress(done / total), TOGETHER, pause)
    splits = evaluation.by_split()
    resources.shelf().put(_key(model, cohort), (evaluation, splits), _nbytes(len(evaluation)))
    return splits


def on_own_films(first: str, second: str, finding: str = "") -> "Comparison | None":
    """Two models on the films that are test films of both, by one finding if they tell several; None if none are."""
    from core.errors import EvaluationError
    from core.evaluate.compare import compare

    def compared() -> "Comparison | None":
        try:
            one, two = (own(name)["test"] for name in (first, second))
            return compare(one.of(finding), two.of(finding)) if finding else compare(one, two)
        except (EvaluationError, KeyError):
            return None

    keys = [_kept_key(name) for name in (first, second)]
    key = identity.key("comparison of kept", evaluations=keys, finding=finding)
    return resources.kept(key, compared, "Comparing film by film")


def on_cohort(first: "Classifier", second: "Classifier", cohort: Cohort, finding: str = "") -> "Comparison":
    """Two models on the films of a cohort that `make` has scored with both and neither was trained or tuned on."""
    from core.evaluate.compare import compare

    keys = [_key(model, cohort) for model in (first, second)]

    def compared() -> "Comparison":
        whole = [resources.shelf().get(key)[0] for key in keys]
        unseen = [e.where(e.samples[PROVENANCE].isin(FAIR)) for e in whole]
        one, two = (part.of(finding) if finding else part for part in unseen)
        return compare(one, two)

    key = identity.key("comparison", evaluations=keys, finding=finding)
    return resources.kept(key, compared, "Comparing film by film")


def rows_in(cohort: Cohort, samples: pd.DataFrame) -> np.ndarray:
    """The row of the cohort that each evaluated film is, int (N,); -1 where the cohort has no such film."""
    return film_id.find(samples, cohort.samples)


def _key(model: "Classifier", cohort: Cohort, kind: str = "evaluation") -> str:
    """The weights, the films as they are now, and what is kept of the films that the model has met."""
    from core.model.checkpoint import EVALUATION

    folder = model.checkpoint.path
    met = identity.stamp(folder / EVALUATION) if folder else None
    return identity.key(kind, classifier=model.key, cohort=cohort.key, met=met)


def mean_heatmap(spec: str, model: "Classifier", rows: list[int], class_name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean picture uint8 (S, S) and mean evidence for a class float (S, S) over some films of a cohort."""
    pictures, maps = [], []
    for row in rows:
        film = resources.film(spec, row)
        pictures.append(resources.prediction(model, film).picture)
        maps.append(resources.heatmaps(model, film)[class_name].values)
    return np.mean(pictures, axis=0).astype(np.uint8), np.mean(maps, axis=0)
