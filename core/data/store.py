"""Facts about films, kept between runs: one SQLite file a kind, a key and some bytes a row.

Whatever is in it can be made again: a file that is damaged is thrown away, and where nothing can be written nothing is
kept. Several processes may read and write at a time.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from typing import Any

from core.data.cache import cache_dir

_AT_ONCE = 500  # keys a question; SQLite takes 32,766 at most
_PATIENCE = 30.0  # seconds to wait for another process that writes


class Store:
    """A dictionary of bytes on disk.

    Args:
        name: of the file in the cache folder; put a version into it, and change that when the meaning of a row changes.
    """

    def __init__(self, name: str) -> None:
        self.path = cache_dir() / f"{name}.sqlite"

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The rows that are there, of those asked for."""
        return {str(key): bytes(value) for key, value in self._ask("key, value", keys)}

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of these keys have a row."""
        return {str(row[0]) for row in self._ask("key", keys)}

    def write(self, rows: Iterable[tuple[str, bytes]]) -> None:
        """Put rows in, all or none; those with the same key are replaced."""
        rows = list(rows)
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
