"""`python -m core augment` from a film to a figure."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli import main


@pytest.fixture
def film(tmp_path: Path) -> Path:
    rows, columns = np.mgrid[:300, :260]
    Image.fromarray(((rows + columns) % 256).astype(np.uint8)).save(tmp_path / "film.png")
    return tmp_path / "film.png"


def test_it_draws_the_recipe(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "figure.png"
    assert main(["augment", str(film), "--recipe", "compact_cnn", "--draws", "2", "--out", str(out)]) == 0
    assert "5 augmentations of Compact CNN" in " ".join(capsys.readouterr().out.split())
    with Image.open(out) as page:
        assert page.height > 7 * 160  # the film, five steps, all of them


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--recipe", "phantom_cheat"], "phantom_cheat has no augmentation"),
        (["--recipe", "compact_cnn", "--draws", "0"], "--draws is 0"),
        (["--recipe", "nothing"], "no recipe 'nothing'"),
    ],
)
def test_what_cannot_be_drawn_is_said(film: Path, capsys, options: list[str], said: str) -> None:
    assert main(["augment", str(film), *options]) == 2
    assert said in capsys.readouterr().err
