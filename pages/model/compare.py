"""Compare: the trained models side by side, and two of them on the same films."""

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import EvaluationError
from core.evaluate.compare import Comparison
from core.evaluate.glossary import GLOSSARY
from core.evaluate.scopes import MACRO, OVERALL
from core.evaluate.split_reports import side_by_side
from core.intervals import Estimate
from core.report import evaluation_figures, figures
from core.words import joined
from pages.shared import add_model, evaluated_films, evaluations, leaderboard, resources, state, viewer, widgets
from pages.shared.case import current, current_cohort
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.model.card import Card

VIEWS = ("All models", "Training", "Two on the same films", "Two on this film", "Leaderboard", "Add a model")
SHOWN = {"accuracy": OVERALL, "balanced_accuracy": OVERALL, "auroc": MACRO, "f1": MACRO, "mcc": OVERALL, "ece": OVERALL}
TITLES = {
    key: f"Macro {GLOSSARY[key].title}" if scope == MACRO else GLOSSARY[key].title for key, scope in SHOWN.items()
}
PUBLISHED = "What the recipe's authors reported on their own films; a dash where the recipe follows no publication."
SPEED = "Median time of one prediction on this machine, from picture to probabilities."
SPEED_RUNS = 7  # timed predictions of one film; the median counts


def figures_of(name: str) -> dict[str, Estimate]:
    """The test figures of a model on its own films; empty where none are kept."""
    try:
        parts = evaluations.own(name)
    except EvaluationError:
        return {}
    if "test" not in parts:
        return {}
    if not resources.cards()[name].exclusive:  # means over findings; of whole films there is no one figure
        return {key: figure for key, figure in parts["test"].pooled.macro.items() if SHOWN.get(key) == MACRO}
    found = parts["test"].figures()
    return {key: found[scope][key] for key, scope in SHOWN.items()}


def all_models(cards: "dict[str, Card]") -> None:
    """One line per model."""
    measured = {name: figures_of(name) for name in cards}
    speeds = st.session_state.setdefault("_speeds", {})
    if st.button("Measure milliseconds per film here", icon=":material/speed:"):
        with widgets.progress("Timing one film", lambda: None) as progress:
            for number, name in enumerate(cards):
                progress(number / len(cards))
                speeds[name] = milliseconds(name)
    table = pd.DataFrame([_line(card, measured[name], speeds.get(name)) for name, card in cards.items()])
    unknown = [name for name in ("ms per film", "Published") if table[name].isna().all()]
    help_ = {
        "Model": st.column_config.TextColumn(pinned=True),
        "ms per film": st.column_config.NumberColumn(help=SPEED, format="%.1f"),
        "Published": st.column_config.TextColumn(help=PUBLISHED),
    } | {TITLES[key]: st.column_config.TextColumn(help=GLOSSARY[key].help) for key in SHOWN}
    widgets.table(table.drop(columns=unknown), hide_index=True, column_config=help_)
    st.caption(
        "Each model on its own test films, called by its own operating points where it has any, "
        "with 95 % intervals; not on the same films: for that, see “Two on the same films”."
    )
    state.choose("figure", SHOWN, lambda: next(iter(SHOWN)))
    key = st.selectbox(
        "Figure", list(SHOWN), format_func=TITLES.__getitem__, key="figure", width=240, persist_state="session"
    )
    rows = {cards[name].title: found[key] for name, found in measured.items() if key in found}
    if rows:
        title = TITLES[key]
        figure = evaluation_figures.forest(rows, f"{title}, own test films")
        st.plotly_chart(figure, key="models", config=widgets.CHART, alt=f"{title} of every model with 95 % intervals")


def milliseconds(name: str) -> float:
    """Median time of one prediction on this machine, picture in, probabilities out."""
    model = resources.classifier(name)
    size = model.preprocess.size
    picture = np.random.default_rng(0).integers(0, 256, (1, size, size), np.uint8)
    times = []
    with resources.memory().turn():  # other visitors' networks at the same time would be measured as well
        model.predict_pictures(picture)
        for _ in range(SPEED_RUNS):
            started = time.perf_counter()
            model.predict_pictures(picture)
            times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


def training(cards: "dict[str, Card]") -> None:
    """Loss, accuracy and learning rate over the epochs."""
    with_history = [name for name, card in cards.items() if card.history]
    if not with_history:
        st.info("No model here kept its training history.")
        return
    state.choose_many("curves of", with_history, with_history[:4])
    names = st.multiselect(
        "Models", with_history, format_func=lambda name: cards[name].title, key="curves of", persist_state="session"
    )
    if names:
        figure = evaluation_figures.history({cards[name].title: cards[name].history for name in names})
        st.plotly_chart(figure, key="history", config=widgets.CHART, alt="Training curves by epoch")
    _train_and_test(cards[str(st.session_state["model"])])


def _train_and_test(card: "Card") -> None:
    """The reports of the sidebar's model side by side, with what the authors of its recipe report."""
    if not card.exclusive:
        return
    try:
        parts = evaluations.own(card.name)
    except EvaluationError:
        return
    if {"train", "test"} <= parts.keys():
        st.markdown(f"**{plain(card.title)}: train and test**")
        table = side_by_side(parts, card.recipe.get("published_report"))
        widgets.table(table, hide_index=True, key="train and test")
        st.caption("Here a film is called as its most likely class, as the authors of recipes count.")


def pair(cards: "dict[str, Card]") -> tuple[str, str]:
    """The sidebar's model, and another."""
    first = str(st.session_state["model"])
    others = [name for name in cards if name != first]
    same = [name for name in others if set(cards[name].classes) == set(cards[first].classes)]
    state.choose("second model", others, lambda: (same or others)[0])
    second = st.selectbox(
        f"{cards[first].title} (sidebar) against", others, key="second model", format_func=lambda n: cards[n].title,
        persist_state="session",
    )  # fmt: skip
    return first, second


def same_films(cards: "dict[str, Card]") -> None:
    """Paired difference, McNemar, and the films that changed."""
    first, second = pair(cards)
    result = _compared(cards[first], cards[second])
    if result is None:
        return
    st.markdown(f"On **{result.films:,} films**: {plain(result.mcnemar.sentence, longest=600)}")
    left, right = st.columns([3, 2], gap="large")
    bounded = {key: gap for key, gap in result.differences.items() if key != "log_loss"}  # which would dwarf the others
    left.plotly_chart(
        evaluation_figures.differences(bounded, result.clear), key="differences", config=widgets.CHART,
        alt="Difference of every figure, second model less first, with 95 % intervals",
    )  # fmt: skip
    rows = [(GLOSSARY[key].title, gap.text()) for key, gap in result.differences.items()]
    with right:
        widgets.table(pd.DataFrame(rows, columns=["Figure", "Second less first"]), hide_index=True)
    st.caption(
        f"First: {cards[first].title}. Second: {cards[second].title}. Each called by its own operating points. "
        "With 95 % intervals over the same patients; F1, AUROC and average precision are means of the classes. "
        "Coloured: more than luck even with all figures looked at together (Holm)."
    )
    evaluated_films.changed(result)


def this_film(cards: "dict[str, Card]") -> None:
    """Two models on the film of the sidebar: what they say and where they look."""
    first, second = pair(cards)
    case = current()
    shared = [name for name in cards[first].classes if name in cards[second].classes]
    if not shared:
        st.info("The two models know no class in common.")
        return
    called = resources.prediction(resources.classifier(first), case.film).label
    state.choose("class", shared, lambda: called if called in shared else shared[0])
    asked = str(st.segmented_control("Evidence for", shared, key="class", required=True, format_func=plain))
    style = viewer.Drawing(viewer.overlay.Style(st.session_state["opacity"], st.session_state["threshold"]))
    models = [resources.classifier(name) for name in (first, second)]
    maps = [resources.heatmaps(model, case.film)[asked] for model in models]
    bar = not any(map_.blank for map_ in maps)  # else the two films would differ in size
    for model, map_, place in zip(models, maps, st.columns(2), strict=True):
        name, said = model.card.name, resources.prediction(model, case.film)
        with place:
            st.markdown(f"**{plain(cards[name].title)}**: {plain(joined(said.called) or 'no finding called')}")
            view = viewer.View(said.picture, map_, f"{asked} {map_.probability:.2f}")
            viewer.show([view], style, f"film {name}", bar=bar)
            st.plotly_chart(
                figures.probability_bars(said.by_class, said.operating_points), key=f"bars {name}",
                config=widgets.CHART, alt=", ".join(f"{c} {p:.2f}" for c, p in said.by_class.items()),
            )  # fmt: skip
            if said.domain.status != "in":
                st.warning(
                    f"Not like the films this model knows. {plain(said.domain.sentence, 400)}", icon=":material/block:"
                )
    made = " and ".join(dict.fromkeys(widgets.made_by(*pair) for pair in zip(models, maps, strict=True)))
    st.caption(f"{made}; each map on its own scale, so the strengths of the two cannot be compared.")


def _compared(first: "Card", second: "Card") -> Comparison | None:
    """On the test films that both models keep, else on the sidebar's cohort once it has been shown to both."""
    finding = ""
    shared = [name for name in first.classes if name in second.classes]
    if not first.exclusive and not second.exclusive and shared:
        state.choose("class", shared, lambda: shared[0])
        finding = str(st.selectbox("Finding", shared, key="class", width=260))
    elif set(first.classes) != set(second.classes) or first.exclusive != second.exclusive:
        st.info(
            f"{first.title} knows {', '.join(first.classes)}; {second.title} knows {', '.join(second.classes)}. Only "
            "models of the same classes can be compared film by film; “Two on this film” shows any two."
        )
        return None
    result = evaluations.on_own_films(first.name, second.name, finding)
    if result is not None:
        return result
    cohort = current_cohort()
    models = [resources.classifier(card.name) for card in (first, second)]
    missing = [model for model in models if evaluations.made(model, cohort) is None]
    if missing:
        sentence = f"No test film is common to both. Both can be shown the films of {plain(cohort.name)}."
        if not widgets.asked(f"Show {len(cohort):,} films to both", "play_arrow", sentence):
            return None
        for model in missing:
            with widgets.progress(f"Showing films to {plain(model.card.title)}", lambda: None) as progress:
                evaluations.make(model, cohort, progress)
    try:
        return evaluations.on_cohort(models[0], models[1], cohort, finding)
    except EvaluationError as error:
        st.info(str(error))
        return None


def _line(card: "Card", found: dict[str, Estimate], speed: float | None) -> dict[str, Any]:
    published = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in card.published.items())
    return {
        "Model": card.title,
        "ms per film": speed,
        "Test films": max(figure.n for figure in found.values()) if found else None,
        **{TITLES[key]: found[key].text() if key in found else "" if found else "not kept" for key in SHOWN},
        "Published": published or None,
        "Parameters, millions": round(card.parameters / 1e6, 2),
        "Size, MB": round(_megabytes(card.name), 1),
        "Epochs": len(card.history),
        "Network": card.network,
        "Classes": len(card.classes),
    }


def _megabytes(name: str) -> float:
    from core.model.checkpoint import WEIGHTS, find

    return (find(name) / WEIGHTS).stat().st_size / 1e6


widgets.heading(
    "Compare", "The trained models side by side: figures, training, size and speed; two of them on the same films."
)
known = resources.cards()
state.choose("compare view", VIEWS, lambda: VIEWS[0])
view = st.segmented_control(
    "View", VIEWS, required=True, label_visibility="collapsed", key="compare view",
    persist_state="session",
)  # fmt: skip
if view == VIEWS[0]:
    all_models(known)
elif view == VIEWS[1]:
    training(known)
elif view == VIEWS[5]:
    add_model.view()
elif len(known) < 2:
    st.info("There is only one model; train another with python -m core train, or add one.", icon=":material/info:")
elif view == VIEWS[4]:
    leaderboard.view(known)
elif view == VIEWS[2]:
    same_films(known)
else:
    this_film(known)
