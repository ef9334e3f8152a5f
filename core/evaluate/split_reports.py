"""Train and test reports side by side, and beside them what the authors of a recipe report."""

from collections.abc import Mapping

import pandas as pd

from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX
from core.evaluate.scopes import OVERALL

FIGURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
SPLITS = ("train", "test")


def side_by_side(parts: Mapping[str, Evaluation], published: object = None) -> pd.DataFrame:
    """Precision, recall, F1 and number of films of every class, of both splits, by the most likely class.

    That is how authors count, whose figures stand beside; the model's own operating points compare with none of theirs.

    Args:
        parts: split -> films, of which "train" and "test" are shown.
        published: split -> class -> precision, recall, f1, support, as a recipe's ``published_report`` holds them.

    Returns:
        one row for each class and figure, and one for the accuracy: columns ``Class``, ``Figure``, then "train", "test"
        (text with 95 % intervals) and, where anything is published, "train, published" and "test, published".
    """
    shown = {split: parts[split] for split in SPLITS if split in parts}
    figures = {split: e.figures(ARGMAX) for split, e in shown.items()}
    classes = next(iter(shown.values())).classes if shown else ()
    rows = []
    for name in classes:
        for key, title in FIGURES.items():
            ours = {split: figures[split][name][key].text() for split in shown}
            rows.append({"Class": name, "Figure": title, **ours, **_published(published, name, key)})
        counts = {split: f"{int((e.labels == e.classes.index(name)).sum()):,}" for split, e in shown.items()}
        rows.append({"Class": name, "Figure": "Films", **counts, **_published(published, name, "support")})
    accuracies = {split: figures[split][OVERALL]["accuracy"].text() for split in shown}
    rows.append({"Class": "all", "Figure": "Accuracy", **accuracies})
    return pd.DataFrame(rows).fillna("")


def _published(published: object, name: str, key: str) -> dict[str, str]:
    """What is published of a class, by split; only numbers are taken, as a card may come from anybody."""
    told = {}
    for split in SPLITS:
        value = published
        for part in (split, name, key):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, int | float):
            told[f"{split}, published"] = f"{value:g}"
    return told
