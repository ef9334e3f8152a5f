"""Counts of what occurs together."""

import pandas as pd
import pytest

from core.data.combinations import combinations


def test_coronahacks_three_columns_come_back() -> None:
    samples = pd.DataFrame(
        {
            "label": ["Normal/NA", "Pnemonia/NA", "Pnemonia/COVID-19", "Pnemonia/NA", "Pnemonia/ARDS"],
            "cause": ["NA", "Virus", "Virus", "Virus", "Stress-Smoking"],
        }
    )
    table = combinations(samples, "coronahack")
    assert list(table) == ["Label", "Label_1", "Label_2", "films"]
    assert table.iloc[0].tolist() == ["Pnemonia", "Virus", "", 2]
    assert ["Pnemonia", "Stress-Smoking", "ARDS", 1] in table.to_numpy().tolist()
    assert ["Normal", "", "", 1] in table.to_numpy().tolist()
    assert table["films"].sum() == len(samples)


def test_other_collections_by_label_and_finding() -> None:
    samples = pd.DataFrame({"label": ["A", "A", "B"], "finding": ["x", None, "y"]})
    assert combinations(samples).to_numpy().tolist() == [["A", "x", 1], ["A", "", 1], ["B", "y", 1]]
    assert list(combinations(samples[["label"]])) == ["label", "films"]


@pytest.mark.real
def test_the_real_table(real_data) -> None:
    from core.data.readers import open_cohort

    cohort = open_cohort(real_data / "Coronahack-Chest-XRay-Dataset")
    table = combinations(cohort.samples, cohort.layout)
    found = {tuple(row[:3]): row[3] for row in table.to_numpy().tolist()}
    assert sum(found.values()) == len(cohort)
    assert found["Pnemonia", "Stress-Smoking", "ARDS"] == 2
    assert 1_400 < found["Normal", "", ""] <= 1_576
