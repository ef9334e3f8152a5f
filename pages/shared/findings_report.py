"""The report's part on all findings together: their figures, whole films, what occurs together, files."""

import streamlit as st

from core.evaluate.glossary import GLOSSARY, OF_FINDINGS
from core.report import findings_figures
from core.report.documents import findings as documents
from core.report.documents.findings import FindingsReport
from pages.shared import evaluations, state, widgets

KNOWN = "Only films of which it is known whether the finding is there."
VIEWS = ("Figures", "AUROC", "2 x 2", "Present together", "Called together", "Files")


def picker(parts: evaluations.Splits) -> str:
    """The finding that the rest of the page is about; only those that some films show and some lack."""
    evaluation = next(iter(parts.values()))
    judged = [name for name in evaluation.classes if any(name in part.judged for part in parts.values())]
    names = judged or list(evaluation.classes)
    state.choose("class", names, lambda: names[0])
    return str(st.selectbox("Finding", names, key="class", width=260))


def overview(report: FindingsReport) -> None:
    """One view at a time of all findings, on the split that counts or another."""
    st.header("All findings", anchor=False)
    splits = list(report.evaluations)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control(
            "All findings", VIEWS, default=VIEWS[0], required=True, key="findings view", persist_state="session"
        )
        split = str(st.selectbox("Films", splits, splits.index(report.main), key=f"films {splits}", width=160))
    evaluation, pooled = report.evaluations[split], report.pooled[split]
    if view == "Figures":
        widgets.table(documents.frame(report, split), hide_index=True, key="all findings")
        with st.container(horizontal=True, gap="small"):
            for key, figure in pooled.films.items():
                with st.container(width=190, gap=None):
                    st.metric(OF_FINDINGS[key].title, f"{figure.value:.3f}", help=OF_FINDINGS[key].help)
                    st.caption(figure.limits())
    elif view == "AUROC":
        areas = {name: report.figures[split][name]["auroc"] for name in evaluation.judged}
        st.plotly_chart(
            findings_figures.by_finding(areas, GLOSSARY["auroc"].title), key="areas", config=widgets.CHART,
            alt="AUROC of each finding with its 95 % interval and the films known",
        )  # fmt: skip
    elif view == "2 x 2":
        widgets.table(documents.two_by_two(evaluation), hide_index=True, key="two by two")
    elif view == "Files":
        files(report)
    else:
        what = "present" if view == "Present together" else "called"
        share = evaluation.together(evaluation.targets if what == "present" else evaluation.called())
        st.plotly_chart(
            findings_figures.together(share, what), key="together", config=widgets.CHART,
            alt=f"Of the films with one finding {what}, the share with another one {what}",
        )  # fmt: skip
        st.caption("A row: of the films with that finding, how many have the one in the column as well.")
    st.caption(" ".join(report.says(split)))


def files(report: FindingsReport) -> None:
    """The report of all findings as files."""
    for label, ending, mime, make in (
        ("Report", "html", "text/html", documents.as_html),
        ("Figures", "csv", "text/csv", documents.as_csv),
        ("Everything", "json", "application/json", documents.as_json),
    ):
        st.download_button(
            f"{label} .{ending}", lambda make=make: make(report), f"{report.card.name}-{label.lower()}.{ending}",  # type: ignore[misc]
            mime, on_click="ignore", icon=":material/download:",
        )  # fmt: skip
