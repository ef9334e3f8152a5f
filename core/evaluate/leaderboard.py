"""Many models on the same films, ranked by one figure; those that cannot be told from the best are tied with it.

Every model is judged on films that none of them learned from. Ties are paired: a model is tied with the best unless the
interval of their difference, over the same resamples of patients, leaves zero out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from core.data.film_id import FILM_ID
from core.data.patients import count
from core.errors import EvaluationError
from core.evaluate.compare import COMPARED, align, compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import Estimate

SCOPES = {key: MACRO if GLOSSARY[key].of_class else OVERALL for key in COMPARED}  # where an evaluation keeps each
OF_FINDINGS = ("auroc", "average_precision", "recall", "specificity", "f1")  # of the mean over findings, or of one
Judged = TypeVar("Judged", Evaluation, FindingsEvaluation)
FRESH = ("test", "new", "external")  # provenance of films that a model learned nothing from


@dataclass(frozen=True)
class Place:
    """One line of the leaderboard.

    Attributes:
        rank: 1 = best by its value; models of equal value share a rank.
        name: the model.
        figure: its figure on the common films, with its 95 % interval.
        gap: that of the best less its own, paired, with a 95 % interval; None for the best itself.
        tied: whether it cannot be told from the best: the interval of the gap holds zero.
    """

    rank: int
    name: str
    figure: Estimate
    gap: Estimate | None
    tied: bool


@dataclass(frozen=True)
class Leaderboard:
    """Models ranked on the same films, best first."""

    key: str  # the figure, a key of the glossary
    films: int
    patients: int
    places: tuple[Place, ...]
    findings: tuple[str, ...] = ()  # of models of several: those that the figure is the mean of

    def table(self) -> pd.DataFrame:
        """A row for each model: rank, model, tied with the best, the figure with its interval, the gap with its own."""
        rows = []
        for place in self.places:
            gap = (place.gap.value, place.gap.low, place.gap.high) if place.gap else (0.0, np.nan, np.nan)
            figure = place.figure.value, place.figure.low, place.figure.high
            rows.append((place.rank, place.name, place.tied, *figure, *gap, self.films, self.patients))
        ends = [self.key, f"{self.key}_low", f"{self.key}_high", "best_less_this", "gap_low", "gap_high"]
        return pd.DataFrame(rows, columns=["rank", "model", "tied_with_best", *ends, "films", "patients"])


def leaderboard(models: Mapping[str, Evaluation], key: str) -> Leaderboard:
    """Rank the models on the films that all of them were shown and none learned from.

    Args:
        models: name -> its evaluation, films of any split; a film counts where it is test or new for every model.
        key: a key of ``SCOPES``.

    Raises:
        EvaluationError: fewer than two models, other classes, no common film, or a figure that cannot be ranked by.
    """
    if key not in SCOPES:
        raise EvaluationError(f"{key} came to rank by", f"one of {', '.join(SCOPES)}")
    if len(models) < 2:
        raise EvaluationError(f"{len(models)} model came", "two or more", "Choose another model beside it")
    shown = on_common_films(models)
    first = next(iter(shown.values()))
    figures = {name: evaluation.figures()[SCOPES[key]][key] for name, evaluation in shown.items()}
    if undefined := [name for name, figure in figures.items() if np.isnan(figure.value)]:
        raise EvaluationError(f"{GLOSSARY[key].title} is not defined for {undefined[0]} on these films")
    places = _places(key, figures, lambda name, best: compare(shown[name], shown[best]).differences[key])
    return Leaderboard(key, len(first), count(first.clusters), places)


def leaderboard_of_findings(models: Mapping[str, FindingsEvaluation], key: str, finding: str = "") -> Leaderboard:
    """The same for models of several findings, each called at its own operating points.

    Args:
        key: one of ``OF_FINDINGS``: the mean over the findings that all models know and enough patients show and lack.
        finding: of this one alone.

    Raises:
        EvaluationError: as ``leaderboard``, or no finding that all know.
    """
    if key not in OF_FINDINGS:
        raise EvaluationError(f"{key} came to rank findings by", f"one of {', '.join(OF_FINDINGS)}")
    if len(models) < 2:
        raise EvaluationError(f"{len(models)} model came", "two or more", "Choose another model beside it")
    shown = {name: evaluation.pooled for name, evaluation in on_common_findings(models).items()}
    first = next(iter(shown.values())).of
    if finding and finding not in first.classes:
        raise EvaluationError(f"{finding} is not known to all models", f"one of {', '.join(first.classes)}")
    names = (finding,) if finding else first.pooled.averaged
    figures = {name: pooled.average(key, names) for name, pooled in shown.items()}
    if undefined := [name for name, figure in figures.items() if np.isnan(figure.value)]:
        raise EvaluationError(f"{GLOSSARY[key].title} is not defined for {undefined[0]} on these films")
    places = _places(key, figures, lambda name, best: shown[name].difference(shown[best], key, names))
    return Leaderboard(key, len(first), count(first.clusters), places, names)


def known_to_all(models: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The findings that all models know, in the order of the first."""
    return tuple(name for name in models[0] if all(name in other for other in models[1:]))


def _places(key: str, figures: Mapping[str, Estimate], less: Callable[[str, str], Estimate]) -> tuple[Place, ...]:
    """Best first; ``less`` tells the figure of the best (second) less a model's own, paired."""
    sign = 1 if GLOSSARY[key].higher_is_better else -1
    order = sorted(figures, key=lambda name: -sign * figures[name].value)
    places = []
    for name in order:
        rank = 1 + sum(sign * other.value > sign * figures[name].value for other in figures.values())
        gap = None if name == order[0] else less(name, order[0])
        places.append(Place(rank, name, figures[name], gap, gap is None or _holds_zero(gap)))
    return tuple(places)


def on_common_findings(models: Mapping[str, FindingsEvaluation]) -> dict[str, FindingsEvaluation]:
    """Each model's evaluation of the very same films and findings, in one order; none learned from any of them.

    Raises:
        EvaluationError: no finding or no such film in common, or other labels of one.
    """
    fresh = {name: _fresh(evaluation, name) for name, evaluation in models.items()}
    names = known_to_all([evaluation.classes for evaluation in fresh.values()])
    if not names:
        raise EvaluationError("the models have no finding in common", "models that know some of the same findings")
    keys = {name: pd.Index(_films(evaluation)) for name, evaluation in fresh.items()}
    common = next(iter(keys.values()))
    for name, films in keys.items():
        if not films.is_unique:
            raise EvaluationError(f"two films of {name} cannot be told apart", "one row for each film")
        common = common[common.isin(films)]
    if not len(common):
        remedy = "Evaluate all on one cohort with python -m core evaluate CHECKPOINT --data PATH"
        raise EvaluationError("the models were not evaluated on the same films", remedy=remedy)
    found: dict[str, FindingsEvaluation] = {}
    for name, evaluation in fresh.items():
        rows = keys[name].get_indexer(common)
        columns = np.array([evaluation.classes.index(one) for one in names])
        first = next(iter(found.values()), None)
        samples = evaluation.samples.iloc[rows].reset_index(drop=True) if first is None else first.samples
        targets, p = (values[np.ix_(rows, columns)] for values in (evaluation.targets, evaluation.probabilities))
        if first is not None and not np.array_equal(first.targets, targets, equal_nan=True):
            raise EvaluationError(f"the films have other findings for {name}", "the same labels for all models")
        found[name] = FindingsEvaluation(names, targets, p, samples, evaluation.operating_points, name=name)
    return found


def _films(evaluation: FindingsEvaluation) -> list[str]:
    """What names each film: its source and identity, else its file."""
    samples = evaluation.samples
    if FILM_ID not in samples:
        return samples["path"].astype(str).tolist()
    return (samples["source"].astype(str) + "\0" + samples[FILM_ID].astype(str)).tolist()


def on_common_films(models: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """Each model's evaluation of the very same films, in the same order, none of which any model learned from.

    Raises:
        EvaluationError: other classes, or no such film.
    """
    fresh = {name: _fresh(evaluation, name) for name, evaluation in models.items()}
    names = list(fresh)
    common = fresh[names[0]]
    for name in names[1:]:
        common, _ = align(common, fresh[name])
    return {name: align(common, fresh[name])[1] if name != names[0] else common for name in names}


def _fresh(evaluation: Judged, name: str) -> Judged:
    column = next((column for column in ("provenance", "split") if column in evaluation.samples), None)
    fresh = evaluation.samples[column].isin(FRESH) if column else pd.Series(False, evaluation.samples.index)
    if not fresh.any():
        raise EvaluationError(f"{name} has no film that it did not learn from", "films of its test split, or new ones")
    return evaluation.where(fresh)


def _holds_zero(gap: Estimate) -> bool:
    return bool(np.isnan(gap.low) or np.isnan(gap.high) or gap.low <= 0 <= gap.high)


def titles(keys: Sequence[str] = tuple(SCOPES), finding: str = "") -> dict[str, str]:
    """What a reader calls each figure; of one finding it is no mean."""
    if finding:
        return {key: GLOSSARY[key].title for key in keys}
    return {
        key: f"Macro {GLOSSARY[key].title}" if SCOPES.get(key, MACRO) == MACRO else GLOSSARY[key].title for key in keys
    }
