"""Several findings of a film, dealt over splits: each near its share, patients whole, what is unknown not counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data import findings, split
from core.data.cohort import COLUMNS, Cohort
from core.data.stratify import deal, strata

RATES = np.array([0.4, 0.2, 0.05, 0.01])


def drawn(seed: int, patients: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Findings (N, 4), some unknown, and the patient of each film; a patient's films resemble each other."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    ill = rng.random((patients, 4)) < RATES
    present = (ill[group] & (rng.random((len(group), 4)) < 0.9)).astype(np.float32)
    present[rng.random(present.shape) < 0.2] = np.nan
    return present, group


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_each_finding_comes_near_its_share(seed: int) -> None:
    present, group = drawn(seed)
    order = np.random.default_rng(seed + 1).permutation(group.max() + 1)
    part = deal(order, group, strata(present), (0.7, 0.2, 0.1))
    assert set(part) == {0, 1, 2}
    assert all(len(set(part[group == g])) == 1 for g in range(group.max() + 1))
    there = strata(present)
    for share, number in ((0.7, 0), (0.2, 1), (0.1, 2)):
        found = there[part == number].sum(axis=0)
        assert (np.abs(found - share * there.sum(axis=0)) <= 4).all()  # a patient has four films at most


def test_a_lottery_does_worse_for_what_is_rare() -> None:
    """The deviation that iterative stratification leaves is a part of the one by chance, or it would not be needed."""
    errors = {"dealt": 0.0, "drawn": 0.0}
    for seed in range(10):
        present, group = drawn(seed)
        rng = np.random.default_rng(seed)
        order, rare = rng.permutation(group.max() + 1), strata(present)[:, 3]
        parts = {
            "dealt": deal(order, group, strata(present), (0.8, 0.2)) == 1,
            "drawn": (rng.random(group.max() + 1) < 0.2)[group],
        }
        for name, chosen in parts.items():
            errors[name] += abs(rare[chosen].sum() / rare.sum() - 0.2)
    assert errors["dealt"] < errors["drawn"] / 2


def cohort(present: np.ndarray, group: np.ndarray, own: np.ndarray | None = None) -> Cohort:
    table = pd.DataFrame("", index=range(len(group)), columns=list(COLUMNS)).assign(age=np.nan)
    table["path"] = [f"films/{number:04d}.png" for number in range(len(group))]
    table["patient"], table["label"] = [f"p{g}" for g in group], "any"
    table["split"] = "" if own is None else own
    told = {findings.column(name): present[:, k] for k, name in enumerate("ABCD")}
    return Cohort("drawn", table.assign(**told), ("any",))


def test_a_cohort_is_split_by_its_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    present, group = drawn(3)
    monkeypatch.setattr(split, "groups", lambda cohort, progress: group)
    films = cohort(present, group)
    divided = split.split(films, 0.1, 0.2, seed=1)
    place = divided.samples["split"].to_numpy()
    assert divided.samples.groupby("patient")["split"].nunique().max() == 1
    for name, share in (("train", 0.7), ("test", 0.2), ("validation", 0.1)):
        there = strata(present)
        assert (np.abs(there[place == name].sum(axis=0) - share * there.sum(axis=0)) <= 4).all()
    assert (split.split(films, 0.1, 0.2, seed=1).samples["split"] == place).all()
    assert (split.split(films, 0.1, 0.2, seed=2).samples["split"] != place).any()


def test_a_sources_own_test_films_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    present, group = drawn(4)
    monkeypatch.setattr(split, "groups", lambda cohort, progress: group)
    own = np.where(group % 4 == 0, "test", "train")
    place = split.split(cohort(present, group, own), 0.1, 0.1, use_source=True).samples["split"].to_numpy()
    assert ((place == "test") == (own == "test")).all()
    assert 0.08 < (place == "validation").mean() < 0.12
    assert not set(group[place == "validation"]) & set(group[place == "train"])
