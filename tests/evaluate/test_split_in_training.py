"""Films and patients that a model has met are told from new ones, under whatever name they come."""

import pandas as pd

from core.data.cohort import COLUMNS, Cohort
from core.evaluate.scoring import split_in_training

KNOWN = pd.DataFrame(
    [
        ("person1_virus_2.png", "Kermany", "person1", "train"),
        ("person2_virus_4.png", "Kermany", "person2", "test"),
        ("person3_virus_5.png", "Kermany", "person3", "test"),
        ("person3_virus_6.png", "Kermany", "person3", "train"),
        ("COVID-7.png", "unknown", "", "validation"),
    ],
    columns=["path", "source", "patient", "split"],
)


def cohort(*films: tuple[str, str, str]) -> Cohort:
    rows = pd.DataFrame(films, columns=["path", "source", "patient"]).assign(label="x", age=float("nan"))
    return Cohort("c", rows.reindex(columns=list(COLUMNS), fill_value=""), ("x",))


def test_a_film_keeps_its_split() -> None:
    films = [("/a/person3_virus_5.png", "Kermany", "person3"), ("/b/COVID-7.png", "unknown", "")]
    assert split_in_training(cohort(*films), KNOWN) == ["test", "validation"]


def test_another_film_of_a_patient_is_not_new_and_training_counts() -> None:
    films = [("/a/person1_virus_2.jpeg", "Kermany", "person1"), ("/a/person3_bacteria_9.jpeg", "Kermany", "person3")]
    assert split_in_training(cohort(*films), KNOWN) == ["train", "train"]


def test_other_hospitals_and_unknown_patients_are_new() -> None:
    films = [("/a/x.png", "Elsewhere", "person1"), ("/a/COVID-8.png", "unknown", ""), ("/a/y.png", "Kermany", "")]
    assert split_in_training(cohort(*films), KNOWN) == ["", "", ""]
    assert split_in_training(cohort(*films), None) == ["", "", ""]
