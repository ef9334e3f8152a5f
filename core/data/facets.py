"""By what films can be told apart: each column of a cohort prepared once, so that choosing among a million is quick.

A column of words is kept as the number of each film's word: choosing some of them compares numbers, not text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.data import findings
from core.data.cohort import Cohort

HIDDEN = ("path", "lungs", "truth", "outlines", "boxes", "film_id")  # files, not facts; a file is searched by its name
WORDS = {1.0: "present", 0.0: "absent"}


@dataclass(frozen=True, eq=False)
class Facet:
    """One column, of N films.

    Attributes:
        values: float (N,), NaN where unknown; or the place of each film's word in ``words``, int32 (N,).
        words: the different words, the most frequent first; () of a column of numbers.
        counts: films of each word.
    """

    values: np.ndarray
    words: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether it is a column of numbers."""
        return self.values.dtype.kind == "f"

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and highest number."""
        return float(np.nanmin(self.values)), float(np.nanmax(self.values))

    def passing(self, wanted: Any) -> np.ndarray | None:
        """Bool (N,): the films that are wanted; None for all.

        Args:
            wanted: lowest and highest number, text that the word contains in any case, or some of the words. A range
                of the whole reach, empty text and no word want all.
        """
        if self.numeric:
            low, high = self.reach
            if not wanted or (wanted[0] <= low and wanted[1] >= high):
                return None
            inside: np.ndarray = (self.values >= wanted[0]) & (self.values <= wanted[1])
            return inside
        if not wanted:
            return None
        if isinstance(wanted, str):
            chosen = pc.match_substring(pa.array(self.words), wanted, ignore_case=True).to_numpy(zero_copy_only=False)
        else:
            chosen = np.isin(np.array(self.words, dtype=object), list(wanted))
        taken: np.ndarray = np.asarray(chosen, dtype=bool)[self.values]
        return taken


@dataclass(frozen=True, eq=False)
class Facets:
    """All columns of a cohort that say something and differ between films.

    Attributes:
        columns: by name, in the table's order.
        paths: of the films' files.
    """

    columns: Mapping[str, Facet]
    paths: pa.Array

    def passing(self, chosen: Mapping[str, Any], name: str = "") -> np.ndarray:
        """Bool (N,): the films that pass every choice; see `Facet.passing`.

        Args:
            chosen: by column.
            name: what the name of a film's file contains, in any case.
        """
        keep = np.ones(len(self.paths), dtype=bool)
        for column, wanted in chosen.items():
            if (passes := self.columns[column].passing(wanted)) is not None:
                keep &= passes
        if name:
            keep &= self._named(name)
        return keep

    def _named(self, text: str) -> np.ndarray:
        if "/" in text or "\\" in text:  # in no file's name
            return np.zeros(len(self.paths), dtype=bool)
        pattern = f"{re.escape(text)}[^/\\\\]*$"
        found: np.ndarray = pc.match_substring_regex(self.paths, pattern, ignore_case=True).to_numpy(
            zero_copy_only=False
        )
        return found


def facets(cohort: Cohort) -> Facets:
    """The facets of a cohort; findings are "present", "absent" or "" for unknown."""
    told = {name: cohort.samples[name].map(WORDS).fillna("") for name in map(findings.column, cohort.findings)}
    found = {}
    for column in map(str, cohort.samples):
        if column in HIDDEN:
            continue
        facet = _facet(told.get(column, cohort.samples[column]))
        if facet is not None:
            found[column] = facet
    return Facets(found, pa.array(cohort.samples["path"], pa.string()))


def _facet(values: pd.Series) -> Facet | None:
    """A column; None where all films are alike."""
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(np.float64)
        known = numbers[~np.isnan(numbers)]
        alike = not len(known) or (len(known) == len(numbers) and known.min() == known.max())
        return None if alike else Facet(numbers)
    places, words = pd.factorize(values)
    if len(words) < 2:
        return None
    counts = np.bincount(places, minlength=len(words))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return Facet(rank[places], tuple(map(str, words[order].tolist())), tuple(counts[order].tolist()))
