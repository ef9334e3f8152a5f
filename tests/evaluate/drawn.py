"""Evaluations drawn from known distributions."""

import numpy as np
import pandas as pd

from core.evaluate.evaluation import Evaluation

CLASSES = ("Normal", "COVID-19", "Viral Pneumonia")


def probabilities(labels: np.ndarray, n_classes: int, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Softmax of normal logits whose true class is lifted by ``strength``."""
    logits = rng.normal(size=(len(labels), n_classes))
    logits[np.arange(len(labels)), labels] += strength
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def evaluation(
    films: int = 300, strength: float = 1.5, seed: int = 0, classes: tuple[str, ...] = CLASSES, per_patient: int = 1
) -> Evaluation:
    """Films of random classes, ``per_patient`` of each patient, from two sources."""
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(len(classes)), rng.integers(0, len(classes), films - len(classes)))
    samples = pd.DataFrame(
        {
            "path": [f"{i}.png" for i in range(films)],
            "label": [classes[i] for i in labels],
            "patient": [f"p{i // per_patient}" for i in range(films)],
            "source": rng.choice(["north", "south"], films),
            "view": rng.choice(["AP", "PA", ""], films),
            "sex": rng.choice(["F", "M"], films),
            "age": rng.integers(1, 95, films).astype(float),
            "split": rng.choice(["validation", "test"], films),
        }
    )
    return Evaluation(classes, labels, probabilities(labels, len(classes), strength, rng), samples, name="drawn")


def spoilt(drawn: Evaluation, rows: np.ndarray) -> Evaluation:
    """The same films, these rows called wrongly with confidence."""
    p = drawn.probabilities.copy()
    p[rows] = 0.98 * np.eye(3)[(drawn.labels[rows] + 1) % 3] + 0.02 / 3
    return Evaluation(drawn.classes, drawn.labels, p, drawn.samples, name="spoilt")
