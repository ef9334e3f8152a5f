"""Where a model tends to be wrong on films like this one: its errors among the nearest tested films."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.intervals import limits, wilson
from core.words import joined

NEAREST = 20  # tested films looked at
BY = ("source", "view", "sex", "age")  # what errors may have in common; ages in bands
_BANDS = [-np.inf, 18, 40, 60, np.inf]
_AGES = ["under 18", "18 to 39", "40 to 59", "60 and over"]


@dataclass(frozen=True)
class ErrorsNear:
    """The errors among the nearest tested films.

    Attributes:
        wrong, films: how many of how many were called wrongly.
        overall: share called wrongly among all tested films that were looked among, 0 to 1.
        commonest: (label, called, count) of the most frequent mix-up; None without errors.
        common: (column, value, count) that at least two thirds of the errors share, and fewer of the other films near.
    """

    wrong: int
    films: int
    overall: float
    commonest: tuple[str, str, int] | None
    common: tuple[tuple[str, str, int], ...]

    @property
    def sentence(self) -> str:
        """For the reader, beside the answer."""
        low, high = wilson(self.wrong, self.films)
        share = f"{self.wrong} of the {self.films} tested films most like this one were called wrongly"
        told = [f"{share}: {self.wrong / self.films:.2f} {limits(low, high)}, against {self.overall:.2f} of all"]
        if self.commonest:
            label, called, count = self.commonest
            told.append(f"{count} of them {label} called {called}")
        if self.common:
            told.append(joined([f"{count} with {column} {value}" for column, value, count in self.common]))
        return "; ".join(told) + "."


def errors_near(
    similarity: np.ndarray, labels: Sequence[str], called: Sequence[str], samples: pd.DataFrame, nearest: int = NEAREST
) -> ErrorsNear:
    """What went wrong on the tested films most like one film.

    Args:
        similarity: float (N,), cosine similarity of each tested film to the film in question.
        labels, called: of the N films, in the model's words.
        samples: the N rows of the cohort's table; columns of ``BY`` that it has are looked at.
    """
    near = np.argsort(-similarity, kind="stable")[:nearest]
    wrong = np.array([label != call for label, call in zip(labels, called, strict=True)])
    errors = near[wrong[near]]
    pairs = Counter((labels[i], called[i]) for i in errors)
    commonest = None
    if pairs:
        (label, call), count = pairs.most_common(1)[0]
        commonest = label, call, count
    common = []
    for column in (name for name in BY if name in samples):
        values = _in_bands(samples[column]) if column == "age" else samples[column].astype(str)
        seen = Counter(values.iloc[i] for i in errors if values.iloc[i] not in ("", "unknown", "nan"))
        if not seen:
            continue
        value, count = seen.most_common(1)[0]
        others = [i for i in near if not wrong[i]]
        among = sum(values.iloc[i] == value for i in others)
        if count >= 2 and count * 3 >= 2 * len(errors) and count * len(others) > 1.5 * among * len(errors):
            common.append((column, str(value), count))
    return ErrorsNear(len(errors), len(near), float(wrong.mean()), commonest, tuple(common))


def _in_bands(ages: pd.Series) -> pd.Series:
    return pd.cut(pd.to_numeric(ages, errors="coerce"), _BANDS, labels=_AGES, right=False).astype(str)
