"""What training gives a model of the house, given to one from outside: calibration, operating points, in-domain gate.

Labelled films are divided once, patients and copies kept together: one half fits all of it, the other judges.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data import findings
from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from core.data.split import groups
from core.data.stratify import deal, strata
from core.errors import CohortError, FilmError
from core.model.checkpoint import DOMAIN, Checkpoint
from core.model.classifier import Classifier
from core.training.domain import fit as domain_fit
from core.training.finish import KEPT, calibrated, counts_by_split

FILMS = 2000  # used at most; each adds little to five numbers and a gate
LEAST = 3  # films of each class in each half


def calibrate(checkpoint: Checkpoint, cohort: Cohort, progress: Progress = quiet) -> tuple[Checkpoint, pd.DataFrame]:
    """The checkpoint with what labelled films tell of it, and the rows of its ``evaluation.parquet``.

    Args:
        cohort: films whose labels are the model's classes, and which it did not learn from.

    Raises:
        CohortError: too few films of a class, or none that can be read.
    """
    classifier = Classifier(checkpoint, "torch")
    chosen = cohort if len(cohort) <= FILMS else cohort.draw(FILMS // len(cohort.classes))
    rows, pictures = _pictures(classifier, chosen, progress)
    films = chosen.where(np.isin(np.arange(len(chosen)), rows))
    halves = halved(films, progress)
    logits, _ = classifier.predict_pictures(pictures)
    told = [*KEPT, *map(findings.column, films.findings)]
    table = films.samples[told].assign(split=halves, path=[Path(path).name for path in films.samples["path"]])
    columns = pd.DataFrame(logits, table.index, [f"logit_{name}" for name in classifier.classes])
    card, table = calibrated(checkpoint.card, pd.concat([table, columns], axis=1))
    progress("learning which films are known", 0, 1)
    fitting = pictures[halves == "validation"]
    third = np.arange(len(fitting)) % 3 == 0
    limits, gate = domain_fit.fit(classifier.network, classifier.preprocess, fitting[~third], fitting[third])
    splits = counts_by_split(films.with_splits(halves))
    card = replace(
        card,
        domain=limits,
        origin={**card.origin, "calibrated": True, "calibrated_on": cohort.name},
        data={**card.data, "splits": splits},
    )
    return Checkpoint(card, {**checkpoint.state, **{DOMAIN + name: value for name, value in gate.items()}}), table


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


def _pictures(classifier: Classifier, cohort: Cohort, progress: Progress) -> tuple[Sequence[int], np.ndarray]:
    """The rows that can be read, and their pictures uint8 (N, S, S)."""
    rows, pictures = [], []
    for row in range(len(cohort)):
        try:
            pictures.append(classifier.picture(cohort.film(row)))
        except FilmError:
            continue
        rows.append(row)
        progress("reading films", row + 1, len(cohort))
    if not pictures:
        raise CohortError(f"none of the {len(cohort)} films of {cohort.name} can be read")
    return rows, np.stack(pictures)
