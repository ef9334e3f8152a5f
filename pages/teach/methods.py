"""Method lab: every heatmap method marked on films whose findings are known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data.phantom.cohort import BANDS
from core.errors import EvaluationError
from core.explain.chance import BASELINES
from core.explain.cohort import MEASURES as KINDS
from core.explain.methods import METHODS, methods_for, usual
from core.intervals import limits
from core.report import cohort_figures, overlay
from core.report.outputs import export_name
from pages.shared import exports, localisation, resources, state, viewer, widgets
from pages.shared.case import current_cohort
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.model.classifier import Classifier

MEASURES = {
    "hit": ("Hit rate", "The share of films on which the map's maximum lies inside the finding (pointing game)."),
    "iou": ("Overlap", "Intersection over union of the finding and the map above its Otsu threshold, on average."),
    "mass_inside": ("Mass inside", "The share of the map's evidence that lies inside the finding, on average."),
    "drop": (
        "Average drop",
        "The part of the class's probability that is lost when only what the map marks is shown, on average: lower is "
        "better. Maps that mark everything lose nothing, so read it beside Random CAM's.",
    ),
    "increase": (
        "Increase in confidence",
        "The share of films on which the probability rises when only that is shown.",
    ),
}
COLUMNS = {"band": "severity", "class": "class"}
CONTROL = "randomcam"
_TITLES = {row.title for row in METHODS.values()}
QUICK = ("gradcam", "gradcam++", "layercam", "hirescam", "eigencam", CONTROL)
MISSES = 8  # films shown
EACH = (4, 8, 16, 32)  # films of each class and severity that can be asked for


def chosen_methods(models: "Sequence[Classifier]") -> list[str]:
    """Which methods are marked, of those that all models bear; the random one is the control of all others."""
    borne = [name for name in METHODS if all(name in methods_for(model.network) for model in models)]
    quick = [name for name in QUICK if name in borne] or [usual(models[0].network)]
    costs = {"instant": "", "seconds": " · seconds per film", "slow": " · slow"}
    state.choose_many("lab methods", list(borne), quick)
    return st.multiselect(
        "Methods", borne, key="lab methods", persist_state="session",
        help="  \n".join(f"**{METHODS[name].title}.** {METHODS[name].shows}" for name in borne),
        format_func=lambda name: METHODS[name].title + costs[METHODS[name].cost],
    )  # fmt: skip


def chosen_models() -> "list[Classifier]":
    """The sidebar's model, and others to compare it with."""
    cards, own = resources.cards(), st.session_state["model"]
    others = [name for name, card in cards.items() if name != own and card.classes == cards[own].classes]
    state.choose_many("lab models", others, ())
    more = st.multiselect(
        "Compare with", others, key="lab models", format_func=lambda name: cards[name].title, persist_state="session",
        help="Other models of the same classes, side by side.",
    )  # fmt: skip
    return [resources.classifier(name) for name in (own, *[name for name in more if name in others])]


def values(table: pd.DataFrame, column: str, measure: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A measure as one row per method, the best first, and one column per severity or class; and each cell in words.

    Below the methods stands what maps that know nothing get on the same films.
    """
    from core.explain.cohort import against_chance, summary

    marked = summary(table, ["method", column])
    rows = marked[marked["measure"] == measure].assign(method=lambda found: found["method"].map(_title))
    lowest_first = not KINDS[measure].higher_is_better
    order = table.groupby("method")[measure].mean().sort_values(ascending=lowest_first).index.map(_title)
    words = [f"{r.value:.2f} [{r.low:.2f}, {r.high:.2f}], {r.films} films" for r in rows.itertuples()]
    numbers, notes = (
        rows.assign(shown=shown).pivot(index="method", columns=column, values="shown").reindex(order)
        for shown in (rows["value"], words)
    )
    if column == "band":
        bands = [band for band in BANDS if band in numbers]
        numbers, notes = numbers[bands], notes[bands]
    beside = against_chance(table, [column])
    for baseline, found in beside[beside["measure"] == measure].groupby("baseline", sort=False):
        row = _by_chance(str(baseline))
        numbers.loc[row] = found.set_index(column)["chance"]
        notes.loc[row] = f"what {BASELINES[str(baseline)]} gets on the same films"
    return numbers, notes


def verdict(table: pd.DataFrame, measure: str) -> str:
    """The best methods in a sentence, the strongest chance and what they have beyond it, with 95 % intervals."""
    from core.explain.cohort import against_chance, summary

    marked = summary(table, ["method"])
    found = marked[marked["measure"] == measure].set_index("method")[["value", "low", "high"]].to_dict("index")
    words = {str(name): f"{r['value']:.2f} [{r['low']:.2f}, {r['high']:.2f}]" for name, r in found.items()}
    control = f"{_title(CONTROL)}, which knows nothing of the class, has {words.get(CONTROL)}."
    others = {str(name): r["value"] for name, r in found.items() if name != CONTROL}
    if not others:
        return control
    top = (max if KINDS[measure].higher_is_better else min)(others.values())
    best = [name for name, value in others.items() if value == top]
    films, do = table["id"].nunique(), "does" if len(best) == 1 else "do"
    leading = f"**{', '.join(map(_title, best))}** {do} best on these {films} films: {words[best[0]]}."
    beside = against_chance(table, ["method"])
    own = beside[(beside["measure"] == measure) & beside["strongest"]].drop_duplicates("method").set_index("method")
    if best[0] not in own.index:
        return f"{leading} {control}" if CONTROL in words else leading
    chance = own.loc[best[0]].to_dict()
    beyond = (
        f"The strongest chance is {BASELINES[str(chance['baseline'])]}, {chance['chance']:.2f}; the difference, film "
        f"by film, is {chance['difference']:+.2f} {limits(chance['low'], chance['high'])}, the skill "
        f"{chance['skill']:.2f} {limits(chance['skill_low'], chance['skill_high'])}."
    )
    if (own.loc[list(others), "low"] > 0).any():
        sentence = f"{leading} {beyond}"
    else:
        sentence = (
            f"**No method clearly does better than chance here.** The best, {_title(best[0])}, has {words[best[0]]}. "
            f"{beyond}"
        )
    return f"{sentence} {control}" if CONTROL in words else sentence


def results(model: "Classifier", films: "Cohort", table: pd.DataFrame, measure: str, column: str) -> None:
    """One model's table, and from which severity on each method finds each class."""
    from core.explain.cohort import found_from, left_out, summary

    st.header(plain(model.card.title), anchor=False)
    st.markdown(verdict(table, measure))
    numbers, notes = values(table, column, measure)
    st.plotly_chart(
        cohort_figures.marks(numbers, notes), key=f"marks {model.card.name}", config=widgets.CHART,
        alt=f"{MEASURES[measure][0]} of each method by {COLUMNS[column]}",
    )  # fmt: skip
    st.caption(
        "Under the mouse: the 95 % interval, over patients, and the films of each cell. Below the methods: what maps "
        f"that know nothing get on the same films. {left_out(table)}"
    )
    if (table["band"] != "").any():
        found = found_from(summary(table, ["method", "class", "band"]))
        found = found.set_axis(found.index.map(_title)).reindex([n for n in numbers.index if n in _TITLES])
        found = found[[name for name in model.classes if name in found]]
        st.markdown("**From which severity on is it found?**")
        widgets.table(found.replace("", widgets.NOT_THERE).rename_axis("method").reset_index(), hide_index=True)
        st.caption(
            "From the first severity on at which it hits more often than not, even at the low end of the 95 % "
            "interval; –: at none."
        )
    name = export_name("marks", "csv", films.name, model.card.name)
    drawn = films.drawn
    st.download_button(
        "Marks .csv", exports.films_as_csv(table, names=drawn), name, on_click="ignore", icon=":material/download:"
    )
    misses(model, films, table)


def misses(model: "Classifier", films: "Cohort", table: pd.DataFrame) -> None:
    """Films on which a method's maximum lies beside the finding: the best lesson of the page."""
    missed = table[(table["hit"] < 0.5) & (table["method"] != CONTROL)]
    options = [name for name in table["method"].unique() if (missed["method"] == name).any()]
    method = st.selectbox(
        "Look at the misses of", options, None, key=f"misses {model.card.name}", format_func=_title, width=260
    )
    if method is None:
        return
    missed = missed[missed["method"] == method].sort_values("blank", kind="stable")
    rows = {identity: row for row, identity in enumerate(films.samples["film_id"])}
    with st.grid("auto", min_column_width=150, gap="small"):
        for miss in missed.head(MISSES).itertuples():
            row, name = rows[str(miss.id)], str(table.at[miss.Index, "class"])
            film, truth = films.film(row), films.mask(row, "truth")
            map_ = resources.heatmaps(model, film, method, None)[name]
            picture = overlay.enlarge(resources.prediction(model, film).picture, viewer.SIDE)
            image = overlay.overlay(picture, overlay.enlarge(map_.values, viewer.SIDE), overlay.Style(0.6))
            if truth is not None:
                mask = model.preprocess.to_picture(truth, model.lungs(film))
                image = overlay.outline(image, overlay.enlarge(mask, viewer.SIDE), overlay.TRUTH)
            note = "blank" if map_.blank else f"called {miss.predicted}"
            st.image(image, caption=plain(f"{name}, {miss.band}: {note}"), alt=f"Miss on {miss.film}")
    st.caption(f"{min(MISSES, len(missed))} of {len(missed)} misses. Green: the finding.")


def _title(name: str) -> str:
    return METHODS[name].title


def _by_chance(baseline: str) -> str:
    many = ", many seeds" if baseline == "random_cam" else ""
    return f"by chance: {BASELINES[baseline].removeprefix('an ').removeprefix('the ')}{many}"


def page() -> None:
    """What is asked, the work, and the marks."""
    above = st.container()
    left, right = st.columns([5, 3], vertical_alignment="bottom", gap="large")
    with left:
        models = chosen_models()
    with above:
        methods = chosen_methods(models)
    state.choose("lab films", EACH, lambda: 8)
    each = right.select_slider("Films of each class and severity", EACH, key="lab films", persist_state="session")
    try:
        asked = [(model, localisation.films(model, current_cohort(), each)) for model in models]
    except EvaluationError as error:
        st.info(plain(error, longest=600), icon=":material/info:")
        return
    missing = sum(len(films) * len(methods) - len(localisation.marks(model, films, methods)) for model, films in asked)
    place = st.empty()
    # After a cancel one more may be marked between the button and the click on it: its key stays, its words do not.
    label = f"Mark {missing:,} heatmaps"
    if missing and place.button(label, type="primary", icon=":material/play_arrow:", key="mark heatmaps"):
        place.empty()
        with widgets.progress("Marking heatmaps", lambda: None) as progress:
            for number, (model, films) in enumerate(asked):
                base = number / len(asked)
                localisation.mark(model, films, methods, lambda share, base=base: progress(base + share / len(asked)))  # type: ignore[misc]
        missing = 0
    marked = [(model, films, localisation.marks(model, films, methods)) for model, films in asked]
    if missing or not methods:
        st.caption("Every method explains the same films, none of which the model learned from.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        state.choose("lab measure", MEASURES, lambda: "hit")
        measure = st.segmented_control(
            "Measure", list(MEASURES), required=True, format_func=lambda key: MEASURES[key][0],
            key="lab measure", persist_state="session",
            help="  \n".join(f"**{title}.** {about}" for title, about in MEASURES.values()),
        )  # fmt: skip
        by = [column for column in COLUMNS if column == "class" or (marked[0][2][column] != "").any()]
        state.choose("lab by", by, lambda: by[0])
        column = st.segmented_control("By", by, key="lab by", required=True, format_func=COLUMNS.__getitem__)
    for place, (model, films, table) in zip(st.columns(len(marked), gap="large"), marked, strict=True):
        with place:
            results(model, films, table, measure or "hit", column or by[0])
    st.caption(
        "Each map is asked about the film's own class, also where the model calls another one: a finding the model "
        "does not see is a finding its map cannot mark."
    )


widgets.heading(
    "Method lab",
    "Heatmaps marked right or wrong, on films whose findings are known: which method finds what, from which severity "
    "on, and is it any better than a random map?",
)
page()
