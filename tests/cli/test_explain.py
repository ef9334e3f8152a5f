"""`python -m core explain` draws a map as the pages and the reports do."""

from pathlib import Path

import numpy as np
import pytest
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


def test_a_refused_film_is_told_without_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, stored = tmp_path / "strip.png", checkpoint.save(classifier().checkpoint, tmp_path / "toy")
    Image.fromarray(picture(96)[:24]).save(film)
    assert main(["explain", str(stored), str(film), "--out", str(tmp_path / "out")]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("strip.png: No answer. It is a strip")
    assert not any(name in first for name in CLASSES)
