"""Choosing films by what is said of them, against the same choice made film by film."""

import numpy as np
import pandas as pd
import pytest

from core.data.cohort import COLUMNS, Cohort
from core.data.facets import facets


@pytest.fixture
def cohort() -> Cohort:
    rng = np.random.default_rng(2)
    samples = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(60)).assign(
        path=[f"/films/Übel{k % 2}/Scan.{k}(a).png" for k in range(60)],
        label=rng.choice(["Normal", "COVID-19"], 60),
        source=[f"Hospital {k % 7}" for k in range(60)],
        view="PA",
        age=np.where(np.arange(60) % 5 == 0, np.nan, rng.integers(1, 90, 60)),
    )
    samples["finding: Edema"] = np.where(np.arange(60) % 3 == 0, np.nan, np.arange(60) % 2).astype(float)
    return Cohort("c", samples, ("COVID-19", "Normal"))


def test_columns_in_which_all_films_are_alike_are_none(cohort: Cohort) -> None:
    assert list(facets(cohort).columns) == ["label", "source", "age", "finding: Edema"]


def test_words_come_with_their_films_the_most_frequent_first(cohort: Cohort) -> None:
    facet = facets(cohort).columns["label"]
    expected = cohort.samples["label"].value_counts()
    assert dict(zip(facet.words, facet.counts, strict=True)) == expected.to_dict()
    assert list(facet.counts) == sorted(facet.counts, reverse=True)


@pytest.mark.parametrize(
    ("chosen", "name", "by_hand"),
    [
        ({}, "", lambda film: True),
        ({"label": ["Normal"], "source": []}, "", lambda film: film["label"] == "Normal"),
        ({"source": "PITAL 3"}, "", lambda film: film["source"] == "Hospital 3"),
        ({"source": "(.*"}, "", lambda film: False),
        ({"age": (20.0, 40.0)}, "", lambda film: 20 <= film["age"] <= 40),
        ({"finding: Edema": ["present"]}, "", lambda film: film["finding: Edema"] == 1),
        ({"finding: Edema": [""]}, "", lambda film: np.isnan(film["finding: Edema"])),
        ({"label": ["nothing"]}, "", lambda film: False),
        ({}, "scan.1(", lambda film: "/Scan.1(" in film["path"]),
        ({}, "übel", lambda film: False),
        ({}, "Übel1/Scan", lambda film: False),
        ({"label": ["Normal"]}, "5(A)", lambda film: film["label"] == "Normal" and "5(a)" in film["path"]),
    ],
    ids=["all", "words", "part", "no-pattern", "range", "finding", "unknown", "none", "name", "folder", "path", "both"],
)
def test_a_choice_is_that_of_each_film(cohort: Cohort, chosen, name, by_hand) -> None:
    expected = [bool(by_hand(film)) for film in cohort.samples.to_dict("records")]
    assert facets(cohort).passing(chosen, name).tolist() == expected


def test_the_whole_reach_wants_films_of_unknown_age_as_well(cohort: Cohort) -> None:
    known = facets(cohort)
    assert known.passing({"age": known.columns["age"].reach}).all()
    low, high = known.columns["age"].reach
    assert known.passing({"age": (low, high - 1)}).sum() < cohort.samples["age"].notna().sum()
