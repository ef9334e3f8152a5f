"""Nothing counts twice without a word: films by links, columns by name."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.readers import open_cohort

Save = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_link_to_a_folder_above_brings_no_films_of_other_classes(tmp_path: Path, save: Save) -> None:
    """Its films were counted twice, under both labels."""
    for label in "AB":
        save(tmp_path / label / "1.png", ord(label))
    os.symlink(tmp_path, tmp_path / "A/again")
    assert open_cohort(tmp_path).samples["label"].tolist() == ["A", "B"]


def test_columns_of_one_name_are_told(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "0.png")
    (tmp_path / "a.csv").write_text("path,label,label\n0.png,a,b\n")
    cohort = open_cohort(tmp_path / "a.csv")
    assert cohort.samples["label"].tolist() == ["a"]
    assert "several columns are called label: the first counts" in cohort.notes
