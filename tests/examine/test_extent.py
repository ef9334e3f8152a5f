"""The area of the evidence, where the film says how large its pixels are."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.film.radiograph import Spacing
from core.data.phantom.cohort import cohort
from core.examine.examined import examine
from core.examine.extent import area, area_in_words
from core.model.classifier import open_classifier
from core.report.documents.numbers import numbers


def test_half_of_the_film_is_half_of_its_area() -> None:
    film = cohort("fair").film(3)
    height, width = film.shape
    unknown = examine(open_classifier("honest"), film)
    map_ = unknown.heatmaps("gradcam", ["COVID-19"])["COVID-19"]
    half = np.zeros_like(map_.values)
    half[: len(half) // 2] = 2.0
    known = examine(unknown.classifier, replace(film, spacing=Spacing(10.0, "patient")), shelf=unknown.shelf)
    whole = replace(map_, values=half)
    assert area(known, whole) == pytest.approx(height * width / 2, rel=0.05)  # a pixel is 1 cm2
    assert area(unknown, whole) is None
    assert area_in_words(unknown, whole) == ""
    assert "in the patient, as calibrated" in area_in_words(known, whole)
    assert area(known, replace(map_, values=np.zeros_like(half))) == 0.0
    told = numbers(known, {"COVID-19": map_})
    assert told["heatmaps"]["COVID-19"]["area_cm2"] == pytest.approx(area(known, map_))
    assert told["pixel_mm"] == {"millimetres": 10.0, "plane": "patient"}
