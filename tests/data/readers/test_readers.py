"""Folders and tables of one's own, what is refused, and the real collections."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.cli.data import describe
from core.data.cohort import COLUMNS
from core.data.readers import cohorts_below, data_root, open_cohort, open_cohorts
from core.errors import CohortError

Save = Callable[..., Path]


@pytest.mark.parametrize("splits", [("",), ("train/", "val/", "test/")])
def test_folders_of_classes(tmp_path: Path, save: Save, splits: tuple[str, ...]) -> None:
    for split in splits:
        save(tmp_path / f"{split}NORMAL/IM-0001-0001.jpeg")
        save(tmp_path / f"{split}PNEUMONIA/person3_virus_1.jpeg")
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "folders"
    assert cohort.classes == ("Normal", "Pneumonia")
    expected = {""} if splits == ("",) else {"train", "validation", "test"}
    assert set(cohort.samples["split"]) == expected
    assert set(cohort.samples["patient"]) == {"IM-0001", "person3_virus"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_own_table(tmp_path: Path, save: Save, form: str) -> None:
    save(tmp_path / "films/a.png")
    absolute = save(tmp_path / "elsewhere/b.png")
    table = pd.DataFrame(
        {
            "path": ["films/a.png", str(absolute), "films/missing.png", "films/a.png"],
            "label": ["well", "ill", "ill", None],
            "patient": ["007", "2", "3", "4"],
            "split": ["train", "val", "test", "train"],
            "age": ["41", "?", "5", "6"],
            "ward": ["north", "south", "south", "north"],
        }
    )
    path = tmp_path / f"mine.{form}"
    table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    cohort = open_cohort(path)
    assert cohort.name == "mine"
    assert cohort.classes == ("ill", "well")
    assert list(cohort.samples["patient"]) == ["007", "2"]
    assert list(cohort.samples["split"]) == ["train", "validation"]
    assert list(cohort.samples["ward"]) == ["north", "south"]
    assert cohort.samples["age"].iat[0] == 41
    assert "missing.png" in cohort.notes[0]
    assert "without a label" in cohort.notes[1]
    assert cohort.film(1).shape == (96, 96)


def test_every_cohort_has_every_column(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "a/x.png")
    save(tmp_path / "b/y.png")
    cohort = open_cohort(tmp_path)
    assert tuple(cohort.samples.columns) == (*COLUMNS, "film_id")
    assert cohort.samples["age"].dtype == float
    assert cohort.samples[["patient", "source", "view", "sex", "split"]].eq("").all(axis=None)


def test_a_folder_in_a_folder_and_a_folder_of_cohorts(tmp_path: Path, save: Save) -> None:
    for name in ("a/x.png", "b/y.png"):
        save(tmp_path / "archive/one" / name)
    assert open_cohort(tmp_path / "archive").name == "one"
    for name in ("a/x.png", "b/y.png"):
        save(tmp_path / "archive/two" / name)
    with pytest.raises(CohortError, match="one, two"):
        open_cohort(tmp_path / "archive")
    assert [c.name for c in open_cohorts([tmp_path / "archive"])] == ["one", "two"]


def test_refusals(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "flat/x.png")
    (tmp_path / "bad.csv").write_text("file,class\na.png,x\n")
    (tmp_path / "split.csv").write_text("path,label,split\nflat/x.png,x,holdout\n")
    (tmp_path / "empty.csv").write_text("path,label\nnone.png,x\n")
    (tmp_path / "junk.parquet").write_bytes(b"no parquet")
    for name, words in {
        "nothing": "There is no",
        "flat": "not a cohort",
        "bad.csv": "no column path and no label",
        "split.csv": "holdout",
        "empty.csv": "No film is there: all 1 rows",
        "junk.parquet": "not a readable table",
    }.items():
        with pytest.raises(CohortError, match=words):
            open_cohort(tmp_path / name)
    with pytest.raises(CohortError, match="phantom"):
        open_cohort("phantom:unheard-of")


def test_data_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_DATA", "/films")
    assert data_root() == Path("/films")
    monkeypatch.delenv("HILUM_DATA")
    assert data_root().parts[-2:] == ("shared", "data")


@pytest.mark.real
def test_real_cohorts(real_data: Path) -> None:
    opened = [(folder, open_cohort(folder)) for folder in cohorts_below(real_data)]
    cohorts = {c.layout: c for folder, c in opened if folder.name != "covid-chestxray-newer"}
    assert {name: len(c) for name, c in cohorts.items()} == {
        "radiography": 3790,
        "coronahack": 5903,
        "covid-chestxray": 520,
        "montgomery-shenzhen": 578,
        "siim": 3200,
        "nih": 320,
    }
    assert cohorts["coronahack"].notes[0].startswith("294 rows name a file that is missing")
    assert cohorts["radiography"].counts()[""].to_dict() == {
        "Normal": 1200,
        "COVID-19": 1200,
        "Viral Pneumonia": 1326,
        "Lung Opacity": 64,
    }
    assert (cohorts["radiography"].samples["boxes"] != "").sum() == 64
    assert (cohorts["covid-chestxray"].samples["lungs"] != "").sum() == 418
    assert (cohorts["montgomery-shenzhen"].samples["lungs"] != "").all()
    for cohort in cohorts.values():
        assert cohort.film(len(cohort) // 2).pixels.std() > 5


def test_a_cohort_is_described_by_what_is_known_of_its_films(tmp_path: Path, save: Save) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.png")
    rows = [("a.png", "x", 4, "F"), ("b.png", "x", 18, ""), ("c.png", "y", None, "F")]
    pd.DataFrame(rows, columns=["path", "label", "age", "sex"]).to_csv(tmp_path / "films.csv", index=False)
    text = describe(open_cohort(tmp_path / "films.csv"))
    assert "sex: F 2, unknown 1" in text
    assert "age: under 18 1, 18 and over 1, unknown 1" in text
    assert "view:" not in text
