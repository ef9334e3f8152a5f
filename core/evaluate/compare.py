"""Two models on the same films: is the difference more than luck, and which films changed?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from core.data.film_id import FILM_ID
from core.data.patients import count
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY, Policy
from core.evaluate.operating import OperatingPoint
from core.evaluate.resampled import Resampled, Scores
from core.intervals import LEVEL, Estimate, basic, percentiles, wilson
from core.resamples import Weights, how

HOW = "paired bootstrap over patients"
_MANY = 5000  # patients who count for one model only, up to which their signs are flipped one by one
COMPARED = (
    "accuracy",
    "balanced_accuracy",
    "f1",
    "auroc",
    "average_precision",
    "mcc",
    "log_loss",
    "brier",
    "ece",
)
"""Figures of the registry that models are compared and ranked by; those of classes as the mean over classes."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test on the films that only one of the models calls correctly; by patient if some have several.

    With several films per patient the binomial rejects 12 to 16 % of equal models at 5 %; the test of Durkalski et al.
    (2003), here with its exact null distribution (each patient's sign flipped), 4 to 6 %.
    """

    only_first: int  # films only the first model calls correctly
    only_second: int
    p: float  # two-sided; chance of so uneven a split were the models equally good
    clustered: bool = False  # some patient has several films: signs flipped patient by patient, not the binomial

    @property
    def sentence(self) -> str:
        films = f"{self.only_first} films are right only with the first model, {self.only_second} only with the second"
        caution = " Films of one patient count together." if self.clustered else ""
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{films}; if both were equally good, so uneven a split would arise by chance with {p}.{caution}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """The second model less the first, film by film."""

    films: int
    differences: dict[str, Estimate]  # key of the glossary -> second less first, with its paired interval
    mcnemar: McNemar
    clear: frozenset[str]  # keys whose difference is more than luck, all of them looked at together (Holm 1979)
    changed: pd.DataFrame  # film, source, label, first, second, p_first, p_second, verdict


def compare(
    first: Evaluation, second: Evaluation, points: tuple[OperatingPoint | None, OperatingPoint | None] = (None, None)
) -> Comparison:
    """Compare two models on the films that both were evaluated on, each called by its own operating point or another.

    The same resamples of patients serve both, so that what is hard for both cancels out.

    Raises:
        EvaluationError: other classes, no common film, or a film that has two labels.
    """
    first, second = align(first, second)
    called = first.called(points[0]), second.called(points[1])
    drawn = [_draw(e, c, first.weights) for e, c in zip((first, second), called, strict=True)]
    gaps = {key: drawn[1][key] - drawn[0][key] for key in drawn[0]}
    low, high = percentiles(np.stack([gap[1:] for gap in gaps.values()], axis=1))
    for i, (key, gap) in enumerate(gaps.items()):
        if GLOSSARY[key].policy is Policy.CALIBRATION:
            low[i], high[i] = basic(gap[0], low[i], high[i])
    if (called[0] == called[1]).all() and not np.array_equal(first.probabilities, second.probabilities):
        low, high = _unseen(first, list(gaps), low, high)
    method = HOW + how(first.weights)
    differences = {
        key: Estimate(
            float(gap[0]), float(low[i]), float(high[i]), len(first), GLOSSARY[key].help, _note(gap[0]), method
        )
        for i, (key, gap) in enumerate(gaps.items())
    }
    test = mcnemar(first.labels, *called, first.clusters if first.clustered else None)
    clear = holm({key: _luck(gap, first) for key, gap in gaps.items() if differences[key].defined})
    return Comparison(len(first), differences, test, clear, _changed(first, second, *called))


def mcnemar(labels: np.ndarray, first: np.ndarray, second: np.ndarray, clusters: np.ndarray | None = None) -> McNemar:
    """McNemar's exact test of two models' calls, all int (N,); ``clusters`` (N,) are patients with several films."""
    from scipy.stats import binomtest

    gained = (second == labels).astype(int) - (first == labels).astype(int)
    only_first, only_second = int((gained < 0).sum()), int((gained > 0).sum())
    n = only_first + only_second
    if clusters is None:
        return McNemar(only_first, only_second, float(binomtest(only_first, n).pvalue) if n else 1.0)
    return McNemar(only_first, only_second, sign_flips(np.bincount(clusters, weights=gained)), clustered=True)


def sign_flips(differences: np.ndarray, flips: int = 20_000, seed: int = 0) -> float:
    """Two-sided p of a sum of differences (P,), one per patient, if each sign were equally likely.

    All 2^P signs where that is no more than ``flips``, else this many drawn ones, of which the observed is one; of more
    than `_MANY` patients the normal deviate that their sum comes to.
    """
    known = differences[differences != 0]
    if not len(known):
        return 1.0
    observed = abs(known.sum()) - 1e-9
    if 2 ** len(known) <= flips:
        signs = 1 - 2 * ((np.arange(2 ** len(known))[:, None] >> np.arange(len(known))) & 1)
        return float((np.abs(signs @ known) >= observed).mean())
    if len(known) > _MANY:
        return math.erfc(observed / math.sqrt(2 * float(known @ known)))
    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (flips, len(known)))
    return float(((np.abs(signs @ known) >= observed).sum() + 1) / (flips + 1))


def holm(p: Mapping[str, float], level: float = 1 - LEVEL) -> frozenset[str]:
    """The hypotheses that Holm's procedure (1979) rejects: at most ``level`` chance of any false one among them."""
    rejected: list[str] = []
    for place, key in enumerate(sorted(p, key=lambda name: p[name])):
        if p[key] > level / (len(p) - place):
            break
        rejected.append(key)
    return frozenset(rejected)


def _luck(gap: np.ndarray, evaluation: Evaluation) -> float:
    """Two-sided p of a difference of 0 from its resamples (1+R,): by t of patients, and by their ranks; the larger."""
    from scipy.stats import t

    known, patients = gap[1:][~np.isnan(gap[1:])], count(evaluation.clusters)
    if patients < 3 or len(known) < 100 or known.std() < 1e-12:
        return 1.0
    error = known.std() * np.sqrt(patients / (patients - 1))
    smallest = np.bincount(evaluation.labels)
    by_t = 2 * t.sf(abs(gap[0]) / error, max(int(smallest[smallest > 0].min()) - 1, 1))
    beyond = (known <= 0).sum() if gap[0] > 0 else (known >= 0).sum()
    return float(max(by_t, min(1.0, 2 * (beyond + 1) / (len(known) + 1))))


def align(first: Evaluation, second: Evaluation) -> tuple[Evaluation, Evaluation]:
    """Both evaluations cut to their common films, in the order of the first, with the first's order of classes."""
    if set(first.classes) != set(second.classes):
        came = f"one model knows {', '.join(first.classes)}, the other {', '.join(second.classes)}"
        raise EvaluationError(came, "two models of the same classes")
    keys = _keys(first, second)
    rows = keys[1].get_indexer(keys[0])
    shared = np.flatnonzero(rows >= 0)
    if not len(shared):
        remedy = "Evaluate both on one cohort with python -m core evaluate CHECKPOINT --data PATH"
        raise EvaluationError("the two models were not evaluated on the same films", remedy=remedy)
    order = [second.classes.index(name) for name in first.classes]
    rows = rows[shared]
    labels = np.argsort(order)[second.labels[rows]]
    one = first.where(np.isin(np.arange(len(first)), shared))
    if (labels != one.labels).any():
        film = one.samples["path"].iloc[int(np.argmax(labels != one.labels))]
        raise EvaluationError(f"{film} has another label for each model", "the same labels for both")
    p = second.probabilities[rows][:, order]
    return one, Evaluation(first.classes, labels, p, one.samples, name=second.name, point=second.point)


def _keys(*evaluations: Evaluation) -> list[pd.Index]:
    """What names a film in all of them: its identity, or else its file name, with source and label where it must be.

    Evaluations of old, and those of one collection under other folders, share file names only.
    """
    tables = []
    for e in evaluations:
        told = e.samples.reindex(columns=[FILM_ID, "source", "path"]).fillna("").astype(str).reset_index(drop=True)
        tables.append(told.assign(label=pd.Series(np.array(e.classes, dtype=object)[e.labels], dtype=str)))
    unique = []
    for columns in ((FILM_ID, "source"), ("path",), ("path", "source"), ("path", "source", "label")):
        joined = (reduce(lambda a, b: a + "\0" + b, (table[c] for c in columns)) for table in tables)
        names = [pd.Index(column.astype(object)) for column in joined]  # Arrow's words are looked up one by one
        if all(index.is_unique for index in names):
            unique.append(names)
            if names[0].isin(names[1]).any():
                return names
    if unique:
        return unique[0]
    remedy = "Rename the files so that no two of one class share a name, and evaluate again"
    raise EvaluationError("several films of one evaluation share name, source and label", "one row per film", remedy)


def _draw(evaluation: Evaluation, called: np.ndarray, weights: Weights) -> dict[str, np.ndarray]:
    films = Resampled(Scores(evaluation.labels, evaluation.probabilities, weights), called)
    return {key: GLOSSARY[key].pooled(films) for key in COMPARED}


def _unseen(
    evaluation: Evaluation, keys: list[str], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Limits (K,) where two models call every film alike: no resample differs, and other films may.

    Tango's interval (1998) of a paired difference without one discordant patient is Wilson's of none out of all; the
    figures that weigh classes alike take the smallest class for all.
    """
    patients = [count(evaluation.clusters[evaluation.labels == c]) for c in np.unique(evaluation.labels)]
    of = {"accuracy": count(evaluation.clusters)} | dict.fromkeys(("balanced_accuracy", "f1", "mcc"), min(patients))
    reach = np.array([wilson(0, of[key])[1] if key in of else 0.0 for key in keys])
    return np.where(reach > 0, -reach, low), np.where(reach > 0, reach, high)


def _changed(
    first: Evaluation, second: Evaluation, called_first: np.ndarray, called_second: np.ndarray
) -> pd.DataFrame:
    rows = np.flatnonzero(called_first != called_second)
    names = np.array(first.classes, dtype=object)
    right_first, right_second = (c[rows] == first.labels[rows] for c in (called_first, called_second))
    verdict = np.select([right_second, right_first], ["now right", "now wrong"], "wrong both times")
    columns = {
        "film": first.samples["path"].to_numpy()[rows],
        **{
            name: first.samples[name].to_numpy()[rows]
            for name in (FILM_ID, "source", "patient")
            if name in first.samples
        },
        "label": names[first.labels[rows]],
        "first": names[called_first[rows]],
        "second": names[called_second[rows]],
        "p_first": first.probabilities[rows, called_first[rows]],
        "p_second": second.probabilities[rows, called_second[rows]],
        "verdict": verdict,
    }
    return pd.DataFrame(columns)


def _note(gap: float) -> str:
    return "not defined for one of the two models" if np.isnan(gap) else ""
