"""Rows on disk read back film by film, of which only some are ever in memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.errors import RunError
from core.run.parts import Columns, Parts, Row

COLUMNS = Columns(("called",), ("p",))


def row(film: int, unit: str = "", p: float = 0.0, error: str = "") -> Row:
    return {"id": f"{film:064d}", "unit": unit, "stamp": f"s{film}", "sha256": f"c{film}", "error": error, "p": p}


def written(folder: Path, parts: list[list[Row]]) -> Parts:
    found = Parts(folder, "k", COLUMNS)
    found.begin()
    for rows in parts:
        found.write(rows)
    return found


@pytest.mark.parametrize("at_once", [1, 3, 100], ids=["one", "some", "all"])
def test_the_latest_rows_come_in_the_order_asked_for_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("core.run.parts._ROWS", at_once)
    units = ("a", "b")
    late = [row(2, "a", error="cut off"), row(7, "b", 1.0), row(2, "b", 2.0), row(7, "a", 3.0)]
    again = [row(2, "a", 4.0), row(5, "b", 5.0), row(5, "a", 6.0), row(9, "a", 7.0)]
    parts = written(tmp_path / "p", [late, again])
    asked = [f"{film:064d}" for film in (5, 2, 7)]
    found = list(parts.in_order(asked, units))
    assert max(map(len, found)) <= max(at_once, len(units))
    rows = [tuple(cells) for some in found for cells in some[["id", "unit", "p", "error"]].to_numpy()]
    values = [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]
    pairs = [(film, unit) for film in asked for unit in units]
    assert rows == [(*pair, value, "") for pair, value in zip(pairs, values, strict=True)]
    assert [list(some) for some in parts.in_order(asked[:1], ("a",), ["p"])] == [["id", "unit", "p"]]
    assert list(parts.in_order([])) == []


def test_a_film_without_a_row_is_said_and_never_passed_over(tmp_path: Path) -> None:
    parts = written(tmp_path / "p", [[row(1), row(2)]])
    with pytest.raises(RunError, match=r"lacks 1 rows of the films.*Give the same command again"):
        list(parts.in_order([row(film)["id"] for film in (1, 3, 2)]))
    with pytest.raises(RunError, match="lacks 1 rows of the films"):
        list(Parts(tmp_path / "none", "k", COLUMNS).in_order([row(1)["id"]]))


def test_the_index_knows_what_is_answered(tmp_path: Path) -> None:
    index = written(tmp_path / "p", [[row(1), row(2, error="cut off"), row(3, error="away")], [row(3)]]).index()
    assert len(index) == 2
    assert index.answered([row(film)["id"] for film in (1, 2, 3, 4)]) == 2
    assert index.stands(row(3)["id"], "", "s3")
    assert not index.stands(row(3)["id"], "", "another")
    assert not index.stands(row(2)["id"], "", "s2")
    assert len(Parts(tmp_path / "none", "k", COLUMNS).index()) == 0


def test_a_film_more_costs_the_reader_some_bytes_and_not_its_row(tmp_path: Path) -> None:
    """Those of the index while it is sorted; the row itself, as Python objects, would be more than a thousand."""
    peaks = {}
    for films in (5_000, 25_000):
        some = [[row(film) for film in range(first, first + 1000)] for first in range(0, films, 1000)]
        parts = written(tmp_path / str(films), some)
        ids = np.array([row(film)["id"] for film in range(films)])
        del some
        tracemalloc.start()
        assert sum(map(len, parts.in_order(ids))) == films
        peaks[films] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (peaks[25_000] - peaks[5_000]) / 20_000 < 150
