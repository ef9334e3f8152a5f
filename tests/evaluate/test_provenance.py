"""Where a film stands towards a model's training, whatever the order of rows."""

import numpy as np
import pandas as pd

from core.data.cohort import COLUMNS, Cohort
from core.evaluate.provenance import Provenance, provenance, split_of

KNOWN = pd.DataFrame(
    [
        ("a.png", "Kermany", "p1", "test"),
        ("b.png", "Kermany", "p1", "validation"),
        ("c.png", "Kermany", "p2", ""),
        ("d.png", "unknown", "", "train"),
    ],
    columns=["path", "source", "patient", "split"],
)


def cohort(name: str, *films: tuple[str, str, str]) -> Cohort:
    rows = pd.DataFrame(films, columns=["path", "source", "patient"]).assign(label="x", age=float("nan"))
    return Cohort(name, rows.reindex(columns=list(COLUMNS), fill_value=""), ("x",))


FILMS = [
    ("/f/c.png", "Kermany", "p2"),
    ("/f/e.png", "Kermany", "p1"),
    ("/f/f.png", "Kermany", "p9"),
    ("/f/g.png", "Elsewhere", "p1"),
    ("/f/d.png", "unknown", ""),
]
EXPECTED = [Provenance.LEFT_OUT, Provenance.VALIDATION, Provenance.NEW, Provenance.EXTERNAL, Provenance.TRAIN]


def test_each_film_has_one_provenance() -> None:
    assert provenance(cohort("c", *FILMS), KNOWN) == EXPECTED
    assert [split_of(name) for name in EXPECTED] == ["", "validation", "", "", "train"]


def test_the_order_of_rows_plays_no_part() -> None:
    for seed in range(6):
        rows = np.random.default_rng(seed).permutation(len(KNOWN))
        assert provenance(cohort("c", *FILMS), KNOWN.iloc[rows]) == EXPECTED


def test_a_collection_that_the_card_names_is_no_external_one() -> None:
    films = cohort("Toy", ("/f/x.png", "", ""))
    assert provenance(films, None) == [Provenance.EXTERNAL]
    assert provenance(films, None, ["Other + Toy"]) == [Provenance.NEW]
    assert provenance(cohort("c", ("/f/x.png", "unknown", "")), KNOWN, ["unknown"]) == [Provenance.EXTERNAL]
