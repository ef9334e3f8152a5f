"""What leaves the building about a model: `Report`, as CSV and JSON; `document_text` and `document_html` show it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.data.notes import note_without_names
from core.evaluate import review, slices
from core.evaluate.estimates import Figures
from core.evaluate.evaluation import COLUMNS, Evaluation
from core.evaluate.operating import OperatingPoint, of_card
from core.evaluate.parts import Part, parts
from core.evaluate.provenance import Provenance
from core.evaluate.scopes import MACRO, OVERALL, Scope
from core.intervals import HOW, Estimate
from core.lazy import cached_property
from core.model.card import Card
from core.report.spreadsheet import frame_as_csv, without_names

DISCLAIMER = "Research and teaching, not for diagnosis."
BLOCKS = (("precision", "recall", "f1"), ("specificity", "npv", "auroc", "average_precision"), ("ppv_at", "npv_at"))
"""The figures of a class in the order of every report, as many as fit beside each other."""


@dataclass(frozen=True, eq=False)
class Report:
    """One model's evaluation, ready to be written.

    Args:
        card: of the checkpoint.
        evaluations: by `Provenance`: "train", "validation", "test", "left out", "new", "external".
        cohort: the films' cohort, for people.
        asked: how classes are called, where the reader chose another rule than the model's own.
        prevalence: share (0 .. 1) of some classes in the reader's practice.
        notes: what the reader of the films noticed.
        names: whether files and patients may be named; else by hash (`core.report.spreadsheet`).
    """

    card: Card
    evaluations: Mapping[str, Evaluation]
    cohort: str = ""
    asked: OperatingPoint | None = None
    prevalence: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    names: bool = False

    @property
    def point(self) -> OperatingPoint:
        """How classes are called: as the model calls a film, unless the reader chose otherwise."""
        return self.asked or of_card(self.card)

    @property
    def noticed(self) -> tuple[str, ...]:
        """The notes as they may leave."""
        return tuple(note_without_names(note, self.names) for note in self.notes)

    @property
    def main(self) -> str:
        """The split that counts: test if it is there, else the last one."""
        return "test" if "test" in self.evaluations else list(self.evaluations)[-1]

    @property
    def external(self) -> bool:
        """Whether the films that count are of a collection the model never met."""
        return self.main == Provenance.EXTERNAL

    @property
    def how(self) -> tuple[str, ...]:
        """How classes are called, and which prevalences the reader set: one or two sentences."""
        wished = ", ".join(f"{name} in {share:.1%} of films" for name, share in self.prevalence.items())
        return (f"Called: {self.point.sentence}.", *((f"Your prevalence: {wished}.",) if wished else ()))

    @property
    def summary(self) -> str:
        """The split that counts in one sentence."""
        evaluation, figures = self.evaluations[self.main], self.figures[self.main]
        return (
            f"On {len(evaluation):,} {self.main} films of {patients_in_words(evaluation)} "
            f"({self.cohort or 'its own cohort'}): accuracy {figures[OVERALL]['accuracy']} by {self.point.title}, "
            f"macro AUROC {figures[MACRO]['auroc']} (95 % intervals)."
        )

    @cached_property
    def parts(self) -> list[Part]:
        """What the headline pools: the split that counts, by age group and by source."""
        return parts(self.evaluations[self.main], self.point)

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Every figure of every split."""
        return {name: e.figures(self.point, self.prevalence) for name, e in self.evaluations.items()}


def as_csv(report: Report) -> str:
    """One line per figure: split, called_by (the rule), scope, of (class or total), figure, value, interval, films."""
    tables = [
        evaluation.report(report.point, report.prevalence).assign(split=name, called_by=report.point.sentence)
        for name, evaluation in report.evaluations.items()
    ]
    return frame_as_csv(pd.concat(tables)[["split", "called_by", *COLUMNS]])


def as_json(report: Report) -> str:
    """The whole report as data; what is not defined is null."""
    content = {
        "about": DISCLAIMER,
        "model": report.card.name,
        "title": report.card.title,
        "cohort": report.cohort,
        "external": report.external,
        "classes": list(report.card.classes),
        "called_by": report.point.title,
        "operating_point": report.point.sentence,
        "prevalence": dict(report.prevalence),
        "interval": f"95 %, {HOW}",
        "notes": list(report.noticed),
        "parts": [vars(part) for part in report.parts],
        "splits": {name: _split_as_data(report, name) for name in report.evaluations},
        "card": report.card.to_dict(),
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """The same without figures, tables and NaN: what JSON can hold."""
    if isinstance(value, Estimate):
        return plain({key: getattr(value, key) for key in ("value", "low", "high", "n", "note", "method")})
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _split_as_data(report: Report, name: str) -> dict[str, Any]:
    evaluation = report.evaluations[name]
    return {
        "films": len(evaluation),
        "patients": patients(evaluation),
        "figures": {_unambiguous(scope, evaluation): group for scope, group in report.figures[name].items()},
        "confusion": evaluation.confusion(report.point).tolist(),
        "reliability": evaluation.reliability(),
        "worst_slices": slices.worst(evaluation, report.point),
        "confident_errors": errors(report, name),
        "doubted_labels": doubted(evaluation, 20, report.names),
    }


def _unambiguous(scope: Scope, evaluation: Evaluation) -> str:
    """A scope as a key of JSON; a total that some class is called like says so."""
    return f"{scope} (total)" if scope not in evaluation.classes and str(scope) in evaluation.classes else str(scope)


def errors(report: Report, split: str, most: int = 20) -> pd.DataFrame:
    """Wrongly called films of a split, the most confident first, as they may leave; columns as `review.films`."""
    return without_names(review.errors(report.evaluations[split], report.point, most), report.names)


def doubted(evaluation: Evaluation, most: int, file_names: bool = True) -> pd.DataFrame:
    """Films whose label the model doubts, the most doubtful first: film, label, suggested class and margin."""
    found = review.doubted(evaluation)[0][:most]
    names = np.array(evaluation.classes, dtype=object)
    films = without_names(review.films(evaluation, found["row"].to_numpy()), file_names)["film"]
    columns = {"film": films, "label": names[found["label"]], "suggested": names[found["suggested"]]}
    return pd.DataFrame(columns | {"margin": found["margin"]})


def confusion(evaluation: Evaluation, point: OperatingPoint) -> pd.DataFrame:
    """The confusion matrix in films and percent of the true class (rows): ``178 (98.9%)``."""
    matrix = evaluation.confusion(point)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    cells = [[f"{n:,} ({p:.1%})" for n, p in zip(*row, strict=True)] for row in zip(matrix, share, strict=True)]
    return pd.DataFrame(cells, index=list(evaluation.classes), columns=list(evaluation.classes))


def patients(evaluation: Evaluation) -> int:
    """How many there are; a film whose patient is unknown counts as one."""
    return int(evaluation.clusters.max()) + 1


def patients_in_words(evaluation: Evaluation) -> str:
    """``528 patients``, or ``168 known patients and 391 films whose patient is unknown``."""
    named = evaluation.samples.get("patient", pd.Series("", index=evaluation.samples.index)).astype(str) != ""
    if named.all():
        return f"{patients(evaluation):,} patients"
    unknown = int((~named).sum())
    films = f"{unknown:,} films whose patient is unknown, each counted as one"
    return f"{patients(evaluation) - unknown:,} known patients and {films}" if named.any() else films


def support(evaluation: Evaluation, scope: Scope) -> int:
    """Films of a class, or all of them."""
    if scope not in evaluation.classes:
        return len(evaluation)
    return int((evaluation.labels == evaluation.classes.index(scope)).sum())
