"""What labelled films tell of a checkpoint, its own or one from outside: calibration, operating points, sets, gate.

Films that the weights learned from are left out. The others are divided once, patients and copies kept together: one
half fits all of it, the other judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

import numpy as np
import pandas as pd
import torch

from core.atomic import replacing
from core.data import findings
from core.data.cohort import Cohort
from core.data.film_id import CONTENT
from core.data.progress import Progress, quiet
from core.data.split import groups
from core.data.stratify import deal, strata
from core.errors import CohortError, EvaluationError, FilmError
from core.evaluate import met, track_record
from core.evaluate.calibration import calibration_error
from core.evaluate.provenance import PROVENANCE, Provenance
from core.evaluate.scoring import labelled
from core.evaluate.storage import table_of
from core.model import output as outputs
from core.model.bulk import precision
from core.model.checkpoint import DOMAIN, EVALUATION, TAUGHT, Checkpoint, save
from core.model.classifier import Classifier
from core.training.domain import fit as domain_fit
from core.training.finish import KEPT, calibrated, counts_by_split

FILMS = 2000  # used at most; each adds little to five numbers and a gate
LEAST = 3  # films of each class in each half
OWN = "its own films"
_MET = (Provenance.TRAIN, Provenance.VALIDATION, Provenance.TEST)


@dataclass(frozen=True)
class Plan:
    """How a checkpoint is calibrated, beside the films."""

    own: bool = False
    """Its own validation films fit as well, and its own test films judge as well."""
    all_fit: bool = False
    """Every new film fits; only its own test films judge."""
    balanced: bool = False
    """Each class of each cohort (its own films are one) weighs the same."""
    offsets: bool = False
    """Exclusive classes get an offset each beside the temperature; findings always have one."""
    gate: bool = False
    """The in-domain check is fitted anew; where there is none it always is."""

    def __post_init__(self) -> None:
        if self.all_fit and not self.own:
            remedy = "Let its own test films judge (own), or leave all_fit out"
            raise EvaluationError("every film is to fit, and none to judge", "films that judge", remedy)


def calibrate(
    checkpoint: Checkpoint, cohort: Cohort, progress: Progress = quiet, plan: Plan = Plan()
) -> tuple[Checkpoint, pd.DataFrame]:
    """The checkpoint with what labelled films tell of it, and the rows of its ``evaluation.parquet``.

    Rows of films that it met before stay, so that it is known what it learned from. Unless its own films take part,
    those that chose its epoch count as learned from, and those that judged it as left out.

    Args:
        cohort: films with labels that mean the model's classes; those that it met are left out.

    Raises:
        CohortError: too few films of a class, none that can be read, or the model has met them all.
        EvaluationError: no label means anything to the model, or none of its own films are kept.
    """
    classifier = Classifier(checkpoint, "torch")
    new = unmet(classifier, cohort)
    chosen = new if len(new) <= FILMS else new.draw(FILMS // len(new.classes))
    rows, pictures, contents = _pictures(classifier, chosen, progress)
    films = chosen.where(np.isin(np.arange(len(chosen)), rows))
    halves = np.full(len(films), "validation") if plan.all_fit else halved(films, progress)
    logits, _ = classifier.predict_pictures(pictures)
    told = [*KEPT, *map(findings.column, films.findings)]
    names = [Path(path).name for path in films.samples["path"]]
    table = films.samples[told].assign(split=halves, path=names, **{CONTENT: contents})
    columns = pd.DataFrame(logits, table.index, [f"logit_{name}" for name in classifier.classes])
    table = pd.concat([table, columns], axis=1)
    home = _home(checkpoint, plan.own)
    sources = np.array([cohort.name] * len(table) + [OWN] * len(home))
    table = pd.concat([table, home], ignore_index=True)
    own_figures = {key: value for key, value in checkpoint.card.metrics.items() if key != track_record.ELSEWHERE}
    bare = replace(checkpoint.card, metrics=own_figures)  # those from elsewhere are of the calibration before
    card, table = calibrated(bare, table, sources if plan.balanced else None, plan.offsets)
    fitting = pictures[halves == "validation"]
    gate: dict[str, torch.Tensor] = {}
    if plan.gate or not checkpoint.domain:
        progress("learning which films are known", 0, 1)
        third = np.arange(len(fitting)) % 3 == 0
        limits, gate = domain_fit.fit(classifier.network, classifier.preprocess, fitting[~third], fitting[third])
        card = replace(card, domain=limits)
    if card.precision.get("bf16"):  # what rounding does to probabilities depends on the calibration
        warm = Classifier(replace(checkpoint, card=card), "torch")
        found = precision.measure(warm.network, warm.preprocess, warm.probabilities, fitting)
        card = replace(card, precision={**card.precision, **found})
    told_of = {"calibrated": True, "calibrated_on": cohort.name}
    splits = counts_by_split(films.with_splits(halves))
    if card.origin:
        card = replace(card, origin={**card.origin, **told_of}, data={**card.data, "splits": splits})
    else:
        card = replace(card, data={**card.data, "calibrated_on": _and_own(cohort.name, plan.own)})
    return Checkpoint(card, {**checkpoint.state, **{DOMAIN + name: value for name, value in gate.items()}}), table


def store(made: Checkpoint, table: pd.DataFrame, folder: Path, origin: Path | None = None) -> None:
    """Write checkpoint and evaluation; each is whole before it takes its place, the evaluation last.

    Args:
        origin: the folder that it was calibrated from, whose films without a label stay known.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if origin is not None and origin.resolve() != folder.resolve() and (origin / TAUGHT).is_file():
        with replacing(folder / TAUGHT) as temporary:
            copyfile(origin / TAUGHT, temporary)
    with replacing(folder / EVALUATION) as temporary:
        table.to_parquet(temporary, index=False)
        save(made, folder)


def unmet(classifier: Classifier, cohort: Cohort) -> Cohort:
    """The labelled films that the model neither learned from nor was tuned or judged on.

    Raises:
        CohortError: there are none.
        EvaluationError: no label of the cohort means anything to the model.
    """
    known = met.known(classifier.checkpoint)
    if known is None:
        return labelled(classifier, cohort)
    found = met.with_training_splits(classifier, cohort, known)
    new = ~found.samples[PROVENANCE].isin(_MET).to_numpy()
    if not new.any():
        came = f"the model has met every film of {cohort.name} that has one of its labels"
        raise CohortError(came, "films that are new to it", "Take another collection")
    return found.where(new)


def halved(cohort: Cohort, progress: Progress = quiet) -> np.ndarray:
    """ "validation" or "test" for each film: no patient or copy in both, and each class or finding about equally often.

    Raises:
        CohortError: fewer than ``LEAST`` films of a class in one of them.
    """
    own = groups(cohort, progress=progress)
    if cohort.findings:
        order = np.random.default_rng(0).permutation(np.unique(own))
        return np.where(deal(order, own, strata(cohort.present()), (0.5, 0.5)) == 0, "validation", "test")
    labels = cohort.labels()
    counts = np.zeros((2, len(cohort.classes)), int)
    sides = np.zeros(len(cohort), int)
    for number in np.random.default_rng(0).permutation(np.unique(own)):
        members = own == number
        classes = np.bincount(labels[members], minlength=len(cohort.classes))
        side = int((counts[0] * classes).sum() > (counts[1] * classes).sum())
        sides[members] = side
        counts[side] += classes
    if counts.min() < LEAST:
        rare = cohort.classes[int(counts.min(axis=0).argmin())]
        raise CohortError(
            f"{cohort.name} has {counts[:, cohort.classes.index(rare)].sum()} films of {rare}",
            f"at least {2 * LEAST} of different patients: one half calibrates, the other judges",
        )
    return np.where(sides == 0, "validation", "test")


def _home(checkpoint: Checkpoint, take_part: bool) -> pd.DataFrame:
    """The rows kept beside a checkpoint, without their probabilities; empty where there are none."""
    there = checkpoint.path is not None and (checkpoint.path / EVALUATION).is_file()
    if not there or checkpoint.path is None:
        if take_part:
            came = f"no evaluation is kept beside {checkpoint.card.name}, so which films are its own is not known"
            raise EvaluationError(came, "evaluation.parquet with logits", "Leave --own out")
        return pd.DataFrame()
    rows = table_of(checkpoint.path / EVALUATION)
    if absent := [name for name in checkpoint.card.classes if f"logit_{name}" not in rows]:
        raise EvaluationError(f"evaluation.parquet has no logits of {absent[0]}", "logit_<class> for every class")
    rows = rows.drop(columns=[name for name in rows if str(name).startswith("p_")])
    return rows if take_part else rows.assign(split=rows["split"].replace({"validation": "train", "test": ""}))


def _and_own(name: str, own: bool) -> str:
    return f"{name} and {OWN}" if own else name


def _pictures(
    classifier: Classifier, cohort: Cohort, progress: Progress
) -> tuple[Sequence[int], np.ndarray, Sequence[str]]:
    """The rows that can be read, their pictures uint8 (N, S, S) and the SHA-256 of their files."""
    rows, pictures, contents = [], [], []
    for row in range(len(cohort)):
        try:
            film = cohort.film(row)
            pictures.append(classifier.picture(film))
        except FilmError:
            continue
        rows.append(row)
        contents.append(film.sha256)
        progress("reading films", row + 1, len(cohort))
    if not pictures:
        raise CohortError(f"none of the {len(cohort)} films of {cohort.name} can be read")
    return rows, np.stack(pictures), contents


def error_before_and_after(before: Checkpoint, made: Checkpoint, table: pd.DataFrame) -> str:
    """The expected calibration error on the films that judge, before and after, in a sentence."""
    judged = table[table["split"] == "test"]
    errors = [f"{_error(outputs.of_card(one.card), judged):.3f}" for one in (before, made)]
    return f"Calibration error (ECE) on the {len(judged):,} films that judge: {errors[0]} before, {errors[1]} now."


def _error(output: "outputs.Output", films: pd.DataFrame) -> float:
    """ECE of the likeliest class, or of all known findings together; NaN without films."""
    p = output.probabilities(films[[f"logit_{name}" for name in output.classes]].to_numpy(np.float64))
    targets = output.targets(films)
    if not len(p):
        return float("nan")
    if output.exclusive:
        said, true = p.max(axis=1), p.argmax(axis=1) == targets
    else:
        known = ~np.isnan(targets)
        said, true = p[known], targets[known] > 0.5
    return float(calibration_error(said, true, np.ones((len(said), 1)))[0])
