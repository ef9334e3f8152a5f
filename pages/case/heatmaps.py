"""Heatmaps: where the model looked, whether that is evidence, and what happens when it is hidden."""

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import HilumError
from core.examine import extent
from core.explain import places
from core.explain.methods import METHODS, methods_for, usual
from core.report import figures
from pages.shared import downloads, frame, occlusion_controls, resources, state, viewer, widgets
from pages.shared.case import Case, current, film_range, kinship
from pages.shared.text import plain
from pages.shared.viewer import View

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap

BESIDE = {
    "nothing": "Nothing",
    "classes": "All classes",
    "class": "Another class",
    "method": "Another method",
    "model": "Another model",
    "film": "Another film",
}
OWN_SCALE = ("method", "model")  # their evidence is not in one unit
SCALES = {
    False: "One scale for all: the same colour is the same evidence. A film that stays grey has little or none.",
    True: "Each map has its own scale, as methods and models share no unit; the colour bar belongs to the first.",
}
VIEWER = "viewer"
WANTED, GIVEN_UP = "_wanted_heatmaps", "_cancelled_heatmaps"
NEXT = "the next likeliest"


def maps_of(case: Case, method: str, layer: str | None, **options: Any) -> "dict[str, Heatmap]":
    """Every class's heatmap; those of slow methods are first made by `make_wanted`."""
    if METHODS[method].cost != "instant" and not resources.has_heatmaps(
        case.model, case.film, method, layer, **options
    ):
        if st.session_state.get(GIVEN_UP) == (case.examined.key, method):
            st.info(f"{METHODS[method].title} was cancelled.", icon=":material/cancel:")
            if not st.button("Make it after all"):
                st.stop()
        st.session_state[WANTED] = case, method, layer, options
        st.rerun()
    return resources.heatmaps(case.model, case.film, method, layer, **options)


def make_wanted() -> None:
    """Make the slow heatmaps a part of the page has asked for, outside of it: inside, Cancel would wait for its end."""
    if WANTED not in st.session_state:
        return
    case, method, layer, options = st.session_state.pop(WANTED)
    quicker = partial(_quicker, case, method)
    try:
        with widgets.progress(
            f"{METHODS[method].title}, {plain(case.model.card.title)}, {plain(case.film.name)}", quicker
        ) as report:
            resources.heatmaps(case.model, case.film, method, layer, report, **options)
    except HilumError as error:
        quicker()
        state.notice(plain(error, longest=600), "error")


def _quicker(case: Case, method: str) -> None:
    """Back to the usual method; where that is the one given up, it is not begun again by itself."""
    st.session_state.update(method=usual(case.model.network), beside="nothing")
    st.session_state[GIVEN_UP] = case.examined.key, method


def view_of(case: Case, map_: "Heatmap", what: str = "") -> View:
    """One heatmap on its film, with its outlines; what sets it apart comes first in the title, which may be cut off."""
    title = (f"{what} · " if what else "") + f"{map_.class_name} {map_.probability:.2f}"
    return View(case.prediction.picture, map_, title, case.lungs, case.truth)


def beside(case: Case, kind: str, maps: "dict[str, Heatmap]", shown: "Heatmap", layer: str | None) -> list[View]:
    """The views beside the heatmap, with the pickers they need."""
    if kind == "classes":
        return [view_of(case, map_) for name, map_ in maps.items() if name != shown.class_name]
    if kind == "class":
        names = [name for name in maps if name != shown.class_name]
        state.choose("beside_class", names, lambda: names[0])
        return [view_of(case, maps[st.selectbox("Other class", names, key="beside_class", width=190)])]
    if kind == "method":
        others = [name for name in methods_for(case.model.network) if name != shown.method]
        quick = min(others, key=lambda name: METHODS[name].cost != "instant")
        state.choose("beside_method", methods_for(case.model.network), lambda: quick)
        method = widgets.method_picker(case.model, "beside_method", "Other method")
        other_map = maps_of(case, method, layer if METHODS[method].layered else None)[shown.class_name]
        return [view_of(case, other_map, METHODS[method].title)]
    if kind == "model":
        return [another_model(case, shown)]
    if kind == "film":
        films = film_range()
        following = films[(case.row + 1) % len(films)] if case.row is not None else 1
        state.choose("beside_film", films, lambda: following)
        number = st.number_input("Other film", films[0], films[-1], key="beside_film", step=1, width=150)
        label = str(case.cohort.samples["label"].iat[number - 1])
        other = replace(case, film=resources.film(case.spec, number - 1), row=number - 1, label=label)
        return [view_of(other, maps_of(other, shown.method, layer)[shown.class_name], f"film {number}, {label}")]
    return []


def contrast(method: str, class_name: str, classes: list[str]) -> dict[str, str]:
    """Why this class and not that one: the other class of a method that compares two; empty for others."""
    others = [name for name in classes if name != class_name]
    if "against" not in METHODS[method].options or not others:
        return {}
    state.choose("against", (NEXT, *others), lambda: NEXT)
    chosen = st.selectbox(
        "and not", [NEXT, *others], key="against", width=180, persist_state="session",
        format_func=lambda name: plain(str(name)),
        help=f"The map shows what speaks for {plain(class_name)} more than for this one.",
    )  # fmt: skip
    return {} if chosen == NEXT else {"against": str(chosen)}


def another_model(case: Case, shown: "Heatmap") -> View:
    """The same film before another model: the same class if it knows it, else the class it calls."""
    cards = {name: card for name, card in resources.cards().items() if name != case.model.card.name}
    fitting = sorted(cards, key=lambda name: -kinship(cards[name], case.spec))
    if not fitting:
        raise HilumError("there is only one model", "two", "Train another one with python -m core train")
    state.choose("beside_model", fitting, lambda: fitting[0])
    name = st.selectbox("Other model", fitting, key="beside_model", format_func=lambda n: cards[n].title, width=240)
    other = replace(case, model=resources.classifier(name))
    borne = shown.method in methods_for(other.model.network)
    maps = maps_of(other, shown.method if borne else usual(other.model.network), None)
    return view_of(other, maps.get(shown.class_name) or maps[other.prediction.label], name)


@widgets.part
def body(case: Case) -> None:
    """Everything below the heading; a slider reruns this part only."""
    prediction = case.prediction
    classes = prediction.by_class
    class_name = widgets.class_picker(classes, prediction.label, case.film.sha256)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with frame.aside("Method", "tune"):
            method = widgets.method_picker(case.model)
            layer = widgets.layer_picker(case.model, method)
            hiding_now = st.session_state.get("hide") not in (None, "nothing")
            state.choose("beside", BESIDE, lambda: "nothing")
            kind = st.selectbox(
                "Beside it", list(BESIDE), key="beside", format_func=BESIDE.__getitem__, width=175,
                disabled=hiding_now, persist_state="session",
                help="While a part is hidden, the film with that part hidden stands here." if hiding_now else None,
            )  # fmt: skip
            kind = "nothing" if hiding_now else kind
            against = {} if hiding_now else contrast(method, class_name, list(classes))
        maps = maps_of(case, method, layer, **against)
        shown = maps[class_name]
        others = beside(case, kind, maps, shown, layer)
        part = occlusion_controls.part_picker()
    if why := widgets.lacking(case.model):
        st.caption(why)
    hidden = occlusion_controls.mask(part, case) if part != "nothing" else None
    presenting = frame.presenting()
    # What is asked and said of a hidden part stands above the pictures, or it would lie below the fold.
    above = None if presenting else st.container()
    beside_it = len(others) + (hidden is not None)
    side_by_side = not beside_it or (presenting and beside_it == 1)
    picture_place, words_place = st.columns([3, 2], gap="medium") if side_by_side else (st.container(), st.container())
    with above or words_place:
        fill = occlusion_controls.fill_picker(part)
    answer = None
    if hidden is not None:
        answer = case.examined.what_if(hidden, fill, class_name, method, layer)
        after = answer.after.heatmaps[class_name]
        title = f"hidden · {after.probability:.2f}"
        kind, others = "hidden", [View(answer.after.picture, after, title, case.lungs, case.truth)]
    whose = {"method": METHODS[method].title, "model": case.model.card.name}.get(kind, "")
    views = [view_of(case, shown, whose), *others]
    with picture_place:
        place = st.container()
        drawing = viewer.controls(with_truth=case.truth is not None)
        with place:
            boxed = part == "box"
            on_box = (lambda: occlusion_controls.take_box(VIEWER)) if boxed else None
            common = kind not in OWN_SCALE
            viewer.show(
                views, drawing, VIEWER, common, boxes=[occlusion_controls.box()] if boxed else (), on_box=on_box
            )
            caption(case, shown)
            if others and not presenting:
                st.caption(SCALES[not common])
    with words_place:
        if part != "nothing" and hidden is None:
            st.warning("No lungs were found on this film, so they cannot be hidden.", icon=":material/help:")
        if answer is not None:
            with above or words_place:
                occlusion_controls.sentence(answer)
            occlusion_controls.bars(answer)
            frame.announce(occlusion_controls.in_words(answer))
        else:
            text = "Checking whether this is evidence"
            about = case.model.key, case.film.sha256, shown.class_name, shown.method, shown.layer
            widgets.anew(text, about, lambda: case.examined.trust(shown), lambda: trust_card(case, shown))
    with words_place if presenting else nullcontext(), frame.aside("Downloads", "download"):
        downloads.row(case, shown, drawing)


def caption(case: Case, map_: "Heatmap") -> None:
    """What is seen, with everything needed to see it again."""
    if map_.blank:
        st.info(
            f"No positive evidence for {map_.class_name}: the map is blank, and is shown blank.",
            icon=":material/check_box_outline_blank:",
        )
    row, rival = METHODS[map_.method], map_.options.get("against")
    place = f"layer {map_.layer}" if row.layered else row.where
    versus = f" and not **{plain(rival)}**" if rival else ""
    if not map_.blank:
        st.caption(f":material/location_on: {places.in_words(map_.values, case.lungs)}")
        if covered := extent.area_in_words(case.examined, map_):
            st.caption(f":material/straighten: {covered}")
    if frame.presenting():
        return  # the picture's title and the buttons say it, and its report
    st.caption(
        f"{row.title} for **{map_.class_name}**{versus} (probability {map_.probability:.3f}) · "
        f"{plain(case.model.card.title)}, {place} · {map_.seconds:.2f} s · {plain(case.film.name)}",
        help="The colour bar has the method's own unit, for most methods logits (the score before it becomes a "
        "probability) per place of the layer. Compare places within a map; between methods the numbers mean nothing.",
    )


def trust_card(case: Case, map_: "Heatmap") -> None:
    """Whether this heatmap is evidence: each check with its verdict, then what is known about the method."""
    st.header("Is this evidence?", anchor=False, help="Checks of this heatmap on this film. No single one decides.")
    card = case.examined.trust(map_)
    st.caption(plain(card.headline, longest=400))
    evidence = places.in_words(map_.values, case.lungs)
    frame.announce(f"Heatmap of {map_.class_name}. {evidence} Is it evidence? {card.headline}")
    with st.container(key="trust"):
        widgets.trust_lines((*card.group("domain"), *card.group("evidence")))
    if lines := card.group("truth"):
        with frame.aside("Against the known finding", "target"):
            st.caption("Against the known finding")
            widgets.trust_lines(lines)
    with frame.aside("About the model and the method", "info"):
        if told := plain(card.power_unsaid, longest=400):
            st.caption(f"Power of the occlusion test for this model: {told}.")
        if lines := card.group("fact"):
            st.caption("About the model and the method, not this map")
            widgets.trust_lines(lines)
    if map_.blank or card.vetoed:
        return
    if st.toggle(
        "Hiding curves",
        key="curves",
        help="For illustration: these curves do not separate right maps from random ones.",
    ):
        curves = case.examined.curves(map_)
        name = st.segmented_control("Curve", list(curves), default=next(iter(curves)), required=True)
        figure = figures.hiding_curve(curves[name])
        st.plotly_chart(figure, key="hiding", config=widgets.CHART, alt=f"The {name} curve")


widgets.heading(
    "Heatmaps", "Where the model looked on this film, whether that is evidence, and what happens when it is hidden."
)
case_shown = current()
said = case_shown.prediction
with st.container():  # always one place: else what still stands from before would be squeezed into the bar's row
    if said.domain.status != "in":
        st.warning(said.domain.sentence, icon=":material/help:")
    make_wanted()
if not said.refused or st.toggle("Draw its maps all the same", key=f"drawn {case_shown.film.sha256[:12]}"):
    body(case_shown)
