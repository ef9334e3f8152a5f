"""Step 7 of the Shortcut lab: eleven other ways to cheat, and which of them were found out."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from core import identity
from core.report import overlay
from pages.shared import resources, shipped, state, viewer
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.data.phantom import Phantom

KIND = "shortcut kind"
_BASE = 4100  # seed of the first film drawn here


def show(number: int) -> None:
    """A kind of shortcut on one film, with and without it, and what was said of a network that learned it."""
    from core.data.phantom.shortcuts import CARRIER, KINDS, SHORTCUTS

    left, right = st.columns(2, gap="large")
    with right:
        state.choose(KIND, KINDS, lambda: KINDS[0])
        kind = st.selectbox(
            "Planted shortcut", KINDS, key=KIND, format_func=words, persist_state="session",
            help="In its hospital every film of one class carries it, and no other.",
        )  # fmt: skip
        shortcut = SHORTCUTS[kind]
        where = "It lies where disease may lie." if shortcut.in_lungs else ""
        st.markdown(f"A film that carries it shows **{shortcut.carried}**. {where}")
        told = shipped.battery()
        row = told["kinds"].get(kind) if told else None
        if row is None:
            st.info("No figures of this kind are here: `python -m benchmarks.shortcuts --write`")
        else:
            found_out(row)
    carrying, bare = films(kind, number)
    with left:
        for column, (film, title) in zip(st.columns(2), ((bare, "Without"), (carrying, "With")), strict=True):
            picture = overlay.enlarge(film.pixels, viewer.SIDE)
            column.image(picture, caption=title, width="stretch", alt=f"A film of {CARRIER}: {title.lower()} it")
        st.caption(f"One drawn film of {CARRIER} twice. Could you tell, if every film of it looked like the right one?")
        if told and row:
            how_found(told, row)


def words(kind: str) -> str:
    """The kind as it is said."""
    return kind.replace("-", " ").capitalize()


def films(kind: Any, number: int) -> "tuple[Phantom, Phantom]":
    """The same drawn film with a shortcut, and without it; ``number`` says which."""
    from core.data.phantom.parameters import Acquisition, Finding, Patient
    from core.data.phantom.shortcuts import CARRIER, with_and_without

    def work() -> "tuple[Phantom, Phantom]":
        seed = _BASE + number
        return with_and_without(kind, Patient.random(seed), Finding(CARRIER, 0.7, seed), Acquisition.random(seed, 0))

    return resources.kept(identity.key("with and without", planted=kind, number=number, code=("data/phantom",)), work)


def found_out(row: dict[str, Any]) -> None:
    """What a small network that learned it is worth, and what the hunter said of it."""
    from core.explain.swap import CUES
    from core.hunt.exchange import LEAST

    st.markdown(
        "Accuracy of a small network that learned from such films, at home and where the shortcut tells nothing:"
    )
    home, elsewhere = st.columns(2)
    home.metric("At home", f"{row['home']:.0%}")
    change = f"{100 * (row['elsewhere'] - row['home']):+.0f} points"
    elsewhere.metric("Elsewhere", f"{row['elsewhere']:.0%}", change)
    if row["hypotheses"]:
        name, _, cue = row["first"].partition(": ")
        subject = CUES[cue].title if cue in CUES else plain(cue)
        st.markdown(f"**Found out.** The hunter's first hypothesis: {plain(name)} goes with {subject}.")
    elif row["hunter"] >= LEAST:
        st.markdown(
            "**A lead, no hypothesis.** What lies over the lungs moves the answer, but disease can look like it."
        )
    else:
        st.markdown(
            f"**Not found out.** The hunter has no hypothesis: no exchange moved the answer by {LEAST:g} for certain."
        )


def how_found(told: dict[str, Any], row: dict[str, Any]) -> None:
    """What the hunter's verdict rests on."""
    clean = told["clean"]
    beside = f"in {len(clean)} clean networks, for which no shortcut told anything, {clean[0]:.2f} at most"
    st.caption(
        f"What the hunter saw: an exchange moves the answer by {row['hunter']:.2f} at least; {beside}. "
        f"{told['films']} drawn films for each network; the hunter looked at {told['hunted']} at most."
    )
