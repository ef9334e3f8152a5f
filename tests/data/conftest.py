"""Small films to build cohorts from: they look alike enough to be films, and different enough to be different ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter


def draw(seed: int, size: int = 96) -> np.ndarray:
    """A film-like picture, uint8 (size, size): two dark lungs, and structure that only this seed has."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    lungs = sum(np.exp(-(((x - side) / 0.3) ** 2) - ((y / 0.6) ** 2)) for side in (-0.42, 0.42))
    noise = gaussian_filter(rng.normal(size=(size, size)), size / 24)
    film = 170 - 100 * lungs + 25 * noise / noise.std() - 40 * np.hypot(x, y)
    return np.clip(film, 0, 255).astype(np.uint8)


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither read nor fill the reader's cache."""
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def save() -> Callable[..., Path]:
    """Write the film of a seed (or given pixels) to a path; folders are made."""

    def write(path: Path, seed: int = 0, pixels: np.ndarray | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(seed) if pixels is None else pixels).save(path)
        return path

    return write
