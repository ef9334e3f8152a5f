"""Tables of many films: opened without asking for every file, and told as short ones are."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.__main__ import main
from core.data.film_id import _below, film_ids
from core.data.readers import open_cohort
from core.data.table import absolute, words
from core.data.text_column import BACKSLASH, holds, tidy
from core.errors import CohortError, FilmError

Save = Callable[..., Path]


def test_a_long_table_looks_at_some_files_and_leaves_none_out(
    tmp_path: Path, save: Save, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.data.table.MANY", 10)
    monkeypatch.setattr("core.data.table._LOOKED_AT", 5)
    files = [tmp_path / f"{k:02d}.png" for k in range(20)]
    for number, file in enumerate(files):
        save(file, number)
    table = tmp_path / "t.csv"
    pd.DataFrame({"path": [file.name for file in files], "label": ["a", "b"] * 10}).to_csv(table, index=False)
    assert open_cohort(table).notes == ()
    files[3].unlink()  # not among those looked at
    cohort = open_cohort(table)
    assert (len(cohort), cohort.notes) == (20, ())
    with pytest.raises(FilmError, match=r'no file "03\.png"'):
        cohort.film(3)
    assert main(["data", str(table)]) == 0
    assert main(["data", str(table), "--check"]) == 1
    assert "path: 1 of 20 files are missing: 03.png" in capsys.readouterr().out.replace(str(tmp_path) + "/", "")
    files[0].unlink()
    [note] = open_cohort(table).notes
    assert "1 of 5 rows that were looked at name a file that is missing: 00.png" in note
    for file in files:
        file.unlink(missing_ok=True)
    with pytest.raises(CohortError, match="5 of 20 rows were looked at, and each names a file that is missing"):
        open_cohort(table)


def test_a_whole_cohort_passes_the_check(tmp_path: Path, save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(2):
        save(tmp_path / "films" / "ab"[number] / "1.png", number)
    assert main(["data", str(tmp_path / "films"), "--check"]) == 0
    assert "path: all 2 files are there" in capsys.readouterr().out


@pytest.mark.parametrize("dtype", [str, object], ids=["arrow", "objects"])
def test_paths_are_told_as_one_by_one(tmp_path: Path, dtype: type) -> None:
    said = [
        "/a/b.png",
        "/a//b.png",
        "/a/./b.png",
        "/a/../b.png",
        "a/b.png",
        "",
        "/a/.hidden/b.png",
        "/a/b/",
        "/x..y/b.png",
    ]
    expected = [str(tmp_path / file) if file else "" for file in said]
    assert absolute(pd.Series(said, dtype=dtype), tmp_path).tolist() == expected
    for file, told in zip(said, expected, strict=True):  # a column of its own takes the way of tables that are alike
        assert absolute(pd.Series([file, file], dtype=dtype), tmp_path).tolist() == [told, told]


def test_words_lose_their_blanks_whatever_they_are_held_in() -> None:
    said = [" a", "b\u00a0", "\tc d ", None, "", "e\u3000", "f"]
    for cells in (said, ["plain", "words"], ["two words", None], [" "]):
        expected = ["" if cell is None else cell.strip() for cell in cells]
        for dtype in (str, object):
            assert words(pd.Series(cells, dtype=dtype)).tolist() == expected
        part = pd.Series([" before", *cells, " behind"], dtype=str).iloc[1:-1]  # of a longer array
        assert words(part).tolist() == expected


def test_a_column_of_a_longer_array_is_asked_of_its_own_cells() -> None:
    paths = pd.Series(["/a//b", "/c/d", "/e/f", "g\\h", "/.i"], dtype=str)
    assert [tidy(paths.iloc[k : k + 1]) for k in range(5)] == [False, True, True, False, False]
    assert tidy(paths.iloc[1:3])
    assert not tidy(paths.astype(object))  # not known
    assert [holds(paths.iloc[k : k + 1], BACKSLASH) for k in range(5)] == [False, False, False, True, False]
    assert holds(paths.astype(object), BACKSLASH)


@pytest.mark.parametrize("root", ["/data/films", "/", None, "films"], ids=["folder", "top", "none", "relative"])
def test_films_of_a_long_table_are_named_as_one_by_one(root: str | None) -> None:
    paths = [
        "/data/films/a/1.png",
        "/data/films/a//1.png",
        "/data/films/../b/1.png",
        "/data/films2/1.png",
        "/data/x..y/1",
    ]
    assert film_ids(paths, root or "/data") == [_below(path, root or "/data") for path in paths]
    assert film_ids(paths[:1], root) == [_below(paths[0], root or "/data/films/a")]
