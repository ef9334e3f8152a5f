"""Work that needs no model: for the tests of what carries it."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.errors import FilmError
from core.run.parts import Columns, Row


class Mean:
    """The mean grey level of each film, the same for every unit.

    Args:
        once: a file; the first process to meet it removes it and dies, as if the machine had.
    """

    key = "mean"
    columns = Columns(("shape",), ("mean",))

    def __init__(self, units: tuple[str, ...] = ("",), once: Path | None = None) -> None:
        self.units, self.once = units, once
        self.asked: list[str] = []

    def shipped(self) -> "partial[Mean]":
        return partial(Mean, self.units, self.once)

    def __call__(self, films: Cohort, units: Sequence[tuple[str, ...]]) -> list[Row]:
        if self.once is not None and self.once.exists():
            self.once.unlink()
            os._exit(1)
        found: list[Row] = []
        for place, name in enumerate(films.samples[FILM_ID]):
            self.asked.append(name)
            try:
                film = films.film(place)
            except FilmError as error:
                found += [{"id": name, "unit": unit, "error": str(error)} for unit in units[place]]
                continue
            made = {"id": name, "sha256": film.sha256, "shape": str(film.shape), "mean": float(film.pixels.mean())}
            found += [made | {"unit": unit} for unit in units[place]]
        return found
