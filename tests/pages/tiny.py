"""A small untrained checkpoint, so that the tests of the pages need no shipped weights, and what every page must be."""

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data.phantom.cohort import cohort
from core.model.checkpoint import Card, Checkpoint, save
from core.networks.zoo import build
from core.transform.preprocess import Preprocess

SIZE = 96


def tiny_checkpoint(folder: Path) -> Path:
    """Write the checkpoint of a small network with random weights that knows the phantoms' classes."""
    drawn = cohort("fair")
    torch.manual_seed(0)
    network = build("resnet_small", len(drawn.classes))
    card = Card(
        name=folder.name,
        title="Untrained network",
        classes=drawn.classes,
        network="resnet_small",
        preprocess=Preprocess(size=SIZE),
        recipe={},
        parameters=sum(p.numel() for p in network.parameters()),
        created="2026-01-01T00:00:00",
        thresholds={name: 1 / len(drawn.classes) for name in drawn.classes},
        data={"name": "nothing"},
    )
    return save(Checkpoint(card, network.state_dict()), folder)


def sound(app: AppTest) -> AppTest:
    """The same page, once it shows neither a traceback nor an error."""
    assert not app.exception, (app.exception[0].message, app.exception[0].stack_trace)
    assert not app.error, [error.value for error in app.error]
    return app


def pictures(app: AppTest) -> list[Any]:
    """Every picture of the page, with its ``caption`` and ``alt``."""
    return [picture for element in app.get("image") for picture in element.proto.imgs]


def small_cohort(folder: Path, films: int = 6) -> str:
    """A folder cohort of a few drawn films, quick to look at whole."""
    drawn = cohort("fair")
    for label in drawn.classes:
        (folder / label).mkdir()
        rows = drawn.samples.index[drawn.samples["label"] == label][:films]
        for row in rows:
            Image.fromarray(drawn.film(int(row)).pixels).save(folder / label / f"{row}.png")
    return str(folder)
