"""The end of a quiz: the cases that the reader or the model missed, with the model's map and the truth; and the CSV."""

import numpy as np
import streamlit as st

from core.report import overlay
from core.report.outputs import export_name
from pages.shared import resources, viewer
from pages.shared.case import Case
from pages.shared.quiz import answers, asking
from pages.shared.quiz.answers import Answer


def show(cases: list[Case], given: list[Answer]) -> None:
    """The misses, and everything as CSV."""
    missed = [(case, answer) for case, answer in zip(cases, given, strict=True) if answer.missed]
    changed = sum(answer.said.final != answer.said.reader for answer in given)
    films = ", ".join(asking.in_words(answer.label) for _, answer in missed)
    st.markdown(
        f"**{len(missed)} of {len(given)} cases were missed by you or the model**{': ' + films if films else ''}. "
        f"After the model's answer you changed yours {changed} times."
    )
    ids = [case.film.sha256 for case in cases]
    name = export_name("quiz", "csv", cases[0].cohort.name, cases[0].model.card.name)
    csv = answers.as_csv(given, ids)
    st.download_button("Answers .csv", csv, name, "text/csv", icon=":material/download:", on_click="ignore")
    with st.grid("auto", min_column_width=220, gap="small"):
        for case, answer in missed:
            with st.container(gap="xxsmall"):
                st.image(picture(case, answer), width="stretch", alt=f"Film {answer.row + 1} with map, boxes and truth")
                reader, model, truth = map(asking.in_words, (answer.reader, answer.model, answer.label))
                st.markdown(f"Truth: **{truth}**. You: {reader}, {answer.said.sure}. Model: {model}.")
    if missed:
        st.caption("Heatmap: of the class the model calls. Green: the known region. Yellow: your boxes.")


def picture(case: Case, answer: Answer) -> np.ndarray:
    """The film with the model's map, the truth and the reader's boxes, RGB uint8 (n S, n S, 3)."""
    map_ = resources.heatmaps(case.model, case.film)[case.prediction.label]
    view = viewer.View(case.prediction.picture, map_, "", truth=case.truth)
    image = viewer.draw(view, viewer.Drawing(overlay.Style(0.6), truth=True), map_.top)
    if answer.said.boxes:
        boxes = answers.mask(answer.said.boxes, case.model.preprocess.size)
        image = overlay.outline(image, overlay.enlarge(boxes, viewer.SIDE), overlay.BOX)
    return image
