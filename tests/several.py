"""A cohort with several findings, small enough to train on in seconds: each finding a bright square in a corner."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.training.recipe import NetworkConfig, Recipe, SplitConfig, TrainingConfig
from core.transform.preprocess import Preprocess

CORNERS = {"Effusion": (36, 4), "Edema": (4, 4), "Mass": (4, 36)}


def draw_findings(root: Path, films: int = 60, unknown: float = 0.15) -> Path:
    """Noisy 64-px films and their table: each finding on a third of them, and not known of every film."""
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(films):
        rng = np.random.default_rng(number)
        film = rng.integers(0, 100, (16, 16)).repeat(4, axis=0).repeat(4, axis=1)
        row: dict[str, str] = {"path": f"{number:03}.png", "patient": f"p{number // 2}"}
        for name, (y, x) in CORNERS.items():
            there = rng.random() < 1 / 3
            film[y : y + 24, x : x + 24] += 120 * there
            row[name] = "" if rng.random() < unknown else str(int(there))
        Image.fromarray(film.clip(0, 255).astype(np.uint8)).save(root / row["path"])
        rows.append(row)
    pd.DataFrame(rows).to_csv(root / "films.csv", index=False)
    return root / "films.csv"


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """60 films of three findings."""
    return open_cohort(draw_findings(tmp_path_factory.mktemp("several")))


@pytest.fixture
def findings_recipe() -> Recipe:
    """A few epochs of the small ResNet on 32-px films."""
    return Recipe(
        name="findings",
        title="Findings",
        classes=tuple(CORNERS),
        labels={name: name for name in CORNERS},
        output="sigmoid",
        network=NetworkConfig("resnet_small"),
        preprocess=Preprocess(size=32, mean=(0.5,) * 3, std=(0.25,) * 3),
        split=SplitConfig(validation=0.2, test=0.2),
        training=TrainingConfig(epochs=8, batch=8, learning_rate=3e-3, optimiser="adamw", class_weights=True),
    )
