"""What a model makes of a whole cohort: features and probabilities of many films, filled in bit by bit.

Scoring films takes seconds to minutes, so the work reports its progress, can be cancelled, and keeps what it has done.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.errors import FilmError

if TYPE_CHECKING:
    from core.model.classifier import Classifier  # torch takes its time to import

BATCH = 8  # films between two reports: nobody whose turn it is waits long, and larger ones are hardly quicker
MOST = 3000  # films scored for a map; more make it neither clearer nor quicker
_ONE_UMAP = Lock()  # numba's threading layer is not re-entrant


class Embeddings:
    """Features (pooled, unit length) and probabilities of the films scored so far, by row of the cohort.

    Several visitors may fill and read these: each film's two results come together, and nobody reads while they do.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._films: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # features float32 (D,), probabilities float32 (C,)
        self._unreadable: set[int] = set()
        self._looked_for: set[int] = set()

    @property
    def nbytes(self) -> int:
        """What they take when full, about: they are filled after they were put on a shelf."""
        return MOST * 4 * 1024

    def add(self, row: int, features: np.ndarray, probabilities: np.ndarray) -> None:
        """One film's features (D,) of unit length, and probabilities (C,)."""
        with self._lock:
            self._films[row] = features, probabilities

    def leave_out(self, row: int) -> None:
        """Note that a film cannot be read: it will not be asked for again."""
        with self._lock:
            self._unreadable.add(row)

    def rows(self) -> list[int]:
        """The rows scored so far."""
        with self._lock:
            return list(self._films)

    def missing(self, rows: Sequence[int]) -> list[int]:
        """The rows that are neither scored yet nor known to be unreadable."""
        with self._lock:
            there = self._films.keys() | self._unreadable
        return [row for row in rows if row not in there]

    def not_looked_for(self, rows: Sequence[int]) -> list[int]:
        """The missing rows that this has not been asked of before: where they are kept is looked up once."""
        new = self.missing(rows)
        with self._lock:
            new = [row for row in new if row not in self._looked_for]
            self._looked_for.update(new)
        return new

    def scored(self, rows: Sequence[int]) -> list[int]:
        """Those of some rows that are scored, in their order."""
        there = set(self.rows())
        return [row for row in rows if row in there]

    def matrix(self, rows: Sequence[int]) -> np.ndarray:
        """Features of scored rows, float32 (N, D)."""
        with self._lock:
            return np.stack([self._films[row][0] for row in rows])

    def probabilities(self, rows: Sequence[int]) -> np.ndarray:
        """Probabilities of scored rows, float32 (N, C)."""
        with self._lock:
            return np.stack([self._films[row][1] for row in rows])

    def nearest(
        self, feature: np.ndarray, count: int, without: int | None = None, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The scored films most like a feature vector: (row, cosine similarity in [-1, 1]), most alike first.

        Args:
            among: only these rows.
        """
        wanted = None if among is None else set(among)
        rows = [row for row in self.rows() if row != without and (wanted is None or row in wanted)]
        if not rows:
            return []
        cosine = self.matrix(rows) @ feature
        return [(rows[i], float(cosine[i])) for i in np.argsort(-cosine)[:count]]


def sample(cohort: Cohort, split: str | None = None, most: int = MOST) -> list[int]:
    """Rows of a split (all splits if None), evenly thinned to ``most``."""
    rows = np.flatnonzero(cohort.samples["split"] == split) if split is not None else np.arange(len(cohort))
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return [int(row) for row in rows]


def fill(
    found: Embeddings,
    model: "Classifier",
    cohort: Cohort,
    rows: Sequence[int],
    progress: Callable[[float], None],
    seen: Callable[[int, Radiograph], None] | None = None,
) -> None:
    """Score the rows that are missing, leaving out films that cannot be read.

    Args:
        progress: gets the share done and may raise to stop.
        seen: is shown each film that was read, with its row, so that one reading serves other questions as well.
    """
    missing = found.missing(rows)
    for start in range(0, len(missing), BATCH):
        progress(start / len(missing))
        films: dict[int, Radiograph] = {}
        for row in missing[start : start + BATCH]:
            try:
                films[row] = cohort.film(row)
            except FilmError:
                found.leave_out(row)
        if seen is not None:
            for row, film in films.items():
                seen(row, film)
        if not films:
            continue
        features, logits = embed(model, list(films.values()))
        for row, feature, probability in zip(films, features, model.probabilities(logits), strict=True):
            found.add(row, feature, probability)


def embed(model: "Classifier", films: Sequence[Radiograph]) -> tuple[np.ndarray, np.ndarray]:
    """Pooled features (B, D) of unit length, and logits (B, C); of a model that is only a function, small pictures."""
    pictures = np.stack([model.picture(film) for film in films])
    if model.network.opaque:
        from core.model.domain import thumbnails

        return _unit(thumbnails(pictures)), model.predict_pictures(pictures)[0]
    map_ = model.features(model.tensor(pictures))
    pooled = model.network.layout.map_of(map_).mean(dim=(2, 3)).numpy(force=True)
    return _unit(pooled), model.head(map_).numpy(force=True)


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


def projection(features: np.ndarray, method: str) -> np.ndarray:
    """Features (N, D) in two dimensions, float (N, 2): "PCA", or "UMAP" (McInnes 2018), which needs ten films."""
    if method == "PCA" or len(features) < 10:
        centred = features - features.mean(axis=0)
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        return np.asarray(left[:, :2] * scale[:2])
    from umap import UMAP

    with _ONE_UMAP:
        neighbours = min(15, len(features) - 1)
        reduced = UMAP(n_neighbors=neighbours, metric="cosine", random_state=0, n_jobs=1).fit_transform(features)
    return np.asarray(reduced)
