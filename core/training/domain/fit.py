"""Fit a checkpoint's in-domain check, and measure what it lets through.

Limits are set on validation films, with room above them, because films of hospitals that the model never saw must pass
too, while what is not a chest film lies far beyond.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from core.data.film.radiograph import Radiograph, from_pixels
from core.model.bulk.engine import Engine, torch_engine
from core.model.classifier import Classifier, batches
from core.model.domain import KINDS, Gate, Limits, standardised, thumbnails
from core.networks.network import Network
from core.training.domain.outliers import draw
from core.transform.augment import Augment, Step
from core.transform.preprocess import Preprocess

TRAIN, VALIDATION, OUTLIERS = 1200, 600, 1200  # films and drawn pictures used
VARIANTS = 8  # of each real film in another view
COMPONENTS = 63  # of the network's features, at most; fewer than films, so that the rest has a variance
REGULARISATION = 0.01  # scikit-learn's C of the view model
WARN, REFUSE = 0.99, 0.995  # quantiles of validation films
LEAST_ODDS = 1.0  # natural logarithm: the view model refuses only what it finds e times likelier to be no film
FEATURES_ROOM = 2.0  # refused by its features: beyond this many times the REFUSE quantile


def fit(
    network: Network,
    preprocess: Preprocess,
    train: np.ndarray,
    validation: np.ndarray,
    seed: int = 0,
    not_frontal: np.ndarray | None = None,
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """From pictures uint8 (N, S, S) of training and of validation films: the card's `domain`, and its tensors.

    Args:
        not_frontal: real films in another view, uint8 (M, S, S), to learn from beside the drawn outliers.
    """
    engine = torch_engine(network, preprocess)
    train, validation = _some(train, TRAIN, seed), _some(validation, VALIDATION, seed)
    outliers, kinds = draw(train, min(OUTLIERS, 3 * len(train)), seed)
    outliers = np.stack([preprocess.picture(from_pixels(p, "drawn")) for p in outliers])  # with the films' contrast
    if not_frontal is not None and len(not_frontal):
        shown = variants(not_frontal, seed)
        outliers = np.concatenate([outliers, shown])
        kinds = np.concatenate([kinds, np.full(len(shown), KINDS.index("no chest film"), np.int64)])
    films, others = _measured(engine, train), _measured(engine, outliers)
    tensors = _view(np.hstack(films), np.hstack(others), kinds)
    width = films[0].shape[1]
    tensors |= _subspace(standardised(films[0], tensors["mean"][:width], tensors["scale"][:width]))
    values, _ = Gate(tensors).measure(*_measured(engine, validation))
    limits = {"view": _view_limits(values["view"]), "features": _features_limits(values["features"])}
    card = {"limits": {name: asdict(limit) for name, limit in limits.items()}, "films": len(train)}
    return card, {name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()}


def measure(classifier: Classifier, films: Iterable[Radiograph]) -> dict[str, Any]:
    """How the classifier's check takes films of one kind: number, and shares refused and warned about."""
    statuses = [p.domain.status for group in batches(films, 32) for p in classifier.predict_many(group)]
    share = {status: statuses.count(status) / max(len(statuses), 1) for status in ("out", "doubtful")}
    return {"films": len(statuses), "refused": round(share["out"], 4), "warned": round(share["doubtful"], 4)}


def variants(pictures: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each of M pictures uint8 (S, S) `VARIANTS` times, as other machines and hands would have made it, one by one."""
    chain = Augment(
        [
            Step("rotate", {"angle": (-8.0, 8.0)}),
            Step("zoom", {"factor": (0.85, 1.25), "aspect": (0.85, 1.18)}),
            Step("shift", {"x": (-8.0, 8.0), "y": (-8.0, 8.0)}),
            Step("flip_horizontal", p=0.5),
            Step("gamma", {"gamma": (0.65, 1.6)}),
            Step("contrast", {"factor": (0.65, 1.4)}),
        ]
    )
    return chain(torch.from_numpy(np.repeat(pictures, VARIANTS, axis=0)), torch.Generator().manual_seed(seed)).numpy()


def _measured(engine: Engine, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signatures (N, S) and thumbnails (N, T)."""
    signatures = [engine(pictures[i : i + 64])[1] for i in range(0, len(pictures), 64)]
    return np.concatenate(signatures), thumbnails(pictures)


def _view(films: np.ndarray, others: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """The linear model that tells films (N, D) from the kinds of outliers (M, D); films and outliers weigh the same."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = films.mean(axis=0), films.std(axis=0) + 1e-3
    x = standardised(np.vstack([films, others]), mean, scale)
    y = np.concatenate([np.zeros(len(films), np.int64), kinds])
    weights = np.where(y == 0, len(others) / len(films), 1.0)
    model = LogisticRegression(C=REGULARISATION, tol=0.01, max_iter=300).fit(x, y, weights)
    return {"mean": mean, "scale": scale, "weight": model.coef_, "bias": model.intercept_}


def _subspace(x: np.ndarray) -> dict[str, np.ndarray]:
    """Principal directions of standardised features (N, S), their variances, and the mean variance of the rest."""
    from sklearn.decomposition import PCA

    pca = PCA(min(COMPONENTS, min(x.shape) - 1), random_state=0).fit(x)
    noise = np.array([max(pca.noise_variance_, 1e-3)])
    return {"components": pca.components_, "variances": pca.explained_variance_, "noise": noise}


def _view_limits(values: np.ndarray) -> Limits:
    centre, warn, refuse = np.quantile(values, (0.5, WARN, REFUSE))
    refuse = max(refuse, LEAST_ODDS, centre + 1)
    return Limits(float(centre), float(min(warn, refuse)), float(refuse))


def _features_limits(values: np.ndarray) -> Limits:
    centre, warn, refuse = np.quantile(values, (0.5, WARN, REFUSE))
    return Limits(float(centre), float(warn), float(FEATURES_ROOM * refuse))


def _some(pictures: np.ndarray, count: int, seed: int) -> np.ndarray:
    chosen = np.random.default_rng(seed).permutation(len(pictures))[:count]
    return np.asarray(pictures)[np.sort(chosen)]
