"""What a drawn film is made of: a patient, a finding, an acquisition.

Each is a frozen dataclass whose fields are plain numbers, so that a film can be drawn again from a row of text.
``random`` draws a plausible one from a seed, never from global state.
"""

from dataclasses import dataclass, fields
from typing import Literal, Self

import numpy as np

from core.errors import CohortError

CLASSES = ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")
LOBES = ("right upper", "right middle", "right lower", "left upper", "left lower")


def stream(seed: int, *key: int) -> np.random.Generator:
    """An independent generator for each (seed, key): one part of a drawing never shifts the numbers of another."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def within(value: float, low: float, high: float) -> float:
    """The value, or the limit that it passes: np.clip of one number, without the ten microseconds of an array."""
    return float(min(max(value, low), high))


@dataclass(frozen=True)
class Patient:
    """A body. The same patient gives the same ribs, vessels and heart on every film."""

    seed: int
    """shapes the individual: vessels, ribs, outlines"""
    sex: Literal["F", "M"] = "M"
    """F draws breast shadows and a smaller frame"""
    age: int = 50
    """years, 18-95: thins the bones, unfolds the aorta"""
    stature: float = 1.0
    """scale of the whole body, 0.84-1.12"""
    habitus: float = 0.35
    """0 slim - 1 obese: depth and width of the soft tissue"""
    heart: float = 0.46
    """cardiothoracic ratio on a PA film, 0.38-0.62"""
    girth: float = 1.0
    """width of the rib cage against its height, 0.9-1.1"""

    def __post_init__(self) -> None:
        _check(self, age=(18, 95), stature=(0.84, 1.12), habitus=(0, 1), heart=(0.38, 0.62), girth=(0.9, 1.1))
        _one_of(self, sex=("F", "M"))

    @classmethod
    def random(cls, seed: int) -> Self:
        """A plausible adult, decided by ``seed`` alone."""
        rng = stream(seed, 0)
        sex: Literal["F", "M"] = "F" if rng.random() < 0.5 else "M"
        age = int(rng.triangular(18, 58, 92))
        stature = within(rng.normal(1.0 if sex == "M" else 0.94, 0.045), 0.84, 1.12)
        heart = within(rng.normal(0.45 + 0.0006 * (age - 40), 0.04), 0.38, 0.62)
        girth = within(rng.normal(1.0 if sex == "M" else 0.985, 0.035), 0.9, 1.1)
        return cls(seed, sex, age, stature, float(rng.beta(2, 3.2)), heart, girth)


@dataclass(frozen=True)
class Finding:
    """What is wrong with the lungs, if anything."""

    name: str = "Normal"
    """one of CLASSES"""
    severity: float = 0.0
    """0 barely visible - 1 white lung; Normal ignores it"""
    seed: int = 0
    """places the patches, chooses the lobe"""

    def __post_init__(self) -> None:
        _check(self, severity=(0, 1))
        _one_of(self, name=CLASSES)


@dataclass(frozen=True)
class Acquisition:
    """How the film was taken and what the department put on it."""

    seed: int = 0
    """quantum noise and small placement"""
    view: Literal["PA", "AP"] = "PA"
    """AP enlarges the heart, lays the shoulder blades over the lungs, lifts the diaphragm"""
    inspiration: float = 0.8
    """0 expiration - 1 full breath: level of the diaphragm"""
    rotation: float = 0.0
    """degrees about the long axis, -12 to 12; positive turns the breast bone to the image's right"""
    tilt: float = 0.0
    """degrees in the plane of the film, -8 to 8"""
    shift: tuple[float, float] = (0.0, 0.0)
    """cm the body lies off centre, right and down, -3 to 3"""
    exposure: float = 0.0
    """-1 under-exposed, pale and noisy - 1 over-exposed, dark"""
    contrast: float = 1.0
    """slope of the display curve, 0.7-1.4"""
    scatter: float = 0.3
    """share of the light that is scattered, 0.1-0.6"""
    blur: float = 0.03
    """detector blur, standard deviation in cm, 0.0-0.15"""
    collimation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """shutters left, top, right, bottom as shares of the film, 0-0.2"""
    shutter: float = 0.03
    """grey of the shuttered border, 0 black - 1 white"""
    marker: Literal["", "L", "R"] = "L"
    """laterality letter"""
    marker_at: tuple[float, float] = (0.9, 0.07)
    """its centre as shares of the film, right and down, 0.03-0.97"""
    marker_style: Literal["plain", "circle", "plate"] = "plain"
    """bare letter, letter in a ring, dark letter on a white plate"""
    leads: int = 0
    """ECG electrodes with their wires, 0-5"""
    label: str = ""
    """text burnt into the film, up to 16 capitals"""

    def __post_init__(self) -> None:
        _check(
            self, inspiration=(0, 1), rotation=(-12, 12), tilt=(-8, 8), shift=(-3, 3), exposure=(-1, 1),
            contrast=(0.7, 1.4), scatter=(0.1, 0.6), blur=(0, 0.15), collimation=(0, 0.2), shutter=(0, 1),
            marker_at=(0.03, 0.97), leads=(0, 5),
        )  # fmt: skip
        _one_of(self, view=("PA", "AP"), marker=("", "L", "R"), marker_style=("plain", "circle", "plate"))

    @classmethod
    def random(cls, seed: int, ap: float = 0.25) -> Self:
        """A plausible film without label, leads or shutters; ``ap`` is the share of AP views. Sources add the rest."""
        rng = stream(seed, 1)
        bedside = bool(rng.random() < ap)
        marker: Literal["L", "R"] = "L" if rng.random() < 0.5 else "R"
        x, y = rng.uniform(0.06, 0.12), rng.uniform(0.05, 0.12)
        return cls(
            seed=seed,
            view="AP" if bedside else "PA",
            inspiration=within(rng.normal(0.5 if bedside else 0.78, 0.14), 0, 1),
            rotation=within(rng.normal(0, 4 if bedside else 2), -12, 12),
            tilt=within(rng.normal(0, 3.0 if bedside else 1.8), -8, 8),
            shift=(within(rng.normal(0, 0.9), -3, 3), within(rng.normal(0.2, 1.1), -3, 3)),
            exposure=within(rng.normal(0, 0.25), -1, 1),
            contrast=within(rng.normal(1.0, 0.08), 0.7, 1.4),
            scatter=float(rng.uniform(0.2, 0.35) + 0.1 * bedside),
            blur=float(rng.uniform(0.01, 0.05)),
            marker=marker,
            marker_at=(float(1 - x if marker == "L" else x), float(y)),
        )


def _check(record: object, **ranges: tuple[float, float]) -> None:
    for name, (low, high) in ranges.items():
        value = getattr(record, name)
        for v in value if isinstance(value, tuple) else (value,):
            if not low <= v <= high:
                raise CohortError(f"{type(record).__name__}.{name} is {value}", f"a value from {low} to {high}")


def _one_of(record: object, **choices: tuple[str, ...]) -> None:
    for name, allowed in choices.items():
        value = getattr(record, name)
        if value not in allowed:
            raise CohortError(f"{type(record).__name__}.{name} is {value!r}", "one of " + ", ".join(map(repr, allowed)))


def as_row(record: Patient | Finding | Acquisition) -> dict[str, object]:
    """The record's fields by name, prefixed with its kind, ready for a table."""
    kind = type(record).__name__.lower()
    return {f"{kind}_{field.name}": getattr(record, field.name) for field in fields(record)}
