"""`python -m core explain` draws a map as the pages and the reports do."""

from pathlib import Path

import numpy as np
from PIL import Image

from core.cli import main
from core.model import checkpoint
from core.report.overlay import Style, overlay
from tests.explain.toys import CLASSES, classifier, picture


def test_one_map_has_the_scale_of_its_largest_magnitude(tmp_path: Path) -> None:
    """Of a class that was not called, most evidence is against it; the largest positive value is no scale for it."""
    film, stored = tmp_path / "film.png", checkpoint.save(classifier().checkpoint, tmp_path / "toy")
    Image.fromarray(picture(64)).save(film)
    against = 0
    for name in CLASSES:
        out = tmp_path / name
        asked = ["explain", str(stored), str(film), "--method", "occlusion", "--class", name, "--out", str(out)]
        assert main(asked) == 0
        values = np.load(next(out.glob("*.npy")))
        drawn = np.asarray(Image.open(next(out.glob("*.png"))))
        expected = overlay(picture(64), values, Style(top=float(np.abs(values).max())))
        np.testing.assert_allclose(drawn.astype(int), expected, atol=1)
        against += -values.min() > values.max()
    assert against
