"""A whole cohort's heatmaps as numbers: what a row for each film and method holds, and its summary with 95 % intervals.

The rows are made by `core.examine.cohort`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Literal

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.data.phantom.cohort import BANDS
from core.explain.chance import BASELINES, Gain, gain
from core.intervals import of_mean

Of = Literal["label", "predicted", "all"]


@dataclass(frozen=True)
class Measure:
    """One column of a row.

    Attributes:
        title: for people.
        holds: which films and maps its mean holds.
        share: between 0 and 1; the others are z-scores.
        chance: the baselines that stand beside it (see `core.explain.chance`), each a column ``{measure}_{baseline}``.
    """

    title: str
    holds: str
    share: bool = True
    chance: tuple[str, ...] = ()
    higher_is_better: bool = True


_MARKED = "films whose finding lies on the picture; a blank map scores 0"
_NOT_BLANK = "maps that are not blank"
MEASURES = {
    "lung_share": Measure("Lung share", _NOT_BLANK, chance=("area", "random_cam", "surrogate")),
    "hit": Measure("Hit rate", _MARKED, chance=tuple(BASELINES)),
    "iou": Measure("Overlap", _MARKED, chance=tuple(BASELINES)),
    "mass_inside": Measure("Mass inside", _MARKED, chance=tuple(BASELINES)),
    "drop": Measure("Average drop", _NOT_BLANK, higher_is_better=False),
    "increase": Measure("Increase in confidence", _NOT_BLANK),
    "deletion_z": Measure("Deletion, z", _NOT_BLANK, share=False),
    "insertion_z": Measure("Insertion, z", _NOT_BLANK, share=False),
    "road_z": Measure("ROAD, z", _NOT_BLANK, share=False),
    "blank": Measure("Blank maps", "all films"),
    "outside": Measure("Findings outside the crop", "films whose finding's place is known"),
}
CHANCES = tuple(f"{measure}_{baseline}" for measure, kind in MEASURES.items() for baseline in kind.chance)
NUMBERS = (*MEASURES, *CHANCES)
MARKED = ("outside", *(name for name in NUMBERS if name.partition("_")[0] in ("hit", "iou", "mass")))
"""Those that compare a map with a known finding."""
FOUND = 0.5  # of the films, at the least, on which a method must hit to be said to find a class
KEPT = ("label", "patient", "source", "severity", "band")  # columns of the cohort that rows carry along
SUMMARISED = ("id", "patient", "band", "class", "method", *NUMBERS)
"""Columns of a row that its summary reads: a large cohort keeps no others in memory."""
MADE_OF = ("key", "model", "cohort", "id", "sha256", "stamp")  # what made a row: see `core.identity`


def columns() -> list[str]:
    """The columns of a row, in order."""
    return [*MADE_OF, "film", *KEPT, "class", "predicted", "probability", "domain", "method", *NUMBERS]


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
        films the figure rests on, "holds": which those are, and "blank" and "outside": how many films of the group have
        a blank map, and a finding wholly outside the model's crop. Intervals are bootstrapped by patient; measures that
        no film of a group has are left out.
    """
    found = []
    for key, group in frame.groupby(list(by), observed=True):
        names = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        counts = {name: int((group[name] == 1).sum()) for name in ("blank", "outside")}
        for measure, kind in MEASURES.items():
            known = group[group[measure].notna()]
            if len(known):
                low, high = of_mean(known[measure].to_numpy(float), _patients(known), kind.share, seed)
                value = float(known[measure].mean())
                figure = {"measure": measure, "value": value, "low": low, "high": high, "films": len(known)}
                found.append(names | figure | {"holds": kind.holds} | counts)
    return pd.DataFrame(found, columns=[*by, "measure", "value", "low", "high", "films", "holds", "blank", "outside"])


def against_chance(frame: pd.DataFrame, by: Sequence[str] = ("method", "class"), seed: int = 0) -> pd.DataFrame:
    """Every measure beside each of its chances, on the same films: a row for each group, measure and baseline.

    Args:
        frame, by: as in ``summary``.

    Returns:
        the columns of ``by``, "measure", "baseline", then the fields of `core.explain.gain.Gain`, and "strongest":
        whether no other baseline of this group and measure gets more. Films where either is unknown are left out.
    """
    found = []
    for key, group in frame.groupby(list(by), observed=True):
        names = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        patients = _patients(group)
        for measure, kind in MEASURES.items():
            values = group[measure].to_numpy(float)
            pairs = {b: gain(values, group[f"{measure}_{b}"].to_numpy(float), patients, seed) for b in kind.chance}
            known = {baseline: pair for baseline, pair in pairs.items() if pair.films}
            most = max((pair.chance for pair in known.values()), default=0.0)
            found += [
                names | {"measure": measure, "baseline": b} | vars(pair) | {"strongest": pair.chance == most}
                for b, pair in known.items()
            ]
    fields = [field.name for field in dataclass_fields(Gain)]
    return pd.DataFrame(found, columns=[*by, "measure", "baseline", *fields, "strongest"])


def left_out(frame: pd.DataFrame) -> str:
    """What a cohort's means leave out, in one or two sentences; "" where they leave out nothing."""
    maps, films = len(frame), frame["id"].nunique()
    blank = int((frame["blank"] == 1).sum())
    outside = frame.loc[frame["outside"] == 1, "id"].nunique()
    told = []
    if blank:
        told.append(
            f"{blank:,} of {maps:,} maps are blank: they have no lung share and no drop, and against a known finding "
            "they score 0."
        )
    if outside:
        told.append(
            f"The finding of {outside:,} of {films:,} films lies wholly outside what the model was shown: neither a "
            "hit nor a miss, and in no mean."
        )
    return " ".join(told)


def _patients(frame: pd.DataFrame) -> np.ndarray:
    """The patient of each row; a film whose patient is unknown is a patient of its own."""
    return frame["patient"].where(frame["patient"] != "", frame["id"]).to_numpy()


def found_from(marks: pd.DataFrame) -> pd.DataFrame:
    """The severity from which a method finds a class: one row per method, one column per class, "" where it does not.

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
