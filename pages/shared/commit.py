"""Commit first: the reader answers before the model does, then sees its answer, then its evidence.

Readers who see an answer first find reasons for it, right or wrong. What was said, when, and every change of mind stay
in this session, and leave it as CSV.
"""

import time
from dataclasses import asdict, dataclass, replace

import pandas as pd
import streamlit as st

from core.report.call import in_words
from core.report.outputs import export_name
from core.report.spreadsheet import frame_as_csv
from pages.shared.case import Case
from pages.shared.quiz.answers import SURE
from pages.shared.text import plain

ON = "commit"  # the switch
_KEPT, _SINCE = "_commits", "_commit_since"


@dataclass(frozen=True)
class Commit:
    """What a reader said of one film before one model; ``final`` is "" until the model's answer was seen.

    Attributes:
        seconds: before the answer was given.
        seconds_model: with the model's answer, before its evidence was asked for.
    """

    sha256: str
    model: str
    reader: str
    sure: str
    answer: str
    seconds: float
    final: str = ""
    seconds_model: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether the reader changed to something else once the model had answered."""
        return bool(self.final) and self.final != self.reader


def switch() -> None:
    """Whether one wants to be asked first, and what has been kept of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Commit first", key=ON, help="You answer before the model does. Times and changes stay here.")
        kept = list(_kept().values())
        if kept:
            table = pd.DataFrame([asdict(one) | {"changed": one.changed} for one in kept])
            name = export_name("commits", "csv")
            st.download_button(
                f"{len(kept)} commits .csv", frame_as_csv(table), name, "text/csv", on_click="ignore", type="tertiary"
            )


def passed(case: Case) -> bool:
    """Whether the evidence may be shown; if not, draws what comes before it: the question, then the model's answer."""
    if not st.session_state.get(ON):
        return True
    given = _kept().get(_key(case))
    if given is None:
        _ask(case)
        return False
    if not given.final:
        _answer(case, given)
        return False
    stayed = "changed to" if given.changed else "stayed with"
    st.caption(f"You said {plain(given.reader)}, {given.sure}, and {stayed} {plain(given.final)}.")
    return True


def hidden(case: Case) -> bool:
    """Whether nothing of the model may be seen yet."""
    return bool(st.session_state.get(ON)) and _key(case) not in _kept()


def _ask(case: Case) -> None:
    key = _key(case)
    st.session_state.setdefault(_SINCE, {}).setdefault(key, time.monotonic())
    st.radio("What do you see?", _options(case), index=None, key=f"commit {key}", format_func=plain)
    st.session_state.setdefault(f"sure {key}", SURE[1])
    st.segmented_control("How sure are you?", SURE, required=True, key=f"sure {key}")
    said = st.session_state.get(f"commit {key}")
    st.button("Commit", type="primary", disabled=said is None, on_click=_commit, args=(case,))


def _answer(case: Case, given: Commit) -> None:
    st.header(in_words(case.prediction), anchor=False)
    st.markdown(f"You said **{plain(given.reader)}**, {given.sure}. Do you stay with it?")
    key, options = _key(case), _options(case)
    st.selectbox("Your answer now", options, options.index(given.reader), key=f"final {key}", format_func=plain)
    st.button("Show the evidence", type="primary", on_click=_finish, args=(case,))


def _options(case: Case) -> list[str]:
    return [*case.model.classes, "something else"]


def _commit(case: Case) -> None:
    key, session = _key(case), st.session_state
    seconds = round(time.monotonic() - session[_SINCE][key], 1)
    reader, sure = session[f"commit {key}"], session.get(f"sure {key}") or SURE[1]
    film, model = case.film.sha256, case.model.card.name
    _kept()[key] = Commit(film, model, reader, sure, case.prediction.label, seconds)
    session[_SINCE][key] = time.monotonic()


def _finish(case: Case) -> None:
    key, session = _key(case), st.session_state
    seconds = round(time.monotonic() - session[_SINCE][key], 1)
    _kept()[key] = replace(_kept()[key], final=session[f"final {key}"], seconds_model=seconds)


def _kept() -> dict[str, Commit]:
    found: dict[str, Commit] = st.session_state.setdefault(_KEPT, {})
    return found


def _key(case: Case) -> str:
    return f"{case.film.sha256[:12]} {case.model.card.name}"
