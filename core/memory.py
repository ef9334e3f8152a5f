"""One bound on what a process keeps: the shelves of all visitors and of each one's uploads share it, in bytes.

When all are full, the least recently used result goes first, whoever asked for it. Uploaded films cannot be made
again, so they are never dropped: one that does not fit is refused. A shelf counts as long as somebody holds it; that of
a session ends with the session.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from weakref import WeakSet

from core.errors import HilumError, NoRoomError
from core.shelf import Shelf
from core.turns import Turns

VARIABLE = "HILUM_MEMORY"
USUAL_SHARE = 3  # the default is this part of the machine: a third
LEAST = 64 * 1024**2  # bytes; with less nothing but the models would fit
UNKNOWN_MACHINE = 4 * 1024**3  # bytes taken for a machine that does not tell
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


@dataclass(frozen=True)
class Held:
    """What shelves of one name hold together."""

    name: str
    shelves: int
    results: int
    bytes: int
    pinned: bool


class Memory:
    """A bound in bytes for many shelves.

    Args:
        most: bytes of all shelves together.
        taking: how a turn is taken, for a caller that tells those who wait.
    """

    def __init__(
        self,
        most: int,
        turns: Turns | None = None,
        taking: Callable[[Turns], AbstractContextManager[None]] = Turns.take,
    ) -> None:
        self.most = most
        self.most_uploads = most // 2  # of all visitors
        self.most_of_visitor = most // 8  # uploads of one; as much again for what is worked out from them
        self.turns = turns or Turns()
        self.taking = taking
        self.lock = RLock()
        self._shelves: WeakSet[Shelf] = WeakSet()

    def shelf(self, name: str, most: int = 0, pinned: bool = False) -> Shelf:
        """A new shelf under this bound; ``most``: bytes of its own, the whole memory unless given."""
        made = Shelf(most or self.most, self, name, pinned)
        with self.lock:
            self._shelves.add(made)
        return made

    @property
    def bytes(self) -> int:
        """What all shelves hold."""
        with self.lock:
            return sum(shelf.bytes for shelf in self._shelves)

    def held(self) -> list[Held]:
        """What is held, the most first."""
        found: dict[str, list[Shelf]] = {}
        with self.lock:
            for shelf in self._shelves:
                found.setdefault(shelf.name, []).append(shelf)
            rows = [
                Held(name, len(of), sum(map(len, of)), sum(one.bytes for one in of), of[0].pinned)
                for name, of in found.items()
            ]
        return sorted(rows, key=lambda row: -row.bytes)

    def turn(self) -> AbstractContextManager[None]:
        """A turn at the processor; see `core.turns`."""
        return self.taking(self.turns)

    def give_way(self) -> None:
        """Let others have a turn in the middle of long work."""
        self.turns.give_way()

    @contextmanager
    def long_turn(self, told: Callable[[int], None]) -> Iterator[Callable[[], None]]:
        """A turn for work over many films.

        Args:
            told: while this work waits, how many are before it; an exception ends the work.

        Yields:
            what the work calls between two films, or batches of a few: whoever waits has a turn first.
        """
        with self.turns.take(told):
            yield lambda: self.turns.give_way(told)

    def make_room(self, put_last: Shelf, size: int) -> None:
        """Drop the least recently used results until all fits; the result that ``put_last`` was given last stays.

        Args:
            size: bytes about to be put on a pinned shelf.

        Raises:
            NoRoomError: they do not fit beside the other uploads.
        """
        with self.lock:
            if put_last.pinned:
                self._refuse(put_last, size)
            while self.bytes + size > self.most:
                loose = [s for s in self._shelves if not s.pinned and len(s) > (s is put_last)]
                if not loose:
                    return
                min(loose, key=lambda shelf: shelf.oldest).drop_oldest()

    def check_room(self, pinned: Shelf, size: int) -> None:
        """Whether ``size`` bytes fit onto a pinned shelf, before they are made.

        Raises:
            NoRoomError: they do not.
        """
        with self.lock:
            self._refuse(pinned, size)

    def _refuse(self, pinned: Shelf, size: int) -> None:
        uploads = sum(shelf.bytes for shelf in self._shelves if shelf.pinned)
        remedy = "Remove films you no longer need"
        if pinned.bytes + size > pinned.most:
            raise NoRoomError(
                f"a film of {in_words(size)} came, and this session holds {in_words(pinned.bytes)} of uploads",
                f"at most {in_words(pinned.most)} a session",
                remedy,
            )
        if uploads + size > self.most_uploads:
            raise NoRoomError(
                f"a film of {in_words(size)} came, and all visitors together hold {in_words(uploads)} of uploads",
                f"at most {in_words(self.most_uploads)}",
                f"{remedy}, or try again later",
            )


def of_process() -> int:
    """Bytes that this process may keep: as HILUM_MEMORY says, or else a third of the machine.

    Raises:
        HilumError: HILUM_MEMORY is not a size.
    """
    text = os.environ.get(VARIABLE, "")
    return size(text) if text.strip() else max(of_machine() // USUAL_SHARE, LEAST)


def size(text: str) -> int:
    """Bytes from "800M", "4G", "1.5 GB" or a number of bytes.

    Raises:
        HilumError: something else, or too little.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?\s*", text.upper(), re.ASCII)
    number = int(float(found[1]) * _UNITS[found[2]]) if found else 0
    if number < LEAST:
        came = f"{VARIABLE} is {text[:40]!r}"
        raise HilumError(came, f"a size of at least {in_words(LEAST)}, such as 800M or 4G")
    return number


def in_words(number: int) -> str:
    """Bytes for people: 12 MB."""
    return f"{number / 1024**3:.1f} GB" if number >= 1024**3 else f"{number / 1024**2:.0f} MB"


def of_machine() -> int:
    """Bytes of memory that this machine, or the container it runs in, may use."""
    known = hasattr(os, "sysconf")  # Windows has none
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else UNKNOWN_MACHINE]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(file).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(limits)
