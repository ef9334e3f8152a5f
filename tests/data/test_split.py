"""No patient and no picture on two sides; the same split everywhere."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.data.split import groups, split
from core.data.table import samples
from core.errors import CohortError

pytestmark = pytest.mark.usefixtures("own_cache")
Save = Callable[..., Path]


def cohort(folder: Path, save: Save, films: int = 60, patients: int = 40) -> Cohort:
    """Two classes, one twice as frequent; some patients have several films; the last two films are one picture."""
    rows = [
        {
            "path": save(folder / f"{i:03}.png", min(i, films - 2)),
            "label": "ill" if i % 3 else "well",
            "patient": f"p{i % patients}" if i < films - 2 else "",
        }
        for i in range(films)
    ]
    return Cohort("small", samples(rows)[0], ("well", "ill"))


def test_patients_and_pictures_stay_together(tmp_path: Path, save: Save) -> None:
    films = cohort(tmp_path, save)
    group = groups(films)
    assert group[0] == group[40]
    assert group[58] == group[59]
    assert len(set(group)) == 41
    done = split(films, 0.2, 0.2)
    assert done.samples.groupby(group)["split"].nunique().max() == 1
    counts = done.counts()
    assert counts.sum().to_dict() == {"train": 36, "validation": 12, "test": 12}
    assert counts.loc["ill", "test"] == 8


def test_the_same_split_in_any_folder_and_order_and_another_for_another_seed(tmp_path: Path, save: Save) -> None:
    here = split(cohort(tmp_path / "here", save)).samples
    shutil.copytree(tmp_path / "here", tmp_path / "there/deeper")
    moved = cohort(tmp_path / "there/deeper", save)
    shuffled = moved.take(np.random.default_rng(0).permutation(len(moved)))
    there = split(shuffled).samples

    def sides(samples):
        return {Path(p).name: s for p, s in zip(samples["path"], samples["split"], strict=True)}

    assert sides(there) == sides(here)
    assert sides(split(moved, seed=1).samples) != sides(here)


def test_a_number_of_films_a_split(tmp_path: Path, save: Save) -> None:
    done = split(cohort(tmp_path, save), per_split=8)
    assert done.counts()["test"].to_dict() == {"well": 4, "ill": 4}
    assert done.counts()["validation"].sum() == 8
    with pytest.raises(CohortError, match="40 films per split"):
        split(cohort(tmp_path, save), per_split=40)


def test_the_sources_own_split_leaks_nothing(tmp_path: Path, save: Save) -> None:
    films = cohort(tmp_path, save)
    own = films.with_splits(["test" if i < 10 else "train" for i in range(60)])
    done = split(own, use_source=True)
    assert (done.samples["split"][:10] == "test").all()
    assert (done.samples["split"][40:50] == "").all()  # patients p0 to p9 again
    assert "10 training films" in done.notes[0]
    held = set(done.split("test").samples["patient"]) | set(done.split("validation").samples["patient"]) - {""}
    assert not held & (set(done.split("train").samples["patient"]) - {""})
    with pytest.raises(CohortError, match="no test split"):
        split(films, use_source=True)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.2)])
def test_impossible_shares(tmp_path: Path, save: Save, shares: tuple[float, float]) -> None:
    with pytest.raises(CohortError, match="shares"):
        split(cohort(tmp_path, save, 6), *shares)


@pytest.mark.real
def test_real_films_by_a_number_a_split(real_data: Path) -> None:
    whole = open_cohort(real_data / "COVID-19_Radiography_Dataset")
    chosen = np.random.default_rng(0).permutation(len(whole))[:240]  # describing a new film takes a tenth of a second
    done = split(whole.take(np.sort(chosen)), per_split=40)
    assert done.counts()[["validation", "test"]].sum().to_dict() == {"validation": 40, "test": 40}
    known = done.samples[done.samples["patient"] != ""]
    assert known.groupby("patient")["split"].nunique().max() == 1


def test_a_source_that_tests_on_most_of_a_class_leaves_films_to_train_on(tmp_path: Path, save: Save) -> None:
    films = cohort(tmp_path, save, patients=60)
    well = np.flatnonzero(films.samples["label"] == "well")
    own = np.full(len(films), "", object)
    own[well[:-4]] = "test"
    done = split(films.with_splits(own), 0.2, 0.2, use_source=True).counts()
    assert done.loc["well", "validation"] == 1
    assert done.loc["well", "train"] == 3


def test_validation_films_that_share_a_patient_with_the_sources_test_films_are_left_out(
    tmp_path: Path, save: Save
) -> None:
    """They were all kept, and the note said 0."""
    films = cohort(tmp_path, save, 58, 40)  # p0 to p17 have two films
    own = ["train"] * 58
    own[:8], own[40:48] = ["test"] * 8, ["validation"] * 8  # the same eight patients
    own[20] = "validation"
    done = split(films.with_splits(own), use_source=True)
    sides = done.samples["split"]
    assert (sides[:8] == "test").all()
    assert (sides[40:48] == "").all()
    assert sides[20] == "validation"
    assert "8 validation films" in done.notes[0]
    assert done.samples[sides != ""].groupby("patient")["split"].nunique().max() == 1
