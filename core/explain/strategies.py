"""Strategies: the few ways in which a model comes to one answer, found by clustering its heatmaps.

Maps of one class are brought into one frame, that of the lungs, and clustered by cosine similarity; a cluster whose
evidence lies outside the lungs is a strategy that nobody meant. After Lapuschkin et al., *Unmasking Clever Hans
predictors and assessing what machines really learn*, Nature Communications 10, 2019 (spectral relevance analysis).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.errors import ExplainError
from core.explain.zones import ZONES, shares
from core.intervals import of_mean

FEWEST_FILMS = 12
MOST = 8  # clusters
SIDE = 24  # pixels of the common frame
_MARGIN = 0.35  # of the lungs' box, kept on every side: markers lie there
_NEIGHBOURS = 10
_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Strategy:
    """One cluster of a class's heatmaps.

    Args:
        films: which of the maps, the most typical first.
        mean_map: their mean in the common frame, float32 (SIDE, SIDE), each map summing to 1 before.
        lung_share: mean part of the evidence inside the lungs, with its interval ``low``, ``high``.
        lung_area: the part of these films' pictures that is lung.
        zone: where the evidence lies most above that zone's share of the picture.
    """

    films: tuple[int, ...]
    mean_map: np.ndarray
    lung_share: float
    low: float
    high: float
    lung_area: float
    zone: str

    @property
    def suspect(self) -> bool:
        """Whether its evidence shuns the lungs: even the interval's upper end lies below chance."""
        return self.high < self.lung_area


def in_frame(map_: np.ndarray, lungs: np.ndarray) -> np.ndarray:
    """The positive part of a map (S, S) in the frame of its lungs (bool, not empty): (SIDE, SIDE), summing to 1."""
    rows, columns = np.flatnonzero(lungs.any(1)), np.flatnonzero(lungs.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = (bottom - top) * (1 + 2 * _MARGIN), (right - left) * (1 + 2 * _MARGIN)
    y, x = top - (bottom - top) * _MARGIN, left - (right - left) * _MARGIN
    across, down = SIDE / width, SIDE / height
    matrix = np.array([[across, 0, -x * across], [0, down, -y * down]], np.float32)
    blurred = cv2.GaussianBlur(np.maximum(map_, 0).astype(np.float32), (0, 0), 0.4 / max(min(across, down), 1e-6))
    framed: np.ndarray = cv2.warpAffine(blurred, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return framed / (framed.sum() or 1.0)


def strategies(
    maps: Sequence[np.ndarray],
    lungs: Sequence[np.ndarray],
    patients: np.ndarray,
    number: int | None = None,
    seed: int = 0,
) -> list[Strategy]:
    """The strategies behind the heatmaps of one class, the largest first.

    Args:
        maps: of films of one class, each (S, S) and not blank.
        lungs: each film's lungs, bool (S, S), not empty.
        patients: (N,), over whom intervals are drawn.
        number: of clusters; by default where the gap between eigenvalues is largest.

    Raises:
        ExplainError: too few maps.
    """
    if len(maps) < FEWEST_FILMS:
        raise ExplainError(f"{len(maps)} maps came", f"{FEWEST_FILMS} of the class at least", "Take more films")
    framed = np.stack([in_frame(map_, mask) for map_, mask in zip(maps, lungs, strict=True)])
    flat = framed.reshape(len(framed), -1)
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    affinity = _affinity(unit @ unit.T)
    chosen = _clusters(affinity, number or _by_eigengap(affinity), seed)
    by_zone = np.array([[shares(map_, mask)[zone] for zone in ZONES] for map_, mask in zip(maps, lungs, strict=True)])
    area = np.array([[shares(np.ones(mask.shape), mask)[zone] for zone in ZONES] for mask in lungs])
    found = []
    for cluster in np.unique(chosen):
        films = np.flatnonzero(chosen == cluster)
        middle = unit[films].mean(0)
        films = films[np.argsort(-(unit[films] @ middle), kind="stable")]
        inside = by_zone[films, ZONES.index("lungs")]
        low, high = of_mean(inside, patients[films], share=True, seed=seed)
        above = by_zone[films].mean(0) / np.maximum(area[films].mean(0), 1e-6)
        mean, lung = framed[films].mean(0).astype(np.float32), float(area[films, ZONES.index("lungs")].mean())
        zone = ZONES[int(above.argmax())]
        found.append(Strategy(tuple(films.tolist()), mean, float(inside.mean()), low, high, lung, zone))
    return sorted(found, key=lambda strategy: -len(strategy.films))


def _affinity(cosine: np.ndarray) -> np.ndarray:
    """The graph of nearest neighbours, made symmetric; its weights are the cosine similarity of two maps."""
    near = np.argsort(-cosine, axis=1)[:, : min(_NEIGHBOURS + 1, len(cosine))]
    kept = np.zeros_like(cosine)
    np.put_along_axis(kept, near, np.take_along_axis(cosine, near, 1), 1)
    graph: np.ndarray = np.maximum(np.maximum(kept, kept.T), 0)
    return graph


def _by_eigengap(affinity: np.ndarray) -> int:
    """How many clusters there are: where the next eigenvalue of the normalised Laplacian is farthest away."""
    degree = np.maximum(affinity.sum(1), 1e-12) ** -0.5
    values = np.sort(np.linalg.eigvalsh(np.eye(len(affinity)) - degree[:, None] * affinity * degree))
    gaps = np.diff(values[: min(MOST, len(values) - 1) + 1])
    return int(gaps.argmax()) + 1


def _clusters(affinity: np.ndarray, number: int, seed: int) -> np.ndarray:
    if number == 1:
        return np.zeros(len(affinity), int)
    from sklearn.cluster import SpectralClustering

    found: np.ndarray = SpectralClustering(number, affinity="precomputed", random_state=seed).fit_predict(
        affinity + 1e-6
    )
    return found
