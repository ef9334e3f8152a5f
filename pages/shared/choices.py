"""Every choice that a link carries: what it is called, how it is read from an address, and on which page it counts.

A choice of one page is written to the address on that page only, and only where it differs from the usual: links stay
short enough to be read. What a value may be is checked here as far as it can be; what depends on a film, a model or a
cohort is checked by `state.choose`, which knows the options.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.shared.selection_link import LONGEST, films_asked, filters_asked


@dataclass(frozen=True)
class Key:
    """One choice."""

    parse: Callable[[str], Any]  # from the address bar; ValueError if it cannot be read
    default: Any = None  # None: decided by `state.choose`, which knows the options
    expected: str = "text"
    page: str | None = None  # the page's address; None for what all pages share


START = (35.0, 65.0)  # of a box nobody has drawn yet, % of the film
SEVERAL = "|"  # between names


def _between(kind: Callable[[str], float], low: float, high: float) -> Callable[[str], Any]:
    """A reader of numbers that takes none but those from ``low`` to ``high``."""

    def parse(text: str) -> float:
        number = kind(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return parse


def _matching(pattern: str) -> Callable[[str], str]:
    """A reader of texts that takes none but those that a pattern describes from end to end."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return parse


_whole, _count = _between(int, 1, math.inf), _between(int, 0, 2**31)
_share, _weight, _prevalence = _between(float, 0, 1), _between(float, -1, 1), _between(float, 0.01, 99.99)
_token, _code = _matching("[0-9a-f]{32}"), _matching("[0-9A-Z]{4,6}")


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


def _percents(text: str) -> tuple[float, float]:
    low, high = map(float, text.split("-"))
    if not 0 <= low < high <= 100:
        raise ValueError(text)
    return low, high


def _names(text: str) -> list[str]:
    return [name for name in text.split(SEVERAL) if name][:50]


def _steps(text: str) -> str:
    """A chain of augmentations as JSON, each step checked by its declaration."""
    from core.errors import HilumError
    from core.transform.augment import Step

    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        steps = [Step.from_dict(table) for table in json.loads(text)]
        return json.dumps([step.to_dict() for step in steps], separators=(",", ":"))
    except (HilumError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(text) from error


def _checked_by(read: Callable[[str], Any]) -> Callable[[str], str]:
    """A reader that keeps the text as it came, once ``read`` has taken it without a ValueError."""

    def parse(text: str) -> str:
        read(text)
        return text

    return parse


def _answers(text: str) -> str:
    if len(text) > LONGEST or not re.fullmatch(r"[\d,.;:\-a-z]*", text):
        raise ValueError(text)
    return text


ON_OFF, PERCENTS, NUMBER = "0 or 1", "two percentages such as 35-65", "a whole number from 0"

KEYS: dict[str, Key] = {
    "cohort": Key(str.strip),  # what core.data.readers.open_cohort takes
    "model": Key(str),  # name of a checkpoint
    "case": Key(_whole, None, "a film's number, from 1"),  # row of the cohort, counted from 1
    "upload": Key(_whole, None, "the number of an uploaded film, from 1"),  # takes the place of `case`
    "pacs": Key(_token, None, "a film of the PACS"),  # which film of the PACS the upload is; see pages/shared/pacs.py
    "class": Key(str),
    "method": Key(str),
    "layer": Key(str),
    "opacity": Key(_share, 0.6, "a number from 0 to 1"),  # of the overlay
    "threshold": Key(_share, 0.0, "a number from 0 to 1"),  # share of the map's scale below which nothing is drawn
    "cutoff": Key(_share, None, "a probability from 0 to 1"),  # of the class of interest on the report
    "seed": Key(_whole, 1, "a whole number from 1"),  # of the quiz: one number, one order of cases
    "present": Key(_flag, False, ON_OFF),  # before a class
    "keys": Key(_flag, True, ON_OFF),  # single-letter keys
    "commit": Key(_flag, False, ON_OFF, ""),  # answer first; the page without a name is Live prediction
    # how a film with its map is drawn
    "mode": Key(str, page="heatmaps"),
    "contours": Key(_flag, False, ON_OFF, "heatmaps"),
    "outline": Key(_flag, False, ON_OFF, "heatmaps"),
    "truth": Key(_flag, False, ON_OFF, "heatmaps"),
    "colormap": Key(str, page="heatmaps"),
    "hide": Key(str, page="heatmaps"),
    "fill": Key(str, page="heatmaps"),
    "across": Key(_percents, START, PERCENTS, "heatmaps"),  # the box, % of the film
    "down": Key(_percents, START, PERCENTS, "heatmaps"),
    "against": Key(str, page="heatmaps"),  # the other class of a method that compares two
    "beside": Key(str, page="heatmaps"),
    "beside_class": Key(str, page="heatmaps"),
    "beside_method": Key(str, page="heatmaps"),
    "beside_model": Key(str, page="heatmaps"),
    "beside_film": Key(_whole, None, "a film's number, from 1", "heatmaps"),
    "curves": Key(_flag, False, ON_OFF, "heatmaps"),
    "explore view": Key(str, page="explore"),
    "filters": Key(_checked_by(filters_asked), "", "filters by column", "explore"),
    "lasso": Key(_checked_by(films_asked), "", "numbers of films such as 3,5-9", "explore"),
    "counts against": Key(str, page="explore"),
    "table page": Key(_whole, 1, "a page, from 1", "explore"),
    "difference of": Key(str, page="explore"),
    "difference from": Key(str, page="explore"),
    "projection": Key(str, page="explore"),
    "colour": Key(str, page="explore"),
    "hunt films": Key(_whole, page="strategies"),
    "hunt class": Key(str, page="strategies"),
    "concepts of": Key(str, page="strategies"),
    "steps": Key(_steps, None, "a chain of augmentations", "augment"),
    "random": Key(_flag, False, ON_OFF, "augment"),
    "draw": Key(_count, 0, NUMBER, "augment"),  # seed of what is drawn at random
    "heat": Key(_flag, True, ON_OFF, "augment"),
    "below": Key(str, page="augment"),
    "sweep": Key(str, page="augment"),
    "whole range": Key(_flag, False, ON_OFF, "augment"),
    "films": Key(str, page="report"),
    "split": Key(str, page="report"),
    "operating mode": Key(str, page="report"),
    "report view": Key(str, page="report"),
    "percent": Key(_flag, False, ON_OFF, "report"),
    "cell label": Key(str, page="report"),
    "cell called": Key(str, page="report"),
    "report curve": Key(str, page="report"),
    "probability of": Key(str, page="report"),
    "prevalence": Key(_prevalence, None, "a percentage from 0.01 to 99.99", "report"),
    "compare view": Key(str, page="compare"),
    "second model": Key(str, page="compare"),
    "figure": Key(str, page="compare"),
    "curves of": Key(_names, page="compare"),
    "ranked": Key(_names, page="compare"),
    "ranked by": Key(str, page="compare"),
    "ranked finding": Key(str, page="compare"),
    "quiz labels": Key(_names, page="quiz"),
    "quiz for": Key(str, page="quiz"),
    "round": Key(_code, None, "the code of a round", "quiz"),
    "answers": Key(_answers, "", "what was answered so far", "quiz"),
    "learn step": Key(_whole, 1, "a step from 1 to 7", "learn"),
    "learn channel 1": Key(_weight, 1.0, "a number from -1 to 1", "learn"),
    "learn channel 2": Key(_weight, 0.0, "a number from -1 to 1", "learn"),
    "learn channel 3": Key(_weight, 0.0, "a number from -1 to 1", "learn"),
    "learn class": Key(str, page="learn"),
    "learn hidden": Key(_between(int, 1, 30), 8, "a whole percentage from 1 to 30", "learn"),
    "learn shuffle": Key(_between(int, 1, 8), 1, "a whole number from 1 to 8", "learn"),
    "learn temperature": Key(_between(float, 0.25, 8), 1.0, "a number from 0.25 to 8", "learn"),
    "learn promise": Key(_between(int, 50, 99), 90, "a whole percentage from 50 to 99", "learn"),
    "learn model": Key(str, page="learn"),
    "shortcut step": Key(_whole, 1, "a step from 1 to 7", "shortcut"),
    "shortcut film": Key(_count, 0, NUMBER, "shortcut"),
    "shortcut donor": Key(str, page="shortcut"),
    "shortcut kind": Key(str, page="shortcut"),
    "lab methods": Key(_names, page="methods"),
    "lab models": Key(_names, page="methods"),
    "lab films": Key(_whole, 8, "4, 8, 16 or 32", "methods"),
    "lab measure": Key(str, page="methods"),
    "lab by": Key(str, page="methods"),
}


def in_address(name: str) -> str:
    """What a choice is called in an address."""
    return name.replace(" ", "-").replace("_", "-")


def text_of(value: Any) -> str:
    """A value as an address holds it; `Key.parse` is the inverse."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-") if math.isfinite(value) else ""  # exact
    if isinstance(value, tuple):
        return "-".join(map(text_of, value))
    return SEVERAL.join(value) if isinstance(value, list) else str(value)
