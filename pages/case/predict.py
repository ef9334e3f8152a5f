"""Live prediction: what the model says of a film, after saying whether it may judge it at all."""

import base64
import math
from io import BytesIO

import pandas as pd
import streamlit as st

from core.data import radiograph
from core.data.radiograph import Radiograph
from core.errors import HilumError
from core.report import figures, overlay
from pages.shared import atlas, resources, state, widgets
from pages.shared.case import Case, current, home_cohort, uploads

VERDICTS = {"in": st.success, "doubtful": st.warning, "out": st.error}
ICONS = {"in": ":material/verified:", "doubtful": ":material/help:", "out": ":material/block:"}
NEIGHBOURS, NEIGHBOURHOOD = 6, 600  # films shown, and films looked among


def take_in(key: str) -> None:
    """Read what was just uploaded into this session's memory; what cannot be read is refused in words."""
    session = st.session_state
    given = session[key]
    seen, refused = session.setdefault("_taken", set()), []
    first = None
    for file in given if isinstance(given, list) else [given] if given else []:
        if file.file_id in seen:
            continue
        seen.add(file.file_id)
        try:
            film = radiograph.read(BytesIO(file.getvalue()), file.name)
        except HilumError as error:
            refused.append(str(error))
            continue
        uploads().append(film)
        first = first or len(uploads())
    session["_refused"] = refused
    if first:
        session["upload"] = first
        choose_model(uploads()[first - 1])


def choose_model(film: Radiograph) -> None:
    """If the chosen model cannot judge a film but another one can, take that one, and say so."""
    chosen = st.session_state["model"]
    verdict = resources.prediction(resources.classifier(chosen), film).domain
    if verdict.status == "in" or math.isnan(verdict.score):  # NaN: the model has no check, so nothing speaks against it
        return
    for name, card in resources.cards().items():
        if resources.prediction(resources.classifier(name), film).domain.status == "in":
            st.session_state["model"] = name
            state.notice(f"This film is outside what {chosen} knows; {card.title} answers instead.", "model_training")
            return


def forget_uploads() -> None:
    """Drop every uploaded film from memory."""
    uploads().clear()
    st.session_state.update(upload=None, _refused=[], _uploader=st.session_state.get("_uploader", 0) + 1)


def uploader() -> None:
    """Files or camera; without either the case is a film of the cohort, chosen in the sidebar."""
    turn = st.session_state.get("_uploader", 0)
    files, others = st.columns([5, 1], vertical_alignment="bottom")
    key = f"files {turn}"
    files.file_uploader(
        "Upload films: PNG, JPEG, TIFF or DICOM, one or many",
        accept_multiple_files=True,
        key=key,
        on_change=take_in,
        args=(key,),
        help="Also BMP and WebP, and files without an extension. They stay in the memory of this session: "
        "nothing is written to disk or logged. Without an upload the film is the cohort's, chosen in the sidebar.",
    )
    with others, st.popover("Camera", icon=":material/photo_camera:", width="stretch"):
        shot = f"camera {turn}"
        st.camera_input("Photograph a film on a light box", key=shot, on_change=take_in, args=(shot,))
    if uploads():
        others.button(
            "Remove", icon=":material/delete:", on_click=forget_uploads, width="stretch", help="Forget all uploads"
        )
    for sentence in st.session_state.get("_refused", []):
        st.error(sentence, icon=":material/block:")


def film_panel(case: Case) -> None:
    """The film as the model sees it, and where it came from."""
    picture = overlay.enlarge(case.prediction.picture, 448)
    st.image(picture, width="stretch", alt=f"The film {case.film.name} as the model sees it")
    film = case.film
    height, width = film.source_shape
    facts = [film.format, f"{width} x {height}", f"{film.bit_depth} bit", *film.notes]
    st.caption(
        f"**{film.name}** as the model sees it, {case.model.preprocess.size} px a side. Stored: {', '.join(facts)}."
    )
    if film.tags:
        st.caption(" · ".join(f"{name}: {value}" for name, value in film.tags.items() if value))


def answer_panel(case: Case) -> None:
    """First whether the model may judge the film, then what it says."""
    prediction = case.prediction
    VERDICTS[prediction.domain.status](prediction.domain.sentence, icon=ICONS[prediction.domain.status])
    probabilities = dict(zip(prediction.classes, map(float, prediction.probabilities), strict=True))
    cutoffs = dict(zip(prediction.classes, prediction.thresholds, strict=True))
    st.subheader(in_words(prediction.positive, prediction.label), anchor=False)
    spread = resources.spread(case.model, case.film)
    figure = figures.probability_bars(probabilities, cutoffs, spread)
    st.plotly_chart(
        figure, config=widgets.CHART | {"displayModeBar": False}, key="bars", alt=bars_in_words(probabilities)
    )
    cutoff = cutoffs[prediction.label]
    st.caption(
        f"Calibrated probabilities. Each bar starts at its class's cut-off, chosen on validation films; for "
        f"{prediction.label} it is {cutoff:.2f}: from there on the model calls it. In the grey zone it is not sure. "
        "The thin line spans the answers to 16 mildly turned, shifted and re-exposed copies."
    )
    if case.label:
        st.markdown(f"Known label: **{case.label}**")
    st.page_link("pages/case/heatmaps.py", label="Where did the model look?", icon=":material/gradient:")


def in_words(positive: tuple[str, ...], label: str) -> str:
    """The call as a phrase."""
    if not positive:
        return f"Not sure; {label} comes nearest"
    return label if len(positive) == 1 else f"{label}, but also " + " and ".join(c for c in positive if c != label)


def bars_in_words(probabilities: dict[str, float]) -> str:
    """The bars for who cannot see them."""
    return "Probabilities: " + ", ".join(f"{name} {value:.3f}" for name, value in probabilities.items())


def table(films: list[Radiograph], case: Case) -> None:
    """Many films at once: sortable, one click opens a film."""
    rows = []
    with widgets.progress("Asking the model", forget_uploads) as report:
        for number, film in enumerate(films):
            report(number / len(films))
            p = resources.prediction(case.model, film)
            image = "data:image/png;base64," + base64.b64encode(resources.small(p.picture, 64)).decode()
            columns = dict(zip(p.classes, map(float, p.probabilities), strict=True))
            rows.append({"film": image, "name": film.name, "call": p.label, "in domain": p.domain.status, **columns})
    frame = pd.DataFrame(rows)
    config = {
        name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.3f")
        for name in case.model.classes
    }
    st.dataframe(
        frame,
        hide_index=True,
        row_height=52,
        on_select=open_row,
        selection_mode="single-row",
        key="table",
        column_config=config
        | {"film": st.column_config.ImageColumn(width=60), "name": st.column_config.TextColumn(width=150)},
    )
    csv = frame.drop(columns="film").to_csv(index=False)
    st.download_button("CSV", csv, "predictions.csv", "text/csv", icon=":material/download:", on_click="ignore")


def open_row() -> None:
    """Show the film whose row was clicked."""
    rows = st.session_state["table"]["selection"]["rows"]
    if rows:
        st.session_state["upload"] = rows[0] + 1


@widgets.part
def neighbours(case: Case) -> None:
    """The films of the model's own cohort that it finds most like this one."""
    spec = home_cohort(case.model.card, case.spec)
    cohort = resources.cohort(spec)
    st.subheader(f"Nearest films of {cohort.name}", anchor=False, help="By the direction of the model's last features.")
    rows = atlas.sample(cohort, "train", NEIGHBOURHOOD) or atlas.sample(cohort, None, NEIGHBOURHOOD)
    found = atlas.atlas_of(case.model, spec)
    missing = len(found.missing(rows))
    if missing:
        st.caption(f"{missing:,} of its films have to be shown to the model first.")
        if not st.button("Find nearest films", icon=":material/search:"):
            return
        with widgets.progress("Showing films to the model", lambda: None) as report:
            atlas.fill(found, case.model, cohort, rows, report)
    feature = atlas.embed(case.model, [case.film])[0][0]
    nearest = found.nearest(feature, NEIGHBOURS, case.row if spec == case.spec else None)
    for column, (row, likeness) in zip(st.columns(NEIGHBOURS), nearest, strict=False):
        label = cohort.samples["label"].iat[row]
        column.image(resources.thumbnail(spec, row), width="stretch", alt=f"{label}, film {row + 1}")
        column.caption(f"**{label}** · {likeness:.2f}  \nfilm {row + 1}")


widgets.heading("Live prediction", "What the model says of a film, and whether it may judge such a film at all.")
uploader()
shown = current()
if len(uploads()) > 1:
    table(uploads(), shown)
left, right = st.columns([2, 3], gap="large")
with left:
    film_panel(shown)
with right:
    answer_panel(shown)
neighbours(shown)
