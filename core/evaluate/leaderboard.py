"""Many models on the same films, ranked by one figure; those that cannot be told from the best are tied with it.

Every model is judged on films that none of them learned from. Ties are paired: a model is tied with the best unless the
interval of their difference, over the same resamples of patients, leaves zero out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import EvaluationError
from core.evaluate.compare import COMPARED, align, compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import Estimate

SCOPES = {key: MACRO if GLOSSARY[key].of_class else OVERALL for key in COMPARED}  # where an evaluation keeps each
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
    sign = 1 if GLOSSARY[key].higher_is_better else -1
    order = sorted(figures, key=lambda name: -sign * figures[name].value)
    best = shown[order[0]]
    places = []
    for name in order:
        rank = 1 + sum(sign * other.value > sign * figures[name].value for other in figures.values())
        gap = None if name == order[0] else compare(shown[name], best).differences[key]
        places.append(Place(rank, name, figures[name], gap, gap is None or _holds_zero(gap)))
    return Leaderboard(key, len(first), len(np.unique(first.clusters)), tuple(places))


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


def _fresh(evaluation: Evaluation, name: str) -> Evaluation:
    column = next((column for column in ("provenance", "split") if column in evaluation.samples), None)
    fresh = evaluation.samples[column].isin(FRESH) if column else pd.Series(False, evaluation.samples.index)
    if not fresh.any():
        raise EvaluationError(f"{name} has no film that it did not learn from", "films of its test split, or new ones")
    return evaluation.where(fresh)


def _holds_zero(gap: Estimate) -> bool:
    return bool(np.isnan(gap.low) or np.isnan(gap.high) or gap.low <= 0 <= gap.high)


def titles(keys: Sequence[str] = tuple(SCOPES)) -> dict[str, str]:
    """What a reader calls each figure."""
    return {key: f"Macro {GLOSSARY[key].title}" if SCOPES[key] == MACRO else GLOSSARY[key].title for key in keys}
