"""Turns: never more at work than there are places, first come first served, and nobody locks himself out."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock, Thread, current_thread
from time import sleep

import pytest

from core import turns as module
from core.turns import Turns


def test_never_more_at_work_than_places_and_all_get_their_turn() -> None:
    turns, lock, at_once, most = Turns(2), Lock(), [0], [0]
    together = Barrier(2)

    def work(number: int) -> int:
        with turns.take():
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            if number < 2:
                together.wait(30)  # both places are used at once
            with lock:
                at_once[0] -= 1
        return number

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(12))) == list(range(12))
    assert most[0] == 2
    assert (turns.working, turns.waiting) == (0, 0)


def test_who_has_a_turn_goes_on_in_it() -> None:
    turns = Turns(1)
    with turns.take(), turns.take(lambda _: pytest.fail("it waits for itself")):
        assert turns.working == 1
    assert turns.working == 0


def test_first_come_first_served_and_those_who_wait_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.01)
    turns, order, told = Turns(1), [], {}
    in_line = [Event(), Event()]

    def wait(number: int) -> None:
        def tell(before: int) -> None:
            told[number] = before
            in_line[number].set()

        with turns.take(tell):
            order.append(number)

    threads = [Thread(target=wait, args=(number,)) for number in range(2)]
    with turns.take():
        for thread, event in zip(threads, in_line, strict=True):
            thread.start()
            assert event.wait(30)
        assert told == {0: 1, 1: 2}
        assert turns.waiting == 2
    for thread in threads:
        thread.join(30)
    assert order == [0, 1]


def test_who_gives_up_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.01)
    turns = Turns(1)

    def give_up(_: int) -> None:
        raise KeyboardInterrupt

    def attempt() -> str:
        with pytest.raises(KeyboardInterrupt), turns.take(give_up):
            return "had a turn"
        return "left"

    with turns.take(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(attempt).result(30) == "left"
        assert turns.waiting == 0
    with turns.take():
        assert turns.working == 1
    with pytest.raises(ValueError, match="x"), turns.take():
        raise ValueError("x")
    assert turns.working == 0


def test_long_work_lets_the_others_have_a_turn_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.01)
    turns, order, waits = Turns(1), [], Event()

    def short() -> None:
        with turns.take(lambda _: waits.set()):
            order.append("short")

    with turns.take():
        turns.give_way()  # nobody waits: it goes on
        other = Thread(target=short)
        other.start()
        assert waits.wait(30)
        with turns.take():
            turns.give_way()
            order.append("long")
        assert turns.working == 1
    other.join(30)
    assert order == ["short", "long"]
    assert (turns.working, turns.waiting) == (0, 0)
    turns.give_way()  # without a turn there is none to give


def test_a_turn_alone_has_all_cores_and_turns_side_by_side_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.01)
    parts: dict[str, list[int]] = {}
    turns = Turns(4, begin=lambda cores: parts.setdefault(current_thread().name, []).append(cores))
    together, done = Barrier(3), Event()

    def work() -> None:
        with turns.take(), turns.take():  # in its own turn it begins no other
            together.wait(30)
            assert done.wait(30)

    first, second = (Thread(target=work, name=name) for name in ("first", "second"))
    first.start()
    while not turns.working:
        sleep(0.001)
    second.start()
    together.wait(30)  # both are at work at once
    assert turns.working == 2
    done.set()
    for thread in (first, second):
        thread.join(30)
    assert parts == {"first": [4], "second": [2]}


def test_whoever_waits_counts_as_well_and_a_turn_given_away_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL", 0.01)
    parts: dict[str, list[int]] = {}
    turns = Turns(2, begin=lambda cores: parts.setdefault(current_thread().name, []).append(cores))
    waits, go = [Event(), Event()], Event()

    def beside() -> None:
        with turns.take():
            assert go.wait(30)

    def short(number: int) -> None:
        with turns.take(lambda _: waits[number].set()):
            pass

    others = [Thread(target=short, args=(number,), name=f"short {number}") for number in range(2)]
    with turns.take(), ThreadPoolExecutor(1) as pool:
        held = pool.submit(beside)
        while turns.working < 2:
            sleep(0.001)
        for thread, event in zip(others, waits, strict=True):
            thread.start()
            assert event.wait(30)
        turns.give_way()
        go.set()
        held.result(30)
    for thread in others:
        thread.join(30)
    assert parts[current_thread().name] == [2, 1]
    assert parts["short 0"] == parts["short 1"] == [1]
    assert (turns.working, turns.waiting) == (0, 0)


def test_who_cannot_begin_gives_the_turn_back() -> None:
    def begin(cores: int) -> None:
        raise ValueError(cores)

    turns = Turns(1, begin)
    with pytest.raises(ValueError, match="1"), turns.take():
        pytest.fail("it began")
    assert (turns.working, turns.waiting) == (0, 0)


def test_an_answer_of_several_turns_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lined up anew for each: among thirty visitors five turns took five times as long as one."""
    monkeypatch.setattr(module, "TELL", 0.01)
    monkeypatch.setattr(module, "PAUSE", 600.0)
    turns, order = Turns(1), []
    had_one, first_waits, later_waits = Event(), Event(), Event()

    def first() -> None:
        with turns.take():
            pass
        had_one.set()
        assert later_waits.wait(30)
        with turns.take(lambda _: first_waits.set()):
            order.append("second turn of the first")

    def later() -> None:
        with turns.take(lambda _: later_waits.set()):
            order.append("who came later")

    threads = [Thread(target=first), Thread(target=later)]
    threads[0].start()
    assert had_one.wait(30)
    with turns.take():
        threads[1].start()
        assert first_waits.wait(30)
    for thread in threads:
        thread.join(30)
    assert order == ["second turn of the first", "who came later"]


def test_who_comes_back_after_a_while_lines_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    turns, begun = Turns(1), []
    for pause in (0.0, module.PAUSE / 2, module.PAUSE * 2, *[module.PAUSE / 2] * 50):
        now[0] += pause
        begun.append(turns._answer_begun())
        with turns.take():
            pass
    assert begun[:3] == [100.0, 100.0, 100.0 + 2.5 * module.PAUSE]
    assert begun[-1] > begun[2]  # work without an end is no answer that somebody waits for


def test_of_many_who_wait_only_the_first_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty threads that wake at every change, to find that they are not the next, take the processor from work."""
    monkeypatch.setattr(module, "TELL", 60)
    turns, looks, waiting = Turns(1), [], 12
    real = Turns._is_next

    def is_next(self: Turns, ticket: tuple) -> bool:
        looks.append(ticket)
        return real(self, ticket)

    monkeypatch.setattr(Turns, "_is_next", is_next)

    def wait() -> None:
        with turns.take():
            pass

    threads = [Thread(target=wait) for _ in range(waiting)]
    with turns.take():
        for thread in threads:
            thread.start()
        while turns.waiting < waiting:
            sleep(0.01)
    for thread in threads:
        thread.join(30)
    assert len(looks) <= 1 + 4 * waiting  # of all of them woken each time it would be some seventy more
