"""Augmentation: what a change of the film does to its pixels, the prediction and the heatmap, together and live."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.explain import robustness
from core.report import augmentation_figure, figures, overlay
from core.report.outputs import export_name
from core.report.spreadsheet import called
from core.transform.augment import Augment, Drawn, Step
from pages.shared import augmentation_editor, frame, resources, state, viewer, widgets
from pages.shared.case import Case, current
from pages.shared.text import plain
from pages.shared.viewer import View

DRAWS = 12
FILMS = {"films": "Films"}  # before a class in the place of what else there is to see, and not above it
BELOW = {"curve": "Robustness curve", "draws": f"{DRAWS} draws", "copy": "Copy"}
STYLE = viewer.Drawing(overlay.Style(opacity=0.6))


@widgets.part
def body(case: Case) -> None:
    """Everything below the heading; a slider reruns this part only."""
    left, right = st.columns([1, 3], gap="medium")
    with left:
        steps = augmentation_editor.editor()
    seed = st.session_state["draw"]
    drawn = Augment(steps).draw(robustness.generator(seed))
    picture = case.prediction.picture
    changed = Augment.replay(picture, drawn)
    with right:
        class_name = widgets.class_picker(case.prediction.by_class, case.prediction.label, case.film.sha256)
        presenting = frame.presenting()
        if not presenting:
            before_and_after(case, class_name, picture, changed, drawn)
        views = FILMS | BELOW if presenting else BELOW
        state.choose("below", views, lambda: next(iter(views)))
        below = st.segmented_control(
            "Below",
            list(views),
            required=True,
            format_func=views.__getitem__,
            key="below",
            label_visibility="collapsed",
            persist_state="session",
        )
        if below == "films":
            before_and_after(case, class_name, picture, changed, drawn)
        elif below == "curve":
            curve(case, steps)
        elif below == "draws":
            contact_sheet(case, steps)
        else:
            copies(Augment(steps))


def before_and_after(
    case: Case, class_name: str, picture: np.ndarray, changed: np.ndarray, drawn: Sequence[Drawn]
) -> None:
    """Film, changed film and difference; heatmaps and probabilities of both."""
    names = case.prediction.by_class
    maps = [resources.map_of_picture(case.examined, shown, class_name) for shown in (picture, changed)]
    after = resources.probabilities(case.examined, changed)
    views = [
        View(picture, maps[0], f"as it is: {names[class_name]:.3f}"),
        View(changed, maps[1], f"changed: {after[class_name]:.3f}"),
        View(difference(picture, changed), None, "difference (grey: none)"),
    ]
    with st.container(horizontal=True, vertical_alignment="center"):
        heat = st.toggle("Heatmaps", key="heat", persist_state="session")
        if st.session_state.get("random"):
            st.button("Resample", icon=":material/casino:", on_click=_resample)
        st.caption(shown_values(drawn))
    drawing = viewer.Drawing(STYLE.style, "Map" if heat else "Film")
    viewer.show(views, drawing, "augmented", bar=False)
    correlation = robustness.alike(maps[0].values, maps[1].values, drawn)
    words = (
        "One of the heatmaps is blank, so they cannot be compared."
        if np.isnan(correlation)
        else f"Moved back, the heatmap correlates **{correlation:.2f}** with the one before."
    )
    moved = after[class_name] - names[class_name]
    st.markdown(f"{plain(class_name)} moves by **{moved:+.3f}**. {words}")
    with frame.aside("All classes", "bar_chart"):
        st.plotly_chart(
            figures.before_after(names, after, "changed"),
            key="changed bars",
            config=widgets.CHART | {"displayModeBar": False},
            alt="Probabilities before and after",
        )


def shown_values(drawn: Sequence[Drawn]) -> str:
    """The numbers that were drawn."""
    parts = []
    for one in drawn:
        values = ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in one.values.items())
        parts.append(
            f"{one.step.augmentation.title}{' (' + values + ')' if values else ''}"
            if one.applied
            else f"~~{one.step.name}~~"
        )
    return " → ".join(parts)


def curve(case: Case, steps: list[Step]) -> None:
    """Probability of each class, and correlation of the heatmap, as one setting moves through its range."""
    options = {
        f"{step.augmentation.title}: {parameter}": (step, parameter)
        for step in steps
        for parameter in robustness.sweepable(step)
    }
    if not options:
        st.caption("Add an augmentation with a slider to see a curve.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state.choose("sweep", options, lambda: next(iter(options)))
        chosen = st.selectbox("As this moves", list(options), key="sweep", width=220)
        whole = st.toggle(
            "Whole range", key="whole range", help="Otherwise the range seen on real films, and half as much again."
        )
        step, parameter = options[chosen]
        declared = step.augmentation.parameter(parameter)
        limits = (declared.low, declared.high) if whole else robustness.around_natural(declared)
        values = np.linspace(*limits, robustness.POINTS)
        now = float(robustness.fixed(step)[parameter])
        key = f"spot {chosen} {whole}"
        spot = st.select_slider(
            "Film at",
            range(robustness.POINTS),
            int(np.abs(values - now).argmin()),
            width=240,
            key=key,
            format_func=lambda point: f"{values[point]:.3g} {declared.unit}",
            help="Which point of the curve to look at; or click the point.",
        )
    found = resources.sweep(case.examined, step, parameter, limits, st.session_state["class"])
    probabilities = {name: found.probabilities[:, i].tolist() for i, name in enumerate(case.model.classes)}
    value, unit = float(found.values[spot]), declared.unit
    figure = figures.sweep(
        found.values.tolist(), probabilities, found.correlation.tolist(), f"{parameter} {unit}", value, declared.natural
    )
    left, right = st.columns([3, 1])
    left.plotly_chart(
        figure, key="curve", config=widgets.CHART, alt=f"Probabilities as {parameter} moves",
        on_select=lambda: _look_at_point(key), selection_mode="points",
    )  # fmt: skip
    right.image(overlay.enlarge(found.pictures[spot], 300), width="stretch", alt=f"The film at {parameter} {value:.3g}")
    right.caption(f"{parameter} {value:.3g} {unit}")
    if declared.natural:
        st.caption("Green: the range seen in routine practice.")


def contact_sheet(case: Case, steps: list[Step]) -> None:
    """Twelve draws of the chain with the class each would be called."""
    augment = Augment(steps)
    pictures = np.stack(
        [Augment.replay(case.prediction.picture, augment.draw(robustness.generator(seed))) for seed in range(DRAWS)]
    )
    with resources.memory().turn():
        _, probabilities = case.model.predict_pictures(pictures)
    if steps:
        st.download_button(
            "Figure",
            lambda: overlay.png(augmentation_figure.figure(case.prediction.picture, steps)),
            export_name("augmentation", "png", called(case.film.name, case.film.sha256)),
            "image/png",
            icon=":material/download:",
            on_click="ignore",
            type="tertiary",
            help="A row of draws for each augmentation by its name, and one for all of them.",
        )
    with st.grid("auto", min_column_width=120):
        for picture, row in zip(pictures, probabilities, strict=True):
            best = int(case.model.output.first(row))
            st.image(
                picture, width="stretch", caption=f"{plain(case.model.classes[best])} {row[best]:.2f}", alt="One draw"
            )
    if not st.session_state.get("random"):
        st.caption("Each setting is fixed, so the draws hardly differ: turn on “Draw at random”.")


def copies(augment: Augment) -> None:
    """The chain as code and as part of a recipe."""
    st.caption("For your own training script (torchvision v2; takes PIL pictures and uint8 tensors):")
    st.code(augment.as_code(), "python")
    st.caption("For a recipe (python -m core train takes it):")
    st.code(augment.as_toml(), "toml")


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Grey where nothing changed, lighter and darker where the film did: uint8 (S, S)."""
    return np.clip(128 + (after.astype(np.int16) - before) // 2, 0, 255).astype(np.uint8)


def _look_at_point(key: str) -> None:
    points = st.session_state["curve"]["selection"]["points"]
    if points:
        st.session_state[key] = points[0]["point_index"]


def _resample() -> None:
    st.session_state["draw"] += 1


widgets.heading(
    "Augmentation preview",
    "What a change of the film does to its pixels, to the prediction and to the heatmap, together.",
)
body(current())
