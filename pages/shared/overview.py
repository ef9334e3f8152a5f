"""What is worked out over many films of a cohort, and kept between runs: measures, means, a map, the audit."""

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.shared.resources import cohort

if TYPE_CHECKING:
    from core.data.audit.findings import Audit

_ONE_UMAP = Lock()  # numba's own threads stand no two callers at a time


@st.cache_data(max_entries=20_000, show_spinner=False)
def measures(spec: str, row: int) -> dict[str, float]:
    """Brightness, contrast and size of one film of a cohort."""
    pixels = cohort(spec).film(row).pixels
    height, width = pixels.shape
    rim = np.concatenate(
        [pixels[: height // 12].ravel(), pixels[:, : width // 12].ravel(), pixels[:, -(width // 12) :].ravel()]
    )
    return {
        "mean grey, 0-255": float(pixels.mean()),
        "contrast (standard deviation), 0-255": float(pixels.std()),
        "mean grey of the border, 0-255": float(rim.mean()),
        "height, px": float(height),
        "width over height": width / height,
    }


@st.cache_data(max_entries=64, show_spinner=False)
def mean_film(spec: str, rows: tuple[int, ...], side: int = 192) -> np.ndarray:
    """The mean of some films of a cohort, squeezed to a square: float32 (side, side), 0-255."""
    import cv2

    films = (cohort(spec).film(row).pixels for row in rows)
    return np.mean([cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA) for film in films], axis=0).astype(
        np.float32
    )


@st.cache_data(max_entries=8, show_spinner=False)
def projection(created: str, fingerprint: str, rows: tuple[int, ...], method: str, _features: np.ndarray) -> np.ndarray:
    """Features (N, D) of some films in two dimensions, float (N, 2); known by model, cohort and rows."""
    if method == "PCA" or len(_features) < 10:
        centred = _features - _features.mean(axis=0)
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        return left[:, :2] * scale[:2]
    from umap import UMAP

    with _ONE_UMAP:
        neighbours = min(15, len(_features) - 1)
        return UMAP(n_neighbors=neighbours, metric="cosine", random_state=0, n_jobs=1).fit_transform(_features)


@st.cache_resource(max_entries=8, show_spinner=False)
def audit(spec: str, rows: tuple[int, ...]) -> "Audit":
    """Leaks and confounds among some films of a cohort."""
    from core.data.audit import audit as run

    return run(cohort(spec).take(list(rows)))
