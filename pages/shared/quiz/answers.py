"""What a reader said of each film, when, and whether it was right; in the link, so that a refresh loses nothing."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.data.findings import to_model
from core.explain.whatif import rectangle
from core.model.output import JOIN, NOTHING
from core.report.spreadsheet import frame_as_csv
from core.rounds import Box
from pages.shared.case import Case

SURE = ("guessing", "fairly sure", "certain")
_NOTHING = "n"  # in a link


@dataclass(frozen=True)
class Said:
    """What the reader said before anything was shown, and after the model had answered.

    Attributes:
        reader, final: the answer, and the one after the model's answer was seen.
        sure: one of ``SURE``.
        boxes: regions marked, in shares of the picture.
        seconds: spent on the label, on the regions and on the model's answer.
    """

    reader: str
    final: str
    sure: str
    boxes: tuple[Box, ...]
    seconds: tuple[float, float, float]


@dataclass(frozen=True)
class Answer:
    """How one case went."""

    row: int
    said: Said
    model: str
    label: str
    expected: str  # the model's own name for the label
    overlap: float | None  # of the reader's boxes and the known truth, 0 to 1; None where nothing can be compared

    @property
    def reader(self) -> str:
        """The answer given before the model's was seen."""
        return self.said.reader

    @property
    def missed(self) -> bool:
        """Whether the reader or the model was wrong."""
        return self.said.reader != self.label or self.model != self.expected


def names(case: Case) -> list[str]:
    """What can be answered: the cohort's classes, or the model's findings of which the cohort knows something."""
    if case.model.output.exclusive or not case.cohort.findings:
        return list(case.cohort.classes)
    told = known(case)
    return [name for name in case.model.classes if name in told]


def known(case: Case) -> dict[str, bool]:
    """Which of the model's findings the cohort says are there, and which are not."""
    mapping = case.model.card.recipe.get("labels", {})
    row = case.cohort.take([case.row or 0])
    said = to_model(row.samples, case.model.classes, mapping, row.classes)[0]
    return {name: bool(value == 1) for name, value in zip(case.model.classes, said, strict=True) if value == value}


def judged(case: Case, said: Said) -> Answer:
    """An answer beside the model's and the truth."""
    from core.evaluate.scoring import class_of_label

    row, share = case.row or 0, overlap(mask(said.boxes, case.model.preprocess.size), case.truth)
    if case.model.output.exclusive or not case.cohort.findings:
        expected = class_of_label(case.model, [case.label]).get(case.label, case.label)
        return Answer(row, said, case.prediction.label, case.label, expected, share)
    told = known(case)
    there = JOIN.join(name for name, yes in told.items() if yes) or NOTHING
    called = JOIN.join(name for name in case.prediction.called if name in told) or NOTHING
    in_order = replace(said, reader=_ordered(said.reader, told), final=_ordered(said.final, told))
    return Answer(row, in_order, called, there, there, share)


def mask(boxes: tuple[Box, ...], side: int) -> np.ndarray:
    """The boxes as one mask, bool (side, side)."""
    found = np.zeros((side, side), bool)
    for left, top, right, bottom in boxes:
        found |= rectangle((side, side), left * side, top * side, (right - left) * side, (bottom - top) * side)
    return found


def overlap(marked: np.ndarray, truth: np.ndarray | None) -> float | None:
    """Intersection over union of two masks (S, S); None without a truth."""
    return None if truth is None else float((marked & truth).sum() / (marked | truth).sum())


def in_link(given: list[Answer], options: list[str]) -> str:
    """The answers as a link holds them: "reader:final:sure:boxes:seconds", one for each film, between semicolons."""
    return ";".join(
        ":".join(
            (
                _code(answer.said.reader, options),
                _code(answer.said.final, options),
                str(SURE.index(answer.said.sure)),
                ".".join(",".join(str(round(100 * edge)) for edge in box) for box in answer.said.boxes),
                ",".join(str(round(second)) for second in answer.said.seconds),
            )
        )
        for answer in given
    )


def from_link(text: str, options: list[str]) -> list[Said]:
    """Inverse of `in_link`; ValueError where a link says what cannot be read."""
    said = []
    for one in filter(None, text.split(";")):
        reader, final, sure, boxes, seconds = one.split(":")
        regions = [tuple(int(edge) / 100 for edge in box.split(",")) for box in boxes.split(".") if box]
        label, region, model = (float(second) for second in seconds.split(","))
        if not all(len(box) == 4 and 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1 for box in regions):
            raise ValueError(text)
        marked: tuple[Box, ...] = tuple((left, top, right, bottom) for left, top, right, bottom in regions)
        words = _name(reader, options), _name(final, options), SURE[_index(sure, len(SURE))]
        said.append(Said(*words, marked, (label, region, model)))
    return said


def as_csv(given: list[Answer], films: list[str]) -> str:
    """One row per film: what was said, how sure, changed or not, the seconds of each step, and the truth."""
    rows = [
        {
            "case": number,
            "sha256": film,
            "reader": answer.said.reader,
            "sure": answer.said.sure,
            "after_model": answer.said.final,
            "changed": answer.said.final != answer.said.reader,
            "model": answer.model,
            "truth": answer.label,
            "reader_right": answer.said.reader == answer.label,
            "final_right": answer.said.final == answer.label,
            "model_right": answer.model == answer.expected,
            "boxes": len(answer.said.boxes),
            "overlap": answer.overlap,
            **dict(
                zip(("seconds_label", "seconds_regions", "seconds_model"), map(round, answer.said.seconds), strict=True)
            ),
        }
        for number, (answer, film) in enumerate(zip(given, films, strict=True), start=1)
    ]
    return frame_as_csv(pd.DataFrame(rows))


def _ordered(answer: str, told: dict[str, bool]) -> str:
    return JOIN.join(name for name in told if name in answer.split(JOIN)) or NOTHING


def _code(answer: str, options: list[str]) -> str:
    return _NOTHING if answer == NOTHING else "-".join(str(options.index(name)) for name in _parts(answer, options))


def _parts(answer: str, options: list[str]) -> list[str]:
    return [answer] if answer in options else answer.split(JOIN)


def _name(code: str, options: list[str]) -> str:
    if code == _NOTHING:
        return NOTHING
    return JOIN.join(options[_index(one, len(options))] for one in code.split("-"))


def _index(text: str, below: int) -> int:
    number = int(text)
    if not 0 <= number < below:
        raise ValueError(text)
    return number
