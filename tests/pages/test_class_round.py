"""A class round over real connections: forty phones, two rounds on one server, and nobody gets another's answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.data.phantom.cohort import cohort
from tests.browser.server import served
from tests.pages.tiny import tiny_checkpoint
from tests.visitor import Visitor

PHONES, ROUNDS = 40, 2
LINK = {"cohort": "phantom:fair", "model": "tiny", "seed": "7", "quiz-for": "Class round"}
CLASSES = cohort("fair").classes


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[str]:
    tiny_checkpoint(tmp_path / "weights" / "tiny")
    folders = {"HILUM_WEIGHTS": str(tmp_path / "weights"), "HILUM_CACHE": str(tmp_path / "cache")}
    with served(tmp_path / "log", **folders) as address:
        yield address


def answers_of(words: list[str]) -> list[str]:
    """What a screen tells of answers."""
    return [line for line in words if line.startswith(("You said", "Answers: "))]


@pytest.mark.timeout(1800)  # 126 runs of a page; seconds on a quiet machine
def test_forty_phones_of_two_rounds(dashboard: str) -> None:
    walls = [Visitor(dashboard, "quiz", **LINK) for _ in range(ROUNDS)]
    codes = []
    for wall in walls:
        wall.use("Open a round")
        codes += [line.removeprefix("Code: ") for line in wall.words() if line.startswith("Code: ")]
    assert len(set(codes)) == ROUNDS
    expected = [CLASSES[number // ROUNDS % len(CLASSES)] for number in range(PHONES)]

    def join(number: int) -> Visitor:
        phone = Visitor(dashboard, "quiz", round=codes[number % ROUNDS])
        phone.use("What is it?", expected[number])
        phone.use("Send")
        return phone

    with ThreadPoolExecutor(PHONES) as pool:
        phones = list(pool.map(join, range(PHONES)))
        for wall in walls:
            wall.look()
            assert answers_of(wall.words()) == [f"Answers: {PHONES // ROUNDS}"]
            wall.use("Show the answers")
        list(pool.map(Visitor.look, phones))
    truths = {line for phone in phones for line in phone.words() if line.startswith("It is ")}
    assert len(truths) == 1
    truth = truths.pop().split("**")[1]
    assert [answers_of(phone.words()) for phone in phones] == [[f"You said {name}."] for name in expected]
    for number, wall in enumerate(walls):
        right = sum(name == truth for name in expected[number::ROUNDS])
        assert any(f"{right} of {PHONES // ROUNDS} are right" in line for line in wall.words())
    assert not [error for visitor in [*walls, *phones] for error in visitor.errors]
    for visitor in [*walls, *phones]:
        visitor.close()
