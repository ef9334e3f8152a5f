"""Does a probability of 0.8 come true eight times in ten? Temperature scaling itself is `core.model.calibration`."""

import numpy as np
import pandas as pd

from core.data.patients import count
from core.intervals import of_share, wilson
from core.resamples import MANY, Weights, drawn, films_in, tally

BINS = 10  # equal widths over 0 .. 1


def bin_of(probability: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Number of the bin (N,), 0 .. bins-1; a bin holds its upper edge, the first one 0 as well."""
    bin_index: np.ndarray = np.clip(np.ceil(probability * bins).astype(int) - 1, 0, bins - 1)
    return bin_index


def calibration_error(probability: np.ndarray, came_true: np.ndarray, weights: Weights, bins: int = BINS) -> np.ndarray:
    """Expected calibration error (R,) (Naeini 2015, L1) under film weights (N, R).

    Args:
        probability: float (N,), what the model said.
        came_true: bool (N,), whether it was so.
    """
    gaps = tally(bin_of(probability, bins), bins, weights, probability - came_true)
    errors: np.ndarray = np.abs(gaps).sum(axis=0) / films_in(weights)
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

    Of more than 20,000 films the gaps of the bins are drawn as the normal deviates, of the same variances, that their
    sums come to.
    """
    rng, number = np.random.default_rng(seed), bin_of(probability, bins)
    if len(probability) > MANY:
        variances, axes = np.linalg.eigh(_covariance(probability, number, bins, came_true, clusters))
        gaps = axes @ (np.sqrt(np.maximum(variances, 0))[:, None] * rng.normal(size=(bins, draws)))
    elif clusters is None or came_true is None:
        outcomes = rng.random((len(probability), draws)) < probability[:, None]
        gaps = np.eye(bins)[number].T @ (probability[:, None] - outcomes)
    else:
        signs = rng.choice(np.array([-1.0, 1.0]), (int(clusters.max()) + 1, draws))
        gaps = (np.eye(bins)[number] * (probability - came_true)[:, None]).T @ signs[clusters]
    error: np.ndarray = np.abs(gaps).sum(axis=0) / len(probability)
    return error


def _covariance(
    probability: np.ndarray, number: np.ndarray, bins: int, came_true: np.ndarray | None, clusters: np.ndarray | None
) -> np.ndarray:
    """Of the bins' gaps (bins, bins) under perfect calibration; arguments as `calibration_floor`."""
    if clusters is None or came_true is None:
        return np.diag(np.bincount(number, probability * (1 - probability), bins))
    size = (int(clusters.max()) + 1) * bins
    of_patients = np.bincount(clusters * bins + number, probability - came_true, size).reshape(-1, bins)
    return np.asarray(of_patients.T @ of_patients)


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
        weights = drawn(clusters, 400)
        films, right = (tally(number, bins, weights, values)[:, 1:] for values in (None, came_true.astype(float)))
        shares = np.divide(right, films, out=np.full(films.shape, np.nan), where=films > 0)
        for row in np.flatnonzero(n):
            limits[row] = of_share(float(share[row]), shares[row], count(clusters[number == row]))
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "n": n, "said": said, "came_true": share}
        | {"came_true_low": limits[:, 0], "came_true_high": limits[:, 1]}
    )
