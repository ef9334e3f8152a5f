"""Two small checkpoints with evaluations of drawn films beside them, for the pages about models."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.phantom.cohort import cohort
from core.evaluate.evaluation import Evaluation
from core.evaluate.storage import to_parquet
from core.model.checkpoint import load, save
from tests.evaluate.drawn import probabilities
from tests.pages.tiny import tiny_checkpoint
from tests.report.cards import history

COHORT = "phantom:fair"


def checkpoints(root: Path) -> None:
    """``weights-a`` and ``weights-b`` below root, judged on the same drawn films; b is the better one."""
    drawn = cohort("fair")
    for name, strength in (("tiny-a", 1.0), ("tiny-b", 2.0)):
        folder = tiny_checkpoint(root / name)
        checkpoint = load(folder)
        card = replace(
            checkpoint.card,
            title=f"Model {name[-1].upper()}",
            history=history(),
            published={"accuracy": 0.9},
            data={"name": drawn.name},
        )
        save(replace(checkpoint, card=card), folder)
        parts = [
            np.flatnonzero(drawn.samples["split"] == split)[:count]
            for split, count in (("validation", 60), ("test", 80))
        ]
        rows = np.concatenate(parts)
        samples = drawn.samples.iloc[rows][["path", "label", "patient", "source", "view", "age", "sex", "split"]]
        samples = samples.assign(path=[Path(path).name for path in samples["path"]]).reset_index(drop=True)
        labels = drawn.labels()[rows]
        p = probabilities(labels, len(drawn.classes), strength, np.random.default_rng(len(name)))
        to_parquet(Evaluation(drawn.classes, labels, p, samples), folder / "evaluation.parquet")
