"""Conformal prediction sets: labels that hold the truth 90 % of the time, on films like those they were fitted on.

Adaptive prediction sets (Romano 2020, arXiv:2006.02544): a film's labels are taken from the likeliest downwards until
their probabilities, the last one drawn in part, pass a limit. The limit is fitted on films that the weights never
learned from, one for each class (class-conditional, Vovk 2012), so that a rare class is covered as often as a common
one. Regularised (RAPS, Angelopoulos 2021, arXiv:2009.14193): each label beyond ``free`` costs ``price``, which keeps
sets small where many classes have a little probability each. The promise ends where a film is not like the fitted ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.labels import negative
from core.errors import EvaluationError
from core.words import joined

LEAST = 20  # films of a class below which its limit would be a guess


@dataclass(frozen=True)
class Sets:
    """Fitted limits. All arrays have C entries, in the order of the classes.

    Attributes:
        limits: float64 (C,), the score up to which a class belongs to a set; inf where too few films speak, so that the
            class is never ruled out.
        level: the promised coverage of each class, 0 to 1.
        films: int64 (C,), films of each class that the limits were fitted on.
        price, free: of RAPS; price 0 is plain APS.
    """

    limits: np.ndarray
    level: float
    films: np.ndarray
    price: float = 0.0
    free: int = 1

    def of(self, probabilities: np.ndarray, seed: int = 0) -> np.ndarray:
        """Probabilities (N, C) -> bool (N, C): the labels in each film's set. The same seed gives the same sets.

        A set may be empty, where even the likeliest label is unlike the fitted films.
        """
        inside: np.ndarray = scores(probabilities, self.price, self.free, seed) <= self.limits
        return inside

    def of_film(self, probabilities: np.ndarray, film_sha256: str) -> np.ndarray:
        """Probabilities (C,) -> bool (C,): one film's set, the same everywhere: what is drawn is drawn by its hash."""
        drawn = np.array([[int(film_sha256[:12], 16) / 16**12]])
        inside: np.ndarray = (_scores(probabilities[None], self.price, self.free, drawn) <= self.limits)[0]
        return inside

    def to_card(self, classes: Sequence[str], films: str) -> dict[str, Any]:
        """What a card keeps, JSON-ready; ``films`` says in words which films the limits were fitted on."""
        limits = {name: float(x) if np.isfinite(x) else None for name, x in zip(classes, self.limits, strict=True)}
        counts = dict(zip(classes, map(int, self.films), strict=True))
        level = {"level": self.level, "price": self.price, "free": self.free}
        return {**level, "limits": limits, "films": counts, "fitted_on": films}

    @classmethod
    def from_card(cls, kept: Mapping[str, Any], classes: Sequence[str]) -> "Sets | None":
        """The sets of a card, which `core.model.card` has checked; None where it keeps none."""
        if not kept:
            return None
        limits = [np.inf if kept["limits"][name] is None else kept["limits"][name] for name in classes]
        films = np.array([kept["films"][name] for name in classes], np.int64)
        return cls(np.array(limits, np.float64), kept["level"], films, kept["price"], kept["free"])


def fit(
    probabilities: np.ndarray, labels: np.ndarray, level: float = 0.9, price: float = 0.0, free: int = 1, seed: int = 0
) -> Sets:
    """Limits from films that the weights never learned from.

    Args:
        probabilities: float (N, C), rows of sum 1.
        labels: int (N,), the true classes.
        level: the coverage asked for in each class, 0.5 to 0.999.

    Raises:
        EvaluationError: shapes that do not fit, or a level out of range.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise EvaluationError(f"probabilities {probabilities.shape} and labels {labels.shape}", "(N, C) and (N,)")
    if not 0.5 <= level <= 0.999:
        raise EvaluationError(f"a coverage of {level:g}", "0.5 to 0.999")
    classes = probabilities.shape[1]
    own = scores(probabilities, price, free, seed)[np.arange(len(labels)), labels]
    limits = np.full(classes, np.inf)
    films = np.bincount(labels, minlength=classes)
    for c in range(classes):
        rank = int(np.ceil((films[c] + 1) * level))  # of the (n + 1)st film, which is the next one
        if films[c] >= LEAST and rank <= films[c]:
            limits[c] = np.sort(own[labels == c])[rank - 1]
    return Sets(limits, level, films, price, free)


def scores(probabilities: np.ndarray, price: float = 0.0, free: int = 1, seed: int = 0) -> np.ndarray:
    """How far down a film's list each class stands, float64 (N, C): probability of the likelier classes, and a random
    part of its own, so that coverage is exact and not merely at least what was promised."""
    return _scores(probabilities, price, free, np.random.default_rng(seed).random((len(probabilities), 1)))


def _scores(probabilities: np.ndarray, price: float, free: int, drawn: np.ndarray) -> np.ndarray:
    """``drawn``: float (N, 1), 0 to 1, the part of its own probability that each film's labels stand behind."""
    p = probabilities.astype(np.float64)
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, 1)
    above = np.cumsum(ranked, axis=1) - ranked
    extra = price * np.maximum(np.arange(1, p.shape[1] + 1) - free, 0)
    found = np.empty_like(p)
    np.put_along_axis(found, order, above + drawn * ranked + extra, 1)
    return found


def coverage(sets: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of each class's films whose set holds their label, float64 (C,); NaN without films."""
    held = sets[np.arange(len(labels)), labels]
    films = np.bincount(labels, minlength=sets.shape[1])
    return np.bincount(labels, held, minlength=sets.shape[1]) / np.where(films, films, np.nan)


@dataclass(frozen=True)
class PredictionSet:
    """The labels that one film's set holds; none where even the likeliest is unlike the fitted films."""

    classes: tuple[str, ...]
    level: float

    @property
    def in_words(self) -> str:
        """ "90 % set: COVID-19 or Pneumonia"."""
        return f"{self.level:.0%}".replace("%", " %") + f" set: {joined(self.classes, 'or') or 'empty'}"


@dataclass(frozen=True)
class Triage:
    """Where "negative" may be said at all.

    Attributes:
        limit: probability of a finding up to which a film is called negative; below 0: never.
        called: share of the fitted films that this calls negative; the others are left to the reader.
        value: lower bound (one-sided, 90 % confidence, Clopper-Pearson) of the negative predictive value there.
    """

    limit: float
    called: float
    value: float

    def to_card(self, negative: str) -> dict[str, Any]:
        """What a card keeps, JSON-ready; ``negative`` is the class in question."""
        value = None if np.isnan(self.value) else self.value
        return {"negative": negative, "limit": self.limit, "called": self.called, "value": value}


def triage(finding: np.ndarray, positive: np.ndarray, value: float = 0.95, confidence: float = 0.9) -> Triage:
    """The highest limit at which "negative" is right at least ``value`` of the time, with the given confidence.

    Args:
        finding: float (N,), probability of a finding, on films that the weights never learned from.
        positive: bool (N,), whether there is one. The share of positive films is taken to be that of the reader's.

    The limits tried are the films' own scores, from below; the first that fails ends the search (fixed-sequence
    testing, Bauer 1991), so that trying many does not use up the confidence. It starts at the fewest films that could
    show the value at all.
    """
    from scipy.stats import beta

    order = np.argsort(finding, kind="stable")
    missed = np.cumsum(positive[order])
    called = np.arange(1, len(order) + 1)
    bounds = beta.ppf(1 - confidence, called - missed, missed + 1)  # Clopper-Pearson, lower
    least = int(np.ceil(np.log(1 - confidence) / np.log(value)))
    best = None
    for n in range(least, len(order) + 1):
        if bounds[n - 1] < value:
            break
        best = n
    if best is None:
        return Triage(-1.0, 0.0, float("nan"))
    return Triage(float(finding[order[best - 1]]), best / len(order), float(bounds[best - 1]))


def for_card(classes: Sequence[str], probabilities: np.ndarray, labels: np.ndarray, films: str) -> dict[str, Any]:
    """A card's fields ``conformal`` and ``triage`` from films that the weights never learned from, by `fit`, `triage`.

    Args:
        probabilities, labels: (N, C) and (N,); none at all give empty fields.
        films: which films these are, in words.
    """
    if not len(labels):
        return {"conformal": {}, "triage": {}}
    sets = fit(probabilities, labels).to_card(classes, films)
    nothing = negative(classes)
    if nothing is None:
        return {"conformal": sets, "triage": {}}
    index = list(classes).index(nothing)
    rule = triage(1 - probabilities[:, index].astype(np.float64), labels != index)
    return {"conformal": sets, "triage": rule.to_card(nothing)}
