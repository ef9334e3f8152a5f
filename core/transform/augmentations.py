"""Every augmentation, declared once: sliders, recipes, limits, help and copied code are all made from this table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from core.transform import affine, pixels
from core.transform import torchvision_code as code

Plausibility = Literal["plausible", "doubtful", "implausible"]
Value = float | str  # a drawn value: a number, or one of the parameter's choices
Setting = Value | tuple[float, float]  # what a step asks for: that value, or a range to draw it from


@dataclass(frozen=True)
class Parameter:
    """One number (or choice) of an augmentation."""

    name: str
    low: float
    high: float
    default: float
    unit: str
    step: float
    help: str
    natural: tuple[float, float] | None = None  # what films of a working department show; None = no such limit
    choices: tuple[str, ...] = ()  # when set, the value is one of these words and the numbers are their positions
    drawn: bool = False  # drawn over its whole range unless fixed: positions and seeds
    whole: bool = False  # a whole number; a range is drawn with both its ends

    @property
    def first(self) -> Setting:
        """The value a step takes when it names none."""
        if self.choices:
            return self.choices[int(self.default)]
        return (self.low, self.high) if self.drawn else self.default


@dataclass(frozen=True)
class Augmentation:
    """One named change of a picture: either `matrix` is set (it moves points) or `pixels` (it changes greys)."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    plausibility: Plausibility
    reason: str  # why a chest film may, or may not, look like this
    code: Callable[[Mapping[str, Any]], str]  # values (number or pair) -> torchvision v2 transform
    matrix: Callable[..., np.ndarray] | None = None  # drawn values -> float64 (3, 3), see `affine`
    pixels: Callable[..., np.ndarray] | None = None  # uint8 (S, S), drawn values -> uint8 (S, S)

    def parameter(self, name: str) -> Parameter:
        """The parameter called `name`; KeyError if there is none."""
        return {p.name: p for p in self.parameters}[name]


FILL = Parameter("fill", 0, 1, 0, "", 1, "What comes in from outside the film", choices=("black", "nearest"))


def _seed() -> Parameter:
    return Parameter("seed", 0, 9999, 0, "", 1, "Number of the random pattern", drawn=True, whole=True)


def _place(name: str, help_: str) -> Parameter:
    return Parameter(name, 0, 100, 50, "%", 1, help_, drawn=True)


_GEOMETRY = (
    Augmentation(
        "rotate", "Rotate",
        (Parameter("angle", -180, 180, 10, "°", 1, "Anticlockwise turn", natural=(-15, 15)), FILL),
        "plausible", "Patients lean and cassettes lie askew by a few degrees; past 15° the film is repeated.",
        code.rotate, matrix=affine.rotate,
    ),
    Augmentation(
        "shift", "Shift",
        (
            Parameter("x", -50, 50, 5, "%", 1, "To the right, share of the width", natural=(-10, 10)),
            Parameter("y", -50, 50, 5, "%", 1, "Downwards, share of the height", natural=(-10, 10)),
            FILL,
        ),
        "plausible", "The chest is rarely centred exactly; far off centre a lung is cut, and the film is repeated.",
        code.shift, matrix=affine.shift,
    ),
    Augmentation(
        "zoom", "Zoom",
        (
            Parameter("factor", 0.5, 2, 1.1, "x", 0.05, "Above 1 = nearer", natural=(0.85, 1.2)),
            Parameter("aspect", 0.5, 2, 1, "", 0.05, "Above 1 = wider than tall", natural=(0.9, 1.1)),
            FILL,
        ),
        "plausible", "Patient size and collimation vary; twice the size would show a fraction of one lung.",
        code.zoom, matrix=affine.zoom,
    ),
    Augmentation(
        "field_of_view", "Field of view",
        (
            Parameter("x", 0.5, 2, 0.9, "x", 0.05, "Width that is seen: below 1 = nearer", natural=(0.85, 1.2)),
            Parameter("y", 0.5, 2, 0.9, "x", 0.05, "Height that is seen: below 1 = nearer", natural=(0.85, 1.2)),
            FILL,
        ),
        "plausible", "As zoom, but each side by itself, as Keras' zoom_range does it: nobody is filmed much stretched.",
        code.field_of_view, matrix=affine.field_of_view,
    ),
    Augmentation(
        "shear", "Shear",
        (
            Parameter("x", -45, 45, 5, "°", 0.5, "Slant sideways", natural=(-5, 5)),
            Parameter("y", -45, 45, 0, "°", 0.5, "Slant up and down", natural=(-5, 5)),
            FILL,
        ),
        "doubtful", "A tilted tube distorts a little like this, but never slants the whole chest.",
        code.shear, matrix=affine.shear,
    ),
    Augmentation(
        "flip_horizontal", "Flip left-right", (), "implausible",
        "It moves the heart to the right, as in one person of ten thousand, and puts the liver under the left lung.",
        code.flip_horizontal, matrix=lambda: affine.flip(horizontal=True),
    ),
    Augmentation(
        "flip_vertical", "Flip upside down", (), "implausible",
        "Nobody is filmed with the diaphragm above the apices; a film stored like this would be turned at once.",
        code.flip_vertical, matrix=lambda: affine.flip(horizontal=False),
    ),
    Augmentation(
        "crop", "Random crop",
        (
            Parameter("area", 20, 100, 80, "%", 1, "Share of the picture that is kept", natural=(75, 100)),
            _place("x", "Place of the crop from left (0) to right (100)"),
            _place("y", "Place of the crop from top (0) to bottom (100)"),
        ),
        "doubtful", "Tight collimation happens, but a crop can cut away the very finding that the label speaks of.",
        code.crop, matrix=affine.crop,
    ),
)  # fmt: skip

_GREYS = (
    Augmentation(
        "brightness", "Brightness",
        (Parameter("factor", 0.1, 2, 1.2, "x", 0.05, "Every grey value times this", natural=(0.7, 1.3)),),
        "plausible", "Exposure and the export window differ between departments.",
        code.brightness, pixels=pixels.brightness,
    ),
    Augmentation(
        "contrast", "Contrast",
        (Parameter("factor", 0.1, 3, 1.3, "x", 0.05, "Distance from the mean grey times this", natural=(0.6, 1.6)),),
        "plausible", "Tube voltage, scatter and the display window all change contrast.",
        code.contrast, pixels=pixels.contrast,
    ),
    Augmentation(
        "gamma", "Gamma",
        (Parameter("gamma", 0.2, 4, 1.3, "", 0.05, "Below 1 lightens, above 1 darkens", natural=(0.6, 1.7)),),
        "plausible", "Vendors apply their own tone curves before a film is stored.",
        code.gamma, pixels=pixels.gamma,
    ),
    Augmentation(
        "equalise", "Equalise histogram", (), "doubtful",
        "No vendor shows films like this; it lifts noise in the lungs, though as preprocessing it removes exposure.",
        code.equalise, pixels=pixels.equalise,
    ),
    Augmentation(
        "clahe", "Local contrast (CLAHE)",
        (
            Parameter("clip", 1, 10, 2, "", 0.5, "Limit of the contrast gain", natural=(1, 4)),
            Parameter("tiles", 2, 16, 8, "", 1, "Fields along each side", whole=True),
        ),
        "plausible", "Modern detectors ship with multi-scale contrast processing that looks much like it.",
        code.clahe, pixels=pixels.clahe,
    ),
    Augmentation(
        "invert", "Invert", (), "doubtful",
        "White and black are swapped when MONOCHROME1 is overlooked; every reader would notice at once.",
        code.invert, pixels=pixels.invert,
    ),
)  # fmt: skip

_QUALITY = (
    Augmentation(
        "noise", "Noise",
        (Parameter("sigma", 0, 60, 8, "grey levels", 1, "Spread of the noise", natural=(0, 15)), _seed()),
        "plausible", "Low dose and heavy patients give grainy films.",
        code.noise, pixels=pixels.noise,
    ),
    Augmentation(
        "blur", "Blur",
        (Parameter("sigma", 0.1, 8, 1, "px", 0.1, "Width of the blur on the model's picture", natural=(0.1, 2)),),
        "plausible", "Breathing and a large focal spot blur; a blur of several pixels hides fine markings.",
        code.blur, pixels=pixels.blur,
    ),
    Augmentation(
        "sharpen", "Sharpen",
        (Parameter("factor", 0, 8, 2, "x", 0.1, "1 = as it is", natural=(0.5, 4)),),
        "plausible", "Edge enhancement is part of most vendors' processing.",
        code.sharpen, pixels=pixels.sharpen,
    ),
    Augmentation(
        "jpeg", "JPEG compression",
        (Parameter("quality", 5, 100, 40, "", 1, "Lower = more blocks", natural=(30, 100), whole=True),),
        "plausible", "Many public films went through a web page or a slide before they became a data set.",
        code.jpeg, pixels=pixels.jpeg,
    ),
    Augmentation(
        "low_resolution", "Low resolution",
        (Parameter("factor", 1, 10, 2, "x", 0.1, "Shrunk this much and enlarged", natural=(1, 3)),),
        "plausible", "Films cut out of publications are small; the source then shows in the sharpness.",
        code.low_resolution, pixels=pixels.low_resolution,
    ),
    Augmentation(
        "erase", "Erase a square",
        (
            _place("x", "Centre, from left (0) to right (100)"),
            _place("y", "Centre, from top (0) to bottom (100)"),
            Parameter("side", 2, 60, 20, "%", 1, "Side of the square, share of the picture", natural=(2, 10)),
            Parameter("grey", 0, 255, 0, "grey level", 1, "Colour of the square"),
        ),
        "implausible", "No film has such a hole; it teaches a model not to lean on one spot, and can hide the finding.",
        code.erase, pixels=pixels.erase,
    ),
    Augmentation(
        "marker", "Side marker",
        (
            Parameter("text", 0, 2, 1, "", 1, "Letters", choices=pixels.MARKER_TEXTS),
            Parameter("x", 0, 100, 10, "%", 1, "Centre, from left (0) to right (100)"),
            Parameter("y", 0, 100, 10, "%", 1, "Centre, from top (0) to bottom (100)"),
            Parameter("height", 2, 20, 7, "%", 1, "Height of the letters", natural=(2, 10)),
            Parameter("grey", 0, 255, 255, "grey level", 1, "Colour of the letters", natural=(180, 255)),
        ),
        "plausible", "Most films carry one. Its place and type differ between hospitals, so models learn it.",
        code.marker, pixels=pixels.marker,
    ),
    Augmentation(
        "elastic", "Elastic",
        (
            Parameter("amplitude", 0, 10, 1.5, "%", 0.1, "Size of the shifts, share of the side", natural=(0, 1)),
            Parameter("smoothness", 5, 50, 15, "%", 1, "Distance over which neighbours move alike"),
            _seed(),
        ),
        "implausible", "Ribs do not ripple; only very smooth, small bends resemble another body.",
        code.elastic, pixels=pixels.elastic,
    ),
)  # fmt: skip

AUGMENTATIONS: dict[str, Augmentation] = {a.name: a for a in (*_GEOMETRY, *_GREYS, *_QUALITY)}
