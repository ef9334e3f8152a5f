"""Findings of a film, several at once: a column for each in a cohort's table, 1 present, 0 absent, NaN unknown.

Unknown is not absent: a report that does not mention an effusion, or calls it possible, says nothing that a model could
be taught or judged by.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from core.data import labels

PREFIX = "finding: "
"""What the name of a finding's column begins with."""
JOIN = "|"  # between the findings of a label, as NIH writes them
DEVICES = "Support Devices"
HEALTHY, UNSURE = "No Finding", "Unknown"  # labels of films without a finding, and of those of which nothing is sure
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
_OPEN = ("", "-1", "-1.0", "nan", "na", "n/a", "none", "unknown", "uncertain")


def column(name: str) -> str:
    """The column that holds a finding."""
    return PREFIX + name


def names(samples: pd.DataFrame) -> tuple[str, ...]:
    """The findings that a table tells of, in its order."""
    return tuple(str(c).removeprefix(PREFIX) for c in samples if str(c).startswith(PREFIX))


def values(samples: pd.DataFrame, wanted: Sequence[str] | None = None) -> np.ndarray:
    """Float32 (N, F): 1 present, 0 absent, NaN unknown; a finding that the table does not tell of is unknown.

    Args:
        wanted: the findings, in the order of the columns; all by default.
    """
    wanted = names(samples) if wanted is None else wanted
    found = np.full((len(samples), len(wanted)), np.nan, np.float32)
    for place, name in enumerate(wanted):
        if column(name) in samples:
            found[:, place] = samples[column(name)].to_numpy(np.float32)
    return found


def counts(samples: pd.DataFrame) -> pd.DataFrame:
    """Films that show each finding, that lack it, and of which it is unknown: one row per finding."""
    said = values(samples)
    sides = {"present": said == 1, "absent": said == 0, "unknown": np.isnan(said)}
    return pd.DataFrame({side: there.sum(axis=0) for side, there in sides.items()}, index=list(names(samples)))


def number(word: str) -> float | None:
    """What a cell says of a finding: 1, 0 or NaN; None where it is another word. -1 is CheXpert's "uncertain"."""
    folded = str(word).strip().casefold()
    if folded in _OPEN:
        return float("nan")
    return 1.0 if folded in _YES else 0.0 if folded in _NO else None


def told(cells: Mapping[str, str], findings: Iterable[str]) -> dict[str, str]:
    """Columns of a row for the schema: each finding's cell, "" where the row has none."""
    return {column(name): str(cells.get(name, "")) for name in findings}


def listed(present: Iterable[str], findings: Iterable[str]) -> dict[str, str]:
    """Columns of a row of which the present findings are listed and all others are absent."""
    there = set(present)
    return {column(name): "1" if name in there else "0" for name in findings}


def label(cells: Mapping[str, str]) -> str:
    """The label that findings make up: the present ones joined, ``HEALTHY`` where all are absent, else ``UNSURE``.

    Args:
        cells: finding -> its word; "No Finding" among them speaks for all.
    """
    said = {name: number(word) for name, word in cells.items()}
    present = [name for name, value in said.items() if value == 1 and not means_none(name)]
    if present:
        return JOIN.join(present)
    healthy = any(value == 1 for name, value in said.items() if means_none(name))
    others = [value for name, value in said.items() if not means_none(name)]
    return HEALTHY if healthy or (others and all(value == 0 for value in others)) else UNSURE


def with_absent(cells: Mapping[str, str]) -> dict[str, str]:
    """A row's findings, where "No Finding" is said of it with those it leaves blank as absent.

    A device is not a finding in that sense: a healthy chest may hold a line (as CheXpert's labeller counts).
    """
    healthy = any(number(word) == 1 for name, word in cells.items() if means_none(name))
    quiet = {name for name, word in cells.items() if not str(word).strip() and name != DEVICES}
    return {name: "0" if healthy and name in quiet else str(word) for name, word in cells.items()}


def means_none(name: str) -> bool:
    """Whether a label says that there is no finding at all."""
    found = labels.term(name)
    return found is not None and found.name == "Normal"


def to_model(
    samples: pd.DataFrame, classes: Sequence[str], mapping: Mapping[str, str] | None = None, words: Sequence[str] = ()
) -> np.ndarray:
    """What a table says of a model's findings, float32 (N, C): 1, 0, NaN.

    A finding that is more particular than the model's ("Viral Pneumonia", the model's "Pneumonia") can only speak for
    it, not against it. Where the table has labels and no findings, a film's label says what is present and "Normal"
    that nothing is; no other label says that anything is absent.

    Args:
        classes: the model's findings, in the order of its outputs.
        mapping: a recipe's own table, label -> class.
        words: the labels of a table without findings.
    """
    own = names(samples)
    table = mapping or {}
    found = np.full((len(samples), len(classes)), np.nan, np.float32)
    meant = labels.resolve(own or words, table, classes)
    if own:
        told_of = dict(zip(own, values(samples).T, strict=True))
        for name, class_ in meant.items():
            said, place = told_of[name], classes.index(class_)
            if not _same(name, class_, table):
                said = np.where(said == 1, said, np.nan)
            found[:, place] = np.fmax(found[:, place], said)
        for place, class_ in enumerate(classes):
            if means_none(class_) and class_ not in meant.values():
                every = values(samples)
                found[:, place] = np.where((every == 0).all(axis=1), 1, np.where((every == 1).any(axis=1), 0, np.nan))
        return found
    present = samples["label"].map(meant)
    healthy = samples["label"].map({word: means_none(word) for word in words}).fillna(False).to_numpy(bool)
    found[healthy] = 0
    for place, class_ in enumerate(classes):
        found[(present == class_).to_numpy(), place] = 1
        if means_none(class_):
            found[~healthy, place] = 0
    return found


def _same(name: str, class_: str, mapping: Mapping[str, str]) -> bool:
    """Whether two words mean one and the same finding."""
    if name in mapping or labels.fold(name) == labels.fold(class_):
        return True
    one, other = labels.term(name), labels.term(class_)
    return one is not None and one == other


def typed(data: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """A table of words with its finding columns as float32; cells that say nothing of a finding are counted."""
    wrong: dict[str, int] = {}
    for name in names(data):
        cells = [number(word) for word in data[column(name)]]
        strange = sum(value is None for value in cells)
        if strange:
            wrong[name] = strange
        data[column(name)] = np.array([np.nan if value is None else value for value in cells], np.float32)
    if wrong:
        said = ", ".join(f"{name} ({count})" for name, count in wrong.items())
        notes.append(f"findings not understood, taken as unknown (1, 0 or nothing was expected): {said}")
    return data
