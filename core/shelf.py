"""Where results are kept in memory under their key (`core.identity`): bounded, and safe to share between threads."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

NOTHING: Any = object()  # None is a result as well
USUAL = 256 * 1024 * 1024  # bytes
LEAST = 1024  # bytes that a result without arrays counts for


class Shelf:
    """Results by key, those not asked for longest dropped first; what is on it is shared, so never changed.

    Args:
        most: bytes that all results together may take; the one put last always stays.
    """

    def __init__(self, most: int = USUAL) -> None:
        self.most = most
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
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

    def get(self, key: str, default: Any = None) -> Any:
        """The result, or the default where there is none."""
        with self._lock:
            if key not in self._kept:
                return default
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, made: T, size: int = 0) -> T:
        """Keep a result in place of an older one under the same key; returns it.

        ``size``: bytes it will take, where it grows after it was put here.
        """
        size = max(size, size_of(made))
        with self._lock:
            self._drop(key)
            self._kept[key] = made, size
            self._bytes += size
            while self._bytes > self.most and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))
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

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        _, size = self._kept.pop(key, (None, 0))
        self._bytes -= size


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
