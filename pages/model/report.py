"""Report: how good the model is on films it did not learn from, with the uncertainty of every figure."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.data.cohort import JOIN
from core.errors import EvaluationError
from core.evaluate import review
from core.evaluate.estimates import Figures
from core.evaluate.operating import OperatingPoint
from core.evaluate.scopes import OVERALL
from core.model import matching
from core.report import evaluation_figures
from core.report.documents.findings import FindingsReport
from core.report.documents.report import Report, as_csv, as_json, patients_in_words
from core.report.outputs import export_name
from pages.shared import (
    evaluated_films,
    evaluations,
    exports,
    findings_report,
    frame,
    operating,
    resources,
    state,
    tables,
    widgets,
)
from pages.shared.case import current_cohort, kinship
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.evaluate.evaluation import Evaluation
    from core.model.card import Card

OWN_FILMS, COHORT = "own", "cohort"
VIEWS = ("Figures", "Curves", "Calibration", "Sets", "Slices", "Errors", "Doubtful labels", "Export")
CURVES = ("ROC", "Precision-recall", "Cumulative gains")
EXAMPLES = 24  # errors and doubtful films shown


def films_judged(card: "Card") -> tuple[evaluations.Splits | None, str]:
    """Which films: those kept beside the checkpoint, or the cohort of the sidebar; and their cohort's name."""
    cohort, own = current_cohort(), str(card.data.get("name", "unknown"))
    parts = len(own.split(JOIN))
    titles = {
        OWN_FILMS: f"Its own: {plain(own)}" if parts == 1 else f"Its own, from {parts} collections",
        COHORT: f"The sidebar's: {plain(cohort.name)}",
    }
    spec = st.session_state["cohort"]
    usual = OWN_FILMS if kinship(card, spec) == matching.OWN else COHORT  # what the sidebar shows is what is meant
    state.belongs_to("films", (card.name, spec))
    state.choose("films", titles, lambda: usual)
    with frame.aside("Films", "photo_library"):
        source = st.segmented_control(
            "Films", list(titles), required=True, format_func=lambda name: titles[name],
            key="films", persist_state="session", wrap=True,
            help=f"Its own: those it was trained and judged on ({plain(own)}), with what was measured then. The "
            "sidebar's: any cohort, which the model is shown here.",
        )  # fmt: skip
    if source == OWN_FILMS:
        return evaluations.own(card.name), own
    model = resources.classifier(card.name)
    found = evaluations.made(model, cohort)
    if found is None:
        films = len(evaluations.with_training_splits(model, cohort))
        if widgets.asked(f"Show {films:,} films to {card.title}", "play_arrow"):
            with widgets.progress("Showing films to the model", lambda: None) as report:
                found = evaluations.make(model, cohort, report)
    return found, cohort.name


@widgets.part
def report(card: "Card", parts: evaluations.Splits, cohort: str) -> None:
    """Everything that follows from one operating point; of a model of several findings, one finding at a time."""
    finding = ""
    if not card.exclusive:
        together(card, parts, cohort)
        finding = findings_report.picker(parts)
        parts = {name: e.of(finding) for name, e in parts.items() if finding in e.judged}
        if not parts:
            st.info(f"No film shows {finding} and no other lacks it, so it cannot be judged.")
            return
    names = list(parts)
    with (
        frame.aside("Split and class", "tune"),
        st.container(horizontal=True, vertical_alignment="bottom", gap="medium"),
    ):
        usual = "test" if "test" in parts else names[-1]
        state.belongs_to("split", tuple(names))
        state.choose("split", names, lambda: usual)
        split = st.segmented_control(
            "Split", names, required=True, key="split", persist_state="session",
            help="Test: kept apart. Validation: tuned on. Train: learned from. "
            "New: films it never met, of a collection it knows. External: of another collection.",
        )  # fmt: skip
        target = finding or operating.class_of_interest(card.classes)
        prevalence = operating.prevalence(target)
    point = operating.picker(card, target, evaluations.validation(card.name, finding))
    split = split or usual  # a session may bring nothing
    evaluation = parts[split]
    figures = evaluation.figures(point, prevalence)
    tables.leading(figures, target, prevalence)
    with frame.aside("What these figures are of", "info"):
        st.caption(
            f"{len(evaluation):,} films of {patients_in_words(evaluation)}. Below each figure its 95 % interval. "
            + (findings_report.KNOWN if finding else f"{target} against the rest; accuracy and MCC over all classes.")
            + f" Called: {plain(point.sentence, longest=600)}."
        )
        tables.pooled(evaluation, point)
    state.choose("report view", VIEWS, lambda: VIEWS[0])
    view = st.segmented_control(
        "View", VIEWS, required=True, label_visibility="collapsed", key="report view",
        persist_state="session",
    )  # fmt: skip
    left, right = st.columns([5, 6], gap="large")
    with left:
        matrix(evaluation, point)
    with right:
        if view == "Figures":
            tables.overall(figures)
        elif view == "Curves":
            curves(evaluation, figures)
        elif view == "Calibration":
            calibration(evaluation, target, figures, point, bool(finding))
        elif view == "Sets" and finding:
            st.info("Prediction sets are of exclusive classes; a model of several findings has none.")
        elif view == "Sets":
            tables.prediction_sets(card, evaluation)
        elif view == "Slices":
            tables.by_slice(evaluation, point)
        elif view == "Errors":
            errors(evaluation, point)
        elif view == "Doubtful labels":
            doubtful(evaluation, split)
        elif finding:
            st.caption("Every finding, every split: in the files above.")
        else:
            export(Report(card, parts, cohort, point, prevalence, names=exports.names_wanted()))
    evaluated_films.cell(evaluation, point)
    if view == "Figures":
        tables.by_class(evaluation, figures)


def together(card: "Card", parts: evaluations.Splits, cohort: str) -> None:
    """All findings at once, before one of them is looked at."""
    findings_report.overview(FindingsReport(card, parts, cohort))


def matrix(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """The confusion matrix; a click on a cell, or the two pickers, choose the films shown below."""
    percent = st.toggle("Percent of the true class", key="percent", persist_state="session")
    figure = frame.fitted(evaluation_figures.confusion(evaluation.confusion(point), evaluation.classes, percent), 250)
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
            state.choose(name, (None, *classes), lambda: None)
            st.selectbox(
                label, classes, None, key=name, width="stretch", placeholder="click a cell", persist_state="session"
            )


def curves(evaluation: "Evaluation", figures: Figures) -> None:
    """ROC, precision-recall and cumulative gains curves; a diamond marks where each class is called."""
    classes = evaluation.classes
    state.choose("report curve", CURVES, lambda: CURVES[0])
    kind = st.segmented_control("Curve", CURVES, required=True, key="report curve", persist_state="session")
    if kind == "ROC":
        at = {c: (1 - figures[c]["specificity"].value, figures[c]["recall"].value) for c in classes}
        figure = evaluation_figures.roc(evaluation.curves, {c: figures[c]["auroc"] for c in classes}, at)
    elif kind == "Cumulative gains":
        figure = evaluation_figures.gains(evaluation.curves, {c: figures[c] for c in classes})
        lifts = {c: evaluation.curves[c].lift(0.1) for c in classes}
        told = "; ".join(
            f"{c} {lift:.1f} [{low:.1f}, {high:.1f}]" for c, (lift, low, high) in lifts.items() if lift == lift
        )
        st.caption(
            f"Lift, how many times as many films of a class as by chance are in the tenth likeliest of it: {told}. "
            "Dotted: the best possible order. The lift depends on how common the class is here."
        )
    else:
        at = {c: (figures[c]["recall"].value, figures[c]["precision"].value) for c in classes}
        areas = {c: figures[c]["average_precision"] for c in classes}
        figure = evaluation_figures.precision_recall(evaluation.curves, areas, at)
    st.plotly_chart(figure, key=kind, config=widgets.CHART, alt=f"{kind} curve of each class with 95 % bands")


def calibration(
    evaluation: "Evaluation", target: str, figures: Figures, point: OperatingPoint, alone: bool = False
) -> None:
    """Whether probabilities come true; a line marks the operating point of the class or finding of interest."""
    likeliest = "the most likely class"
    of = target
    if not alone:
        state.choose("probability of", (likeliest, target), lambda: likeliest)
        chosen = st.segmented_control(
            "Probability of", [likeliest, target], key="probability of", required=True, format_func=plain
        )
        of = chosen or likeliest
    bins = evaluation.reliability(target if of == target else None)
    title = f"probability of {target}" if of == target else "confidence"
    line_at = point.probability if of == target == point.target else None
    st.plotly_chart(
        evaluation_figures.reliability(bins, title, line_at), key="reliability", config=widgets.CHART,
        alt="Reliability diagram with the films in each bin",
    )  # fmt: skip
    ece, floor = figures[OVERALL]["ece"], figures[OVERALL]["ece_floor"]
    which = "of present or absent, whichever is likelier" if alone else "of the most likely class"
    st.caption(
        f"ECE (mean gap between confidence and truth, {which}) {ece}; a perfectly calibrated model would show {floor} "
        "on so few films."
    )


def errors(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """Wrong calls, the most confident first."""
    found, wrong = review.errors(evaluation, point, EXAMPLES), len(evaluation) - evaluation.confusion(point).trace()
    st.caption(f"{len(found):,} of {wrong:,} films called wrongly, the most confident calls first.")
    notes = [f"called {called} {p:.2f}" for called, p in zip(found["called"], found["p_called"], strict=True)]
    evaluated_films.grid(found, notes, "errors", with_maps=True)


def doubtful(evaluation: "Evaluation", split: str) -> None:
    """Films whose label the model contradicts."""
    table, how = review.doubted(evaluation)
    few = " The model learned these labels, so it doubts few." if split == "train" else ""
    st.caption(
        f"{min(len(table), EXAMPLES):,} of {len(table):,} films. Another class is more probable than the label, and as "
        f"probable as on films that do carry it (confident learning); {how}.{few}"
    )
    found, names = table[:EXAMPLES], evaluation.classes
    notes = [f"rather {names[i]} (+{gap:.2f})" for i, gap in zip(found["suggested"], found["margin"], strict=True)]
    evaluated_films.grid(review.films(evaluation, found["row"].to_numpy()), notes, "doubtful")


def export(document: Report) -> None:
    """The report as files."""
    from core.report.documents.html import as_html, checklist_html

    st.caption("Every split, every figure, at the operating point and prevalence chosen here.")
    exports.ask_for_names()
    for label, ending, mime, make, about in (
        ("Report", "html", "text/html", as_html, "One page that opens anywhere: figures, curves, slices, checklist."),
        ("Checklist", "html", "text/html", checklist_html, "CLAIM and TRIPOD+AI, unknown items marked."),
        ("Figures", "csv", "text/csv", as_csv, "One line per figure."),
        ("Everything", "json", "application/json", as_json, "Figures, confusion, bins, slices, errors, card."),
    ):
        file = export_name(label, ending, document.cohort or "own films", document.card.name)
        st.download_button(
            f"{label} .{ending}", lambda make=make: make(document), file, mime,  # type: ignore[misc]
            on_click="ignore", icon=":material/download:", help=about,
        )  # fmt: skip


widgets.heading(
    "Report", "How good the model is on films it did not learn from, and how sure one can be of each figure."
)
chosen = resources.cards()[st.session_state["model"]]
try:
    found, cohort_name = films_judged(chosen)
except EvaluationError as error:
    st.info(plain(error, longest=600), icon=":material/info:")
    found = None
if found:
    report(chosen, found, cohort_name)
