"""The evaluation report as one HTML file: first the figures, then every item of CLAIM and TRIPOD+AI in order."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import pandas as pd

from core.evaluate import review, slices
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import Estimate
from core.report import evaluation_figures
from core.report.documents.checklist import ITEMS
from core.report.documents.page import page, plot, table, text
from core.report.documents.report import BLOCKS, DISCLAIMER, Report, confusion, doubted, errors, support

_TITLES = {key: term.title for key, term in GLOSSARY.items()} | {
    "p_called": "Probability of the call", "p_label": "Probability of the label",
}  # fmt: skip


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
    pooled = (f"<p>{text(report.summary)}</p>", *_parts(report))
    more = ("<h2>Slices</h2>", *_slices(report, plots=False), "<h2>Most confident errors</h2>", _errors(report))
    return page(f"{report.card.title}: checklist", (heading, *pooled, *_checklist(report), *tables, *more))


def _body(report: Report) -> Iterator[str]:
    evaluation, figures = report.evaluations[report.main], report.figures[report.main]
    yield f"<h1>{text(report.card.title)}</h1>"
    yield f'<p class="note">{DISCLAIMER} {text(report.card.all_limitations)}</p>'
    yield f"<p>{text(' '.join((report.summary, *report.how)))}</p>"
    yield from _parts(report)
    yield f"<h2>{text(report.main.capitalize())} films</h2>"
    yield from _tables(report, report.main)
    yield f"<h2>Confusion matrix</h2><p>Called by {text(report.point.title)}.</p>"
    yield plot(evaluation_figures.confusion(evaluation.confusion(report.point), evaluation.classes))
    yield _frame(confusion(evaluation, report.point).rename_axis("true class / called").reset_index())
    yield "<h2>ROC and precision-recall curves</h2>"
    per_class = {name: figures[name] for name in evaluation.classes}
    recalls = {name: (1 - group["specificity"].value, group["recall"].value) for name, group in per_class.items()}
    areas = {name: group["auroc"] for name, group in per_class.items()}
    yield plot(evaluation_figures.roc(evaluation.curves, areas, recalls))
    purities = {name: (group["recall"].value, group["precision"].value) for name, group in per_class.items()}
    areas = {name: group["average_precision"] for name, group in per_class.items()}
    yield plot(evaluation_figures.precision_recall(evaluation.curves, areas, purities))
    yield "<h2>Cumulative gains</h2>"
    yield plot(evaluation_figures.gains(evaluation.curves, per_class))
    yield "<h2>Calibration</h2>"
    yield plot(evaluation_figures.reliability(evaluation.reliability()))
    yield "<h2>Slices</h2>"
    yield from _slices(report)
    yield "<h2>Most confident errors</h2>"
    yield _errors(report)
    found, how = review.doubted(evaluation)
    yield f"<h2>Doubted labels</h2><p>{len(found):,} films, {text(how)}.</p>"
    yield _frame(doubted(evaluation, 20, report.names))
    for name in (name for name in report.evaluations if name != report.main):
        yield f"<h2>{text(name.capitalize())} films, for comparison</h2>"
        yield from _tables(report, name)
    if report.card.history:
        yield "<h2>Training</h2>"
        yield plot(evaluation_figures.history({report.card.name: report.card.history}))
    yield from _checklist(report)
    yield "<h2>What the figures mean</h2>"
    yield table(("Figure", "Meaning"), ((term.title, term.help) for term in GLOSSARY.values()))


def _tables(report: Report, split: str) -> Iterator[str]:
    figures, evaluation = report.figures[split], report.evaluations[split]
    for keys in BLOCKS:
        every: tuple[Scope, ...] = (*evaluation.classes, MACRO, WEIGHTED)
        scopes = [name for name in every if set(keys) & set(figures[name])]
        rows = ([f"{n} ({support(evaluation, n):,})", *(_cell(figures[n][key]) for key in keys)] for n in scopes)
        if scopes:
            yield table(["Films", *(_TITLES[key] for key in keys)], rows, ["", *(GLOSSARY[key].help for key in keys)])
    overall = figures[OVERALL]
    yield table(("All films", "Figure", "n"), ((_TITLES[k], f.text(), f"{f.n:,}") for k, f in overall.items()))


def _parts(report: Report) -> Iterator[str]:
    """What the headline pools, right below it."""
    if report.parts:
        yield "<h2>What these figures pool</h2>"
        yield _frame(pd.DataFrame([vars(part) for part in report.parts]))


def _errors(report: Report) -> str:
    found = errors(report, report.main)
    return _frame(found[["film", "label", "called", "p_called", "p_label"]])


def _slices(report: Report, plots: bool = True) -> Iterator[str]:
    evaluation = report.evaluations[report.main]
    columns = slices.columns(evaluation)
    if not columns:
        yield "<p>No column divides these films.</p>"
    for column in columns:
        rows = slices.slices(evaluation, column, report.point)
        whole = rows["accuracy"].iloc[0].value
        yield f"<h3>By {text(column)}</h3>"
        names = [f"{name} ({films:,})" for name, films in zip(rows["slice"], rows["films"], strict=True)]
        if plots:
            yield plot(evaluation_figures.forest(dict(zip(names, rows["accuracy"], strict=True)), "accuracy", whole))
        titles = {name: f"Sensitivity: {name}" for name in evaluation.classes} | {"auroc": f"Macro {_TITLES['auroc']}"}
        yield _frame(rows.rename(columns=titles))


def _checklist(report: Report) -> Iterator[str]:
    yield "<h2>Reporting checklist (CLAIM 2024, TRIPOD+AI)</h2>"
    for section, items in groupby(ITEMS, key=lambda item: item.section):
        yield f"<h3>{section}</h3>"
        rows = [(item.claim or "", item.tripod, item.asks, item.answer(report)) for item in items]
        yield table(("CLAIM", "TRIPOD+AI", "Item", "Answer"), rows)


def _frame(frame: pd.DataFrame) -> str:
    rows: Iterable[list[object]] = frame.to_numpy(dtype=object).tolist()
    return table(
        [_TITLES.get(str(name), str(name)) for name in frame.columns], ([_cell(value) for value in row] for row in rows)
    )


def _cell(value: object) -> object:
    if isinstance(value, Estimate):
        return (
            value.text().replace(", ", ",\u00a0")
            if value.bounded
            else f"{value.value:.3f} (too few)"
            if value.defined
            else "not defined"
        )
    return f"{value:.3f}" if isinstance(value, float) else value
