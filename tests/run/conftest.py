"""Films for what carries work."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.readers import open_cohort


@pytest.fixture
def films(tmp_path: Path) -> Cohort:
    """23 films, one of them damaged."""
    rng = np.random.default_rng(5)
    for k in range(23):
        path = tmp_path / "films" / ("COVID" if k % 2 else "Normal") / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8)).save(path)
    (tmp_path / "films" / "COVID" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\nno film")
    return open_cohort(tmp_path / "films")
