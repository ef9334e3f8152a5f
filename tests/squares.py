"""A cohort small enough to train on in seconds: bright and dark squares, drawn as PNG files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.training.recipe import NetworkConfig, Recipe, SplitConfig, TrainingConfig
from core.transform.augment import Step
from core.transform.preprocess import Preprocess


def draw_films(root: Path, per_class: int = 20) -> Path:
    """Class folders of noisy 64-px films: class B has a bright square somewhere."""
    for label in ("A", "B"):
        (root / label).mkdir(parents=True)
        for number in range(per_class):
            rng = np.random.default_rng([number, label == "B"])
            film = rng.integers(0, 120, (8, 8)).repeat(8, axis=0).repeat(8, axis=1)
            if label == "B":
                y, x = rng.integers(0, 40, 2)
                film[y : y + 24, x : x + 24] += 130
            Image.fromarray(film.astype(np.uint8)).save(root / label / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """40 films of the classes A and B."""
    return open_cohort(draw_films(tmp_path_factory.mktemp("squares")))


@pytest.fixture
def tiny_recipe() -> Recipe:
    """Two epochs of the small ResNet on 32-px films."""
    return Recipe(
        name="tiny",
        title="Tiny",
        classes=("A", "B"),
        labels={"A": "A", "B": "B"},
        network=NetworkConfig("resnet_small", dropout=0.2),
        preprocess=Preprocess(size=32, mean=(0.5,) * 3, std=(0.25,) * 3),
        augment=(Step("rotate", {"angle": (-10, 10)}),),
        split=SplitConfig(validation=0.2, test=0.2),
        training=TrainingConfig(epochs=3, batch=8, schedule="onecycle", label_smoothing=0.1),
    )
