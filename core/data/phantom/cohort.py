"""Whole cohorts of drawn films: a fair one, one with a planted shortcut, and the new hospital where it is gone.

A cohort is planned at once and drawn when a film is first asked for. Everything about it stands in its folder's name
under the cache, so that any process can draw any film from its path alone, and draws the same bytes.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core import identity
from core.atomic import replacing, write_whole
from core.data.cache import cache_dir
from core.data.cohort import Cohort
from core.data.joined_sources import Maker
from core.data.phantom import Phantom, draw
from core.data.phantom.parameters import CLASSES, Acquisition, Finding, Patient
from core.data.phantom.plan import VERSION, Key, Kind, PlannedFilm, index, plan
from core.data.phantom.shortcuts import KINDS, carry
from core.errors import CohortError, FilmError

__all__ = ["BANDS", "VERSION", "Kind", "band", "cohort", "draw_all", "prepare"]

BANDS = ("mild", "moderate", "severe")
"""severity below a third, to two thirds, above"""

_TITLES: dict[str, str] = {
    "fair": "Phantoms, fair",
    "confounded": "Phantoms, planted shortcut",
    "new-hospital": "Phantoms, new hospital",
    **{kind: f"Phantoms, {kind.replace('-', ' ')}" for kind in KINDS},
}
Drawer = Callable[[Patient, Finding, Acquisition, int], Phantom]
_FOLDERS = {"path": "films", "lungs": "lungs", "truth": "truth"}


def cohort(kind: Kind = "fair", films: int = 2000, seed: int = 7, strength: float = 1.0, size: int = 256) -> Cohort:
    """A cohort of drawn films, planned at once and drawn on demand.

    Args:
        kind: "fair" (hospitals A, B, C whatever the label), "confounded" (the letter's place and style, and in part the
            hospital, follow the label), "new-hospital" (hospital D, all test, the letter follows nothing), or one of
            `shortcuts.KINDS`: a fair one of which some films carry that shortcut, and their column "planted" says so.
        films: how many, a multiple of four from 8 on; equally many of each class.
        seed: of everything.
        strength: of the planted shortcut, 0-1: the share of films on which it holds.
        size: pixels per side, 64-1024.

    Raises:
        CohortError: a kind that is unknown, or a number out of range.
    """
    if kind not in _TITLES:
        raise CohortError(f'"{kind}" is not a kind of phantom cohort', "one of " + ", ".join(_TITLES))
    if films < 8 or films % len(CLASSES) or not 0 <= strength <= 1 or not 64 <= size <= 1024:
        came = f"{films} phantoms of {size} px with strength {strength}"
        raise CohortError(came, "a multiple of four films from 8 on, a strength from 0 to 1 and 64 to 1024 px")
    key = Key(kind, films, seed, round(strength, 2), size)  # as the folder says it
    root = cache_dir() / str(key)
    folders = {column: f"{root / folder}{os.sep}" for column, folder in _FOLDERS.items()}
    rows = [_row(folders, film) for film in plan(key)]
    if kind in KINDS:
        rows = [row | {"planted": bool(film.planted)} for row, film in zip(rows, plan(key), strict=True)]
    return Cohort(_TITLES[kind], pd.DataFrame(rows), CLASSES, prepare=MAKER, layout="phantom")


def prepare(path: Path, drawer: Drawer = draw) -> None:
    """Draw the film that ``path`` (of film or mask) belongs to, and write it with its masks, unless they are there.

    Beside them is written what their bytes are, so that a damaged or exchanged one is drawn again.

    Args:
        drawer: `core.data.phantom.draw`, or the same with a memory for cohorts that share films.

    Raises:
        FilmError: they cannot be written.
    """
    folder = path.parent.parent
    if _sum_of(path) == _recorded(path):
        return  # drawn before
    key = Key.parse(folder.name)
    film = index(key).get(path.stem)
    if film is None:
        raise CohortError(f'"{path.name}" is not in the cohort {folder.name}', "a film that its table names")
    phantom = drawer(film.patient, film.finding, film.acquisition, key.size)
    if film.planted:
        phantom = carry(film.planted, phantom, film.acquisition.seed)
    pictures = {"lungs": phantom.lungs, "truth": phantom.lesion, "path": phantom.pixels}
    files = {folder / _FOLDERS[column] / path.name: picture for column, picture in pictures.items()}
    try:
        for file, picture in files.items():
            _write(file, picture)
        sums = _sums(path)
        sums.parent.mkdir(exist_ok=True)
        write_whole(sums, "".join(f"{_sum_of(file)}  {file.parent.name}\n" for file in files))
    except OSError as error:
        came = f'"{path.name}" was drawn and cannot be kept in {folder} ({error.strerror or error})'
        raise FilmError(came, remedy="Make room there, or set HILUM_CACHE to another folder") from error


def _makes(path: str | Path) -> bool:
    parts = os.fspath(path).rsplit(os.sep, 3)  # asked of every film at each run of a page, so no Path is made
    return len(parts) > 2 and parts[-3].startswith("phantoms-") and parts[-2] in _FOLDERS.values()


MAKER = Maker(prepare, _makes)
"""How a cohort's films are drawn when they are asked for."""


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


def _row(folders: dict[str, str], film: PlannedFilm) -> dict[str, object]:
    finding, normal = film.finding, film.finding.name == "Normal"
    place = {column: f"{folder}{film.name}.png" for column, folder in folders.items()}
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


def _write(path: Path, picture: np.ndarray) -> None:
    """Write a PNG all or nothing. Uncompressed, so that no compressor's version shows in the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        Image.fromarray(picture).save(part, format="PNG", compress_level=0)
