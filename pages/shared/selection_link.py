"""A selection of films as a link holds it: what each filter asks for, and the films that were picked by hand."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby

LONGEST = 4000  # characters of one choice in a link
MOST_FILMS = 100_000  # that a link may pick

Wanted = str | list[str] | tuple[float, float]  # a word searched for, some values, or from one number to another


def filters_told(chosen: Mapping[str, Wanted]) -> str:
    """What the filters ask for, by column, as JSON; "" for no filter."""
    asked = {column: list(wanted) if isinstance(wanted, tuple) else wanted for column, wanted in chosen.items()}
    return json.dumps(asked, separators=(",", ":"), ensure_ascii=False) if asked else ""


def filters_asked(text: str) -> dict[str, str | list[str] | list[float]]:
    """Inverse of `filters_told`; whether columns and values exist is for who knows the cohort.

    Raises:
        ValueError: the text is none that `filters_told` writes.
    """
    if not text:
        return {}
    try:
        asked = json.loads(text) if len(text) <= LONGEST else None
    except RecursionError as error:
        raise ValueError(text) from error
    if not isinstance(asked, dict):
        raise ValueError(text)
    for wanted in asked.values():
        values = wanted if isinstance(wanted, list) else [wanted]
        words = all(isinstance(value, str) for value in values)
        if not words and not (isinstance(wanted, list) and len(values) == 2 and all(map(_is_number, values))):
            raise ValueError(text)
    return asked


def films_told(rows: Iterable[int]) -> str:
    """Rows, from 0, as film numbers, from 1: "3,5-9"; "" for none."""
    numbers = sorted({row + 1 for row in rows})
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def films_asked(text: str) -> list[int]:
    """Inverse of `films_told`, ascending.

    Raises:
        ValueError: the text is none that `films_told` writes, or picks more than ``MOST_FILMS``.
    """
    rows: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        run = range(int(first) - 1, int(last or first))
        if not run or run[0] < 0 or len(rows) + len(run) > MOST_FILMS:
            raise ValueError(text)
        rows.update(run)
    return sorted(rows)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
