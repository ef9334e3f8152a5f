"""What was worked out from single films of cohorts, kept between starts: a table of small results in the cache folder.

Only films that lie on this machine anyhow are told of here, never an upload, and under the key of what made each result
(`core.identity`): no name, no path. A table that is damaged or cannot be written to keeps nothing, and nothing fails.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress

import numpy as np

from core.data.cache import cache_dir

FILE = "film-facts.sqlite"
MOST = 100_000  # rows; the oldest go first
_AT_ONCE = 500  # keys in one question


def kept(keys: Sequence[str]) -> dict[str, np.ndarray]:
    """What is kept of these keys, each float32 (n,)."""
    found: dict[str, np.ndarray] = {}
    with suppress(sqlite3.Error), _table() as table:
        for start in range(0, len(keys), _AT_ONCE):
            some = list(keys[start : start + _AT_ONCE])
            marks = ", ".join("?" * len(some))
            for key, blob in table.execute(f"SELECT key, value FROM facts WHERE key IN ({marks})", some):
                found[str(key)] = np.frombuffer(blob, np.float32)
    return found


def keep(facts: Mapping[str, np.ndarray]) -> None:
    """Keep results, each float (n,), beside those that are there."""
    rows = [(key, np.ascontiguousarray(value, np.float32).tobytes()) for key, value in facts.items()]
    if not rows:
        return
    with suppress(sqlite3.Error), _table() as table, table:
        table.executemany("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", rows)
        table.execute("DELETE FROM facts WHERE rowid <= (SELECT max(rowid) FROM facts) - ?", (MOST,))


@contextmanager
def _table() -> Iterator[sqlite3.Connection]:
    path = cache_dir() / FILE
    with closing(sqlite3.connect(path, timeout=10)) as table:
        table.execute("PRAGMA synchronous = OFF")  # what a crash takes can be made again
        table.execute("CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB NOT NULL)")
        yield table
