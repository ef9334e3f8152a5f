"""The shadow reader: new films of a PACS are answered as they come, each once, for days.

The order of the steps is what makes a kill harmless: a film is noted, what will be sent is noted, it is sent, the end
is noted. After a crash between the last two the server is asked what arrived; what is sent again has the same UIDs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from core.atomic import write_whole
from core.data.dicomweb.client import Pacs
from core.data.dicomweb.ledger import STATES, Entry, Ledger
from core.data.dicomweb.query import OURS, Query
from core.data.film import opener
from core.errors import FilmError, HilumError, PacsAwayError, PacsError
from core.model.domain import NOT_FRONTAL
from core.report.dicom.from_examined import header, objects
from core.report.dicom.sending import send

if TYPE_CHECKING:
    from core.data.film.radiograph import Radiograph
    from core.report.dicom.answer import Answer

WHO = "core watch"
LONGEST_PAUSE = 600.0  # seconds between questions to a server that is away
AGAIN = 60.0  # seconds before a film that failed is tried again, doubled each time


@dataclass(eq=False)
class Watch:
    """What is watched, and with what.

    Args:
        pacs: where films come from, and answers go.
        ledger: what was answered.
        answer: a film -> what the model says of it.
        kinds: of objects that are sent.
        log: file that each sending is appended to; None for a dry run, in which nothing is sent.
        poll: seconds between two searches.
        metrics: Prometheus text file, or None.
        say: takes a status line.
        stop: set from outside to end after the film at hand.
    """

    pacs: Pacs
    ledger: Ledger
    answer: Callable[["Radiograph"], "Answer"]
    kinds: Sequence[str]
    log: Path | None
    poll: float = 30.0
    metrics: Path | None = None
    say: Callable[[str], None] = print
    stop: Event = field(default_factory=Event)
    up: bool = True
    _said: str = ""

    def run(self, query: Callable[[], Query], once: bool = False) -> None:
        """Search, answer, wait; for ever, or once until nothing is due.

        Args:
            query: what to search for, asked anew each time: "the last two days" move on.

        Raises:
            PacsError: the server refuses us, or what it says cannot be used: waiting would not mend it.
            PacsAwayError: with ``once``, the server is away.
        """
        pause = self.poll
        while not self.stop.is_set():
            try:
                self._handle_due()  # first what a crash left
                for found in self.pacs.search(query()):
                    self.ledger.add(found)
                self._handle_due()
                self.up, pause = True, self.poll
            except PacsAwayError as error:
                if once:
                    raise
                self.up, pause = False, min(pause * 2, LONGEST_PAUSE)
                self.say(f"{error} Next try in {pause:.0f} s.")
            self.report()
            if once:
                return
            self.stop.wait(pause)

    def _handle_due(self) -> None:
        for entry in self.ledger.due():
            if self.stop.is_set():
                return
            self.handle(entry)
            self.report()

    def handle(self, entry: Entry) -> None:
        """Answer one film, or note why not.

        Raises:
            PacsAwayError: the server is away; the film stays as it is.
        """
        began = time.monotonic()
        try:
            if entry.state == "sending" and self._arrived(entry):
                self.ledger.ended(entry.uid, "done", "found in the PACS after a restart")
                return
            state, note = self._answered(entry)
            self.ledger.ended(entry.uid, state, note, time.monotonic() - began)
        except PacsAwayError:
            raise
        except FilmError as error:  # it will not become readable
            self.ledger.ended(entry.uid, "skipped", str(error))
        except HilumError as error:
            self.ledger.again(entry, str(error), AGAIN)
        except Exception as error:  # a fault of ours must not end a watch of days
            self.ledger.again(entry, f"{type(error).__name__}: {error}", AGAIN)

    def _arrived(self, entry: Entry) -> bool:
        return bool(entry.objects) and all(self.pacs.exists(entry.study, uid) for uid in entry.objects.values())

    def _answered(self, entry: Entry) -> tuple[str, str]:
        data = self.pacs.retrieve(entry.study, entry.series, entry.uid)
        film = opener.read(data, "film")
        about = header(data, "film")
        if str(about.get("Manufacturer", "")) == OURS:
            return "skipped", "one of our own answers"
        if film.tags.get("view", "") in NOT_FRONTAL:
            return "skipped", "no frontal film"
        if "body part" in film.tags:
            return "skipped", "another part of the body"
        answer = self.answer(film)
        made = objects(about, answer, self.kinds)
        ended = ("refused", answer.domain) if answer.refused else ("done", "")
        if not made:
            return ended[0], ended[1] or "nothing to send: the map is blank"
        if self.log is None:
            return ended[0], f"dry run: {', '.join(made)} not sent"
        self.ledger.sending(entry.uid, {kind: str(one.SOPInstanceUID) for kind, one in made.items()})
        sent = send(self.pacs, made, WHO, self.log)
        if sent.refused:
            reasons = ", ".join(f"{kind}: {reason}" for kind, reason in sent.refused.items())
            raise PacsError(f"{self.pacs.server.name} did not take all objects ({reasons})")
        return ended

    def report(self) -> None:
        """Say how things stand where that changed, and write the metrics."""
        counts = self.ledger.counts()
        total, count = self.ledger.seconds()
        mean = f", {total / count:.1f} s a film" if count else ""
        line = " · ".join(f"{state} {counts[state]}" for state in STATES if state != "sending") + mean
        if line != self._said:
            self._said = line
            self.say(line)
        if self.metrics is not None:
            write_whole(self.metrics, prometheus(counts, total, count, self.up))


def prometheus(counts: Mapping[str, int], seconds: float, count: int, up: bool) -> str:
    """The figures in Prometheus' text format (0.0.4)."""
    lines = [
        "# HELP hilum_watch_films Films by what became of them.",
        "# TYPE hilum_watch_films gauge",
        *(f'hilum_watch_films{{state="{state}"}} {n}' for state, n in counts.items()),
        "# HELP hilum_watch_answer_seconds Seconds from asking for a film to the end of its answer.",
        "# TYPE hilum_watch_answer_seconds summary",
        f"hilum_watch_answer_seconds_sum {seconds:.3f}",
        f"hilum_watch_answer_seconds_count {count}",
        "# HELP hilum_watch_server_up Whether the PACS answered last time.",
        "# TYPE hilum_watch_server_up gauge",
        f"hilum_watch_server_up {int(up)}",
        "# HELP hilum_watch_last_seconds When this was written, Unix time.",
        "# TYPE hilum_watch_last_seconds gauge",
        f"hilum_watch_last_seconds {time.time():.0f}",
    ]
    return "\n".join(lines) + "\n"
