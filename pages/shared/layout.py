"""The frame round every page: sidebar with cohort, model and case, and what Hilum is not for."""

import random

import streamlit as st

from core.data import cache
from core.errors import CohortError
from core.evaluate import elsewhere, headline
from pages.shared import access, cohort_layout, frame, pacs, resources, state
from pages.shared.case import (
    ABSENT,
    choose_case,
    current_cohort,
    film_range,
    kinship,
    take_cohort_film,
    uploaded_films,
)
from pages.shared.frame import NOT_FOR_DIAGNOSIS
from pages.shared.text import plain

ACCEPTED = "hilum_accepted"
_ASKED = "_asked_cohort"  # by a link, and not answered yet
_OFF = ":material/folder_off:"


def sidebar(with_case: bool = True) -> None:
    """Cohort, model and case; every page reads them from the session."""
    frame.look()
    with st.sidebar:
        _cohort()
        _model()
        if with_case:
            with st.container(key="case-picker", gap="xsmall"):
                _case()
        frame.ways_of_showing()
        frame.mend()  # at the end, where its empty line shows least
    frame.not_for_diagnosis()


def disclaimer() -> None:
    """Asked once per browser: the visitor accepts what Hilum is not for; a cookie remembers it."""
    if st.session_state.get(ACCEPTED) or st.context.cookies.get(ACCEPTED) == "1":
        return
    with st.container(border=True):
        words, button = st.columns([5, 1], vertical_alignment="center")
        words.markdown(f"**{NOT_FOR_DIAGNOSIS}.** Answers can be wrong and must not guide care.")
        button.button("I understand", on_click=lambda: st.session_state.update({ACCEPTED: True}), width="stretch")


def remember_acceptance() -> None:
    """Set the cookie that spares the visitor the question next time."""
    if st.session_state.get(ACCEPTED) and st.context.cookies.get(ACCEPTED) != "1":
        script = f'<script>document.cookie = "{ACCEPTED}=1; max-age=31536000; path=/; samesite=strict"</script>'
        st.html(script, unsafe_allow_javascript=True)


def dismiss_false_alarm() -> None:
    """Close the dialog with which a fresh server greets a link to a page.

    Streamlit takes the folder pages/ for its own old page discovery until the first st.navigation, and says that a
    linked page is missing before it shows it.
    """
    script = """<script>
      const close = (tries) => {
        const dialogs = [...document.querySelectorAll('[role="dialog"]')];
        const alarm = dialogs.find((dialog) => dialog.innerText.startsWith("Page not found"));
        if (alarm) alarm.querySelector("button").click();
        else if (tries) setTimeout(close, 50, tries - 1);
      };
      close(40);
    </script>"""
    st.sidebar.html(script, unsafe_allow_javascript=True)  # where its empty line moves no page


def _cohort() -> None:
    known, session = access.offered(), st.session_state
    usual = next(iter(known))
    wanted = session["cohort"] or usual
    if state.from_link("cohort") and not access.may_open(wanted):
        session[_ASKED], wanted = wanted, session.get("_cohort", usual)
    elif not access.may_open(wanted):
        access.allow(wanted)  # typed here
    session["cohort"] = _openable(wanted, session.get("_cohort", usual), usual)
    session["_cohort"] = session["cohort"]
    here = access.at_this_machine()
    path = " Or type the path of a folder of class folders, of a CSV, or of a public collection on this machine."
    st.selectbox(
        "Cohort",
        list(dict.fromkeys([*known, session["cohort"]])),
        key="cohort",
        accept_new_options=here,
        format_func=lambda spec: cohort_layout.title(spec, known),
        on_change=_forget_case,
        help="A collection of films. Phantoms are films that Hilum draws itself, so that the truth is known."
        + (path if here else ""),
    )
    cohort_layout.choose(_forget_case)
    if _ASKED in session:
        _ask_about(session[_ASKED], here)
    pacs.follow_link()
    choose_case()
    pacs.note_case()


def _openable(*specs: str) -> str:
    """The first of these cohorts that this visitor may open and that can be opened; says why the others cannot."""
    for spec in specs[:-1]:
        if not access.may_open(spec):
            st.error(f"This server opens the cohorts that its owner lists; {plain(spec)} is not among them.", icon=_OFF)
            continue
        try:
            resources.cohort(spec)
        except CohortError as error:
            st.error(plain(error, longest=600), icon=_OFF)
            cohort_layout.offer_films(spec, _forget_case)
        else:
            return spec
    return specs[-1]


def _ask_about(spec: str, here: bool) -> None:
    """A link asks for a cohort that nobody opened here before."""
    if not here:
        del st.session_state[_ASKED]
        st.warning("The link asks for a cohort that is not on this server's list.", icon=_OFF)
        return
    st.warning(f"A link asks to open {plain(spec)}. Open it only if you expect that.", icon=":material/link:")
    with st.container(horizontal=True):
        st.button("Open it", on_click=_answer, args=(spec, True))
        st.button("Leave it", on_click=_answer, args=(spec, False))


def _answer(spec: str, open_it: bool) -> None:
    del st.session_state[_ASKED]
    if open_it:
        access.allow(spec)
        _forget_case()
        st.session_state["cohort"] = spec


def _model() -> None:
    cards = resources.cards()
    st.selectbox(
        "Model",
        list(cards),
        key="model",
        format_func=lambda name: cards[name].title,
        help="The model that fits the cohort is picked automatically; you can choose another.",
    )
    for name, reason in resources.refused_models().items():
        st.caption(f":material/heart_broken: {plain(name)} cannot be opened", help=plain(reason, longest=600))
    card = cards[st.session_state["model"]]
    st.caption(
        f"{plain(card.title)}: {plain(card.network)}, {card.preprocess.size} px"
    )  # the box cuts a long title off
    if told := elsewhere.sentence(card):
        st.caption(f":material/travel_explore: {plain(told)}")
    if told := headline.pooled(card):
        st.caption(f":material/call_split: {plain(told)}")
    if card.caveat:
        st.caption(f":material/warning: {card.caveat}.")
    if card.origin:
        return  # what it learned from is not known here
    if not st.session_state["upload"] and kinship(card, st.session_state["cohort"]) < 2:
        learned = plain(card.data.get("name", "other films"))
        st.caption(f":material/warning: This model learned from {learned}, not from this kind of film.")
    if said := cache.trouble():
        st.caption(f":material/warning: {plain(said)}")


def _case() -> None:
    cohort, session = current_cohort(), st.session_state
    films = film_range()
    if session.get(ABSENT):
        st.button("Show the cohort's film", on_click=take_cohort_film, icon=":material/image:", width="stretch")
    if uploaded_films():
        titles = {None: "the cohort"} | {
            n: f"Upload {n}: {film.name}" for n, film in enumerate(uploaded_films(), start=1)
        }
        st.selectbox("Film from", list(titles), key="upload", format_func=titles.__getitem__)
    if session["upload"]:
        return
    st.number_input(
        f"Film of {len(films):,}",
        films[0],
        films[-1],
        key="case",
        step=1,
        on_change=take_cohort_film,
        help="Number of the film in the cohort. Keys P, N and X: previous, next, any; they can be switched off below.",
    )
    with st.container(horizontal=True, gap="xsmall"):
        for label, key, number in (  # style.css shows a sign for each
            ("Previous film", "P", max(session["case"] - 1, films[0])),
            ("Next film", "N", min(session["case"] + 1, films[-1])),
            ("Any film", "X", None),
        ):
            letter = frame.shortcut(key)
            st.button(label, key=label, help=label, shortcut=letter, on_click=_go, args=(number,), width="stretch")
    row = cohort.samples.iloc[session["case"] - 1]
    known = [plain(row[column]) for column in ("label", "source", "view") if row[column] not in ("", "unknown")]
    learned = "the model may have learned from it" if row["split"] == "train" else row["split"]
    st.caption(" · ".join([*known, *([learned] if learned else [])]))


def _go(number: int | None) -> None:
    take_cohort_film()
    st.session_state["case"] = random.choice(film_range()) if number is None else number


def _forget_case() -> None:
    take_cohort_film()
    for key in ("model", "case", "class", "layer", "upload"):
        st.session_state[key] = None
