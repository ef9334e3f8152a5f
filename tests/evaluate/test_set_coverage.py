"""Coverage of prediction sets: as promised on films like the fitted ones, short of it where films differ."""

import numpy as np
import pandas as pd
import pytest

from core.evaluate.evaluation import Evaluation
from core.evaluate.set_coverage import table
from core.model import conformal

CLASSES = ("A", "B")


def judged(films: int, seed: int, shift: float = 0.0) -> Evaluation:
    """Films of two sources; those of "far" point away from their label by ``shift``."""
    generator = np.random.default_rng(seed)
    labels, far = generator.integers(0, 2, films), generator.random(films) < 0.5
    logits = generator.normal(size=(films, 2)) + (1.5 - shift * far[:, None]) * np.eye(2)[labels]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    samples = pd.DataFrame(dict.fromkeys(("path", "view", "age", "sex"), ""), index=range(films)).assign(
        label=np.array(CLASSES)[labels], source=np.where(far, "far", "near"), split="test",
        patient=[str(row) for row in range(films)], path=[f"{row}.png" for row in range(films)],
    )  # fmt: skip
    return Evaluation(CLASSES, labels, p.astype(np.float32), samples)


def test_every_class_is_covered_and_a_source_that_differs_is_not():
    fitted = judged(3000, 1)
    sets = conformal.fit(fitted.probabilities, fitted.labels)
    by_class = table(judged(1500, 2), sets).set_index("group")
    for name in CLASSES:
        assert by_class.loc[name, "covered"].value == pytest.approx(0.9, abs=0.03)
    assert by_class.loc["all films", "films"] == by_class.loc[list(CLASSES), "films"].sum() == 1500
    by_source = table(judged(1500, 3, shift=2.5), sets, "source").set_index("group")
    assert by_source.loc["near", "covered"].value == pytest.approx(0.9, abs=0.03)
    assert by_source.loc["far", "covered"].high < 0.85


def test_the_sizes_are_those_of_the_sets():
    films = judged(400, 4)
    sets = conformal.fit(films.probabilities, films.labels)
    row = table(films, sets, seed=5).iloc[0]
    size = sets.of(films.probabilities, 5).sum(1)
    assert (row["labels a film"], row["empty"], row["one label"]) == (
        size.mean(),
        (size == 0).mean(),
        (size == 1).mean(),
    )
