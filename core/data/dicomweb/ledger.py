"""Which films of a PACS were answered: one SQLite file that outlives a kill at any moment.

A film goes waiting -> sending -> done, or ends as refused, skipped or failed with a note. What is about to be sent is
written down before it is sent, so that after a crash one can ask the server whether it arrived.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.data.dicomweb.query import Found
from core.errors import PacsError

ENDS = ("done", "refused", "skipped", "failed")
STATES = ("waiting", "sending", *ENDS)
TRIES = 3  # of a film that cannot be fetched or whose answer is not taken
_PATIENCE = 30.0  # seconds
_TABLES = """
CREATE TABLE IF NOT EXISTS films (
    uid TEXT PRIMARY KEY, study TEXT NOT NULL, series TEXT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
    objects TEXT NOT NULL DEFAULT '{}', tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
    seen REAL NOT NULL, ended REAL, seconds REAL);
CREATE INDEX IF NOT EXISTS by_state ON films (state, due);
CREATE TABLE IF NOT EXISTS owner (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Entry:
    """A film that waits; ``objects`` are kind -> SOP instance UID of an answer that was about to be sent."""

    uid: str
    study: str
    series: str
    state: str
    tries: int
    objects: Mapping[str, str]


class Ledger:
    """The ledger at a path, or one in memory.

    Args:
        path: of the SQLite file; None for one that is forgotten.
        owner: whose answers it holds (server, model, kinds): a ledger of others is refused.

    Raises:
        PacsError: another program uses it, it is somebody else's, or it is not a ledger.
    """

    def __init__(self, path: Path | None, owner: Mapping[str, str]) -> None:
        self._lock = _locked(path) if path else None
        try:
            self._base = sqlite3.connect(path or ":memory:", timeout=_PATIENCE, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.executescript(_TABLES)
            known = dict(self._base.execute("SELECT name, value FROM owner"))
            if not known:
                self._base.executemany("INSERT INTO owner VALUES (?, ?)", list(owner.items()))
        except sqlite3.Error as error:
            came = f"{path} is not a ledger ({error})"
            raise PacsError(came, "a ledger, or no file yet", "Name another file") from None
        if known and (other := [name for name in owner if known.get(name) != owner[name]]):
            came = f"the ledger belongs to {other[0]} {known.get(other[0], 'unknown')}, not {owner[other[0]]}"
            raise PacsError(came, "a ledger for each server, model and choice of objects", "Name another --ledger")

    def close(self) -> None:
        """Let others have it."""
        self._base.close()
        if self._lock is not None:
            self._lock.close()

    def add(self, found: Found) -> bool:
        """Note a film; whether it is new."""
        row = (found.uid, found.study, found.series, time.time())
        sql = "INSERT OR IGNORE INTO films (uid, study, series, state, seen) VALUES (?, ?, ?, 'waiting', ?)"
        return self._base.execute(sql, row).rowcount == 1

    def due(self) -> Iterator[Entry]:
        """The films to be answered now, those first that a crash left half sent, then the oldest."""
        sql = (
            "SELECT uid, study, series, state, tries, objects FROM films WHERE state IN ('sending', 'waiting') "
            "AND due <= ? ORDER BY state = 'waiting', seen, uid LIMIT 1"
        )
        while row := self._base.execute(sql, (time.time(),)).fetchone():
            uid, study, series, state, tries, told = row
            yield Entry(uid, study, series, state, tries, json.loads(told))

    def sending(self, uid: str, objects: Mapping[str, str]) -> None:
        """Write down what is about to be sent."""
        sql = "UPDATE films SET state = 'sending', objects = ? WHERE uid = ?"
        self._base.execute(sql, (json.dumps(dict(objects)), uid))

    def ended(self, uid: str, state: str, note: str = "", seconds: float = 0.0) -> None:
        """A film is answered, or never will be; ``state`` is one of ``ENDS``."""
        sql = "UPDATE films SET state = ?, note = ?, ended = ?, seconds = ? WHERE uid = ?"
        self._base.execute(sql, (state, note, time.time(), seconds, uid))

    def again(self, entry: Entry, note: str, pause: float) -> bool:
        """Try a film again after a pause, or give it up; whether it will be tried."""
        if entry.tries + 1 >= TRIES:
            self.ended(entry.uid, "failed", note)
            return False
        sql = "UPDATE films SET tries = tries + 1, note = ?, due = ? WHERE uid = ?"
        self._base.execute(sql, (note, time.time() + pause * 2**entry.tries, entry.uid))
        return True

    def counts(self) -> dict[str, int]:
        """How many films are in each state."""
        found = dict(self._base.execute("SELECT state, COUNT(*) FROM films GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def seconds(self) -> tuple[float, int]:
        """Seconds that all answers took together, and how many they are."""
        sql = "SELECT TOTAL(seconds), COUNT(*) FROM films WHERE state IN ('done', 'refused')"
        total, count = self._base.execute(sql).fetchone()
        return float(total), int(count)

    def notes(self) -> dict[str, str]:
        """SOP instance UID -> note of each film that has one."""
        return dict(self._base.execute("SELECT uid, note FROM films WHERE note != ''"))


@contextmanager
def opened(path: Path | None, owner: Mapping[str, str]) -> Iterator[Ledger]:
    """A ledger that is closed at the end."""
    ledger = Ledger(path, owner)
    try:
        yield ledger
    finally:
        ledger.close()


def _locked(path: Path) -> sqlite3.Connection:
    """A lock that the system lets go of when its holder dies: an exclusive transaction on a file beside the ledger."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(path.with_name(path.name + ".lock"), timeout=2.0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except (sqlite3.Error, OSError) as error:
        came = f"the ledger {path.name} is in use, or its folder cannot be written ({error})"
        raise PacsError(came, "one program for each ledger", "Stop the other one, or name another --ledger") from None
    return lock
