"""Window and level: the whole film with all its bits, in a window of the reader's own. No model ever sees it."""

import math
from typing import Any

import streamlit as st

from core.data.film.values import Values, Window
from pages.shared import resources, viewer
from pages.shared.case import Case

VIEWER = "film window"
_KEPT, _CENTRE, _WIDTH = "_window", "window centre", "window width"  # (hash of a film, its window or None), sliders


def panel(case: Case) -> None:
    """The film with its presets and sliders; dragging across it does the same."""
    values, whole = _values(case)
    asked = values.asked or values.full()
    chosen = _chosen(case)
    lungs = case.examined.lungs_on_film
    presets = {"As sent": None, "Full range": values.full()}
    if lungs.found and (of_lungs := values.of_lungs(lungs.visible)) is not None:
        presets["Lungs"] = of_lungs
    spacing = case.film.spacing
    viewer.show_film(
        case.film.pixels if chosen is None else values.shown(chosen),
        VIEWER,
        f"The film {case.film.name} in a window of its reader's",
        lambda: _dragged(case, values),
        None if spacing is None else spacing.millimetres,
    )
    with st.container(horizontal=True):
        for name, window in presets.items():
            st.button(name, key=f"window {name}", on_click=_choose, args=(case, window), help=_HELP[name])
    low, high = values.range
    reach = max(high - low, asked.width, (chosen or asked).width, 1e-6)
    least, most = min(low, asked.ends[0]), max(high, asked.ends[1])
    now = chosen or asked
    st.session_state[_CENTRE] = min(max(now.centre, least), most)
    st.session_state[_WIDTH] = min(max(now.width, reach / 1000), reach)
    figures = "%.0f" if reach > 20 else "%.3g"
    st.slider("Centre", least, most, key=_CENTRE, format=figures, on_change=_slid, args=(case,))
    st.slider("Width", reach / 1000, reach, key=_WIDTH, format=figures, on_change=_slid, args=(case,))
    said = [
        f"Values {low:g} to {high:g}, {case.film.bit_depth} bit."
        if whole
        else "8 bits of its values are left in memory.",
        "Shown as the file asks." if chosen is None else f"Shown: centre {now.centre:.4g}, width {now.width:.4g}.",
        "Drag right and left for contrast, up and down for brightness; a double click resets.",
        "The model sees the film as its file asks, whatever the window here.",
        spacing.sentence if spacing is not None else "",
    ]
    st.caption(" ".join(said))


_HELP = {
    "As sent": "As the file asks to be shown, which is what the model sees.",
    "Full range": "From the lowest value to the highest: nothing is cut off.",
    "Lungs": "What lies in the lungs, but for its darkest and brightest hundredth.",
}


def _values(case: Case) -> tuple[Values, bool]:
    if case.row is None:
        return resources.values_of_upload(case.film)
    return resources.values(case.spec, case.row), True


def _chosen(case: Case) -> Window | None:
    film, window = st.session_state.get(_KEPT, ("", None))
    return window if film == case.film.sha256 else None


def _choose(case: Case, window: Window | None) -> None:
    st.session_state[_KEPT] = (case.film.sha256, window)


def _slid(case: Case) -> None:
    _choose(case, Window(st.session_state[_CENTRE], st.session_state[_WIDTH]))


def _dragged(case: Case, values: Values) -> None:
    moved = st.session_state[VIEWER]["window"]
    told: list[Any] = moved[:2] if isinstance(moved, list) and len(moved) == 3 else []
    shares = [float(share) for share in told if isinstance(share, int | float)]
    if len(shares) < 2 or not all(math.isfinite(share) and abs(share) <= 4 for share in shares):
        return _choose(case, None)
    right, down = shares
    now = _chosen(case) or values.asked or values.full()
    shift = now.width * down * (-1 if values.inverse else 1)
    _choose(case, Window(now.centre + shift, max(now.width * 4**right, 1e-6)))
    return None
