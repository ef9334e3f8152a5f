"""Two models on the same films: is the difference more than luck, and which films changed?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.data.film_id import FILM_ID
from core.errors import EvaluationError
from core.evaluate import metrics
from core.evaluate.calibration import calibration_error
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY
from core.evaluate.operating import ARGMAX, OperatingPoint
from core.intervals import Estimate, basic, percentiles, wilson


@dataclass(frozen=True)
class McNemar:
    """The exact test on the films that only one of the two models calls rightly."""

    only_first: int  # films only the first model calls rightly
    only_second: int
    p: float  # two-sided; chance of so uneven a split were the models equally good
    clustered: bool = False  # some patient has several films, which the test takes for independent ones

    @property
    def sentence(self) -> str:
        films = f"{self.only_first} films are right only with the first model, {self.only_second} only with the second"
        caution = " It takes films of one patient for independent ones; the intervals do not." if self.clustered else ""
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{films}; were both equally good, so uneven a split would come by chance with {p}.{caution}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """The second model less the first, film by film."""

    films: int
    differences: dict[str, Estimate]  # key of the glossary -> second less first, with its paired interval
    mcnemar: McNemar
    changed: pd.DataFrame  # film, source, label, first, second, p_first, p_second, verdict


def compare(
    first: Evaluation, second: Evaluation, points: tuple[OperatingPoint, OperatingPoint] = (ARGMAX, ARGMAX)
) -> Comparison:
    """Compare two models on the films that both were evaluated on.

    The same resamples of patients serve both, so that what is hard for both cancels out.

    Raises:
        EvaluationError: other classes, no common film, or a film that has two labels.
    """
    first, second = align(first, second)
    called = first.called(points[0]), second.called(points[1])
    drawn = [_draw(e, c, first.weights) for e, c in zip((first, second), called, strict=True)]
    gaps = {key: drawn[1][key] - drawn[0][key] for key in drawn[0]}
    low, high = percentiles(np.stack([gap[1:] for gap in gaps.values()], axis=1))
    ece = list(gaps).index("ece")
    low[ece], high[ece] = basic(gaps["ece"][0], low[ece], high[ece])
    if (called[0] == called[1]).all() and not np.array_equal(first.probabilities, second.probabilities):
        low, high = _unseen(first, list(gaps), low, high)
    differences = {
        key: Estimate(float(gap[0]), float(low[i]), float(high[i]), len(first), GLOSSARY[key].help, _note(gap[0]))
        for i, (key, gap) in enumerate(gaps.items())
    }
    test = mcnemar(first.labels, *called)
    return Comparison(
        len(first), differences, replace(test, clustered=first.clustered), _changed(first, second, *called)
    )


def mcnemar(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> McNemar:
    """McNemar's exact test of two models' calls, all int (N,)."""
    from scipy.stats import binomtest

    only_first = int(((first == labels) & (second != labels)).sum())
    only_second = int(((first != labels) & (second == labels)).sum())
    n = only_first + only_second
    return McNemar(only_first, only_second, float(binomtest(only_first, n).pvalue) if n else 1.0)


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
    other = Evaluation(first.classes, labels, second.probabilities[rows][:, order], one.samples, name=second.name)
    return one, other


def _keys(*evaluations: Evaluation) -> list[pd.Index]:
    """What names a film in all of them: its identity, or else its file name, with source and label where it must be.

    Evaluations of old, and those of one collection under other folders, share file names only.
    """
    parts = []
    for e in evaluations:
        source = e.samples["source"] if "source" in e.samples else [""] * len(e)
        identity = e.samples[FILM_ID] if FILM_ID in e.samples else [""] * len(e)
        parts.append((list(identity), list(source), list(e.samples["path"]), [e.classes[i] for i in e.labels]))
    unique = []
    for columns in ((0, 1), (2,), (2, 1), (2, 1, 3)):
        films = [zip(*(part[c] for c in columns), strict=True) for part in parts]
        names = [pd.Index(["\0".join(map(str, film)) for film in named]) for named in films]
        if all(index.is_unique for index in names):
            unique.append(names)
            if names[0].isin(names[1]).any():
                return names
    if unique:
        return unique[0]
    remedy = "Rename the files so that no two of one class share a name, and evaluate again"
    raise EvaluationError("several films of one evaluation share name, source and label", "one row a film", remedy)


def _draw(evaluation: Evaluation, called: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    matrix = metrics.confusion(evaluation.labels, called, len(evaluation.classes), weights)
    present = matrix[0].sum(axis=1) > 0
    confidence, likely = evaluation.probabilities.max(axis=1), evaluation.probabilities.argmax(axis=1)
    sweeps = [
        metrics.sweep(evaluation.probabilities[:, c], evaluation.labels == c, weights) for c in np.flatnonzero(present)
    ]
    return {
        "accuracy": metrics.accuracy(matrix),
        "balanced_accuracy": metrics.recall(matrix)[:, present].mean(axis=1),
        "f1": metrics.f1(matrix)[:, present].mean(axis=1),
        "auroc": np.mean([metrics.auroc(tp, fp) for _, tp, fp in sweeps], axis=0),
        "average_precision": np.mean([metrics.average_precision(tp, fp) for _, tp, fp in sweeps], axis=0),
        "mcc": metrics.mcc(matrix),
        "log_loss": metrics.mean(metrics.log_losses(evaluation.labels, evaluation.probabilities), weights),
        "brier": metrics.mean(metrics.briers(evaluation.labels, evaluation.probabilities), weights),
        "ece": calibration_error(confidence.astype(float), likely == evaluation.labels, weights),
    }


def _unseen(
    evaluation: Evaluation, keys: list[str], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Limits (K,) where two models call every film alike: no resample differs, and other films may.

    Tango's interval (1998) of a paired difference without one discordant patient is Wilson's of none out of all; the
    figures that weigh classes alike take the smallest class for all.
    """
    patients = [len(np.unique(evaluation.clusters[evaluation.labels == c])) for c in np.unique(evaluation.labels)]
    of = {"accuracy": len(np.unique(evaluation.clusters))} | dict.fromkeys(
        ("balanced_accuracy", "f1", "mcc"), min(patients)
    )
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
