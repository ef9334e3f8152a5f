"""Two films of one name are two films, everywhere; one film under two names is one."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.audit import audit
from core.data.cohort import concatenate
from core.data.film_id import film_ids, find
from core.data.readers import is_drawn, open_cohort
from core.evaluate.compare import align
from core.evaluate.evaluation import Evaluation
from core.evaluate.scoring import split_in_training
from tests.squares import draw_films

Save = Callable[..., Path]


@pytest.fixture
def twins(tmp_path: Path, save: Save) -> Path:
    """COVID/1.png to COVID/4.png and four other films of the same names in Normal."""
    for number in range(1, 5):
        for offset, label in enumerate(("COVID", "Normal")):
            save(tmp_path / f"twins/{label}/{number}.png", seed=10 * number + offset)
    return tmp_path / "twins"


def test_an_identity_is_a_place_within_the_cohort(twins: Path) -> None:
    cohort = open_cohort(twins)
    assert cohort.samples["film_id"].tolist()[:5] == [*(f"COVID/{n}.png" for n in range(1, 5)), "Normal/1.png"]
    assert cohort.take([5]).samples["film_id"].tolist() == ["Normal/2.png"]  # a selection renames nothing
    assert film_ids(["/a/b/c.png", "/a/b/d/e.png"]) == ["c.png", "d/e.png"]
    assert film_ids(["/a/b/c.png", "/x/e.png"], "/a/b") == ["c.png", "x/e.png"]
    assert film_ids([]) == []


def test_joined_cohorts_keep_identities_apart(twins: Path, tmp_path: Path, save: Save) -> None:
    save(tmp_path / "other/COVID/1.png", seed=90)
    save(tmp_path / "other/Normal/9.png", seed=91)
    both = concatenate("both", [open_cohort(twins), open_cohort(tmp_path / "other")])
    ids = both.samples["film_id"]
    assert ids.is_unique
    assert {"twins/COVID/1.png", "other/COVID/1.png", "COVID/2.png", "Normal/9.png"} <= set(ids)
    same = concatenate("same", [open_cohort(twins), open_cohort(twins)])
    assert same.samples["film_id"].is_unique


def test_find_by_identity_by_content_and_in_tables_of_old() -> None:
    cohort = pd.DataFrame(
        {
            "path": ["/films/COVID/1.png", "/films/Normal/1.png", "/films/Normal/2.png"],
            "film_id": ["COVID/1.png", "Normal/1.png", "Normal/2.png"],
            "source": "",
            "patient": ["p", "q", "r"],
        }
    )
    kept = cohort.iloc[[1, 0]].assign(path="1.png")
    assert find(kept, cohort).tolist() == [1, 0]
    old = kept.drop(columns="film_id")
    assert find(old, cohort).tolist() == [1, 0]  # told apart by their patients
    unknown = cohort.assign(patient="")
    assert find(old.assign(patient=""), unknown).tolist() == [-1, -1]  # no guess
    assert find(kept.assign(source="elsewhere"), cohort).tolist() == [-1, -1]
    moved = cohort.assign(film_id=["a", "b", "c"], sha256=["x", "y", "z"])
    assert find(moved.iloc[[2, 0]], cohort.assign(sha256=["x", "y", "z"])).tolist() == [2, 0]
    replaced = cohort.assign(sha256=["x", "other", "z"])
    assert find(cohort.assign(sha256=["x", "y", "z"]), replaced).tolist() == [0, -1, 2]
    assert find(cohort.iloc[:0], cohort).shape == (0,)


def test_splits_in_training_tell_twins_apart(twins: Path) -> None:
    cohort = open_cohort(twins)
    known = cohort.samples.assign(path=[Path(p).name for p in cohort.samples["path"]])
    known = known.assign(split=["train", "test"] * 4).iloc[::-1]
    assert split_in_training(cohort, known) == ["train", "test"] * 4
    assert split_in_training(cohort, known[known["label"] == "COVID"])[4:] == [""] * 4


def test_audit_names_both_twins(twins: Path, save: Save, own_cache: None) -> None:
    for label in ("COVID", "Normal"):
        save(twins / label / "1.png", seed=77)
    finding = next(f for f in audit(open_cohort(twins)).findings if f.key == "exact_duplicates")
    assert {"COVID/1.png", "Normal/1.png"} <= set(finding.films)


def test_two_models_are_paired_by_identity(twins: Path) -> None:
    cohort = open_cohort(twins)
    samples = cohort.samples.assign(path=[Path(p).name for p in cohort.samples["path"]])
    p = np.linspace(0.05, 0.95, 8)
    one = Evaluation(cohort.classes, cohort.labels(), np.stack([p, 1 - p], axis=1), samples)
    order = [7, 0, 6, 1, 5, 2, 4, 3]
    other = Evaluation(
        cohort.classes, one.labels[order], one.probabilities[order], samples.iloc[order].reset_index(drop=True)
    )
    first, second = align(one, other)
    assert np.allclose(first.probabilities, second.probabilities)


def test_a_windows_drive_is_no_drawn_cohort() -> None:
    assert not is_drawn(r"C:\films")
    assert is_drawn("phantom:fair")
    assert is_drawn("phantom")


def test_a_folder_called_phantom_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_films(tmp_path / "phantom", 2)
    monkeypatch.chdir(tmp_path)
    assert not is_drawn("phantom")
    assert len(open_cohort("phantom")) == 4
    assert os.sep not in open_cohort("phantom").samples["film_id"][0].replace("/", "")
