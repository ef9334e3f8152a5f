"""Work over many films holds a turn at the network, and lets whoever asks about one film go first."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from core.data.readers import open_cohort
from core.turns import Turns
from pages.shared import corners, evaluations, localisation, overview, resources
from tests.pages.tiny import small_cohort

FILMS = 6  # of each of four classes
PATIENCE = 60  # seconds


def _ignore(*_: object) -> None:
    """Progress that nobody looks at."""


def evaluate(spec: str) -> None:
    evaluations.make(resources.classifier("tiny"), resources.cohort(spec), _ignore)


def embed(spec: str) -> None:
    model = resources.classifier("tiny")
    overview.fill(overview.embeddings_of(model, spec), model, resources.cohort(spec), list(range(4 * FILMS)), _ignore)


def audit(spec: str) -> None:
    overview.audit(spec, tuple(range(4 * FILMS)), _ignore)


def hide_corners(spec: str) -> None:
    corners.accuracy(spec, "tiny", "black")


def mark(spec: str) -> None:
    drawn = open_cohort("phantom:fair")
    model = resources.classifier("tiny")
    chosen = drawn.take([row for row, band in enumerate(drawn.samples["band"]) if band == "moderate"][:6])
    localisation.mark(model, chosen, ["gradcam"], _ignore)


@pytest.fixture
def spec(tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cohort of 24 drawn films, all of them test films, on a server that has one place and nothing kept on disk."""
    monkeypatch.setenv("HILUM_WEIGHTS", str(tiny_weights))
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resources.memory().turns, "places", 1)
    films = tmp_path / "films"
    films.mkdir()
    small_cohort(films, FILMS)
    rows = [f"{path},{path.parent.name},test" for path in sorted(films.rglob("*.png"))]
    table = tmp_path / "films.csv"
    table.write_text("\n".join(["path,label,split", *rows]))
    return str(table)


@pytest.mark.parametrize("work", [evaluate, embed, audit, hide_corners, mark])
def test_a_single_film_does_not_wait_behind_a_whole_cohort(
    work: Callable[[str], None], spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, at_work, served = resources.memory().turns, [True], []

    def ask() -> None:
        with turns.take():
            served.append(at_work[0])

    visitor = Thread(target=ask)
    give_way = Turns.give_way

    def with_somebody_waiting(self: Turns, *told: Callable[[int], None]) -> None:
        if not visitor.ident:
            visitor.start()
            until = monotonic() + PATIENCE
            while not turns.waiting:
                assert monotonic() < until, "the work holds no turn: nobody waits for it"
                sleep(0.01)
        give_way(self, *told)

    monkeypatch.setattr(Turns, "give_way", with_somebody_waiting)
    work(spec)
    at_work[0] = False
    assert visitor.ident, "the work never lets anybody through"
    visitor.join(PATIENCE)
    assert served == [True], "the visitor had to wait until all films were done"
    assert (turns.working, turns.waiting) == (0, 0)


def test_who_evaluates_and_has_to_wait_is_told(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    turns = resources.memory().turns

    def other() -> None:
        with turns.take():
            told.append(0)  # it came through
            sleep(0.2)

    def tell(before: int) -> None:
        told.append(before)

    monkeypatch.setattr("core.turns.TELL", 0.01)
    visitor = Thread(target=other)
    with resources.memory().long_turn(tell) as pause:
        visitor.start()
        until = monotonic() + PATIENCE
        while not turns.waiting and monotonic() < until:
            sleep(0.01)
        pause()
    visitor.join(PATIENCE)
    assert told[0] == 0
    assert 1 in told[1:], "one was at work before it, and it was told"


def test_who_waits_is_told_when_something_changes_and_may_leave_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    class LeftError(Exception):
        """What Streamlit raises in a run that its visitor has left, where it next asks for the session."""

    class Page:
        def __init__(self) -> None:
            self.session_state: dict[str, object] = {}

        def empty(self) -> "Page":
            return self

        def caption(self, text: str) -> None:
            drawn.append(text)

    class Gone(dict):
        def get(self, *_: object) -> object:
            raise LeftError

    page = Page()
    monkeypatch.setattr(resources.shelves, "st", page)
    monkeypatch.setattr(resources.shelves, "get_script_run_ctx", lambda: "a run")
    notice = resources.shelves._Notice()
    for before in (3, 3, 3, 2):
        notice(before)
    assert len(drawn) == 2
    page.session_state = Gone()
    with pytest.raises(LeftError):
        notice(2)
