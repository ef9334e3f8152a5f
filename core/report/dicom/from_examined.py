"""An examined film as the DICOM objects that were asked for."""

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO

import cv2
import numpy as np
import pydicom
from pydicom.dataset import Dataset

from core.data.film.radiograph import Radiograph, from_pixels
from core.errors import ExplainError, FilmError
from core.examine.examined import Examined
from core.examine.extent import area_in_words
from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.report.dicom.answer import Answer, Finding
from core.report.dicom.archives import fractions, full_report, presentation_state
from core.report.dicom.document import document
from core.report.dicom.regions import regions
from core.report.dicom.secondary_capture import secondary_capture
from core.report.dicom.segmentation import segmentation
from core.report.dicom.text_report import text_report
from core.report.documents.case import case_pdf, case_report
from core.report.overlay import enlarge, overlay

SIDE = 1024  # pixels of the overlay's height at the least
KINDS: dict[str, Callable[[Dataset, Answer], Dataset]] = {  # in the order in which a reader notices them
    "sc": secondary_capture,
    "sr": text_report,
    "seg": segmentation,
    "regions": regions,
}
ASKED: dict[str, Callable[[Dataset, Answer], Dataset]] = {  # made only when asked for by name
    "pdf": document,
    "full": full_report,
    "gsps": presentation_state,
    "fractional": fractions,
}


def header(data: bytes, name: str) -> Dataset:
    """The header of a film's DICOM file, for the objects to refer to.

    Raises:
        FilmError: it is no DICOM file.
    """
    try:
        return pydicom.dcmread(BytesIO(data), force=True, stop_before_pixels=True)
    except Exception as error:  # hostile bytes make a parser raise almost anything
        raise FilmError(f'"{name}" is not a readable DICOM file', "the film as its PACS sends it") from error


def answer_of(examined: Examined, map_: Heatmap) -> Answer:
    """What the objects say of one film and one of its heatmaps."""
    said, card, refused = examined.prediction, examined.classifier.card, examined.prediction.refused
    film = examined.film
    evidence = _as_stored(np.maximum(examined.on_film(map_.values), 0), film)
    share = examined.measures(map_).get("lung_share", float("nan"))
    lungs = examined.lungs_on_film
    picture = overlay(film.pixels, np.maximum(examined.on_film(map_.values), 0))
    return Answer(
        film_sha256=from_pixels(film.pixels, film.name).sha256,
        class_name=map_.class_name,
        method=METHODS[map_.method].title,
        model=card.name,
        weights_sha256=examined.classifier.checkpoint.weights,
        version=_version(),
        findings=tuple(
            Finding(name, float(p), float(t), not refused and name in said.called)
            for name, p, t in zip(said.classes, said.probabilities, said.output.operating_points, strict=True)
        ),
        domain=said.domain.sentence,
        refused=refused,
        evidence=np.zeros_like(evidence) if map_.blank else evidence,
        lungs=_as_stored(lungs.visible, film) if lungs.found else None,
        overlay=enlarge(picture, SIDE) if max(film.shape) < SIDE else picture,
        lung_share=None if np.isnan(share) else share,
        extent=area_in_words(examined, map_),
        trust=tuple((line.title, line.word, line.sentence) for line in examined.trust(map_).lines),
        prediction_set=None if refused or said.prediction_set is None else said.prediction_set.classes,
        report=lambda: case_pdf(case_report(examined, map_)),
        turned=bool(film.turn),
    )


def objects(film: Dataset, answer: Answer, kinds: Sequence[str]) -> dict[str, Dataset]:
    """The objects by kind, a key of ``KINDS`` or ``ASKED``; what a blank map or a refused film cannot have is left out.

    A film that the model may not judge gets no picture of evidence: a text that says so, and nothing else.

    Raises:
        ExplainError: an unknown kind.
        FilmError: the film's header cannot be referred to.
    """
    _check(kinds)
    made = {}
    for kind in kinds:
        if answer.refused and kind != "sr":
            continue
        try:
            made[kind] = (KINDS | ASKED)[kind](film, answer)
        except ExplainError:  # nothing to outline or to segment
            continue
    return made


def known_kinds(text: str) -> tuple[str, ...]:
    """The kinds of "sr,sc" in a reader's order; "all" means ``KINDS``, the others are asked for by name.

    Raises:
        ExplainError: an unknown kind.
    """
    asked = [kind.strip() for kind in text.split(",")]
    asked = [kind for one in asked for kind in (KINDS if one == "all" else (one,))]
    _check(asked)
    return tuple(kind for kind in KINDS | ASKED if kind in asked)


def _check(kinds: Sequence[str]) -> None:
    if unknown := [kind for kind in kinds if kind not in KINDS | ASKED]:
        raise ExplainError(f"there is no DICOM object {unknown[0]!r}", f"some of {', '.join(KINDS | ASKED)}")


def _as_stored(on_film: np.ndarray, film: Radiograph) -> np.ndarray:
    """A map or mask (H, W) on the film as it hangs, on the pixels that its file stores (``source_shape``)."""
    on_film = film.turn.stored(on_film)
    if on_film.shape == film.source_shape:
        return on_film
    size = (film.source_shape[1], film.source_shape[0])
    if on_film.dtype == bool:
        return cv2.resize(on_film.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    return np.maximum(cv2.resize(on_film, size, interpolation=cv2.INTER_LINEAR), 0)


def _version() -> str:
    try:
        return version("hilum")
    except PackageNotFoundError:  # run from a clone
        return "from source"
