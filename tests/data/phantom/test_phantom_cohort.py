"""Cohorts of drawn films: balanced, divided by patient, drawn on demand, with or without a shortcut."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.phantom import CLASSES
from core.data.phantom import cohort as cohorts
from core.data.phantom.cohort import cohort, draw_all
from core.errors import CohortError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))


@pytest.mark.parametrize("kind", ["fair", "confounded", "new-hospital"])
def test_classes_are_balanced_and_patients_undivided(kind: cohorts.Kind) -> None:
    films = cohort(kind, films=400).samples
    assert films["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, 100)
    assert (films.groupby("patient")["split"].nunique() == 1).all()
    assert films.groupby("patient").size().between(1, 4).all()
    assert films.groupby("patient").size().max() > 1
    assert films["path"].is_unique


def test_the_fair_cohort_gives_nothing_away_outside_the_lungs() -> None:
    films = cohort("fair").samples
    for column in ("source", "marker", "view"):
        table = pd.crosstab(films["label"], films[column], normalize="index")
        assert (table - table.mean()).abs().to_numpy().max() < 0.06, column


def test_the_shortcut_is_as_strong_as_asked_and_gone_in_the_new_hospital() -> None:
    def told_by_marker(films: pd.DataFrame) -> float:
        """Accuracy of the best guess from the marker alone."""
        return float(pd.crosstab(films["marker"], films["label"]).max(axis=1).sum() / len(films))

    assert told_by_marker(cohort("confounded").samples) == 1.0
    assert told_by_marker(cohort("confounded", strength=0.5).samples) == pytest.approx(0.625, abs=0.05)
    assert told_by_marker(cohort("confounded", strength=0.0).samples) < 0.32
    new = cohort("new-hospital").samples
    assert told_by_marker(new) < 0.32
    assert set(new["source"]) == {"D"}
    assert set(new["split"]) == {"test"}


def test_films_are_drawn_when_asked_for_and_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = []
    for run in ("a", "b"):
        monkeypatch.setenv("HILUM_CACHE", str(tmp_path / run))
        films = cohort("fair", films=16, size=96)
        assert not Path(films.samples["path"][0]).exists()
        assert films.film(3).shape == (96, 96)
        mask = films.mask(3, "lungs")
        assert mask is not None
        assert mask.any()
        digests.append([hashlib.sha256(Path(films.samples[c][3]).read_bytes()).hexdigest() for c in ("path", "lungs")])
    assert digests[0] == digests[1]


def test_drawing_all_in_other_processes_gives_the_same_films_and_true_masks(tmp_path: Path) -> None:
    films = cohort("confounded", films=8, size=96)
    alone = [films.film(i).pixels for i in range(2)]
    heard: list[tuple[int, int]] = []
    draw_all(films, lambda done, of: heard.append((done, of)), workers=2)
    assert heard[-1] == (6, 6)
    for i in range(8):
        truth, lungs = films.mask(i, "truth"), films.mask(i, "lungs")
        assert (truth is None) == (films.samples["label"][i] == "Normal")
        assert lungs is not None
        assert truth is None or (truth.any() and not (truth & ~lungs).any())
    for path in films.samples["path"][:2]:
        Path(path).unlink()
    draw_all(films, workers=1)
    assert all(np.array_equal(films.film(i).pixels, pixels) for i, pixels in enumerate(alone))


def test_fingerprints_follow_the_parameters_only() -> None:
    assert cohort("fair", films=16).fingerprint == cohort("fair", films=16).fingerprint
    assert cohort("fair", films=16).fingerprint != cohort("fair", films=16, seed=8).fingerprint


def test_the_name_of_a_finding_band_follows_its_severity() -> None:
    assert [cohorts.band(s) for s in (0.0, 0.3, 0.4, 0.66, 0.7, 1.0)] == [
        "mild", "mild", "moderate", "moderate", "severe", "severe",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [{"kind": "foul"}, {"films": 10}, {"films": 4}, {"strength": 2.0}, {"size": 8}])
def test_cohorts_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(CohortError):
        cohort(**wrong)
