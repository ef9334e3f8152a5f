"""Disease as air replaced by fluid: how much of the lung's air each pixel loses, and the mask that is the truth.

The shares multiply the air already there, so a finding can never leave the lungs nor be denser than airless lung. The
mask is where the finding's envelope stands above a tenth of its height, its fading rim included, within the lung
fields: a barely visible patch has the same mask as a white one.
"""

from dataclasses import dataclass

import numpy as np

from core.data.phantom.anatomy import HILA, Chest
from core.data.phantom.canvas import Canvas
from core.data.phantom.parameters import LOBES, Acquisition, Finding, stream
from core.data.phantom.vessels import bronchi

_ENVELOPE = 0.1


@dataclass(frozen=True, eq=False)
class Filling:
    """What a finding does to the lungs."""

    share: np.ndarray
    """float64 (size, size), 0-1: part of the air replaced by fluid"""
    mask: np.ndarray
    """bool (size, size): the truth, inside the lung fields"""


def fill(canvas: Canvas, chest: Chest, finding: Finding, acquisition: Acquisition) -> Filling:
    """The finding's filling of these lungs."""
    nothing = np.zeros_like(chest.air)
    if finding.name == "Normal":
        return Filling(nothing, np.zeros_like(chest.lungs))
    rng = stream(finding.seed, 60)
    if finding.name == "COVID-19":
        envelope, texture, strength = _ground_glass(canvas, chest, finding.severity, rng)
    elif finding.name == "Viral Pneumonia":
        envelope, texture, strength = _interstitial(canvas, chest, finding.severity, rng)
    else:
        envelope, texture, strength = _consolidation(canvas, chest, finding, rng, acquisition)
    rim = np.clip(3 * canvas.soft(chest.lungs.astype(np.float64), 0.35), 0, 1)
    share = np.clip(envelope * texture * strength, 0, 0.97) * rim
    return Filling(share, (envelope > _ENVELOPE) & chest.lungs)


def _ground_glass(
    canvas: Canvas, chest: Chest, severity: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """COVID-19: several hazy, mottled patches in both lungs, hugging the chest wall, more below than above."""
    small = canvas.half
    x, y = small.grid
    ragged = 0.35 * small.noise(rng, 3.0, 3)
    envelope = np.zeros_like(x)
    for side in (-1, 1):
        for _ in range(2 + round(2.5 * severity + rng.uniform(0, 0.9))):
            down = rng.triangular(-8, 4.5, 8.5)
            reach = np.interp(down, [-13, -8, 0, 9], [7.0, 10.5, 12.3, 12.8])
            cx = side * (reach - rng.uniform(0.3, 1.0) * rng.uniform(0.5, 5.5))
            wide, high = rng.uniform(1.5, 2.3) * (1 + 0.8 * severity), rng.uniform(1.7, 2.8) * (1 + 0.8 * severity)
            radius = np.sqrt(((x - cx) / wide) ** 2 + ((y - down) / high) ** 2) + ragged * 0.5
            envelope = np.maximum(envelope, _smooth(1.35 - radius))
    envelope = canvas.enlarge(envelope)
    peripheral = _smooth((9.5 + 5 * severity - chest.edge) / 3.0)
    texture = 1 + (0.42 - 0.2 * severity) * canvas.noise(rng, 1.5, 2)
    return envelope * peripheral, texture, 0.10 + 0.82 * severity**1.1


def _interstitial(
    canvas: Canvas, chest: Chest, severity: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Viral pneumonia: a net of streaks round both hila, fading outwards, over a diffuse haze."""
    x, y = canvas.grid
    envelope = np.zeros_like(x)
    for cx, cy in HILA.values():
        radius = np.hypot((x - cx * 1.15) / (5.2 + 2.6 * severity), (y - cy - 1.0) / (6.2 + 3.4 * severity))
        envelope = np.maximum(envelope, _smooth(1.42 - radius - 0.1 * canvas.noise(rng, 4.0, 2)))
    broken = 0.5 + 0.5 * np.tanh(1.5 * canvas.noise(rng, 1.1, 2))
    net = broken * (_ridges(canvas, rng, 1.0) + _ridges(canvas, rng, 0.7)) + (1 - broken) * _ridges(canvas, rng, 0.5)
    texture = 0.66 + 0.34 * canvas.soft(net, 0.05) * (1 - 0.4 * severity) + 0.3 * severity
    return envelope, texture, 0.10 + 0.76 * severity**1.1


def _consolidation(
    canvas: Canvas, chest: Chest, finding: Finding, rng: np.random.Generator, acquisition: Acquisition
) -> tuple[np.ndarray, np.ndarray, float]:
    """Lung opacity: one lobe or a part of it, sharp where a fissure bounds it, dark bronchi within."""
    lobe = LOBES[int(rng.integers(len(LOBES)))]
    side, part = lobe.split()
    x, y = canvas.grid
    out = x * (-1 if side == "right" else 1)
    fissure = -1.6 + rng.normal(0, 0.5) + 0.05 * (out - 7)
    grown = 0.75 + 0.75 * finding.severity
    if part == "upper":
        cx, cy, wide, high = rng.uniform(6.0, 8.5), -5.6, 4.3, 4.4
        sharp = _smooth((fissure - y) / 0.28 + 0.5)
    elif part == "middle":
        cx, cy, wide, high = rng.uniform(6.0, 7.5), 2.0, 3.9, 3.6
        sharp = _smooth((y - fissure) / 0.28 + 0.5)
    else:
        cx, cy, wide, high = rng.uniform(7.0, 9.5), 5.0, 4.2, 4.0
        sharp = _smooth((y - fissure - 1.5) / 1.2 + 0.5)
    radius = np.hypot((out - cx) / (wide * grown), (y - cy) / (high * grown)) + 0.14 * canvas.noise(rng, 3.5, 3)
    envelope = _smooth((1.25 - radius) / 0.55) * sharp * (out > 0)
    airways = bronchi(canvas, finding.seed, side, acquisition)
    texture = (1 - np.clip(2.0 * airways, 0, 0.4) * (0.3 + 0.3 * finding.severity)) * (
        1 + 0.07 * canvas.noise(rng, 1.2, 3)
    )
    return envelope, texture, 0.13 + 0.84 * finding.severity**0.9


def _ridges(canvas: Canvas, rng: np.random.Generator, cm: float) -> np.ndarray:
    """Thin bright lines between cells, 0-1: where smooth noise crosses zero."""
    return np.exp(-((canvas.noise(rng, cm) / 0.28) ** 2))


def _smooth(value: np.ndarray) -> np.ndarray:
    """Smoothstep from 0 at 0 to 1 at 1."""
    t = np.clip(value, 0, 1)
    smooth: np.ndarray = t * t * (3 - 2 * t)
    return smooth
