"""What a checkpoint has met of a cohort: decided here, from the evaluation kept beside it, for pages and commands."""

from pathlib import Path

import pandas as pd

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.errors import EvaluationError
from core.evaluate import findings
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.operating import of_card
from core.evaluate.provenance import Provenance
from core.evaluate.scoring import labelled, split_in_training, with_provenance
from core.evaluate.storage import from_parquet, table_of
from core.model import output as outputs
from core.model.card import Card
from core.model.checkpoint import EVALUATION, TAUGHT, Checkpoint
from core.model.classifier import Classifier

WHICH = (FILM_ID, "path", "source", "patient")  # columns that say which film is meant


def stored(checkpoint: Checkpoint) -> Evaluation | FindingsEvaluation:
    """The evaluation kept beside a checkpoint; EvaluationError where there is none, or it cannot be read."""
    folder = checkpoint.path or Path(checkpoint.card.name)
    return kept(checkpoint.card, folder / EVALUATION)


def kept(card: Card, file: Path) -> Evaluation | FindingsEvaluation:
    """The evaluation in a file, of the kind that a card's output asks for; EvaluationError where it cannot be read."""
    output = outputs.of_card(card)
    if output.exclusive:
        return from_parquet(file, card.name, of_card(card))
    return findings.from_parquet(file, dict(zip(output.classes, output.operating_points, strict=True)), card.name)


def known(checkpoint: Checkpoint) -> pd.DataFrame | None:
    """The samples of the films that a checkpoint has met; None where no evaluation is kept beside it.

    Raises:
        EvaluationError: there is one, and it cannot be read.
    """
    if checkpoint.path is None or not (checkpoint.path / EVALUATION).is_file():
        return None
    return with_taught(stored(checkpoint).samples, checkpoint.path)


def with_taught(samples: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The films of an evaluation, and those that the weights in a folder learned from without a label: trained on, too.

    Raises:
        EvaluationError: the table of these cannot be read, or does not say which films they are.
    """
    file = folder / TAUGHT
    if not file.is_file():
        return samples
    taught = table_of(file)
    if absent := [name for name in WHICH if name not in taught]:
        came = f"{file.name} in {folder.name} has no column {' and no '.join(absent)}"
        raise EvaluationError(came, f"the columns {', '.join(WHICH)}", "Copy the checkpoint again")
    return pd.concat([samples, taught.assign(split=Provenance.TRAIN.value)], ignore_index=True)


def with_training_splits(classifier: Classifier, cohort: Cohort, met: pd.DataFrame | None) -> Cohort:
    """The films whose label the model knows, each with its `Provenance` and the split it had when the model learned.

    Args:
        met: as ``known`` returns it for the classifier's checkpoint.

    Raises:
        EvaluationError: no label of the cohort means anything to the model.
    """
    return with_provenance(classifier, labelled(classifier, cohort), met)


def only_split(classifier: Classifier, cohort: Cohort, met: pd.DataFrame | None, split: str) -> Cohort:
    """The films whose label the model knows and that were in a split when it learned.

    Where nothing is kept of what it met, the cohort's own splits count.
    """
    fitting = labelled(classifier, cohort)
    splits = fitting.samples["split"].tolist() if met is None else split_in_training(fitting, met)
    return fitting.where([name == split for name in splits])
