"""Turns at the processor: a few at a time, first come first served, instead of all at once.

Thirty visitors' networks that run at the same time on two cores are each thirty times as slow, and the first to come
waits as long as the last. In turns the first is served at once. As many turns run side by side as there are cores; one
that begins alone may compute on all of them, one that begins beside others on its part, so that the cores are busy but
never fought over. A thread that already has a turn (a heatmap needs a prediction) continues in it. One answer takes
several turns (prediction, lungs, heatmap, trust card); they keep the place in line of its first one, or an answer of
five turns would wait five times as long as one of a single turn.
"""

import os
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Lock, Thread, current_thread, get_ident
from time import monotonic
from weakref import WeakKeyDictionary

TELL = 0.5  # seconds between two notices to a thread that waits
PAUSE = 5.0  # seconds: who comes back sooner goes on with the same answer; a page draws that long on a busy server
LONG = 20.0  # seconds after which work is no answer that somebody waits for, and lines up anew
_Ticket = tuple[float, int, Event]  # when its answer was begun, its number among those of that moment, and its bell


def _nothing(cores: int) -> None:
    """Whoever does not care how many cores a turn has."""


class Turns:
    """At most ``places`` threads work at once; the others wait in line.

    Args:
        places: threads at once; one for every processor core unless given.
        begin: called at the beginning of each turn, in its thread, with the number of cores that are its part: all
            while nobody else works or waits.
    """

    def __init__(self, places: int | None = None, begin: Callable[[int], None] = _nothing) -> None:
        self.places = places or os.cpu_count() or 1
        self._begin = begin
        self._lock = Lock()
        self._line: list[_Ticket] = []  # who came first stands first
        self._numbers = count()
        self._working: dict[int, int] = {}  # thread -> turns it has taken within one another
        # When the answer of a thread was begun, and last had a turn; an ident may be another thread's a moment later.
        self._begun: WeakKeyDictionary[Thread, tuple[float, float]] = WeakKeyDictionary()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    @property
    def working(self) -> int:
        """How many have a turn."""
        return len(self._working)

    @contextmanager
    def take(self, told: Callable[[int], None] = lambda before: None) -> Iterator[None]:
        """Wait for a turn, and have it.

        Args:
            told: called repeatedly while the thread waits, with how many are before it; an exception leaves the queue.
        """
        me = get_ident()
        part = 0 if me in self._working else self._wait(told)
        with self._lock:
            self._working[me] = self._working.get(me, 0) + 1
        try:
            if part:
                self._begin(part)
            yield
        finally:
            with self._lock:
                depth = self._working.pop(me, 1) - 1  # it has none if it gave up while others had its place
                if depth:
                    self._working[me] = depth
                elif answer := self._begun.get(current_thread()):
                    self._begun[current_thread()] = answer[0], monotonic()
                self._ring()

    def give_way(self, told: Callable[[int], None] = lambda before: None) -> None:
        """In the middle of long work: let those who wait have a turn each, then continue; ``told`` as above."""
        me = get_ident()
        with self._lock:
            depth = self._working.get(me, 0)
            if not depth or not self._line:
                return
            del self._working[me]
            self._begun.pop(current_thread(), None)  # behind those who wait
            self._ring()
        part = self._wait(told)
        with self._lock:
            self._working[me] = depth
        self._begin(part)

    def _wait(self, told: Callable[[int], None]) -> int:
        """Queue until it is this thread's turn; it counts as working before the lock is released.

        Returns:
            how many cores are its part.
        """
        with self._lock:
            bell = Event()
            ticket = self._answer_begun(), next(self._numbers), bell
            insort(self._line, ticket)
        try:
            while True:
                with self._lock:
                    bell.clear()
                    if self._is_next(ticket):
                        self._working[get_ident()] = 0
                        others = len(self._line) - 1  # it leaves the line below
                        return max(1, self.places // (len(self._working) + others))
                    before = self._line.index(ticket) + len(self._working)
                if not bell.wait(TELL):
                    told(before)  # without the lock: it may draw on a page, or raise
        finally:
            with self._lock:
                self._line.remove(ticket)
                self._ring()

    def _answer_begun(self) -> float:
        """When this thread began the answer that it asks a turn for: now, unless it had one a moment ago."""
        now = monotonic()
        first, last = self._begun.get(current_thread(), (now, now))
        first = now if now - last > PAUSE or now - first > LONG else first
        self._begun[current_thread()] = first, now
        return first

    def _ring(self) -> None:
        """Wake who stands first alone: thirty that wake at every change take the processor from who works."""
        if self._line:
            self._line[0][-1].set()

    def _is_next(self, ticket: _Ticket) -> bool:
        return self._line[0] == ticket and len(self._working) < self.places
