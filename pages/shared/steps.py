"""A lesson in steps: which one, and the way to the next."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared import state


def choose(key: str, titles: Sequence[str], between: Callable[[], None] = lambda: None) -> int:
    """The step that is chosen, from 1; it is in the link under ``key``.

    Args:
        titles: of the steps, in order.
        between: draws what stands before *Next step*.
    """
    numbers = range(1, len(titles) + 1)
    state.choose(key, numbers, lambda: 1)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        chosen = st.segmented_control(
            "Step", list(numbers), required=True, key=key, label_visibility="collapsed", wrap=True,
            persist_state="session", format_func=lambda number: f"{number} {titles[number - 1]}",
        )  # fmt: skip
        step = int(chosen or 1)
        between()
        if step < len(titles):
            st.button("Next step", type="primary", on_click=st.session_state.update, args=({key: step + 1},))
    return step
