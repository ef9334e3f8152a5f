"""Drawn chest radiographs whose lungs and lesions are known to the pixel.

``draw`` adds up what a ray meets (``anatomy``, ``vessels``, ``skeleton``, ``findings``; centimetres of water and bone),
exposes and develops it (``exposure``), and lays the department's marks over it (``annotations``). The same parameters
give the same bytes.
"""

from dataclasses import dataclass

import numpy as np

from core.data.phantom.anatomy import chest
from core.data.phantom.annotations import annotate, field, metal
from core.data.phantom.canvas import Canvas
from core.data.phantom.exposure import develop, expose
from core.data.phantom.findings import fill
from core.data.phantom.parameters import CLASSES, Acquisition, Finding, Patient, as_row
from core.data.phantom.skeleton import skeleton
from core.data.phantom.vessels import vessels

__all__ = ["CLASSES", "Acquisition", "Finding", "Patient", "Phantom", "draw"]


@dataclass(frozen=True, eq=False)
class Phantom:
    """One drawn film and its truth."""

    pixels: np.ndarray
    """uint8 (size, size), white = dense"""
    lungs: np.ndarray
    """bool (size, size), the lung fields"""
    lesion: np.ndarray
    """bool (size, size), the finding; empty on a normal film"""
    parameters: dict[str, object]
    """every number the film was drawn from"""


def draw(patient: Patient, finding: Finding, acquisition: Acquisition, size: int = 256) -> Phantom:
    """Draw a frontal chest radiograph of ``size`` pixels per side."""
    canvas = Canvas(size, patient.stature, acquisition.tilt, acquisition.shift)
    body = chest(canvas, patient, acquisition)
    filling = fill(canvas, body, finding, acquisition)
    blood = np.minimum(vessels(canvas, patient, acquisition), 4.0) / 11.0
    air = body.air * (1 - np.maximum(blood, filling.share)) + body.hollow
    bone = skeleton(canvas, patient, acquisition) + metal(canvas, acquisition)
    bone *= body.tissue > 0
    log_light = expose(canvas, np.clip(body.tissue - air, 0, None), bone, acquisition)
    grey = annotate(develop(canvas, log_light, acquisition, field(size, acquisition)), acquisition)
    pixels = np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    opened = field(size, acquisition)
    parameters = as_row(patient) | as_row(finding) | as_row(acquisition)
    return Phantom(pixels, body.lungs & opened, filling.mask & opened, parameters)
