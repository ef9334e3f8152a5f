"""The evaluation report as one HTML file: first the figures, then every item of CLAIM and TRIPOD+AI in order."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pandas as pd

from core.evaluate import review, slices
from core.evaluate.estimates import MACRO, OVERALL, WEIGHTED
from core.evaluate.glossary import GLOSSARY
from core.evaluate.intervals import Figure
from core.report import evaluation_figures
from core.report.document import DISCLAIMER, Report
from core.report.document_checklist import ITEMS
from core.report.document_page import page, plot, table, text

_COLUMNS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision", "ppv_at", "npv_at")


def as_html(report: Report) -> str:
    """Self-contained: opens without a network, prints, and can be mailed."""
    return page(f"{report.card.title}: evaluation", _body(report), scripts=True)


def checklist_html(report: Report) -> str:
    """The items of CLAIM and TRIPOD+AI alone, and the tables they point to."""
    tables = (
        part
        for name in report.evaluations
        for part in (f"<h2>{text(name.capitalize())} films</h2>", *_tables(report, name))
    )
    heading = f"<h1>{text(report.card.title)}</h1><p class='note'>{DISCLAIMER}</p>"
    return page(f"{report.card.title}: checklist", (heading, *_checklist(report), *tables))


def _body(report: Report) -> Iterator[str]:
    evaluation, figures = report.evaluations[report.main], report.figures[report.main]
    yield f"<h1>{text(report.card.title)}</h1>"
    yield f'<p class="note">{DISCLAIMER} {text(report.card.limitations)}</p>'
    yield f"<p>{text(report.cohort)}. Called: {text(report.point.sentence)}. Figures carry 95 % intervals.</p>"
    for name in report.evaluations:
        yield f"<h2>{text(name.capitalize())} films</h2>"
        yield from _tables(report, name)
    yield f"<h2>Confusion matrix ({text(report.main)})</h2>"
    yield plot(evaluation_figures.confusion(evaluation.confusion(report.point), evaluation.classes))
    yield "<h2>ROC and precision-recall curves</h2>"
    per_class = {name: figures[name] for name in evaluation.classes}
    recalls = {name: (1 - group["specificity"].value, group["recall"].value) for name, group in per_class.items()}
    areas = {name: group["auroc"] for name, group in per_class.items()}
    yield plot(evaluation_figures.roc(evaluation.curves, areas, recalls))
    purities = {name: (group["recall"].value, group["precision"].value) for name, group in per_class.items()}
    areas = {name: group["average_precision"] for name, group in per_class.items()}
    yield plot(evaluation_figures.precision_recall(evaluation.curves, areas, purities))
    yield "<h2>Calibration</h2>"
    yield plot(evaluation_figures.reliability(evaluation.reliability()))
    yield "<h2>Slices</h2>"
    yield from _slices(report)
    yield "<h2>Most confident errors</h2>"
    errors = review.errors(evaluation, report.point, most=20)
    yield _frame(errors[["film", "label", "called", "p_called", "p_label"]])
    if report.card.history:
        yield "<h2>Training</h2>"
        yield plot(evaluation_figures.history({report.card.name: report.card.history}))
    yield from _checklist(report)
    yield "<h2>What the figures mean</h2>"
    yield table(("Figure", "Meaning"), ((term.title, term.help) for term in GLOSSARY.values()))


def _tables(report: Report, split: str) -> Iterator[str]:
    figures, classes = report.figures[split], report.evaluations[split].classes
    shown = [key for key in _COLUMNS if any(key in figures[name] for name in classes)]
    titles = ["", *(GLOSSARY[key].title for key in shown)]
    rows = ([scope, *(_cell(figures[scope].get(key, "")) for key in shown)] for scope in (*classes, MACRO, WEIGHTED))
    yield table(titles, rows, ["", *(GLOSSARY[key].help for key in shown)])
    overall = figures[OVERALL]
    yield table(("All films", "Figure", "n"), ((GLOSSARY[k].title, f.text(), f"{f.n:,}") for k, f in overall.items()))


def _slices(report: Report) -> Iterator[str]:
    evaluation = report.evaluations[report.main]
    columns = slices.columns(evaluation)
    if not columns:
        yield "<p>No column divides these films.</p>"
    for column in columns:
        rows = slices.slices(evaluation, column, report.point)
        whole = rows["accuracy"].iloc[0].value
        yield f"<h3>By {text(column)}</h3>"
        names = [f"{name} ({films:,})" for name, films in zip(rows["slice"], rows["films"], strict=True)]
        yield plot(evaluation_figures.forest(dict(zip(names, rows["accuracy"], strict=True)), "accuracy", whole))
        yield _frame(rows)


def _checklist(report: Report) -> Iterator[str]:
    yield "<h2>Reporting checklist (CLAIM 2024, TRIPOD+AI)</h2>"
    for section, items in groupby(ITEMS, key=lambda item: item.section):
        yield f"<h3>{section}</h3>"
        rows = [(item.claim, item.tripod, item.asks, item.answer(report)) for item in items]
        yield table(("CLAIM", "TRIPOD+AI", "Item", "Answer"), rows)


def _frame(frame: pd.DataFrame) -> str:
    rows: Iterable[list[object]] = frame.to_numpy(dtype=object).tolist()
    return table([str(name) for name in frame.columns], ([_cell(value) for value in row] for row in rows))


def _cell(value: object) -> object:
    if isinstance(value, Figure):
        return value.text().replace(", ", ",\u00a0")
    return f"{value:.3f}" if isinstance(value, float) else value
