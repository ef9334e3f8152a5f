"""The answer about the film before never stands beside a new film: its place is cleared before the work begins."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from core.examine.examined import Examined
from tests.pages.tiny import sound

Place = tuple[int, ...]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Place, str]]:
    """What a page sends to its browser, in order: where it stands, and its kind, such as "empty" or "block"."""
    told: list[tuple[Place, str]] = []
    enqueue = ScriptRunContext.enqueue

    def recorded(self: ScriptRunContext, message: Any) -> None:
        if message.WhichOneof("type") == "delta":
            delta = message.delta
            kind = delta.new_element.WhichOneof("type") if delta.WhichOneof("type") == "new_element" else "block"
            told.append((tuple(message.metadata.delta_path), str(kind)))
        enqueue(self, message)

    monkeypatch.setattr(ScriptRunContext, "enqueue", recorded)
    return told


def begun(work: str, sent: list[tuple[Place, str]], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much had been sent whenever the slow work began."""
    seen: list[int] = []
    attribute = {"mild copies": "mild_copies", "trust": "trust"}[work]
    was = Examined.__dict__[attribute]
    whole: Callable[..., Any] = was.fget if isinstance(was, property) else was

    def noted(self: Any, *args: Any) -> Any:
        seen.append(len(sent))
        return whole(self, *args)

    monkeypatch.setattr(Examined, attribute, property(noted) if isinstance(was, property) else noted)
    return seen


@pytest.mark.parametrize(("page", "work"), [("case/predict.py", "mild copies"), ("case/heatmaps.py", "trust")])
def test_the_place_of_the_answer_is_cleared_before_the_work(page, work, open_page, sent, monkeypatch) -> None:
    app = open_page(page, case="1")
    seen = begun(work, sent, monkeypatch)
    sent.clear()
    app.session_state["case"] = 2
    sound(app.run())
    assert seen, "the work was done"
    before, after = sent[: seen[0]], sent[seen[0] :]
    cleared = [path for path, kind in before if kind == "empty"]
    drawn = [path for path, kind in after if kind == "block"]
    (place,) = set(cleared) & set(drawn)  # what is drawn afterwards stands in a place that was cleared before
    sent.clear()
    sound(app.run())
    assert (place, "block") in sent, "the same film again: the answer stands where it stood"
    assert (place, "empty") not in sent, "and is not cleared"


def test_nothing_of_the_answer_is_cleared_where_it_only_changes(open_page, sent) -> None:
    """The check finds pages that clear nothing."""
    open_page("data/explore.py")
    assert not {path for path, kind in sent if kind == "empty"} & {path for path, kind in sent if kind == "block"}
