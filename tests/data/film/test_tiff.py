"""TIFF beyond what Pillow reads: planes, deep floats, floats in colour."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.data.film.opener import read

DEEP = np.rint(np.tile(np.linspace(0.1, 0.8, 256), (256, 1)) * 4095).astype(np.uint16)
TIFFS: dict[str, tuple[np.ndarray, dict]] = {
    "colours in planes": (np.stack([DEEP] * 3), {"photometric": "rgb", "planarconfig": "separate"}),
    "floats of 64 bits": (DEEP / 4095, {}),
    "floats in colour": (np.dstack([DEEP / np.float32(4095)] * 3).astype(np.float32), {"photometric": "rgb"}),
    "floats, white is zero": (1 - DEEP / 4095, {"photometric": "miniswhite"}),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_tiff_as_scanners_and_scripts_write_them(kind: str, tmp_path: Path) -> None:
    """Planes were read as rows, without a word; floats of 64 bits and in colour were called no picture."""
    pixels, how = TIFFS[kind]
    tifffile.imwrite(tmp_path / "a.tif", pixels, **how)
    film = read(tmp_path / "a.tif")
    assert np.abs(film.pixels.astype(float) - DEEP * (255 / 4095)).max() <= 1
    assert film.colour == 0
