"""Facts about films, kept between runs: one SQLite file per kind, one key and its bytes per row.

Whatever is in it can be made again: a file that is damaged is thrown away, and where nothing can be written nothing is
kept. Several processes may read and write at a time.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

from core.data.cache import cache_dir

_AT_ONCE = 500  # keys a question; SQLite takes 32,766 at most
_PATIENCE = 30.0  # seconds to wait for another process that writes


_MEMORY: ContextVar["dict[str, dict[str, bytes]] | None"] = ContextVar("stores in memory", default=None)


@contextmanager
def in_memory(wanted: bool = True) -> Iterator[None]:
    """Stores made inside are forgotten at the end and touch no disk: for films that must not leave a trace.

    Args:
        wanted: False changes nothing.
    """
    token = _MEMORY.set({} if _MEMORY.get() is None else _MEMORY.get()) if wanted else None
    try:
        yield
    finally:
        if token is not None:
            _MEMORY.reset(token)


class Store:
    """A dictionary of bytes on disk, or, inside `in_memory`, in memory.

    Args:
        name: of the file in the cache folder; put a version into it, and change that when the meaning of a row changes.
    """

    def __init__(self, name: str) -> None:
        kept = _MEMORY.get()
        self._rows = None if kept is None else kept.setdefault(name, {})
        self.path = cache_dir() / f"{name}.sqlite"

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that are there, of those asked for."""
        if self._rows is not None:
            return {key: self._rows[key] for key in keys if key in self._rows}
        return {str(key): bytes(value) for key, value in self._ask("key, value", keys)}

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of these keys have a row."""
        if self._rows is not None:
            return {key for key in keys if key in self._rows}
        return {str(row[0]) for row in self._ask("key", keys)}

    def write(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Put rows in, all or none; those with the same key are replaced."""
        rows = list(rows)
        if self._rows is not None:
            self._rows.update({key: bytes(value) for key, value in rows})
            return
        if not rows:
            return
        try:
            with self._open() as connection, connection:
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            self._throw_away()

    def _ask(self, columns: str, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        if not keys:
            return found
        try:
            with self._open() as connection:
                for start in range(0, len(keys), _AT_ONCE):
                    some = list(keys[start : start + _AT_ONCE])
                    marks = ",".join("?" * len(some))
                    found += connection.execute(f"SELECT {columns} FROM facts WHERE key IN ({marks})", some)
        except sqlite3.OperationalError:  # locked for long, or no place to write
            return found
        except sqlite3.DatabaseError:
            self._throw_away()
            return []
        return found

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        new = not self.path.exists()
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE)) as connection:
            if new:
                with suppress(OSError):
                    self.path.chmod(0o600)  # facts about patients, also in a cache folder that others can enter
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB)")
            yield connection

    def _throw_away(self) -> None:
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                self.path.with_name(self.path.name + end).unlink()


def digest(*parts: object) -> str:
    """A key made of some facts; names of folders, which may name a person, cannot be read from it."""
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]
