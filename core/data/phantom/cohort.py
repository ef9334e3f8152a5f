"""Whole cohorts of drawn films: a fair one, one with a planted shortcut, and the new hospital where it is gone.

A cohort is planned at once and drawn when a film is first asked for. Everything about it stands in its folder's name
under the cache, so that any process can draw any film from its path alone, and draws the same bytes.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from PIL import Image

from core import identity
from core.atomic import replacing
from core.data.cache import cache_dir
from core.data.cohort import Cohort
from core.data.phantom.parameters import CLASSES, Acquisition, Finding, Patient, stream
from core.errors import CohortError, FilmError

VERSION = "v1"  # in every folder's name: raise it with any change of the drawing, and train the phantom models again
BANDS = ("mild", "moderate", "severe")
"""severity below a third, to two thirds, above"""

Kind = Literal["fair", "confounded", "new-hospital"]
_TITLES = {
    "fair": "Phantoms, fair",
    "confounded": "Phantoms, planted shortcut",
    "new-hospital": "Phantoms, new hospital",
}
_LETTERS = {"fair": "F", "confounded": "C", "new-hospital": "N"}  # that names of films begin with
_SHARES = {"train": 0.65, "validation": 0.1, "test": 0.25}
_FOLDERS = {"path": "films", "lungs": "lungs", "truth": "truth"}

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
class _Key:
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
    def parse(cls, text: str) -> "_Key":
        kind, films, seed, strength, size = text.removeprefix(f"phantoms-{VERSION}-").split("-")
        return cls(kind.replace("_", "-"), int(films), int(seed), int(strength) / 100, int(size))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Film:
    """One planned film."""

    name: str
    patient: Patient
    finding: Finding
    acquisition: Acquisition
    source: str
    split: str


def cohort(kind: Kind = "fair", films: int = 2000, seed: int = 7, strength: float = 1.0, size: int = 256) -> Cohort:
    """A cohort of drawn films, planned at once and drawn on demand.

    Args:
        kind: "fair" (hospitals A, B, C whatever the label), "confounded" (the letter's place and style, and in part the
            hospital, follow the label), "new-hospital" (hospital D, all test, the letter follows nothing).
        films: how many, a multiple of four from 8 on; equally many of each class.
        seed: of everything.
        strength: of the planted shortcut, 0-1: the share of films on which it holds.
        size: pixels per side, 64-1024.

    Raises:
        CohortError: a kind that is unknown, or a number out of range.
    """
    if kind not in get_args(Kind):
        raise CohortError(f'"{kind}" is not a kind of phantom cohort', "one of " + ", ".join(get_args(Kind)))
    if films < 8 or films % len(CLASSES) or not 0 <= strength <= 1 or not 64 <= size <= 1024:
        came = f"{films} phantoms of {size} px with strength {strength}"
        raise CohortError(came, "a multiple of four films from 8 on, a strength from 0 to 1 and 64 to 1024 px")
    key = _Key(kind, films, seed, strength, size)
    root = cache_dir() / str(key)
    rows = [_row(root, film) for film in _plan(key)]
    return Cohort(_TITLES[kind], pd.DataFrame(rows), CLASSES, prepare=prepare, layout="phantom")


def prepare(path: Path) -> None:
    """Draw the film that ``path`` (of film or mask) belongs to, and write it with its masks, unless they are there.

    Beside them is written what their bytes are, so that a damaged or exchanged one is drawn again.

    Raises:
        FilmError: they cannot be written.
    """
    from core.data.phantom import draw

    folder = path.parent.parent
    if not folder.name.startswith("phantoms-") or _sum_of(path) == _recorded(path):
        return  # a film of another cohort, joined with a drawn one; or drawn before
    key = _Key.parse(folder.name)
    film = _index(key).get(path.stem)
    if film is None:
        raise CohortError(f'"{path.name}" is not in the cohort {folder.name}', "a film that its table names")
    phantom = draw(film.patient, film.finding, film.acquisition, key.size)
    pictures = {"lungs": phantom.lungs, "truth": phantom.lesion, "path": phantom.pixels}
    files = {folder / _FOLDERS[column] / path.name: picture for column, picture in pictures.items()}
    try:
        for file, picture in files.items():
            _write(file, picture)
        sums = _sums(path)
        sums.parent.mkdir(exist_ok=True)
        with replacing(sums) as part:
            part.write_text("".join(f"{_sum_of(file)}  {file.parent.name}\n" for file in files), encoding="utf-8")
    except OSError as error:
        came = f'"{path.name}" was drawn and cannot be kept in {folder} ({error.strerror or error})'
        raise FilmError(came, remedy="Make room there, or set HILUM_CACHE to another folder") from error


def _sums(path: Path) -> Path:
    """Where the SHA-256 of a film and its masks are recorded, a line each, as sha256sum writes them."""
    return path.parent.parent / "sums" / f"{path.stem}.txt"


def _sum_of(path: Path) -> str:
    return identity.of_file(path) if path.is_file() else ""


def _recorded(path: Path) -> str | None:
    """What the bytes of a film or mask were when it was drawn; None where nothing is known of it."""
    try:
        lines = [line.split("  ") for line in _sums(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return None
    return next((line[0] for line in lines if line[1:] == [path.parent.name]), None)


def draw_all(drawn: Cohort, progress: Callable[[int, int], None] | None = None, workers: int | None = None) -> None:
    """Draw every film not yet in the cache, on all processors; ``progress`` hears (done, of)."""
    missing = [Path(p) for p in drawn.samples["path"] if not (Path(p).is_file() and _sums(Path(p)).is_file())]
    if not missing:
        return
    count = workers or os.cpu_count() or 1
    with ProcessPoolExecutor(count, get_context("spawn"), _one_thread) as pool:
        for done, _ in enumerate(pool.map(prepare, missing, chunksize=8), 1):
            if progress:
                progress(done, len(missing))


def band(severity: float) -> str:
    """The name of a severity: "mild", "moderate" or "severe"."""
    return BANDS[min(int(severity * 3), 2)]


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _row(root: Path, film: _Film) -> dict[str, object]:
    finding, normal = film.finding, film.finding.name == "Normal"
    place = {column: str(root / folder / f"{film.name}.png") for column, folder in _FOLDERS.items()}
    return {
        "path": place["path"],
        "label": finding.name,
        "patient": film.name.split("-")[0],
        "source": film.source,
        "view": film.acquisition.view,
        "age": float(film.patient.age),
        "sex": film.patient.sex,
        "split": film.split,
        "lungs": place["lungs"],
        "truth": "" if normal else place["truth"],
        "severity": float("nan") if normal else round(finding.severity, 3),
        "band": "" if normal else band(finding.severity),
        "marker": f"{film.acquisition.marker} {film.acquisition.marker_style}",
    }


@lru_cache(maxsize=4)
def _index(key: _Key) -> dict[str, _Film]:
    return {film.name: film for film in _plan(key)}


@lru_cache(maxsize=4)
def _plan(key: _Key) -> tuple[_Film, ...]:
    """Every film of a cohort, shuffled so that the first few already show all classes."""
    films = [film for number in range(len(CLASSES)) for film in _plan_class(key, number)]
    order = stream(key.seed, 70).permutation(len(films))
    return tuple(films[i] for i in order)


def _plan_class(key: _Key, number: int) -> Iterator[_Film]:
    """The films of one class, patient by patient; the first patients train, the last ones test."""
    label = CLASSES[number]
    wanted = key.films // len(CLASSES)
    made, person = 0, 0
    while made < wanted:
        rng = stream(key.seed, 71, get_args(Kind).index(key.kind), number, person)
        patient = Patient.random(int(rng.integers(2**31)))
        source = _source(key, label, person, rng)
        split = "test" if key.kind == "new-hospital" else _split_at(made / wanted)
        serial = number + len(CLASSES) * person
        for visit in range(min(int(rng.integers(1, 5)), wanted - made)):
            finding = Finding(label, _severity(rng, label), int(rng.integers(2**31)))
            acquisition = _acquire(key, number, source, rng)
            yield _Film(f"{_LETTERS[key.kind]}{serial:04d}-{visit + 1}", patient, finding, acquisition, source, split)
            made += 1
        person += 1


def _split_at(share: float) -> str:
    train, validation = _SHARES["train"], _SHARES["validation"]
    return "train" if share < train else "validation" if share < train + validation else "test"


def _severity(rng: np.random.Generator, label: str) -> float:
    drawn = float(rng.uniform(0.05, 1.0))
    return 0.0 if label == "Normal" else drawn


def _source(key: _Key, label: str, person: int, rng: np.random.Generator) -> str:
    follows = rng.random() < 0.75 * key.strength
    if key.kind == "new-hospital":
        return "D"
    if key.kind == "confounded" and follows:
        return _HOSPITAL_OF[label]
    return "ABC"[person % 3]


def _acquire(key: _Key, number: int, source: str, rng: np.random.Generator) -> Acquisition:
    """One film at one hospital: its habits, a letter, now and then electrodes or text."""
    taken = Acquisition.random(int(rng.integers(2**31)), ap=0.4 if source == "B" else 0.2)
    habit = _HABITS[source]
    follows, chance = rng.random() < key.strength, int(rng.integers(len(_MARKERS)))
    marker = _MARKERS[number if key.kind == "confounded" and follows else chance]
    place = np.clip(np.array(marker["marker_at"]) + rng.uniform(-0.02, 0.02, 2), 0.06, 0.94)
    left, top, right, bottom = (float(s * rng.uniform(0.6, 1.4)) for s in habit["collimation"])
    leads, text = rng.random(), rng.random()
    return replace(
        taken,
        exposure=float(np.clip(taken.exposure + habit["exposure"], -1, 1)),
        contrast=float(np.clip(taken.contrast * habit["contrast"], 0.7, 1.4)),
        collimation=(left, top, right, bottom),
        leads=int(rng.integers(1, 5)) if leads < (0.5 if taken.view == "AP" else 0.05) else 0,
        label=_TEXTS[source] if text < 0.5 else "",
        **marker | {"marker_at": (float(place[0]), float(place[1]))},
    )


def _write(path: Path, picture: np.ndarray) -> None:
    """Write a PNG all or nothing. Uncompressed, so that no compressor's version shows in the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        Image.fromarray(picture).save(part, format="PNG", compress_level=0)
