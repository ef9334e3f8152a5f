"""Models ranked on the same films, those that none of them learned from, by a figure of the visitor's choice."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.errors import EvaluationError
from core.evaluate import leaderboard as ranking
from core.evaluate.glossary import GLOSSARY
from core.report import evaluation_figures
from core.report.outputs import export_name
from core.report.spreadsheet import frame_as_csv
from core.words import joined
from pages.shared import evaluations, resources, state, widgets
from pages.shared.case import current_cohort
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.model.card import Card

CAPTION = (
    "Films that none of these models learned from, each model called by its own operating points. Tied: the interval "
    "of the paired difference from the best holds zero. The best of many looks a little better than it is, and no "
    "interval here corrects for that."
)


def view(cards: "dict[str, Card]") -> None:
    """The controls, the ranking and its CSV."""
    first = str(st.session_state["model"])
    exclusive = cards[first].exclusive
    alike = [name for name, card in cards.items() if _comparable(card, cards[first])]
    if len(alike) < 2:
        known = plain(", ".join(cards[first].classes), longest=400)
        what = "classes" if exclusive else "findings"
        st.info(f"No other model knows the {what} of {plain(cards[first].title)}: {known}.")
        return
    state.belongs_to("ranked", tuple(alike))
    state.choose_many("ranked", alike, alike)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect(
            "Models", alike, format_func=lambda name: cards[name].title, key="ranked", persist_state="session",
            help="Those that know the same classes as the model of the sidebar, or some of its findings.",
        )  # fmt: skip
        finding = "" if exclusive else _finding(ranking.known_to_all([cards[name].classes for name in names or alike]))
        titles = ranking.titles() if exclusive else ranking.titles(ranking.OF_FINDINGS, finding)
        state.choose("ranked by", titles, lambda: next(iter(titles)))
        key = st.selectbox(
            "Ranked by", list(titles), format_func=titles.__getitem__, key="ranked by", width=220,
            persist_state="session",
        )  # fmt: skip
    if len(names) < 2:
        st.info("Choose two models or more.")
        return
    shown = _evaluations(names, cards)
    if shown is None:
        return
    try:
        board = ranking.leaderboard(shown, key) if exclusive else ranking.leaderboard_of_findings(shown, key, finding)
    except EvaluationError as error:
        st.info(plain(error, longest=600))
        return
    _draw(board, cards, f"{finding}: {titles[key]}" if finding else titles[key])


def _comparable(card: "Card", other: "Card") -> bool:
    """The same classes, or some findings in common."""
    if card.exclusive != other.exclusive:
        return False
    return set(card.classes) == set(other.classes) if card.exclusive else bool(set(card.classes) & set(other.classes))


def _finding(known: tuple[str, ...]) -> str:
    """The finding by which models are ranked; "" for the mean over those that all of them know."""
    options = ["", *known]
    state.choose("ranked finding", options, lambda: "")
    return st.selectbox(
        "Finding", options, format_func=lambda name: name or "Mean over findings", key="ranked finding", width=220,
        persist_state="session", help="Findings that all of these models know.",
    )  # fmt: skip


def _draw(board: "ranking.Leaderboard", cards: "dict[str, Card]", title: str) -> None:
    rows = [
        {
            "Rank": place.rank,
            "Model": cards[place.name].title,
            title: place.figure.text(),
            "Best less this": "" if place.gap is None else place.gap.text(),
            "Tied with the best": place.tied,
        }
        for place in board.places
    ]
    over = f"; {plain(joined(board.findings), longest=400)}" if board.findings else ""
    st.markdown(f"**{board.films:,} films** of {board.patients:,} patients{over}")
    help_ = {
        "Model": st.column_config.TextColumn(pinned=True),
        title: st.column_config.TextColumn(help=GLOSSARY[board.key].help),
    }
    widgets.table(pd.DataFrame(rows), hide_index=True, column_config=help_)
    st.download_button(
        "CSV", lambda: frame_as_csv(board.table()), export_name(f"leaderboard {board.key}", "csv"), "text/csv",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip
    figure = evaluation_figures.forest({cards[place.name].title: place.figure for place in board.places}, title)
    st.plotly_chart(figure, key="leaderboard", config=widgets.CHART, alt=f"{title} of every model on the same films")
    st.caption(CAPTION)


def _evaluations(names: list[str], cards: "dict[str, Card]") -> "dict[str, Any] | None":
    """Their own test films where all have some in common, else the sidebar's cohort once it has been asked for."""
    own = {name: _own_test(name) for name in names}
    kept = {name: evaluation for name, evaluation in own.items() if evaluation is not None}
    with suppress(EvaluationError):
        if len(kept) == len(names):
            return ranking.on_common_films(kept) if cards[names[0]].exclusive else ranking.on_common_findings(kept)
    cohort = current_cohort()
    models = {name: resources.classifier(name) for name in names}
    missing = [name for name, model in models.items() if evaluations.made(model, cohort) is None]
    if missing:
        sentence = f"No test film is common to all. All can be shown the films of {cohort.name}."
        button = f"Show {len(cohort):,} films to {len(missing)} models"
        if not widgets.asked(button, "play_arrow", sentence, key="show to all"):
            return None
        for name in missing:
            with widgets.progress(f"Showing films to {cards[name].title}", lambda: None) as progress:
                evaluations.make(models[name], cohort, progress)
    found = {name: evaluations.whole(model, cohort) for name, model in models.items()}
    return {name: evaluation for name, evaluation in found.items() if evaluation is not None}


def _own_test(name: str) -> Any:
    try:
        return evaluations.own(name).get("test")
    except EvaluationError:
        return None
