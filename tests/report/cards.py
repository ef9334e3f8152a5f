"""A card and a prediction, as training and serving would write them."""

import numpy as np

from core.model.card import Card
from core.model.classifier import Prediction
from core.model.domain import DomainVerdict
from core.model.output import Softmax
from core.training.recipe import load, names
from core.transform.preprocess import Preprocess
from tests.evaluate.drawn import CLASSES


def history(epochs: int = 4) -> list[dict]:
    return [
        {"epoch": e, "train_loss": 1 / e, "train_accuracy": 1 - 1 / (e + 1), "validation_loss": 1.1 / e,
         "validation_accuracy": 1 - 1.1 / (e + 1), "learning_rate": 1e-3 / e, "seconds": 2.0, "best": e == epochs}
        for e in range(1, epochs + 1)
    ]  # fmt: skip


def card(**changes) -> Card:
    known = {
        "name": "toy",
        "title": "A toy <model>",
        "classes": CLASSES,
        "network": "resnet_small",
        "preprocess": Preprocess(size=64),
        "recipe": load(names()[0]).to_dict() if names() else {},
        "parameters": 1234,
        "created": "2026-01-01T00:00:00+00:00",
        "data": {"name": "Toy films", "sources": {"north": 10, "south": 20}},
        "history": history(),
        "limitations": "Judged on films of its own sources.",
        "licence": "CC BY-NC 4.0",
    }
    return Card(**{**known, **changes})


def prediction(**changes) -> Prediction:
    p = np.array([0.1, 0.7, 0.2], np.float32)
    verdict = DomainVerdict(0.1, 1.0, "in", "It resembles the films this model learned from.")
    picture = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    known = {
        "name": "SMITH_JOHN.png",
        "output": Softmax(CLASSES, (0.5, 0.4, 0.3)),
        "probabilities": p,
        "logits": np.log(p),
    }
    return Prediction(**{**known, "picture": picture, "domain": verdict, **changes})
