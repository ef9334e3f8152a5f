"""Films, models and their answers, kept between runs: the one place where anything is shared by visitors.

All of it lies on one shelf (`core.shelf`: one lock, bounded) under the key of what made it (`core.identity`): the
weights and not the model's name, the film's content and not its number. A checkpoint or a film that is replaced while
the server runs is therefore opened anew. What lies there is never changed. An uploaded film, and all that is worked out
from it, lies on a shelf of its own in its visitor's session, and goes with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

from core import identity
from core.data.cohort import JOIN, Cohort
from core.data.film.radiograph import Radiograph
from core.shelf import Shelf

if TYPE_CHECKING:
    from core.examine.examined import Examined
    from core.explain.heatmap import Heatmap
    from core.explain.robustness import Sweep
    from core.model.card import Card
    from core.model.classifier import Classifier, Prediction
    from core.transform.augment import Step

T = TypeVar("T")

SHARED = 1024 * 1024 * 1024  # bytes of the shelf of all visitors
UPLOADED = 128 * 1024 * 1024  # bytes of the shelf of one uploaded film
_UPLOADS = "_upload_shelves"  # in the session: hash of an uploaded film -> its shelf
TABLES = (".csv", ".tsv", ".parquet", ".json", ".xlsx")  # files that say what a cohort's films are
WATCHED = 256  # folders of a cohort looked at for changes


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """What all visitors share."""
    return Shelf(SHARED)


def kept(key: str, make: Callable[[], T], doing: str = "", place: Shelf | None = None) -> T:
    """What lies under a key, made if it is not there; ``doing`` is said meanwhile."""
    there = shelf() if place is None else place
    if key in there or not doing:
        return there.keep(key, make)
    with st.spinner(doing):
        return there.keep(key, make)


def shelf_of(film: Radiograph) -> Shelf:
    """Where the results of a film lie: an uploaded one's in this session, any other's with those of all visitors."""
    if not any(film is one for one in st.session_state.get("uploads", [])):
        return shelf()
    shelves: dict[str, Shelf] = st.session_state.setdefault(_UPLOADS, {})
    return shelves.setdefault(film.sha256, Shelf(UPLOADED))


def forget_uploads(film: Radiograph | None = None) -> None:
    """Drop what was worked out from an uploaded film, or from all of this session's."""
    shelves = st.session_state.get(_UPLOADS, {})
    if film is None:
        shelves.clear()
    else:
        shelves.pop(film.sha256, None)


@dataclass(frozen=True, eq=False)
class _Opened:
    """A cohort as it was opened: with the folders and tables that it came from, and what they were like."""

    cohort: Cohort
    watched: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]

    @cached_property
    def fingerprint(self) -> str:
        return self.cohort.fingerprint


def cohort(spec: str) -> Cohort:
    """A cohort by what the sidebar offers: "phantom:fair" and the like, or a path; opened anew where it changed."""
    return _opened(spec).cohort


def fingerprint(spec: str) -> str:
    """The fingerprint of a cohort's rows, as cards of models name it: equal on every machine."""
    return _opened(spec).fingerprint


def _opened(spec: str) -> _Opened:
    from core.data.readers import open_cohort

    key = identity.key("cohort", spec=spec)
    there: _Opened | None = shelf().get(key)
    if there is not None and there.stamps == _stamps(there.watched):
        return there
    with st.spinner("Opening the cohort"):
        found = open_cohort(spec)
    watched = _watched(spec, found)
    return shelf().put(key, _Opened(found, watched, _stamps(watched)))


def _stamps(paths: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(identity.stamp(path) for path in paths)


def _watched(spec: str, found: Cohort) -> tuple[str, ...]:
    """The folders and tables of a cohort: a film that comes, goes or takes another's place changes its folder."""
    root = Path(spec).expanduser()
    if found.prepare is not None or not root.is_dir():
        return (str(root),) if root.is_file() else ()
    folders = {Path(path).parent for path in found.samples["path"].astype(str)}
    folders |= {above for folder in folders for above in folder.parents if above.is_relative_to(root)} | {root}
    nearest = sorted(folders, key=lambda folder: (len(folder.parts), folder))[:WATCHED]
    tables = (file for folder in nearest for file in folder.iterdir() if file.suffix.lower() in TABLES)
    return tuple(map(str, [*nearest, *tables]))


@st.cache_data(ttl=60, show_spinner=False)
def known_cohorts() -> dict[str, str]:
    """What can be opened without typing a path: spec -> title. Drawn cohorts first, then real ones on this machine."""
    from core.data.readers import cohorts_below, data_root

    drawn = {
        "phantom:fair": "Phantoms, fair",
        "phantom:confounded": "Phantoms, planted shortcut",
        "phantom:new-hospital": "Phantoms, new hospital",
    }
    return drawn | told_apart({str(folder): folder.name.replace("_", " ") for folder in cohorts_below(data_root())})


@st.cache_data(ttl=60, show_spinner=False)
def same_layout(layout: str) -> list[str]:
    """The known cohorts of a model's layouts; only those are worth opening to look for its own films."""
    from core.data.readers import is_drawn, layout_of

    layouts = {spec: "phantom" if is_drawn(spec) else layout_of(Path(spec)) for spec in known_cohorts()}
    return [spec for spec, own in layouts.items() if own in layout.split(JOIN)]


def told_apart(titles: dict[str, str]) -> dict[str, str]:
    """The titles of things by name; where several have one title each says its name as well."""
    seen = list(titles.values())
    return {name: f"{title} ({Path(name).name})" if seen.count(title) > 1 else title for name, title in titles.items()}


def cards() -> "dict[str, Card]":
    """Folder name -> card of every model that can be opened, by name; no two have one title."""
    return _catalogue()[0]


def refused_models() -> dict[str, str]:
    """Folder name -> why it cannot be opened, of every checkpoint whose card does not hold."""
    return _catalogue()[1]


def _catalogue() -> "tuple[dict[str, Card], dict[str, str]]":
    from core.model.checkpoint import CARD, WEIGHTS, candidates, catalogue

    files = [(str(f), identity.stamp(f / CARD), identity.stamp(f / WEIGHTS)) for f in candidates()]

    def read() -> "tuple[dict[str, Card], dict[str, str]]":
        found, refused = catalogue()
        return _titled(found), refused

    return kept(identity.key("catalogue", files=files), read)


def _titled(found: "dict[str, Card]") -> "dict[str, Card]":
    titles = told_apart({name: card.title for name, card in found.items()})
    return {name: replace(card, title=titles[name]) for name, card in found.items()}


def classifier(name: str) -> "Classifier":
    """The classifier of a checkpoint in weights/ or $HILUM_WEIGHTS, as its files are now, titled as in `cards`."""
    from core.model.checkpoint import CARD, WEIGHTS, find, load
    from core.model.classifier import Classifier

    folder, card = find(name), cards().get(name)

    def opened() -> Classifier:
        stored = load(folder)
        return Classifier(replace(stored, card=replace(stored.card, title=card.title)) if card else stored)

    files = [identity.stamp(folder / CARD), identity.stamp(folder / WEIGHTS)]
    title = card.title if card else ""
    return kept(identity.key("opened", folder=str(folder), files=files, title=title), opened, "Loading the model")


def film(spec: str, row: int) -> Radiograph:
    """One film of a cohort, decoded; anew when its file changes."""
    found = cohort(spec)
    return kept(file_key("film", found, row, "path"), lambda: found.film(row))


def mask(spec: str, row: int, column: str) -> np.ndarray | None:
    """A mask of one film of a cohort, bool (H, W); None where there is none."""
    found = cohort(spec)
    if column not in found.samples or not found.samples[column].iat[row]:
        return None
    shape = film(spec, row).shape
    of_film = file_key("film", found, row, "path")  # boxes follow the film as it was stored
    return kept(file_key("mask", found, row, column, of_film), lambda: found.mask(row, column, shape))


def thumbnail(spec: str, row: int, side: int = 160) -> bytes:
    """One film of a cohort as a small PNG, squeezed to a square."""
    found = cohort(spec)
    return kept(file_key("thumbnail", found, row, "path", side), lambda: small(found.film(row).pixels, side))


def file_key(kind: str, found: Cohort, row: int, column: str, *more: Any) -> str:
    """What is read from a file of a cohort: known by the file as it is now."""
    path = str(found.samples[column].iat[row])
    stamp = None if found.prepare is not None else identity.stamp(path)
    return identity.key(kind, path=path, stamp=stamp, more=more)


def small(pixels: np.ndarray, side: int = 160) -> bytes:
    """A grey picture as a small square PNG."""
    import cv2

    from core.report.overlay import png

    return png(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))


def examined(
    model: "Classifier", film: Radiograph, label: str = "", marked: Callable[[], np.ndarray | None] | None = None
) -> "Examined":
    """One film before one model, its parts shared with everybody who may see the film."""
    from core.examine.examined import Examined, nowhere

    return Examined(model, film, label, marked or nowhere, shelf_of(film))


def prediction(model: "Classifier", film: Radiograph) -> "Prediction":
    """What a classifier says of a film."""
    return examined(model, film).prediction


def heatmaps(
    model: "Classifier",
    film: Radiograph,
    method: str,
    layer: str | None,
    progress: Callable[[float], None] | None = None,
) -> "dict[str, Heatmap]":
    """Every class's heatmap of a film; ``progress`` (which may raise to cancel) is called while they are made."""
    return examined(model, film).heatmaps(method, None, layer, progress)


def has_heatmaps(model: "Classifier", film: Radiograph, method: str, layer: str | None) -> bool:
    """Whether `heatmaps` would answer at once."""
    return examined(model, film).has_heatmaps(method, None, layer)


def spread(case_of: "Examined") -> dict[str, tuple[float, float]]:
    """Lowest and highest probability of each class over copies of the film that differ as mildly as films do anyway."""
    from core.explain import robustness

    with st.spinner("Asking about mild changes"):
        return case_of.keep("spread", lambda: robustness.spread(case_of.classifier, case_of.picture))


def map_of_picture(case_of: "Examined", picture: np.ndarray, class_name: str) -> "Heatmap":
    """One class's Grad-CAM of a changed copy of the film, uint8 (S, S)."""
    from core.explain.heatmap import heatmaps as explain

    def made() -> "Heatmap":
        return explain(case_of.classifier, picture, "gradcam", [class_name])[class_name]

    return case_of.keep("map of copy", made, picture=picture, class_name=class_name)


def probabilities(case_of: "Examined", picture: np.ndarray) -> dict[str, float]:
    """Calibrated probabilities of a changed copy of the film, uint8 (S, S)."""
    model = case_of.classifier

    def made() -> dict[str, float]:
        return dict(zip(model.classes, map(float, model.predict_pictures(picture[None])[1][0]), strict=True))

    return case_of.keep("probabilities of copy", made, picture=picture)


def sweep(case_of: "Examined", step: "Step", parameter: str, limits: tuple[float, float], class_name: str) -> "Sweep":
    """The robustness of a film to one setting of an augmentation."""
    from core.explain import robustness

    def made() -> "Sweep":
        return robustness.sweep(case_of.classifier, case_of.picture, step, parameter, limits, class_name)

    made_of = {"step": step.to_dict(), "parameter": parameter, "limits": limits, "class_name": class_name}
    with st.spinner("Moving through the range"):
        return case_of.keep("sweep", made, **made_of)
