"""Grad-CAM built by hand is Grad-CAM, under its own weights and under no others."""

from pathlib import Path

import numpy as np
import pytest

from core.data.phantom.cohort import cohort
from core.errors import ExplainError
from core.explain.by_hand import parts
from core.explain.heatmap import heatmaps
from core.model.checkpoint import load
from core.model.classifier import Classifier
from tests.pages.tiny import tiny_checkpoint


def test_its_own_weights_give_the_map_of_the_method(tmp_path: Path) -> None:
    model = Classifier(load(tiny_checkpoint(tmp_path / "tiny")))
    picture = model.picture(cohort("fair").film(49))
    for name, map_ in heatmaps(model, picture, "gradcam").items():
        taken = parts(model, picture, name)
        np.testing.assert_allclose(taken.map_of(taken.weights), map_.values, rtol=1e-4, atol=1e-7)
        if not map_.blank:
            others = taken.map_of(np.roll(taken.weights, 1))
            assert np.abs(others - map_.values).max() > 0.05 * map_.top
            few = taken.strongest(3)
            assert (taken.weights[few, None, None] * taken.channels[few]).max() > 0


def test_an_unknown_class_is_said(tmp_path: Path) -> None:
    model = Classifier(load(tiny_checkpoint(tmp_path / "tiny")))
    with pytest.raises(ExplainError, match="Measles"):
        parts(model, model.picture(cohort("fair").film(0)), "Measles")
