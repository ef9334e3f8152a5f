"""What the resamples of an evaluation give for every figure, before an interval is set on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.evaluate.glossary import GLOSSARY, Policy, Term
from core.evaluate.resampled import Resampled
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import rank_films
from core.resamples import how

DRAWN = (Policy.SCORE, Policy.RANKING, Policy.CALIBRATION)  # intervals from resamples
AVERAGED = tuple(key for key, term in GLOSSARY.items() if term.of_class and term.computed and key != "prevalence")


@dataclass(frozen=True)
class Replicates:
    """One evaluation under every resample; index 0 of the leading axis is the films themselves."""

    films: Resampled
    ece_floor: np.ndarray  # (draws,)
    patients: Mapping[str, np.ndarray]  # int (C,): behind each class's "recall", "specificity", "precision" and "npv"
    errors: tuple[float, int]  # films called wrongly by the most likely class: as the model expects, and indeed
    clusters: np.ndarray  # int (N,), 0 .. P-1: the patient of each film
    clustered: bool  # whether any patient has more than one film

    @property
    def confusion(self) -> np.ndarray:
        """(1+R, C, C), rows = true class."""
        return self.films.confusion

    def method(self, policy: Policy) -> str:
        """How an interval is made, as CSV and JSON say it."""
        drawn = policy in DRAWN or (policy is Policy.PROPORTION and self.clustered)
        return policy.value + (how(self.films.scores.weights) if drawn else "")


@dataclass(frozen=True)
class Draft:
    """A figure before its interval."""

    scope: Scope
    key: str
    samples: np.ndarray  # (1+R,)
    n: int
    clusters: int  # stands in for n where the bootstrap collapses
    counts: tuple[float, float] | None = None  # successes and trials, where it is a plain proportion
    most: float = math.inf  # effective films at most
    silent: float | None = None  # effective films where no resample differs; unless given, ``clusters``
    note: str = ""
    called: int | None = None  # patients of the class called least, of a figure that rests on calls as on labels

    @property
    def behind(self) -> int:
        """Patients that its standard error rests on: those of the rarest class, or of the class called least."""
        return self.clusters if self.called is None else max(min(self.clusters, self.called), 2)


def drafts(replicates: Replicates, classes: tuple[str, ...]) -> list[Draft]:
    """Every figure of the classes, their means and the whole, in the order in which they are shown."""
    of_classes = _of_classes(replicates, classes)
    return of_classes + _averages(replicates, classes, of_classes) + _overall(replicates)


def _of_classes(replicates: Replicates, classes: tuple[str, ...]) -> list[Draft]:
    matrix, patients = replicates.confusion, replicates.patients
    rows = {key: term for key, term in GLOSSARY.items() if term.of_class and term.computed}
    samples = {key: term.samples(replicates.films) for key, term in rows.items()}
    counts = {key: term.counts(matrix[0]) for key, term in rows.items() if term.counts}
    n = round(float(matrix[0].sum()))
    drafts = []
    for index, name in enumerate(classes):
        sides = [int(patients[key][index]) for key in ("recall", "specificity")]
        rarer = min((number for number in sides if number), default=0)
        for key, term in rows.items():
            own = (float(counts[key][0][index]), float(counts[key][1][index])) if key in counts else None
            most, silent = math.inf, None
            if key == "auroc":
                most, silent = rank_films(float(samples[key][0, index]), *sides), 2.0 * rarer
            elif key == "average_precision":
                most = 2.0 * sides[0]
            behind = int(patients[key][index]) if key in patients else rarer
            films = round(own[1]) if own else n
            called = max(int(patients["precision"][index]), 1) if key == "f1" else None
            note = _note(term, name)
            drafts.append(Draft(name, key, samples[key][:, index], films, behind, own, most, silent, note, called))
    return drafts


def _note(term: Term, name: str = "") -> str:
    return f"not defined: {term.undefined.format(name=name)}" if term.undefined else ""


def _averages(replicates: Replicates, classes: tuple[str, ...], of_classes: list[Draft]) -> list[Draft]:
    """Macro and weighted means over the classes that these films contain; undefined as soon as one of those is."""
    support = replicates.films.support
    present = [name for name, films in zip(classes, support[0], strict=True) if films > 0]
    weight = support[:, [classes.index(name) for name in present]]
    clusters = _smallest(replicates)
    by_scope = {(draft.scope, draft.key): draft for draft in of_classes}
    result = []
    for key in AVERAGED:
        values = np.stack([by_scope[name, key].samples for name in present], axis=1)
        undefined = [by_scope[name, key].note for name in present if np.isnan(by_scope[name, key].samples[0])]
        note = undefined[0] if undefined else ""
        n = round(float(support[0].sum()))
        weighted = (np.where(weight > 0, values, 0) * weight).sum(axis=1) / weight.sum(axis=1)
        silent = 2.0 * clusters if key == "auroc" else None
        parts, whole = [by_scope[name, key] for name in present], weight[0] / weight[0].sum()
        for scope, mean, shares in (
            (MACRO, values.mean(axis=1), np.full(len(present), 1 / len(present))),
            (WEIGHTED, weighted, whole),
        ):
            most = _most_of_mean(float(mean[0]), parts, shares)
            result.append(Draft(scope, key, mean, n, clusters, most=most, silent=silent, note=note))
    return result


def _most_of_mean(value: float, parts: list[Draft], shares: np.ndarray) -> float:
    """Effective films, at most, of a mean of the classes' figures, from those of each; infinite where none is limited.

    Two classes rank the same films by the same probability, so their errors add up; those of more classes are taken as
    independent, and what they have in common the bootstrap sees.
    """
    own = [float(part.samples[0]) for part in parts]
    variances = np.array([v * (1 - v) / part.most for v, part in zip(own, parts, strict=True)])
    variance = (shares @ np.sqrt(variances)) ** 2 if len(parts) == 2 else shares**2 @ variances
    return value * (1 - value) / float(variance) if variance > 1e-15 else math.inf


def _overall(replicates: Replicates) -> list[Draft]:
    matrix, drafts = replicates.confusion, []
    patients, n = int(replicates.clusters.max()) + 1, round(float(matrix[0].sum()))
    for key, term in GLOSSARY.items():
        if term.of_class or not term.computed:
            continue
        counts = None if term.counts is None else tuple(float(part) for part in term.counts(matrix[0]))
        behind = _smallest(replicates) if term.by_smallest else patients
        said = replicates.patients["precision"]
        called = int(said[said > 0].min()) if key in ("mcc", "kappa") else None
        drafts.append(
            Draft(OVERALL, key, term.samples(replicates.films), n, behind, counts, note=_note(term), called=called)  # type: ignore[arg-type]
        )
    return drafts


def _smallest(replicates: Replicates) -> int:
    """Number of patients of the rarest class among those present."""
    own = replicates.patients["recall"]
    return int(own[own > 0].min())
