"""How a cohort is read: as what it was recognised, by what, and the choice of another layout.

The choice stands in the cohort's name (``/srv/films::folders``), so links and the address bar keep it.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from pages.shared import access, resources
from pages.shared.text import plain

_RECOGNISED = ""


def choose(forget: Callable[[], None]) -> None:
    """The layout of the sidebar's cohort, with its grounds; ``forget`` is called where another is chosen."""
    from core.data.readers import LAYOUTS, is_drawn, split_layout

    spec = st.session_state["cohort"]
    if is_drawn(spec):
        return
    path, named = split_layout(spec)
    found = resources.cohort(spec)
    key = f"layout of {path}"
    st.session_state[key] = named or _RECOGNISED

    def reopen() -> None:
        st.session_state["cohort"] = _spec(path, st.session_state[key])
        forget()

    with st.popover("Layout", icon=":material/account_tree:", width="stretch"):
        st.caption(f"Read as {LAYOUTS[found.layout].title}: {plain(found.grounds, longest=400)}.")
        st.selectbox(
            "Read it as",
            [_RECOGNISED, *LAYOUTS],
            key=key,
            format_func=lambda name: LAYOUTS[name].title if name else "what is recognised",
            on_change=reopen,
            help="A layout that you name is believed: where the films come from is claimed as in that collection.",
        )


def offer_films(spec: str, forget: Callable[[], None]) -> None:
    """For a folder that no layout fits: open its films all the same, without labels, where there are any."""
    from core.data.readers import split_layout, unlabelled

    path, named = split_layout(spec)
    if named or not access.may_open(spec) or not unlabelled.holds_films(path):
        return

    def reopen() -> None:
        access.allow(_spec(path, "films"))
        st.session_state["cohort"] = _spec(path, "films")
        forget()

    st.button("Open its films without labels", on_click=reopen, icon=":material/folder_open:", width="stretch")


def title(spec: str, known: Mapping[str, str]) -> str:
    """What the sidebar calls a cohort."""
    from core.data.readers import LAYOUTS, split_layout

    path, named = split_layout(spec)
    return f"{known.get(path, path)}, read as {LAYOUTS[named].title}" if named else known.get(spec, spec)


def _spec(path: str, name: str) -> str:
    from core.data.readers import AS

    return f"{path}{AS}{name}" if name else path
