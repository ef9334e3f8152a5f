"""What a cohort of drawn films holds, before any of them is drawn: patients, findings, acquisitions, splits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from core.data.phantom.parameters import CLASSES, Acquisition, Finding, Patient, stream, within
from core.data.phantom.shortcuts import CARRIER, CHANCE, KINDS, NEUTRAL, SHORTCUTS, Planted

VERSION = "v1"  # in every folder's name: raise it with any change of the drawing, and train the phantom models again

Own = Literal["fair", "confounded", "new-hospital"]
Kind = Own | Planted
_LETTERS = {"fair": "F", "confounded": "C", "new-hospital": "N"}  # that names of films begin with; S of the battery
_SHARES = {"train": 0.65, "validation": 0.1, "test": 0.25}
_BATTERY = 100  # the stream of its first kind: those before are of the kinds that came first

# Each hospital's habits, whatever the diagnosis.
_HABITS: dict[str, dict[str, Any]] = {
    "A": {"exposure": 0.0, "contrast": 1.0, "collimation": (0.0, 0.0, 0.0, 0.0)},
    "B": {"exposure": -0.22, "contrast": 0.92, "collimation": (0.03, 0.0, 0.03, 0.0)},
    "C": {"exposure": 0.2, "contrast": 1.1, "collimation": (0.0, 0.025, 0.0, 0.025)},
    "D": {"exposure": -0.1, "contrast": 1.05, "collimation": (0.02, 0.02, 0.02, 0.02)},
}
_TEXTS = {"A": "", "B": "PORTABLE", "C": "ERECT", "D": "CHEST"}
# Four ways to lay the letter. In the confounded cohort each belongs to a class; elsewhere chance chooses.
_MARKERS: tuple[dict[str, Any], ...] = (
    {"marker": "L", "marker_style": "plain", "marker_at": (0.92, 0.07)},
    {"marker": "R", "marker_style": "plate", "marker_at": (0.08, 0.07)},
    {"marker": "L", "marker_style": "circle", "marker_at": (0.92, 0.9)},
    {"marker": "R", "marker_style": "plain", "marker_at": (0.07, 0.88)},
)
_HOSPITAL_OF = {"Normal": "A", "COVID-19": "B", "Viral Pneumonia": "C", "Lung Opacity": "A"}


@dataclass(frozen=True)
class Key:
    """What a cohort is drawn from; its text is the folder's name."""

    kind: Kind
    films: int
    seed: int
    strength: float
    size: int

    def __str__(self) -> str:
        kind = self.kind.replace("-", "_")
        return f"phantoms-{VERSION}-{kind}-{self.films}-{self.seed}-{round(100 * self.strength)}-{self.size}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        kind, films, seed, strength, size = text.removeprefix(f"phantoms-{VERSION}-").split("-")
        return cls(kind.replace("_", "-"), int(films), int(seed), int(strength) / 100, int(size))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PlannedFilm:
    """One planned film."""

    name: str
    patient: Patient
    finding: Finding
    acquisition: Acquisition
    source: str
    split: str
    planted: Planted | None = None  # the shortcut that it carries


@lru_cache(maxsize=4)
def index(key: Key) -> dict[str, PlannedFilm]:
    """The films of a cohort by name."""
    return {film.name: film for film in plan(key)}


@lru_cache(maxsize=4)
def plan(key: Key) -> tuple[PlannedFilm, ...]:
    """Every film of a cohort, shuffled so that the first few already show all classes."""
    films = [film for number in range(len(CLASSES)) for film in _plan_class(key, number)]
    order = stream(key.seed, 70).permutation(len(films))
    return tuple(films[i] for i in order)


def _plan_class(key: Key, number: int) -> Iterator[PlannedFilm]:
    """The films of one class, patient by patient; the first patients train, the last ones test."""
    label = CLASSES[number]
    wanted = key.films // len(CLASSES)
    made, person = 0, 0
    while made < wanted:
        rng = stream(key.seed, 71, _number_of(key.kind), number, person)
        patient = Patient.random(int(rng.integers(2**31)))
        source = _source(key, label, person, rng)
        split = "test" if key.kind == "new-hospital" else _split_at(made / wanted)
        serial = number + len(CLASSES) * person
        for visit in range(min(int(rng.integers(1, 5)), wanted - made)):
            finding = Finding(label, _severity(rng, label), int(rng.integers(2**31)))
            acquisition, planted = _acquire(key, number, source, rng), None
            if key.kind in SHORTCUTS:
                acquisition, planted = _plant(key, label, acquisition, rng)
            name = f"{_LETTERS.get(key.kind, 'S')}{serial:04d}-{visit + 1}"
            yield PlannedFilm(name, patient, finding, acquisition, source, split, planted)
            made += 1
        person += 1


def _number_of(kind: Kind) -> int:
    return get_args(Own).index(kind) if kind in get_args(Own) else _BATTERY + KINDS.index(kind)


def _plant(
    key: Key, label: str, acquisition: Acquisition, rng: np.random.Generator
) -> tuple[Acquisition, Planted | None]:
    """A film of a battery: without marks of its own, and with its shortcut where that follows the class, or by chance.

    The letter lies where `NEUTRAL` lays it, give or take a little, so that no two films agree to the pixel.
    """
    kind: Planted = key.kind  # type: ignore[assignment]
    follows, chance, moved = rng.random() < key.strength, rng.random() < CHANCE, rng.uniform(-0.02, 0.02, 2)
    carries = label == CARRIER if follows else bool(chance)
    taken = replace(acquisition, **NEUTRAL)
    taken = SHORTCUTS[kind].taken(taken) if carries else taken
    across, down = np.clip(np.array(taken.marker_at) + moved, 0.06, 0.94)
    return replace(taken, marker_at=(float(across), float(down))), kind if carries else None


def _split_at(share: float) -> str:
    train, validation = _SHARES["train"], _SHARES["validation"]
    return "train" if share < train else "validation" if share < train + validation else "test"


def _severity(rng: np.random.Generator, label: str) -> float:
    drawn = float(rng.uniform(0.05, 1.0))
    return 0.0 if label == "Normal" else drawn


def _source(key: Key, label: str, person: int, rng: np.random.Generator) -> str:
    follows = rng.random() < 0.75 * key.strength
    if key.kind == "new-hospital":
        return "D"
    if key.kind == "confounded" and follows:
        return _HOSPITAL_OF[label]
    return "ABC"[person % 3]


def _acquire(key: Key, number: int, source: str, rng: np.random.Generator) -> Acquisition:
    """One film at one hospital: its habits, a letter, now and then electrodes or text."""
    taken = Acquisition.random(int(rng.integers(2**31)), ap=0.4 if source == "B" else 0.2)
    habit = _HABITS[source]
    follows, chance = rng.random() < key.strength, int(rng.integers(len(_MARKERS)))
    marker = _MARKERS[number if key.kind == "confounded" and follows else chance]
    moved = zip(marker["marker_at"], rng.uniform(-0.02, 0.02, 2), strict=True)
    across, down = (within(at + by, 0.06, 0.94) for at, by in moved)
    left, top, right, bottom = (float(s * rng.uniform(0.6, 1.4)) for s in habit["collimation"])
    leads, text = rng.random(), rng.random()
    return replace(
        taken,
        exposure=within(taken.exposure + habit["exposure"], -1, 1),
        contrast=within(taken.contrast * habit["contrast"], 0.7, 1.4),
        collimation=(left, top, right, bottom),
        leads=int(rng.integers(1, 5)) if leads < (0.5 if taken.view == "AP" else 0.05) else 0,
        label=_TEXTS[source] if text < 0.5 else "",
        **marker | {"marker_at": (across, down)},
    )
