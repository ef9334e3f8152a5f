"""Errors near a film: found where they lie, and not where they do not."""

import numpy as np
import pandas as pd

from core.evaluate.errors_near import errors_near


def test_errors_among_like_films_are_told_with_what_they_share() -> None:
    labels = ["Normal"] * 20 + ["COVID-19"] * 80
    called = ["COVID-19"] * 8 + ["Normal"] * 12 + ["COVID-19"] * 80
    samples = pd.DataFrame({"view": ["AP"] * 8 + ["PA"] * 92, "age": [70] * 100, "source": [""] * 100})
    near = np.r_[np.ones(20), np.zeros(80)]
    found = errors_near(near, labels, called, samples)
    assert (found.wrong, found.films, found.commonest) == (8, 20, ("Normal", "COVID-19", 8))
    assert found.common == (("view", "AP", 8),)  # every film has that age, so it explains nothing
    assert "8 of the 20 tested films most like this one were called wrongly: 0.40 [" in found.sentence
    assert "against 0.08 of all; 8 of them Normal called COVID-19; 8 with view AP." in found.sentence
    elsewhere = errors_near(1 - near, labels, called, samples)
    assert (elsewhere.wrong, elsewhere.commonest, elsewhere.common) == (0, None, ())
