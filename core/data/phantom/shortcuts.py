"""A battery of shortcuts to plant: twelve things that a film may carry and that are no disease.

Each goes with one class, `CARRIER`, as often as a cohort's strength says, and with any film at `CHANCE` otherwise: at
strength 0 the films carry it all the same, and it tells nothing. Some are of the way the film was taken, others lie
over it or are of its frame.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import cv2
import numpy as np

from core.data.phantom import Phantom, draw
from core.data.phantom.canvas import curve
from core.data.phantom.parameters import Acquisition, Finding, Patient, stream

Planted = Literal[
    "corner-marker", "side-letter", "portable-tag", "wire", "border-width", "exposure",
    "sharpness", "tilt", "aspect", "collimation", "device", "nodule",
]  # fmt: skip
CARRIER = "COVID-19"
CHANCE = 0.25  # share of films that carry it where it does not follow the class
STRENGTHS = (1.0, 0.9, 0.75)  # of a battery: the share of films on which it follows the class

# What every film of a battery has unless its shortcut says otherwise: no second mark that could tell anything.
NEUTRAL: dict[str, Any] = {
    "marker": "L",
    "marker_style": "plain",
    "marker_at": (0.92, 0.07),
    "label": "",
    "leads": 0,
}


def _as_taken(acquisition: Acquisition) -> Acquisition:
    return acquisition


def _as_drawn(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    return phantom


@dataclass(frozen=True)
class Shortcut:
    """One kind of shortcut.

    Args:
        carried: what a film that carries it shows, in words.
        taken: the acquisition of a film that carries it.
        over: what is done to such a film once it is developed; the generator follows from its acquisition's seed.
        in_lungs: whether it lies where disease may lie.
    """

    carried: str
    taken: Callable[[Acquisition], Acquisition] = _as_taken
    over: Callable[[Phantom, np.random.Generator], Phantom] = _as_drawn
    in_lungs: bool = False


def carry(kind: Planted, phantom: Phantom, seed: int) -> Phantom:
    """A developed film that carries a shortcut; ``seed`` is its acquisition's."""
    return SHORTCUTS[kind].over(phantom, stream(seed, 60))


def with_and_without(
    kind: Planted, patient: Patient, finding: Finding, acquisition: Acquisition, size: int = 256
) -> tuple[Phantom, Phantom]:
    """One film of ``size`` pixels per side twice: with a shortcut, and without it. It has no mark besides."""
    bare = replace(acquisition, **NEUTRAL)
    taken = SHORTCUTS[kind].taken(bare)
    return carry(kind, draw(patient, finding, taken, size), taken.seed), draw(patient, finding, bare, size)


def _set(**values: Any) -> Callable[[Acquisition], Acquisition]:
    return lambda acquisition: replace(acquisition, **values)


def _overexposed(acquisition: Acquisition) -> Acquisition:
    return replace(acquisition, exposure=float(np.clip(acquisition.exposure + 0.7, -1, 1)))


def _tilted(acquisition: Acquisition) -> Acquisition:
    return replace(acquisition, tilt=float(np.clip(6 + acquisition.tilt / 4, -8, 8)))


def _framed(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """A black frame of 5 % all round, as a scanner's lid leaves it."""
    edge = round(0.05 * len(phantom.pixels))
    inside = np.zeros(phantom.pixels.shape, bool)
    inside[edge:-edge, edge:-edge] = True
    pixels = np.where(inside, phantom.pixels, 4).astype(np.uint8)
    return replace(phantom, pixels=pixels, lungs=phantom.lungs & inside, lesion=phantom.lesion & inside)


def _softened(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """Without its finest detail, as a film scanned out of focus."""
    sigma = len(phantom.pixels) / 110
    return replace(phantom, pixels=cv2.GaussianBlur(phantom.pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _narrowed(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """A film that is not square: 6 % less on the left and on the right."""
    side = round(0.06 * len(phantom.pixels))
    part = slice(side, -side)
    pixels, lungs, lesion = (p[:, part].copy() for p in (phantom.pixels, phantom.lungs, phantom.lesion))
    return replace(phantom, pixels=pixels, lungs=lungs, lesion=lesion)


def _with_device(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """A dense oval case over the upper abdomen, clear of the lungs."""
    size = len(phantom.pixels)
    radius = 0.04 * size
    away = cv2.distanceTransform((~phantom.lungs).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > 1.3 * radius
    rows, columns = np.nonzero(away)
    wanted = np.array([0.86, 0.8]) * size + rng.normal(0, 0.015 * size, 2)
    nearest = int(((rows - wanted[0]) ** 2 + (columns - wanted[1]) ** 2).argmin())
    return _with_oval(phantom, (columns[nearest], rows[nearest]), (radius, 0.75 * radius), 0.97)


def _wired(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """Three electrodes on the chest, each with a cable that leaves the film at its lower edge."""
    size = len(phantom.pixels)
    sheet = np.zeros(phantom.pixels.shape, np.uint8)
    for across, down in ((0.3, 0.28), (0.7, 0.28), (0.72, 0.66)):
        start = np.array([across, down]) + rng.normal(0, 0.02, 2)
        sway = np.cumsum(rng.normal(0, 0.03, 4))
        drop = np.linspace(start[1], 1.02, 5)
        line = curve(np.column_stack([start[0] + np.concatenate([[0], sway]), drop]) * size, 10, closed=False)
        fixed = np.round(line * 16).astype(np.int32)
        cv2.polylines(sheet, [fixed], False, 200, max(1, round(size / 128)), cv2.LINE_AA, 4)
        cv2.circle(sheet, tuple(fixed[0].tolist()), round(0.018 * size * 16), 255, -1, cv2.LINE_AA, 4)
    return _inked(phantom, sheet, 0.95)


def _with_nodule(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """A small dense nodule in a lung, away from the finding: a healed granuloma, a button."""
    radius = max(0.022 * len(phantom.pixels), 1.5)
    for free in (phantom.lungs & ~phantom.lesion, phantom.lungs):
        room = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        if room.max() > 1.5 * radius:
            break
    places = np.argwhere(room >= min(1.5 * radius, float(room.max())))
    row, column = places[int(rng.integers(len(places)))]
    return _with_oval(phantom, (column, row), (radius, radius), 0.9)


def _with_oval(phantom: Phantom, centre: tuple[int, int], axes: tuple[float, float], grey: float) -> Phantom:
    sheet = np.zeros(phantom.pixels.shape, np.uint8)
    middle, half = ((round(v * 16) for v in pair) for pair in (map(float, centre), axes))
    cv2.ellipse(sheet, tuple(middle), tuple(half), 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
    return _inked(phantom, sheet, grey)


def _inked(phantom: Phantom, sheet: np.ndarray, grey: float) -> Phantom:
    share = sheet / 255.0
    pixels = np.round(phantom.pixels * (1 - share) + 255 * grey * share).astype(np.uint8)
    return replace(phantom, pixels=pixels)


SHORTCUTS: dict[Planted, Shortcut] = {
    "corner-marker": Shortcut(
        "a white plate with a letter in the lower left corner",
        _set(marker="R", marker_style="plate", marker_at=(0.08, 0.9)),
    ),
    "side-letter": Shortcut("R on the left instead of L on the right", _set(marker="R", marker_at=(0.08, 0.07))),
    "portable-tag": Shortcut("PORTABLE burnt in along the lower edge", _set(label="PORTABLE")),
    "wire": Shortcut("three electrodes with their wires", over=_wired),
    "border-width": Shortcut("a black frame of 5 % all round", over=_framed),
    "exposure": Shortcut("an exposure that is too high: a darker film", _overexposed),
    "sharpness": Shortcut("no fine detail: a scan out of focus", over=_softened),
    "tilt": Shortcut("a body turned by 6 degrees in the plane of the film", _tilted),
    "aspect": Shortcut("a film narrower than it is high", over=_narrowed),
    "collimation": Shortcut("shutters on the left and on the right", _set(collimation=(0.1, 0.0, 0.1, 0.0))),
    "device": Shortcut("a dense oval case over the upper abdomen", over=_with_device),
    "nodule": Shortcut("a small dense nodule in healthy lung", over=_with_nodule, in_lungs=True),
}
KINDS: tuple[Planted, ...] = get_args(Planted)
