"""The answer on its way into the PACS: one explicit act, and a line about it in a log that the owner chose."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.errors import PacsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from core.data.dicomweb.client import Pacs


@dataclass(frozen=True)
class Sent:
    """What became of the objects: kind -> SOP instance UID of those kept, kind -> reason of those refused."""

    kept: Mapping[str, str]
    refused: Mapping[str, str]


def send(pacs: "Pacs", objects: Mapping[str, "Dataset"], who: str, log: str | Path) -> Sent:
    """Store the objects, and append who did it, when, and which UIDs; no name of a patient, no number.

    Sending the same answer twice stores it once, for its UIDs follow from film, model, method, class and version.

    Args:
        objects: by kind, all of one study.
        who: for the log: a login, or the name of a program.
        log: a file of JSON lines, made if it is missing. If it cannot be written, nothing is sent.

    Raises:
        PacsError: nothing to send, no log, or a server that does not take the request; the log says so.
    """
    if not objects:
        raise PacsError("there is nothing to send", "one object at least", "Choose one that this film has")
    uids = {kind: str(made.SOPInstanceUID) for kind, made in objects.items()}
    study = str(next(iter(objects.values())).StudyInstanceUID)
    with _appending(Path(log).expanduser()) as file:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"when": now, "who": who[:200], "to": pacs.server.name, "study": study, "objects": uids}
        try:
            stored = pacs.store(list(objects.values()))
        except PacsError as error:
            _append(file, line | {"failed": str(error)})
            raise
        reasons = dict(stored.refused)
        refused = {kind: reasons[uid] for kind, uid in uids.items() if uid in reasons}
        _append(file, line | ({"refused": refused} if refused else {}))
    return Sent({kind: uid for kind, uid in uids.items() if kind not in refused}, refused)


def described(kinds: Sequence[str]) -> str:
    """What is going to be sent, in words."""
    return ", ".join(TITLES[kind] for kind in kinds)


TITLES = {
    "sc": "the overlay as a picture",
    "sr": "the answer in words",
    "seg": "lung fields and evidence as segments",
    "regions": "outlines of the evidence",
    "pdf": "the case report as a PDF",
    "full": "all measurements (TID 1500)",
    "gsps": "outlines as a presentation state",
    "fractional": "the map as fractions",
}


@contextmanager
def _appending(path: Path) -> "Iterator[TextIO]":
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        came = f"the log of what is sent cannot be written ({error.strerror})"
        raise PacsError(came, "a file that can be appended to", "Set log to another place; nothing was sent") from error
    with file:
        yield file


def _append(file: TextIO, line: Mapping[str, object]) -> None:
    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    file.flush()
    os.fsync(file.fileno())
