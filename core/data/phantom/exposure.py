"""From thickness to film: Beer-Lambert, scatter, quantum noise, detector blur, display window."""

import numpy as np

from core.data.phantom.canvas import Canvas
from core.data.phantom.parameters import Acquisition, stream

# Effective linear attenuation per cm at about 90 kVp behind the grid.
WATER, BONE = 0.175, 0.85
_HARDENING = 0.024  # loss of bone contrast per cm of water in front
_PHOTONS = 9000.0  # per pixel at 256 px, in the middle of the displayed range


def expose(canvas: Canvas, water: np.ndarray, bone: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Log exposure of the film (size, size), higher = more light = darker on the display."""
    hardened = BONE * np.clip(1 - _HARDENING * water, 0.2, 1)
    light = np.exp(-np.clip(WATER * water + hardened * bone, 0, None))
    veil = canvas.soft(np.minimum(light, 0.25), 3.2)
    light = (1 - acquisition.scatter) * light + acquisition.scatter * 0.55 * veil
    light /= np.percentile(light, 50)
    light = canvas.soft(light, acquisition.blur)
    photons = _PHOTONS * 3.0**acquisition.exposure * (256 / canvas.size) ** 2
    grain = stream(acquisition.seed, 40).standard_normal(light.shape)
    light = light + np.sqrt(light / photons) * canvas.soft(grain, 0.05) * 2.0
    optical: np.ndarray = np.log(np.maximum(light, 1e-3))
    return optical


def develop(canvas: Canvas, log_light: np.ndarray, acquisition: Acquisition, field: np.ndarray) -> np.ndarray:
    """The display: grey 0-1, white = dense.

    The window follows the exposed field, and broad differences are drawn closer together than fine ones, as the
    processing of a digital unit does.
    """
    low, high = np.percentile(log_light[field], (0.5, 93.0))
    dense = np.clip((high - log_light) / max(high - low, 0.5), -1.0, 1.5)
    dense -= 0.32 * (canvas.soft(dense, 3.0) - 0.5)
    dense = (dense - 0.47) * 1.4 * acquisition.contrast + 0.5 - 0.22 * acquisition.exposure
    toned: np.ndarray = 0.5 + 0.5 * np.tanh(2.0 * (dense - 0.5))
    return toned
