"""Class rounds: a teacher shows films, pupils answer on their own screens, and the wall shows what the class said.

In the memory of one server, behind one lock, bounded in rounds, pupils and hours; nothing is written and nobody is
asked who they are: a pupil is a random token of a browser session. What is read is an immutable snapshot.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from types import MappingProxyType

from core.errors import RoundError

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which look like figures
CODE = 4  # letters
MOST_ROUNDS, MOST_PUPILS, MOST_BOXES = 50, 200, 8
MOST_CHANGES = 20  # of mind that are kept of one pupil and film, the last ones
LONGEST = 500  # characters of an answer
HOURS = 6.0  # that a round is kept after it was last touched

Box = tuple[float, float, float, float]  # left, top, right, bottom in shares of the picture, 0 to 1


@dataclass(frozen=True)
class Given:
    """What one pupil says of one film.

    Attributes:
        labels: each answer that was looked at on the way to this one, with the seconds since the film appeared.
        seconds: from the film's appearing on the pupil's screen to the sending.
        before: what the same pupil had sent of this film before, oldest first.
    """

    answer: str
    sure: str
    boxes: tuple[Box, ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    seconds: float = 0.0
    before: tuple["Given", ...] = ()


@dataclass(frozen=True)
class Round:
    """A round as it stands.

    Attributes:
        cohort, model: what the teacher chose, by name.
        rows: the films of the cohort, in order.
        case: which of them is on the wall, from 0.
        shown: whether answers, model and truth are on the wall; then nothing more is taken.
        answers: of the film on the wall, by pupil.
        past: the answers of the films before, in order.
        touched: when something was last done, seconds of the clock.
    """

    code: str
    cohort: str
    model: str
    rows: tuple[int, ...]
    case: int = 0
    shown: bool = False
    answers: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}))
    past: tuple[Mapping[str, Given], ...] = ()
    touched: float = 0.0


class Rounds:
    """All rounds of a server.

    Args:
        clock: gives seconds; another one in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open: OrderedDict[str, tuple[Round, str]] = OrderedDict()  # with the teacher's secret

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def open(self, cohort: str, model: str, rows: Sequence[int]) -> tuple[str, str]:
        """Begin a round; gives its code for the pupils and the secret by which its teacher leads it."""
        if not rows:
            raise RoundError("there is no film to show", "at least one", "Choose other cases")
        with self._lock:
            self._forget_old()
            code = next(code for code in iter(_code, "") if code not in self._open)
            secret = secrets.token_hex(16)
            self._open[code] = Round(code, cohort, model, tuple(rows), touched=self._clock()), secret
            while len(self._open) > MOST_ROUNDS:
                self._open.popitem(last=False)
            return code, secret

    def get(self, code: str) -> Round | None:
        """The round as it stands; None once it is over."""
        with self._lock:
            self._forget_old()
            return self._open[code][0] if code in self._open else None

    def answer(self, code: str, pupil: str, case: int, given: Given) -> Round:
        """Take a pupil's answer; a second one replaces the first and remembers it, until the answers are on the wall.

        Raises:
            RoundError: the round is over, the film is no longer on the wall, the round is full, or the answer too long.
        """
        if len(given.answer) > LONGEST:
            raise RoundError(f"the answer has {len(given.answer)} characters", f"at most {LONGEST}")
        if len(given.boxes) > MOST_BOXES:
            raise RoundError(f"{len(given.boxes)} boxes were drawn", f"at most {MOST_BOXES}", "Remove some")
        if not all(0 <= edge <= 1 for box in given.boxes for edge in box):
            raise RoundError("a box lies outside the film", "edges from 0 to 1", "Draw it again")
        with self._lock:
            found, secret = self._found(code)
            if case != found.case or found.shown:
                raise RoundError("this film is no longer asked about", "an answer to the film on the wall")
            if pupil not in found.answers and len(found.answers) >= MOST_PUPILS:
                raise RoundError(f"{MOST_PUPILS} have answered", "no more than that in one round")
            last = found.answers.get(pupil)
            before = (*last.before, replace(last, before=())) if last else ()
            whole = replace(given, labels=given.labels[-MOST_CHANGES:], before=before[-MOST_CHANGES:])
            answers = MappingProxyType({**found.answers, pupil: whole})
            return self._put(replace(found, answers=answers), secret)

    def show(self, code: str, secret: str) -> Round:
        """Close the film's answers and put them on the wall; RoundError for whoever does not lead the round."""
        with self._lock:
            return self._put(replace(self._led(code, secret), shown=True), secret)

    def following(self, code: str, secret: str) -> Round:
        """Go on to the next film; after the last one the round is over, and RoundError says so."""
        with self._lock:
            found = self._led(code, secret)
            if found.case + 1 >= len(found.rows):
                del self._open[code]
                raise RoundError("that was the last film of the round")
            past = (*found.past, found.answers)
            following = replace(found, case=found.case + 1, shown=False, answers=MappingProxyType({}), past=past)
            return self._put(following, secret)

    def close(self, code: str, secret: str) -> None:
        """End a round before its last film."""
        with self._lock:
            self._led(code, secret)
            del self._open[code]

    def _led(self, code: str, secret: str) -> Round:
        found, own = self._found(code)
        if not secrets.compare_digest(own, secret):
            raise RoundError("this round is led by somebody else", "", "Open a round of your own")
        return found

    def _found(self, code: str) -> tuple[Round, str]:
        self._forget_old()
        if code not in self._open:
            raise RoundError(f"no round has the code {code}", "", "Ask for the code on the wall")
        return self._open[code]

    def _put(self, changed: Round, secret: str) -> Round:
        changed = replace(changed, touched=self._clock())
        self._open[changed.code] = changed, secret
        return changed

    def _forget_old(self) -> None:
        limit = self._clock() - 3600 * HOURS
        for code in [code for code, (found, _) in self._open.items() if found.touched < limit]:
            del self._open[code]


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE))
