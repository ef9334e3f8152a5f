"""One bound for all shelves: the least recently used goes first, uploads never; dead sessions count no more."""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep

import numpy as np
import pytest

from core import memory
from core.errors import HilumError, NoRoomError
from core.memory import Memory
from core.shelf import LEAST
from core.turns import Turns

KB = 1024


def block(kilobytes: int) -> np.ndarray:
    return np.zeros(kilobytes * KB, np.uint8)


def test_the_bound_is_that_of_all_shelves_and_the_oldest_goes_wherever_it_lies() -> None:
    whole = Memory(100 * KB)
    first, second = whole.shelf("a"), whole.shelf("b")
    first.put("1", block(40))
    second.put("2", block(40))
    first.get("1")  # asked for again: the other is now the oldest
    first.put("3", block(40))
    assert ("1" in first, "2" in second, "3" in first) == (True, False, True)
    assert whole.bytes == 80 * KB
    second.put("4", block(300))  # larger than all: it stays alone
    assert len(first) == 0
    assert "4" in second


def test_a_shelf_has_a_bound_of_its_own_as_well() -> None:
    whole = Memory(100 * KB)
    small = whole.shelf("a", 50 * KB)
    small.put("1", block(30))
    small.put("2", block(30))
    assert ("1" in small, "2" in small) == (False, True)


def test_uploads_are_refused_and_never_dropped() -> None:
    whole = Memory(800 * KB)  # 400 for all uploads, 100 for a visitor's
    results = whole.shelf("results")
    visitors = [whole.shelf("films", whole.most_of_visitor, pinned=True) for _ in range(5)]
    for visitor in visitors[:4]:
        visitor.put("film", block(90))
    with pytest.raises(NoRoomError, match="this session holds"):
        visitors[0].put("another", block(20))
    with pytest.raises(NoRoomError, match="all visitors together"):
        visitors[4].put("film", block(90))
    results.put("big", block(700))
    assert [len(visitor) for visitor in visitors] == [1, 1, 1, 1, 0]
    visitors[0].drop("film")
    visitors[4].put("film", block(90))
    assert whole.bytes == 4 * 90 * KB  # the result went instead


def test_an_upload_takes_the_place_of_results() -> None:
    whole = Memory(400 * KB)
    results, films = whole.shelf("results"), whole.shelf("films", 100 * KB, pinned=True)
    for number in range(4):
        results.put(str(number), block(95))
    films.put("film", block(90))
    assert "0" not in results
    assert whole.bytes <= 400 * KB


def test_what_a_session_held_counts_no_more_once_it_is_gone() -> None:
    whole = Memory(100 * KB)
    session = {"shelf": whole.shelf("films", pinned=True)}
    session["shelf"].put("film", block(40))
    assert [(row.name, row.results, row.pinned) for row in whole.held()] == [("films", 1, True)]
    session.clear()
    gc.collect()
    assert whole.bytes == 0
    assert whole.held() == []


def test_threads_keep_the_sum_true() -> None:
    whole = Memory(60 * LEAST)
    shelves = [whole.shelf(str(number)) for number in range(4)]

    def visit(number: int) -> None:
        for step in range(200):
            shelves[(number + step) % 4].keep(str(step % 50), object)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(8)))
    assert whole.bytes == sum(len(shelf) for shelf in shelves) * LEAST <= 60 * LEAST


def test_two_networks_are_at_work_at_once_and_a_third_waits() -> None:
    whole = Memory(100 * KB, Turns(2))
    shelf, together, go = whole.shelf("answers"), Barrier(3), Event()

    def network() -> str:
        together.wait(30)
        assert go.wait(30)
        return "answer"

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(shelf.keep_in_turn, key, network) for key in "ab"]
        together.wait(30)  # both networks have begun
        third = pool.submit(shelf.keep_in_turn, "c", lambda: "another")
        while not whole.turns.waiting:
            sleep(0.001)
        assert (whole.turns.working, len(shelf)) == (2, 0)
        go.set()
        assert [one.result(30) for one in (*asked, third)] == ["answer", "answer", "another"]
    assert (whole.turns.working, whole.turns.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("800M", 800 * KB**2), ("4G", 4 * KB**3), (" 1.5 gib ", 3 * KB**3 // 2), ("80000000", 80000000)],
)
def test_sizes_are_read_as_people_write_them(text: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, text)
    assert memory.of_process() == expected


@pytest.mark.parametrize("text", ["much", "-4G", "4 X", "10K", "nan", "4G 4G"])
def test_other_words_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, text)
    with pytest.raises(HilumError, match="HILUM_MEMORY is"):
        memory.of_process()


def test_without_a_word_it_is_a_third_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    assert memory.of_process() == memory.of_machine() // 3 > memory.LEAST
