"""Report: how good the model is on films it did not learn from, with the uncertainty of every figure."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import EvaluationError
from core.evaluate import review, slices
from core.evaluate.estimates import MACRO, OVERALL, WEIGHTED, Figures
from core.evaluate.glossary import GLOSSARY
from core.evaluate.intervals import Figure
from core.evaluate.operating import OperatingPoint
from core.report import evaluation_figures
from core.report.document import Report, as_csv, as_json
from pages.shared import evaluations, judged, operating, resources, widgets
from pages.shared.case import current_cohort

if TYPE_CHECKING:
    from core.evaluate.evaluation import Evaluation
    from core.model.checkpoint import Card

OWN_FILMS, COHORT = "own", "cohort"
VIEWS = ("Figures", "Curves", "Calibration", "Slices", "Errors", "Doubtful labels", "Export")
LEADING = ("recall", "specificity", "precision", "npv", "auroc")  # of the class of interest
COLUMNS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision", "ppv_at", "npv_at")
EXAMPLES = 24  # errors and doubtful films shown


def films_judged(card: "Card") -> evaluations.Splits | None:
    """Which films: those kept beside the checkpoint, or the cohort of the sidebar."""
    cohort = current_cohort()
    titles = {OWN_FILMS: f"Its own: {card.data.get('name', 'unknown')}", COHORT: f"The sidebar's: {cohort.name}"}
    source = st.segmented_control(
        "Films", list(titles), default=OWN_FILMS, required=True, format_func=lambda name: titles[name],
        key="report films", persist_state="session",
    )  # fmt: skip
    if source == OWN_FILMS:
        return evaluations.own(card.name)
    model = resources.classifier(card.name)
    found = evaluations.made(model, cohort)
    if found is None and widgets.asked(f"Show {len(cohort):,} films to {card.title}", "play_arrow"):
        with widgets.progress("Showing films to the model", lambda: None) as report:
            return evaluations.make(model, cohort, report)
    return found


@widgets.part
def report(card: "Card", parts: evaluations.Splits) -> None:
    """Everything that follows from one operating point."""
    names = list(parts)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        usual = "test" if "test" in parts else names[-1]
        split = st.segmented_control(
            "Split", names, default=usual, required=True, key=f"split of {' '.join(names)}",
            help="Test: kept apart. Validation: tuned on. Train: learned from. New: of a cohort the model never met.",
        )  # fmt: skip
        target = operating.class_of_interest(card.classes)
        prevalence = operating.prevalence(target)
    point = operating.picker(card, target, parts.get("validation"))
    evaluation = parts[split]
    figures = evaluation.figures(point, prevalence)
    leading(figures, target, len(evaluation), int(evaluation.clusters.max()) + 1)
    view = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, label_visibility="collapsed", key="report view",
        persist_state="session",
    )  # fmt: skip
    left, right = st.columns([5, 6], gap="large")
    with left:
        matrix(evaluation, point)
    with right:
        if view == "Figures":
            table(evaluation, figures)
        elif view == "Curves":
            curves(evaluation, figures)
        elif view == "Calibration":
            calibration(evaluation, target, figures)
        elif view == "Slices":
            by_slice(evaluation, point)
        elif view == "Errors":
            errors(evaluation, point)
        elif view == "Doubtful labels":
            doubtful(evaluation, split)
        else:
            export(Report(card, parts, str(card.data.get("name", "")), point, prevalence), split)
    judged.cell(evaluation, point)


def leading(figures: Figures, target: str, films: int, patients: int) -> None:
    """The figures one looks at first."""
    chosen = {GLOSSARY[key].title: figures[target][key] for key in LEADING}
    chosen |= {GLOSSARY[key].title: figures[target][key] for key in ("ppv_at", "npv_at") if key in figures[target]}
    chosen |= {GLOSSARY[key].title: figures[OVERALL][key] for key in ("accuracy", "mcc")}
    with st.container(horizontal=True, gap="small"):
        for title, figure in chosen.items():
            with st.container(width=150, gap=None):
                st.metric(title, f"{figure.value:.3f}" if figure.defined else "–", help=figure.note or figure.help)
                st.caption(f"{figure.low:.3f} to {figure.high:.3f}" if figure.defined else figure.note)
    st.caption(
        f"{films:,} films of {patients:,} patients. Below each figure its 95 % interval. {target} against the rest."
    )


def matrix(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """The confusion matrix; a click on a cell, or the two pickers, choose the films shown below."""
    percent = st.toggle("Percent of the true class", key="percent")
    figure = evaluation_figures.confusion(evaluation.confusion(point), evaluation.classes, percent)
    classes = evaluation.classes
    state_key = f"matrix {len(classes)}"

    def choose() -> None:
        points: list[Any] = st.session_state[state_key]["selection"]["points"]
        if points:
            row, column = points[0]["customdata"]
            st.session_state.update({"cell label": classes[int(row)], "cell called": classes[int(column)]})

    st.plotly_chart(
        figure, key=state_key, on_select=choose, selection_mode="points", config=widgets.CHART,
        alt="Confusion matrix: films by true and called class",
    )  # fmt: skip
    with st.container(horizontal=True):
        for name, label in (("cell label", "Films that are"), ("cell called", "and were called")):
            if st.session_state.get(name) not in (None, *classes):
                st.session_state[name] = None
            st.selectbox(label, classes, None, key=name, width=170, placeholder="click a cell")


def table(evaluation: "Evaluation", figures: Figures) -> None:
    """The classification report."""
    shown = [key for key in COLUMNS if any(key in figures[name] for name in evaluation.classes)]
    rows = {
        scope: [_text(figures[scope].get(key)) for key in shown] for scope in (*evaluation.classes, MACRO, WEIGHTED)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[GLOSSARY[key].title for key in shown])
    frame.insert(
        0, "Films", [*np.bincount(evaluation.labels, minlength=len(evaluation.classes)), *[len(evaluation)] * 2]
    )
    help_ = {GLOSSARY[key].title: st.column_config.TextColumn(help=GLOSSARY[key].help) for key in shown}
    st.dataframe(frame, column_config=help_)
    overall = figures[OVERALL]
    frame = pd.DataFrame(
        {"All films": [GLOSSARY[k].title for k in overall], "Figure": [_text(f) for f in overall.values()]}
    )
    st.dataframe(frame.assign(Meaning=[GLOSSARY[key].help for key in overall]), hide_index=True)


def curves(evaluation: "Evaluation", figures: Figures) -> None:
    """ROC and precision-recall curves; a diamond marks where each class is called."""
    classes = evaluation.classes
    kind = st.segmented_control("Curve", ["ROC", "Precision-recall"], default="ROC", required=True, key="curve")
    if kind == "ROC":
        at = {c: (1 - figures[c]["specificity"].value, figures[c]["recall"].value) for c in classes}
        figure = evaluation_figures.roc(evaluation.curves, {c: figures[c]["auroc"] for c in classes}, at)
    else:
        at = {c: (figures[c]["recall"].value, figures[c]["precision"].value) for c in classes}
        areas = {c: figures[c]["average_precision"] for c in classes}
        figure = evaluation_figures.precision_recall(evaluation.curves, areas, at)
    st.plotly_chart(figure, key=kind, config=widgets.CHART, alt=f"{kind} curve of each class with 95 % bands")


def calibration(evaluation: "Evaluation", target: str, figures: Figures) -> None:
    """Whether probabilities come true."""
    of = st.segmented_control("Probability of", ["the class called", target], default="the class called", required=True)
    bins = evaluation.reliability(target if of == target else None)
    title = f"probability of {target}" if of == target else "confidence"
    st.plotly_chart(
        evaluation_figures.reliability(bins, title), key="reliability", config=widgets.CHART,
        alt="Reliability diagram with the films in each bin",
    )  # fmt: skip
    ece, floor = figures[OVERALL]["ece"], figures[OVERALL]["ece_floor"]
    st.caption(f"ECE {ece}; a perfectly calibrated model would show {floor} on so few films.")


def by_slice(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """The figures of parts of the films, and the worst parts."""
    columns = slices.columns(evaluation)
    if not columns:
        st.info("No column divides these films.")
        return
    column = st.selectbox("By", columns, width=220, key="slice by")
    rows = slices.slices(evaluation, column, point)
    names = [f"{name} ({films:,})" for name, films in zip(rows["slice"], rows["films"], strict=True)]
    accuracies = dict(zip(names, rows["accuracy"], strict=True))
    st.plotly_chart(
        evaluation_figures.forest(accuracies, "accuracy", rows["accuracy"].iloc[0].value), key="forest",
        config=widgets.CHART, alt=f"Accuracy by {column} with 95 % intervals",
    )  # fmt: skip
    st.dataframe(_readable(rows), hide_index=True)
    st.markdown("**Worst slices**")
    st.dataframe(_readable(slices.worst(evaluation, point)), hide_index=True)
    st.caption("Clear: even the upper end of the 95 % interval of the gap to all other films lies below 0.")


def errors(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """Wrong calls, the most confident first."""
    found = review.errors(evaluation, point, EXAMPLES)
    notes = [f"called {called} {p:.2f}" for called, p in zip(found["called"], found["p_called"], strict=True)]
    judged.grid(found, notes, "errors")


def doubtful(evaluation: "Evaluation", split: str) -> None:
    """Films whose label the model contradicts."""
    table, how = review.doubted(evaluation)
    st.caption(
        "Another class is more probable than the label, and as probable as on films that do carry it (confident "
        f"learning); {how}." + (" The model learned these labels, so it doubts few." if split == "train" else "")
    )
    found, names = table[:EXAMPLES], evaluation.classes
    notes = [f"rather {names[i]} (+{gap:.2f})" for i, gap in zip(found["suggested"], found["margin"], strict=True)]
    judged.grid(review.films(evaluation, found["row"].to_numpy()), notes, "doubtful")


def export(document: Report, split: str) -> None:
    """The report as files."""
    from core.report.document_html import as_html, checklist_html

    st.caption("Every split, every figure, at the operating point and prevalence chosen here.")
    for label, name, mime, make, about in (
        ("Report", "html", "text/html", as_html, "One page that opens anywhere: figures, curves, slices, checklist."),
        ("Checklist", "checklist.html", "text/html", checklist_html, "CLAIM and TRIPOD+AI, unknown items marked."),
        ("Figures", "csv", "text/csv", as_csv, "One line a figure."),
        ("Everything", "json", "application/json", as_json, "Figures, confusion, bins, slices, errors, card."),
    ):
        st.download_button(
            f"{label} .{name}", lambda make=make: make(document), f"{document.card.name}-{split}.{name}", mime,  # type: ignore[misc]
            on_click="ignore", icon=":material/download:", help=about,
        )  # fmt: skip


def _text(figure: Figure | None) -> str:
    return "" if figure is None else figure.text()


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Figures as text, glossary titles as headings."""
    cells = frame.map(lambda value: value.text() if isinstance(value, Figure) else value)
    return cells.rename(columns={key: term.title for key, term in GLOSSARY.items()})


widgets.heading(
    "Report", "How good the model is on films it did not learn from, and how sure one can be of each figure."
)
chosen = resources.cards()[st.session_state["model"]]
try:
    found = films_judged(chosen)
except EvaluationError as error:
    st.info(str(error), icon=":material/info:")
    found = None
if found:
    report(chosen, found)
