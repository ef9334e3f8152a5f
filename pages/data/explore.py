"""Explore: the cohort before any model is believed: films, counts, distributions, means, map, likeness, audit."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.data.cohort import SPLITS
from core.explain import embeddings
from core.report import cohort_figures, overlay
from pages.shared import cohort_table, filters, gallery, overview, resources, state, widgets
from pages.shared.case import Case, current, current_cohort

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

VIEWS = {
    "films": "Films",
    "counts": "Counts",
    "table": "Table",
    "distributions": "Distributions",
    "means": "Mean films",
    "map": "Map",
    "similar": "Similar films",
    "audit": "Audit",
}
SAMPLE, MAPPED = 400, 1500  # films measured for distributions, and on the map
AUDIT_MARKS = {True: ("check_circle", "green"), False: ("cancel", "red"), None: ("help", "gray")}
COLOURS = ("label", "called", "error", "source", "split")


def films(rows: np.ndarray) -> None:
    """Thumbnails."""
    gallery.grid(spec, cohort, rows, "films")


def counts(rows: np.ndarray) -> None:
    """How many films of what: by split and by every column that could give the label away."""
    table = cohort.samples.iloc[rows]
    order = [name for name in cohort.classes if name in set(table["label"])]
    by_split = pd.crosstab(table["label"], table["split"])
    by_split = by_split.reindex(index=order, columns=[split for split in SPLITS if split in by_split])
    st.plotly_chart(
        cohort_figures.counts(by_split, "films"),
        key="split counts",
        config=widgets.CHART,
        alt="Films by label and split",
    )
    others = [
        column
        for column in filters.columns(cohort)
        if column not in ("label", "split") and 1 < table[column].nunique() <= filters.FEW
    ]
    if others:
        column = st.selectbox(
            "Against",
            others,
            index=others.index("source") if "source" in others else 0,
            width=240,
            help="If a column nearly decides the label, a model can learn the column instead of the disease.",
        )
        against = pd.crosstab(table["label"], table[column].replace("", "unknown")).reindex(order)
        st.plotly_chart(
            cohort_figures.counts(against, "films"),
            key="against",
            config=widgets.CHART,
            alt=f"Films by label and {column}",
        )
    st.dataframe(by_split.assign(all=by_split.sum(axis=1)).rename(columns={"": "no split"}))


def distributions(rows: np.ndarray) -> None:
    """Brightness, contrast and size, by class: what a model could use without looking at a lung."""
    measured = thinned(rows, SAMPLE)
    with widgets.progress("Measuring films", _back_to_films) as progress:
        values = []
        for number, row in enumerate(measured):
            progress(number / len(measured))
            values.append(overview.measures(spec, row))
    frame = pd.DataFrame(values).assign(label=cohort.samples["label"].to_numpy()[measured])
    if "age" in filters.columns(cohort):
        frame["age"] = cohort.samples["age"].to_numpy()[measured]
    if len(measured) < len(rows):
        st.caption(f"Of {len(measured)} evenly chosen films of {len(rows):,}.")
    numbers = [column for column in frame if column != "label" and frame[column].nunique() > 1]
    alike = [column for column in frame if column != "label" and frame[column].nunique() == 1]
    if alike:
        st.caption("The same on every film: " + ", ".join(f"{name} {frame[name].iat[0]:g}" for name in alike) + ".")
    for start in range(0, len(numbers), 2):
        for place, column in zip(st.columns(2), numbers[start : start + 2], strict=False):
            groups = {
                name: found for name in cohort.classes if (found := frame[column][frame["label"] == name].tolist())
            }
            figure = cohort_figures.distribution(groups, str(column))
            place.plotly_chart(figure, key=f"distribution {column}", config=widgets.CHART, alt=f"{column} by class")


def means(rows: np.ndarray) -> None:
    """The mean film of each class, and where two of them differ."""
    labels = cohort.samples["label"].to_numpy()
    found = {}
    with widgets.progress("Averaging films", _back_to_films) as progress:
        for number, name in enumerate(cohort.classes):
            progress(number / len(cohort.classes))
            of_class = thinned(rows[labels[rows] == name], 100)
            if of_class:
                found[name] = overview.mean_film(spec, tuple(of_class)), len(of_class)
    for place, (name, (mean, count)) in zip(st.columns(max(len(found), 2)), found.items(), strict=False):
        place.image(
            mean.astype(np.uint8), width="stretch", caption=f"{name}, mean of {count}", alt=f"Mean film of {name}"
        )
    if len(found) < 2:
        return
    names = list(found)
    with st.container(horizontal=True):
        first = st.selectbox("Difference of", names, width=200)
        second = st.selectbox("and", [name for name in names if name != first], width=200)
    difference = found[first][0] - found[second][0]
    st.image(
        signed_picture(difference),
        width=360,
        alt=f"Where {first} and {second} differ",
        caption=f"Orange: {first} is brighter, blue: {second}; full colour: {np.abs(difference).max():.0f} grey levels",
    )


def film_map(rows: np.ndarray) -> None:
    """Every film a point; films that the model finds alike lie together."""
    case, chosen = current(), thinned(rows, MAPPED)
    found = scored(case, chosen)
    if found is None:
        return
    with st.container(horizontal=True):
        method = st.segmented_control(
            "Projection", ["PCA", "UMAP"], default="PCA", required=True, key="projection",
            help="PCA keeps distances, UMAP neighbours; its first run takes up to a minute.",
        )  # fmt: skip
        colour = st.selectbox("Colour", COLOURS, width=160)
    known_by = found.matrix(chosen), method
    points = widgets.in_background(
        "Projecting", lambda: st.session_state.update(projection="PCA"), lambda: overview.projection(*known_by)
    )
    group = grouping(case, found, chosen, colour)
    hover = [f"film {row + 1}: {cohort.samples['label'].iat[row]}" for row in chosen]
    lasso(cohort_figures.film_map(points, chosen, group, hover, colour), f"Map of films coloured by {colour}")


@widgets.part
def lasso(figure: "Figure", alt: str) -> None:
    """The map, and below it the films that were picked on it."""
    event = st.plotly_chart(
        figure, key="map", config=widgets.VIEWER, on_select="rerun", selection_mode=("box", "lasso"), alt=alt
    )
    picked = sorted({int(_first(point["customdata"])) for point in event["selection"]["points"]})
    st.caption("Draw a lasso round films to see them.")
    if picked:
        st.button(f"Select these {len(picked):,} films", on_click=_select, args=(picked,))
        gallery.grid(spec, cohort, picked, "lasso")


def grouping(case: Case, found: embeddings.Atlas, rows: list[int], colour: str) -> list[str]:
    """What each film of the map is coloured by."""
    if colour in cohort.samples:
        return [str(value) or "unknown" for value in cohort.samples[colour].to_numpy()[rows]]
    called = [case.model.classes[index] for index in case.model.decide(found.probabilities(rows))]
    if colour == "called":
        return called
    from core.evaluate.scoring import class_of_label

    meaning = class_of_label(case.model, cohort.classes)
    labels = [meaning.get(label) for label in cohort.samples["label"].to_numpy()[rows]]
    verdicts = {True: "right", False: "wrong"}
    return [
        "a label the model does not know" if label is None else verdicts[call == label]
        for call, label in zip(called, labels, strict=True)
    ]


def similar(rows: np.ndarray) -> None:
    """Films the model finds most like the case."""
    case = current()
    found = scored(case, thinned(rows, MAPPED))
    if found is None:
        return
    feature = embeddings.embed(case.model, [case.film])[0][0]
    nearest = found.nearest(feature, 18, case.row)
    left, right = st.columns([1, 4])
    name = f"film {case.row + 1}, {case.label}" if case.row is not None else case.film.name
    left.image(resources.small(case.film.pixels, 240), width="stretch", caption=f"The case: {name}", alt="The case")
    st.caption("Likeness compares what the model's last layer makes of two films: 1 is the same.")
    with right:
        gallery.grid(
            spec, cohort, [row for row, _ in nearest], "similar", [f"likeness {value:.3f}" for _, value in nearest]
        )


def audit(rows: np.ndarray) -> None:
    """Leaks and confounds, each with its films side by side."""
    key = resources.fingerprint(spec), rows.tobytes()
    st.caption(f"Duplicates, leaks between splits, and what gives the label away, in the {len(rows):,} selected films.")
    if st.session_state.get("_audited") != key:
        if not widgets.asked("Audit these films", "fact_check"):
            return
        st.session_state["_audited"] = key
    wanted = spec, tuple(int(row) for row in rows)
    found = widgets.in_background("Auditing: every film is read once", _stop_audit, lambda: overview.audit(*wanted))
    numbers = {identity: row for row, identity in enumerate(cohort.samples["film_id"])}
    for finding in found.findings:
        icon, colour = AUDIT_MARKS[finding.passed]
        sentence = f":{colour}[:material/{icon}:] **{finding.title}.** {finding.sentence}"
        shown = [numbers[name] for name in finding.films if name in numbers]
        if shown:
            with st.expander(sentence):
                gallery.grid(spec, cohort, shown, f"audit {finding.key}")
        else:
            st.container(border=True).markdown(f":small[{sentence}]")


def scored(case: Case, rows: list[int]) -> embeddings.Atlas | None:
    """The atlas with these rows scored; None until the visitor asks for work that takes long."""
    found = overview.atlas_of(case.model, spec)
    missing = len(found.missing(rows))
    if missing:
        sentence = f"{missing:,} films have to be shown to {case.model.card.title} first."
        if not widgets.asked("Show them", "play_arrow", sentence):
            return None
        with widgets.progress("Showing films to the model", lambda: None) as progress:
            embeddings.fill(found, case.model, cohort, rows, progress)
    return found


def signed_picture(difference: np.ndarray) -> np.ndarray:
    """Signed greys (H, W) as RGB on mid grey: orange above zero, blue below."""
    values = overlay.enlarge(difference, 360)
    return overlay.overlay(np.full(values.shape, 40, np.uint8), values, overlay.Style(opacity=1.0))


def thinned(rows: np.ndarray, most: int) -> list[int]:
    """At most so many rows, evenly chosen."""
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return [int(row) for row in rows]


def _back_to_films() -> None:
    st.session_state["explore view"] = "films"


def _select(rows: list[int]) -> None:
    st.session_state[filters.LASSO] = rows
    state.ask_for_whole_page()


def _stop_audit() -> None:
    st.session_state["_audited"] = None


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)


widgets.heading(
    "Explore", "The films of the cohort: what is in it, and what a model could learn from it besides disease."
)
spec, cohort = st.session_state["cohort"], current_cohort()
with st.container(horizontal=True, vertical_alignment="center"):
    chosen_rows = filters.selection(cohort)
    st.markdown(f"**{len(chosen_rows):,} of {len(cohort):,} films** selected")
    if len(chosen_rows) < len(cohort):
        st.button("Clear", icon=":material/filter_alt_off:", on_click=filters.clear, type="tertiary")
    st.download_button(
        "CSV",
        lambda: filters.as_csv(cohort, chosen_rows),
        "selection.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )
view = st.segmented_control(
    "View",
    list(VIEWS),
    default="films",
    required=True,
    format_func=VIEWS.__getitem__,
    label_visibility="collapsed",
    key="explore view",
    persist_state="session",
)
if not len(chosen_rows):
    st.info("No film passes the filters.", icon=":material/filter_alt_off:")
else:
    shown = {"films": films, "counts": counts, "distributions": distributions, "means": means, "map": film_map}
    shown |= {"table": lambda rows: cohort_table.view(cohort, rows), "similar": similar, "audit": audit}
    shown[view](chosen_rows)
for note in cohort.notes:
    st.caption(f":material/info: {note}")
