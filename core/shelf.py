"""Where results are kept in memory under their key (`core.identity`): bounded, and safe to share between threads."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, is_dataclass
from threading import RLock
from time import monotonic_ns
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

NOTHING: Any = object()  # None is a result as well
USUAL = 256 * 1024 * 1024  # bytes
LEAST = 1024  # bytes that a result without arrays counts for


class Budget(Protocol):
    """What several shelves share: one lock and one bound, see `core.memory`."""

    lock: RLock

    def make_room(self, put_last: "Shelf", size: int) -> None:
        """Drop results of any shelf until all fit again, but not the one that this shelf was given last."""

    def turn(self) -> AbstractContextManager[Any]:
        """A turn at the processor."""

    def give_way(self) -> None:
        """Let others have a turn in the middle of long work."""


class Shelf:
    """Results by key, the least recently used dropped first; what is on it is shared, so never changed.

    Args:
        most: bytes that all results together may take; the one put last always stays.
        budget: what it shares with other shelves.
        name: what lies here, for the owner of the server.
        pinned: nothing is dropped to make room: what does not fit is refused by the budget.
    """

    def __init__(self, most: int = USUAL, budget: Budget | None = None, name: str = "", pinned: bool = False) -> None:
        self.most, self.name, self.pinned = most, name, pinned
        self._budget = budget
        self._lock = budget.lock if budget else RLock()
        self._kept: OrderedDict[str, tuple[Any, int, int]] = OrderedDict()  # result, bytes, when it was asked for
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._kept

    @property
    def bytes(self) -> int:
        """What all results together take, as `size_of` counts."""
        return self._bytes

    @property
    def oldest(self) -> int:
        """When the result was asked for that goes first, in nanoseconds of the monotonic clock; 0 without any."""
        with self._lock:
            return next((when for _, _, when in self._kept.values()), 0)

    def get(self, key: str, default: Any = None) -> Any:
        """The result, or the default where there is none."""
        with self._lock:
            if key not in self._kept:
                return default
            self._kept.move_to_end(key)
            value, size, _ = self._kept[key]
            self._kept[key] = value, size, monotonic_ns()
            return value

    def put(self, key: str, made: T, size: int = 0) -> T:
        """Keep a result in place of an older one under the same key; returns it.

        ``size``: bytes it will take, where it grows after it was put here.
        """
        size = max(size, size_of(made))
        with self._lock:
            self.drop(key)
            if self._budget and self.pinned:
                self._budget.make_room(self, size)
            self._kept[key] = made, size, monotonic_ns()
            self._bytes += size
            while not self.pinned and self._bytes > self.most and len(self._kept) > 1:
                self.drop_oldest()
            if self._budget and not self.pinned:
                self._budget.make_room(self, 0)
        return made

    def keep(self, key: str, make: Callable[[], T], size: Callable[[T], int] | None = None) -> T:
        """The result, made if it is not here; ``size``: the bytes it will take, as for `put`.

        It is made outside the lock: of two who ask at once both may make it, and the first one's stays.
        """
        found: T = self.get(key, NOTHING)
        if found is not NOTHING:
            return found
        made = make()
        earlier: T = self.get(key, NOTHING)
        return self.put(key, made, size(made) if size else 0) if earlier is NOTHING else earlier

    def keep_in_turn(self, key: str, make: Callable[[], T]) -> T:
        """The same for what asks a network: made in turn with all others whose shelves share a budget."""
        found: T = self.get(key, NOTHING)
        if found is not NOTHING:
            return found
        with self.turn():
            return self.keep(key, make)  # somebody may have made it meanwhile

    def turn(self) -> AbstractContextManager[Any]:
        """A turn at the processor, for work whose result will lie here."""
        return self._budget.turn() if self._budget else nullcontext()

    def give_way(self) -> None:
        """Let others have a turn in the middle of long work."""
        if self._budget:
            self._budget.give_way()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def drop(self, key: str) -> None:
        """Forget one result, if it is here."""
        with self._lock:
            _, size, _ = self._kept.pop(key, (None, 0, 0))
            self._bytes -= size

    def drop_oldest(self) -> None:
        """Forget the least recently used result."""
        with self._lock:
            if self._kept:
                self.drop(next(iter(self._kept)))


def size_of(value: Any) -> int:
    """Bytes of the arrays, tensors and tables in a result, about; `LEAST` at the least."""
    return max(_bytes(value), LEAST)


def _bytes(value: Any) -> int:
    if hasattr(value, "memory_usage"):  # a table
        return int(value.memory_usage(deep=True).sum())
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_bytes, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return sum(map(_bytes, value))
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_bytes(getattr(value, field.name)) for field in fields(value))
    return 0
