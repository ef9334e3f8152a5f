"""The chain of augmentations a visitor puts together: add, set, reorder, remove; presets are those of the recipes."""

import json
from typing import Any

import streamlit as st

from core.training import recipe
from core.transform.augment import AUGMENTATIONS, Parameter, Step

CHAIN, COUNTER = "chain", "_chain_counter"
LINK, _DRAWN = "steps", "_steps_drawn"  # the chain as a link holds it; as the controls showed it last
VERDICTS = {
    "plausible": ":green-badge[plausible]",
    "doubtful": ":orange-badge[doubtful]",
    "implausible": ":red-badge[implausible]",
}
FIRST = Step("rotate", {"angle": 10.0})


def editor() -> list[Step]:
    """The controls of the whole chain; gives its steps, in order."""
    _take_link()
    chain: list[tuple[int, str]] = st.session_state[CHAIN]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Add",
            list(AUGMENTATIONS),
            index=None,
            key="add step",
            placeholder="an augmentation",
            on_change=_add,
            format_func=lambda name: AUGMENTATIONS[name].title,
            width=200,
        )
        presets = _presets()
        st.selectbox(
            "Preset",
            list(presets),
            index=None,
            key="preset",
            placeholder="of a recipe",
            on_change=_take_preset,
            width=240,
            format_func=presets.__getitem__,
            help="The augmentation of a published system.",
        )
    random = st.toggle(
        "Draw at random",
        key="random",
        persist_state="session",
        help="Each setting becomes a range to draw from, as in training.",
    )
    steps = [_step(position, number, name, random) for position, (number, name) in enumerate(chain)]
    st.session_state[LINK] = st.session_state[_DRAWN] = _told(steps)
    if not chain:
        st.caption("No augmentation: the film as it is.")
    return steps


def _take_link() -> None:
    """Set the controls to the chain of the link that came since they were last drawn; at first, to the usual one."""
    session = st.session_state
    asked = session.get(LINK)
    if asked is None and session.get(_DRAWN) is None:
        session[CHAIN] = []
        _append(FIRST)
    elif asked is not None and asked != session.get(_DRAWN):
        session[CHAIN] = []
        for table in json.loads(asked):
            _append(Step.from_dict(table))


def _told(steps: list[Step]) -> str:
    """The chain as a link holds it."""
    return json.dumps([step.to_dict() for step in steps], separators=(",", ":"))


def _step(position: int, number: int, name: str, random: bool) -> Step:
    """One step's sliders, made from its declaration."""
    declared = AUGMENTATIONS[name]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{declared.title}**", width="stretch")
            with st.container(horizontal=True, gap=None, width="content"):  # they stay together when the title is long
                for label, move in (("Earlier", -1), ("Later", 1), ("Remove", 0)):  # style.css shows a sign for each
                    st.button(
                        f"{label}: {declared.title}",
                        key=f"{label} {number}",
                        on_click=_move,
                        args=(position, move),
                        type="tertiary",
                        help=f"{label}: {declared.title}",
                    )
        values = {p.name: _setting(p, f"step {number} {p.name}", random) for p in declared.parameters}
        p = _probability(f"step {number} p") if random else 1.0
        step = Step(name, values, p)
        verdict, reason = step.verdict()
        st.caption(f"{VERDICTS[verdict]} {reason}")
    return step


def _probability(key: str) -> float:
    st.session_state.setdefault(key, 1.0)
    return st.slider("Probability", 0.0, 1.0, step=0.05, key=key, help="How often this step happens at all.")


def _setting(parameter: Parameter, key: str, random: bool) -> Any:
    title = parameter.name.capitalize() + (f", {parameter.unit}" if parameter.unit else "")
    if parameter.choices:
        return st.selectbox(title, parameter.choices, index=int(parameter.default), key=key, help=parameter.help)
    low, high, step = float(parameter.low), float(parameter.high), float(parameter.step)
    stored = st.session_state.get(key)
    if random:
        if not isinstance(stored, tuple):
            middle = float(parameter.default if stored is None else stored)
            st.session_state[key] = (low, high) if parameter.drawn else tuple(sorted((_neutral(parameter), middle)))
    elif stored is None or isinstance(stored, tuple):
        st.session_state[key] = (
            float(parameter.default)
            if stored is None
            else stored[1]
            if not parameter.drawn
            else float(parameter.default)
        )
    return st.slider(title, low, high, step=step, key=key, format="%g", help=parameter.help)


def _neutral(parameter: Parameter) -> float:
    """The value that changes nothing, as far as limits tell: no turn or shift, factor one."""
    return next(
        (float(value) for value in (0.0, 1.0) if parameter.low <= value <= parameter.high), float(parameter.low)
    )


def _presets() -> dict[str, str]:
    """Recipes with augmentation: name -> title."""
    return {loaded.name: loaded.title for loaded in map(recipe.load, recipe.names()) if loaded.augment}


def _append(step: Step) -> None:
    session = st.session_state
    number = session[COUNTER] = session.get(COUNTER, 0) + 1
    session[CHAIN].append((number, step.name))
    for name, value in step.settings.items():
        session[f"step {number} {name}"] = tuple(map(float, value)) if isinstance(value, tuple) else value
    session[f"step {number} p"] = step.p


def _add() -> None:
    name = st.session_state["add step"]
    if name:
        _append(Step(name))
    st.session_state["add step"] = None


def _take_preset() -> None:
    name = st.session_state["preset"]
    if name:
        st.session_state.update({CHAIN: [], "random": True})
        for step in recipe.load(name).augment:
            _append(step)


def _move(position: int, by: int) -> None:
    chain = st.session_state[CHAIN]
    step = chain.pop(position)
    if by:
        chain.insert(max(position + by, 0), step)
