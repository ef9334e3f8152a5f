"""A whole cohort's heatmaps as numbers: what a row for each film and method holds, and its summary with 95 % intervals.

The rows are made by `core.examine.cohort`.
"""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.data.phantom.cohort import BANDS
from core.intervals import of_mean

Of = Literal["label", "predicted"]
MEASURES = (
    "lung_share",
    "lung_area",
    "hit",
    "chance_hit",
    "iou",
    "mass_inside",
    "deletion_z",
    "insertion_z",
    "road_z",
    "blank",
)
SHARES = (*MEASURES[:-4], "blank")  # between 0 and 1; the others are z-scores
FOUND = 0.5  # of the films, at the least, on which a method must hit to be said to find a class
KEPT = ("label", "patient", "source", "severity", "band")  # columns of the cohort that rows carry along
MADE_OF = ("key", "model", "cohort", "id", "sha256", "stamp")  # what made a row: see `core.identity`


def columns() -> list[str]:
    """The columns of a row, in order."""
    return [*MADE_OF, "film", *KEPT, "class", "predicted", "probability", "method", *MEASURES]


def film_id(cohort: Cohort, position: int) -> str:
    """What names a film within its cohort."""
    return str(cohort.samples[FILM_ID].iat[position])


def summary(frame: pd.DataFrame, by: Sequence[str] = ("method", "class"), seed: int = 0) -> pd.DataFrame:
    """Mean of every measure with a 95 % interval, a row for each group and measure.

    Args:
        frame: as `core.examine.cohort.score` returns it (several may be joined).
        by: columns to group by; "band" is the severity of drawn films.

    Returns:
        the columns of ``by`` (sorted; categories in their order), "measure", "value", "low", "high", "films": how many
        films the figure rests on. Intervals are bootstrapped by patient; measures that no film of a group has are left
        out.
    """
    found = []
    for key, group in frame.groupby(list(by), observed=True):
        names = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        for measure in MEASURES:
            known = group[group[measure].notna()]
            if len(known):
                patients = known["patient"].where(known["patient"] != "", known["id"])
                low, high = of_mean(known[measure].to_numpy(float), patients.to_numpy(), measure in SHARES, seed)
                value = float(known[measure].mean())
                figure = {"measure": measure, "value": value, "low": low, "high": high, "films": len(known)}
                found.append(names | figure)
    return pd.DataFrame(found, columns=[*by, "measure", "value", "low", "high", "films"])


def found_from(marks: pd.DataFrame) -> pd.DataFrame:
    """From which severity on a method finds a class: a row a method, a column a class, "" where it does not.

    A method finds a class at a severity when its maximum lies inside the finding on more than half of the films, even
    at the lower end of the interval, and at every higher severity as well.

    Args:
        marks: of drawn films, as ``summary`` returns it by "method", "class" and "band".
    """
    hits = marks[marks["measure"] == "hit"]
    found = {}
    for key, group in hits.groupby(["method", "class"], sort=False, observed=True):
        clear = dict(zip(group["band"], group["low"] > FOUND, strict=True))
        found[key] = ""
        for band in reversed(BANDS):
            if not clear.get(band):
                break
            found[key] = band
    return pd.Series(found, dtype=str).unstack(sort=False)
