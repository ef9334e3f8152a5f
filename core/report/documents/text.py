"""The printed report: laid out as scikit-learn's ``classification_report``, plus the intervals; one part per split.

Below the split that counts stand the confusion matrix, the bins of the calibration error, and the slices and films that
deserve a look.
"""

from collections.abc import Iterator

import pandas as pd

from core.evaluate import review, slices
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import Estimate
from core.report.documents.report import BLOCKS, Report, confusion, doubted, patients, support

_WIDTH = 24  # of a column of printed figures
_MOST = 5  # slices and films named


def as_text(report: Report) -> str:
    """Every split, then what stands out in the one that counts."""
    parts = [_split_as_text(report, name) for name in report.evaluations]
    if report.parts:
        how = f"called by {report.point.title}; AUROC over the classes that a part has"
        pooled = f"What the headline pools ({report.main}; {how})"
        parts.append(
            f"{pooled}\n" + _table(pd.DataFrame([vars(part) for part in report.parts]).drop(columns="patients"))
        )
    return "\n\n\n".join([*parts, "\n\n".join(_details(report))])


def _details(report: Report) -> Iterator[str]:
    evaluation, name = report.evaluations[report.main], report.main
    rule = f"called by {report.point.title}"
    yield f"Confusion matrix ({name}; rows: true class, columns: {rule}; films and percent of the row)\n" + _table(
        confusion(evaluation, report.point), index=True
    )
    bins = evaluation.reliability()
    yield f"Calibration ({name}; by confidence)\n" + _table(bins[bins["n"] > 0])
    worst = slices.worst(evaluation, report.point, most=_MOST)
    if len(worst):
        clear = "clear: more than chance, for all slices looked at together"
        yield f"Slices called right less often than the other films ({name}; {clear})\n" + _table(worst)
    errors = review.errors(evaluation, report.point, most=_MOST)
    if len(errors):
        yield f"Most confident errors ({name})\n" + _table(errors[["film", "label", "called", "p_called", "p_label"]])
    found, how = review.doubted(evaluation)
    if len(found):
        yield f"{len(found):,} labels are doubted ({name})\n{how}\n" + _table(doubted(evaluation, _MOST))


def _table(frame: pd.DataFrame, index: bool = False) -> str:
    return frame.map(lambda cell: cell.text() if isinstance(cell, Estimate) else cell).to_string(
        index=index, float_format=lambda value: f"{value:.3f}"
    )


def _split_as_text(report: Report, name: str) -> str:
    evaluation, figures = report.evaluations[name], report.figures[name]
    lines = [
        f"{name}: {len(evaluation):,} films of {patients(evaluation):,} patients, 95 % intervals",
        *report.how,
    ]
    scopes: tuple[Scope, ...] = (*evaluation.classes, MACRO, WEIGHTED)
    width = max(len(str(scope)) for scope in scopes)
    missing: dict[str, None] = {}
    for number, keys in enumerate(BLOCKS):
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
            lines.append(row if number else f"{row}{support(evaluation, scope):>9,}")
    lines.append("")
    for key, figure in figures[OVERALL].items():
        lines.append(f"{GLOSSARY[key].title:>{max(width, 22)}}{_cell(figure):>{_WIDTH}}")
        missing.update({figure.note: None} if figure.note else {})
    if missing:
        lines += ["", *(f"- {note}" for note in missing)]
    return "\n".join(lines)


def _cell(figure: Estimate | None) -> str:
    return (
        "-"
        if figure is None or not figure.defined
        else figure.text()
        if figure.bounded
        else f"{figure.value:.3f} (too few)"
    )
