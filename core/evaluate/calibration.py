"""Does a probability of 0.8 come true eight times in ten? Temperature scaling itself is `core.model.calibration`."""

import numpy as np
import pandas as pd

from core.intervals import of_share, resamples, wilson

BINS = 10  # equal widths over 0 .. 1


def bin_of(probability: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Number of the bin (N,), 0 .. bins-1; a bin holds its upper edge, the first one 0 as well."""
    bin_index: np.ndarray = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    return bin_index


def calibration_error(
    probability: np.ndarray, came_true: np.ndarray, weights: np.ndarray, bins: int = BINS
) -> np.ndarray:
    """Expected calibration error (R,) (Naeini 2015, L1) under film weights (N, R).

    Args:
        probability: float (N,), what the model said.
        came_true: bool (N,), whether it was so.
    """
    members = np.eye(bins)[bin_of(probability, bins)]
    gaps = (members * (probability - came_true)[:, None]).T @ weights
    errors: np.ndarray = np.abs(gaps).sum(axis=0) / weights.sum(axis=0)
    return errors


def calibration_floor(
    probability: np.ndarray,
    bins: int = BINS,
    draws: int = 400,
    seed: int = 0,
    came_true: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> np.ndarray:
    """Calibration errors (draws,) of a perfectly calibrated model with these probabilities (N,), on this many films.

    Args:
        came_true: bool (N,), with ``clusters`` int (N,), 0 .. P-1: the patient of each film, where some have several.
            Films of one patient go right or wrong together; each patient's errors get a sign of their own, drawn anew.
    """
    rng, members = np.random.default_rng(seed), np.eye(bins)[bin_of(probability, bins)]
    if clusters is None or came_true is None:
        gaps = members.T @ (probability[:, None] - (rng.random((len(probability), draws)) < probability[:, None]))
    else:
        signs = rng.choice(np.array([-1.0, 1.0]), (int(clusters.max()) + 1, draws))
        gaps = (members * (probability - came_true)[:, None]).T @ signs[clusters]
    error: np.ndarray = np.abs(gaps).sum(axis=0) / len(probability)
    return error


def reliability(
    probability: np.ndarray, came_true: np.ndarray, bins: int = BINS, clusters: np.ndarray | None = None
) -> pd.DataFrame:
    """The reliability diagram as a table, one row per bin, empty bins included.

    Args:
        probability: float (N,), what the model said.
        came_true: bool (N,), whether it was so.
        clusters: int (N,), the patient of each film, where some have several: the bootstrap over them, not Wilson.

    Returns:
        ``low``, ``high`` (edges), ``n`` (films), ``said`` (mean probability), ``came_true`` (share), and its interval
        ``came_true_low``, ``came_true_high``; the last four are NaN where n is 0.
    """
    number = bin_of(probability, bins)
    n = np.bincount(number, minlength=bins)
    hits = np.bincount(number, weights=came_true, minlength=bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(number, weights=probability, minlength=bins) / n
        share = hits / n
    limits = np.array([wilson(k, m) for k, m in zip(hits, n, strict=True)])
    if clusters is not None:
        weights = resamples(clusters, 400)[:, 1:]
        for row in np.flatnonzero(n):
            limits[row] = _of_patients(came_true[number == row], weights[number == row], clusters[number == row])
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "n": n, "said": said, "came_true": share}
        | {"came_true_low": limits[:, 0], "came_true_high": limits[:, 1]}
    )


def _of_patients(came_true: np.ndarray, weights: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """The interval of a share of films (n,) where patients (n,) may have several, under resamples' weights (n, R)."""
    films = weights.sum(axis=0)
    share = np.divide(came_true @ weights, films, out=np.full(len(films), np.nan), where=films > 0)
    return of_share(float(came_true.mean()), share, len(np.unique(clusters)))
