"""Class folders with a folder for each patient: taken for patients where that is plain, and only there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.film_id import film_ids
from core.data.readers import open_cohort
from core.errors import CohortError

Save = Callable[..., Path]


def films(root: Path, save: Save, *paths: str) -> Path:
    for shade, path in enumerate(paths):
        save(root / path, shade)
    return root


def test_folders_of_patients_below_classes_of_any_name(tmp_path: Path, save: Save) -> None:
    paths = ("sick/P001/a.png", "sick/P001/b.png", "sick/P002/study1/a.png", "well/P003/a.png", "well/P001/c.png")
    cohort = open_cohort(films(tmp_path, save, *paths))
    assert (cohort.layout, cohort.classes) == ("folders", ("sick", "well"))
    assert dict(zip(film_ids(cohort.samples["path"]), cohort.samples["patient"], strict=True)) == {
        "sick/P001/a.png": "P001", "sick/P001/b.png": "P001", "sick/P002/study1/a.png": "P002",
        "well/P001/c.png": "P001", "well/P003/a.png": "P003",
    }  # fmt: skip
    assert "3 patients, as the folders below the classes are called" in cohort.notes


@pytest.mark.parametrize("names", [("00012", "00013"), ("patient 1", "patient 2"), ("case-7", "case-8")], ids=str)
def test_other_ways_to_name_a_patient(names: tuple[str, str], tmp_path: Path, save: Save) -> None:
    one, two = names
    cohort = open_cohort(films(tmp_path, save, f"COVID/{one}/a.png", f"Normal/{two}/a.png", f"Normal/{two}/b.png"))
    assert cohort.samples["patient"].tolist() == [one, two, two]


@pytest.mark.parametrize(
    "below", [("AP", "PA"), ("images", "images2"), ("1", "2"), ("batch1", "batch2"), ("P001", "lateral")], ids="-".join
)
def test_views_pictures_grades_and_batches_are_no_patients(below: tuple[str, str], tmp_path: Path, save: Save) -> None:
    paths = [f"{label}/{folder}/{label}{folder}.png" for label in ("COVID", "Normal") for folder in below]
    cohort = open_cohort(films(tmp_path, save, *paths))
    assert set(cohort.samples["patient"]) == {""}
    assert not [note for note in cohort.notes if "patients, as" in note]


def test_masks_beside_the_patients_change_nothing(tmp_path: Path, save: Save) -> None:
    paths = ("COVID/P1/a.png", "COVID/P2/a.png", "COVID/masks/a.png", "Normal/P3/a.png")
    assert open_cohort(films(tmp_path, save, *paths)).samples["patient"].tolist() == ["P1", "P2", "P3"]


def test_a_folder_of_patients_is_no_cohort_of_classes(tmp_path: Path, save: Save) -> None:
    with pytest.raises(CohortError):
        open_cohort(films(tmp_path, save, "P001/001/a.png", "P001/002/a.png", "P002/001/a.png", "P002/002/a.png"))
