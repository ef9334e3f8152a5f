"""What a model makes of a whole cohort: features and probabilities of many films, filled in bit by bit.

Scoring films takes seconds to minutes, so the work shows its progress, can be cancelled, and keeps what it has done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from pages.shared import resources

if TYPE_CHECKING:
    from core.data.film.radiograph import Radiograph
    from core.model.classifier import Classifier

BATCH = 32
MOST = 3000  # films scored for a map; more make it neither clearer nor quicker


@dataclass
class Atlas:
    """Features (pooled, unit length) and probabilities of the films scored so far, by row of the cohort."""

    features: dict[int, np.ndarray] = field(default_factory=dict)  # float32 (D,)
    probabilities: dict[int, np.ndarray] = field(default_factory=dict)  # float32 (C,)

    def missing(self, rows: Sequence[int]) -> list[int]:
        """The rows that are not scored yet."""
        return [row for row in rows if row not in self.features]

    def matrix(self, rows: Sequence[int]) -> np.ndarray:
        """Features of scored rows, float32 (N, D)."""
        return np.stack([self.features[row] for row in rows])

    def nearest(self, feature: np.ndarray, count: int, without: int | None = None) -> list[tuple[int, float]]:
        """The scored films most like a feature vector: (row, cosine similarity in [-1, 1]), most alike first."""
        rows = [row for row in self.features if row != without]
        if not rows:
            return []
        likeness = self.matrix(rows) @ feature
        return [(rows[i], float(likeness[i])) for i in np.argsort(-likeness)[:count]]


@st.cache_resource(max_entries=6, show_spinner=False)
def atlas(model: str, created: str, fingerprint: str) -> Atlas:
    """The atlas of one model and one cohort; empty at first."""
    return Atlas()


def atlas_of(model: "Classifier", spec: str) -> Atlas:
    """The atlas shared by every visitor of this model and cohort."""
    return atlas(model.card.name, model.card.created, resources.fingerprint(spec))


def sample(cohort: Cohort, split: str | None = None, most: int = MOST) -> list[int]:
    """Rows of a split (all splits if None), evenly thinned to ``most``."""
    rows = np.flatnonzero(cohort.samples["split"] == split) if split is not None else np.arange(len(cohort))
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return [int(row) for row in rows]


def fill(
    found: Atlas, model: "Classifier", cohort: Cohort, rows: Sequence[int], progress: Callable[[float], None]
) -> None:
    """Score the rows that are missing; ``report`` gets the share done and may raise to stop."""
    missing = found.missing(rows)
    for start in range(0, len(missing), BATCH):
        progress(start / len(missing))
        batch = missing[start : start + BATCH]
        features, logits = embed(model, [cohort.film(row) for row in batch])
        for row, feature, probability in zip(batch, features, model.probabilities(logits), strict=True):
            found.features[row], found.probabilities[row] = feature, probability


def embed(model: "Classifier", films: "Sequence[Radiograph]") -> tuple[np.ndarray, np.ndarray]:
    """Pooled features (B, D) of unit length, and logits (B, C)."""
    pictures = np.stack([model.picture(film) for film in films])
    map_ = model.features(model.tensor(pictures))
    pooled = map_.mean(dim=(2, 3)).numpy()
    return pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9), model.head(map_).numpy()
