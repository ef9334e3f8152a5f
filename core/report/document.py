"""What leaves the building about a model: `Report`, as printed text, CSV and JSON; HTML is `document_html`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from core.evaluate import review, slices
from core.evaluate.estimates import MACRO, OVERALL, WEIGHTED, Figures
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY
from core.evaluate.intervals import Figure
from core.evaluate.operating import ARGMAX, OperatingPoint
from core.model.checkpoint import Card

DISCLAIMER = "Research and teaching, not for diagnosis."
_BLOCKS = (("precision", "recall", "f1"), ("specificity", "npv", "auroc", "average_precision"), ("ppv_at", "npv_at"))
_WIDTH = 24  # of a column of printed figures


@dataclass(frozen=True, eq=False)
class Report:
    """One model's evaluation, ready to be written.

    Args:
        card: of the checkpoint.
        evaluations: by split: "train", "validation", "test", and "new" for films the model never met.
        cohort: the films' cohort, for people.
        point: how classes are called.
        prevalence: share (0 .. 1) of some classes in the reader's practice.
        notes: what the reader of the films noticed.
    """

    card: Card
    evaluations: Mapping[str, Evaluation]
    cohort: str = ""
    point: OperatingPoint = ARGMAX
    prevalence: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        """The split that counts: test if it is there, else the last one."""
        return "test" if "test" in self.evaluations else list(self.evaluations)[-1]

    @property
    def external(self) -> bool:
        """Whether the films that count are of a cohort the model never met."""
        return self.main == "new"

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Every figure of every split."""
        return {name: e.figures(self.point, self.prevalence) for name, e in self.evaluations.items()}


def as_text(report: Report) -> str:
    """Laid out as scikit-learn's ``classification_report``, plus the intervals; one part a split."""
    return "\n\n\n".join(_split_as_text(report, name) for name in report.evaluations)


def as_csv(report: Report) -> str:
    """Every figure, one a line: split, scope, figure, value, low, high, n, note."""
    tables = [
        evaluation.report(report.point, report.prevalence).assign(split=name)
        for name, evaluation in report.evaluations.items()
    ]
    columns = ["split", "scope", "figure", "value", "low", "high", "n", "note"]
    return pd.concat(tables)[columns].to_csv(index=False, lineterminator="\n")


def as_json(report: Report) -> str:
    """The whole report as data; what is not defined is null."""
    content = {
        "about": DISCLAIMER,
        "model": report.card.name,
        "title": report.card.title,
        "cohort": report.cohort,
        "external": report.external,
        "classes": list(report.card.classes),
        "operating_point": report.point.sentence,
        "prevalence": dict(report.prevalence),
        "interval": "95 %, bootstrap over patients; Wilson for proportions where every patient has one film",
        "notes": list(report.notes),
        "splits": {name: _split_as_data(report, name) for name in report.evaluations},
        "card": report.card.to_dict(),
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """The same without figures, tables and NaN: what JSON can hold."""
    if isinstance(value, Figure):
        return plain({"value": value.value, "low": value.low, "high": value.high, "n": value.n, "note": value.note})
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
        "patients": int(evaluation.clusters.max()) + 1,
        "figures": report.figures[name],
        "confusion": evaluation.confusion(report.point).tolist(),
        "reliability": evaluation.reliability(),
        "worst_slices": slices.worst(evaluation, report.point),
        "confident_errors": review.errors(evaluation, report.point, most=20),
    }


def _split_as_text(report: Report, name: str) -> str:
    evaluation, figures = report.evaluations[name], report.figures[name]
    patients = int(evaluation.clusters.max()) + 1
    lines = [
        f"{name}: {len(evaluation):,} films of {patients:,} patients, 95 % intervals",
        f"called: {report.point.sentence}",
    ]
    scopes = (*evaluation.classes, MACRO, WEIGHTED)
    width = max(len(scope) for scope in scopes)
    missing: dict[str, None] = {}
    for number, keys in enumerate(_BLOCKS):
        shown = [key for key in keys if any(key in figures[scope] for scope in scopes)]
        if not shown:
            continue
        titles = "".join(f"{GLOSSARY[key].title:>{_WIDTH}}" for key in shown)
        lines += ["", f"{'':>{width}}{titles}{'support':>9}" if not number else f"{'':>{width}}{titles}"]
        for scope in scopes:
            cells = [figures[scope].get(key) for key in shown]
            if not any(cells):
                continue
            missing.update({cell.note: None for cell in cells if cell and cell.note})
            row = f"{scope:>{width}}" + "".join(f"{_cell(cell):>{_WIDTH}}" for cell in cells)
            lines.append(row if number else f"{row}{_support(evaluation, scope):>9,}")
    lines.append("")
    for key, figure in figures[OVERALL].items():
        lines.append(f"{GLOSSARY[key].title:>{max(width, 22)}}{_cell(figure):>{_WIDTH}}")
        missing.update({figure.note: None} if figure.note else {})
    if missing:
        lines += ["", *(f"- {note}" for note in missing)]
    return "\n".join(lines)


def _cell(figure: Figure | None) -> str:
    return "-" if figure is None or not figure.defined else figure.text()


def _support(evaluation: Evaluation, scope: str) -> int:
    if scope not in evaluation.classes:
        return len(evaluation)
    return int((evaluation.labels == evaluation.classes.index(scope)).sum())
