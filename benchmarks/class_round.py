"""How quickly a class round answers its pupils: forty phones at once, and the wall.

    python -m benchmarks.class_round --pupils 40 --films 5

A real server is started; pupils are connections of their own that speak Streamlit's protocol, as browsers do, but draw
nothing. Each looks at a film, takes an answer after a while of its own, sends it, and changes its mind now and then;
between that its screen asks every two seconds whether the round has gone on, as an open page does. An answer takes from
the click to the end of the script. Cross-talk is a screen that shows its pupil another's answer.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from core.data.phantom.cohort import cohort
from tests.browser.server import served
from tests.visitor import Visitor

LINK = {"cohort": "phantom:fair", "model": "honest", "seed": "7", "quiz-for": "Class round"}
CLASSES = cohort("fair").classes
THINKS = 15.0  # seconds at most, before a pupil takes an answer
CHANGES = 0.2  # share of answers that are changed


def timed(seconds: list[float], click: Callable[[], None]) -> None:
    """Click, and keep how long the answer took."""
    started = time.monotonic()
    click()
    seconds.append(time.monotonic() - started)


def one_film(phone: Visitor, order: random.Random) -> tuple[str, list[float]]:
    """A pupil's answer to the film on the wall, and the seconds that each click took."""
    seconds: list[float] = []
    phone.wait(order.uniform(0, THINKS))
    said = order.choice(CLASSES)
    timed(seconds, lambda: phone.use("What is it?", said))
    timed(seconds, lambda: phone.use("Send"))
    if order.random() < CHANGES:
        said = order.choice(CLASSES)
        timed(seconds, lambda: phone.use("What is it?", said))
        timed(seconds, lambda: phone.use("Send again"))
    return said, seconds


def lesson(pupils: int, films: int) -> tuple[list[float], int, list[str]]:
    """Seconds of all clicks, answers shown to the wrong pupil, and errors."""
    seconds: list[float] = []
    crosstalk = 0
    with served() as address, ThreadPoolExecutor(pupils) as pool:
        wall = Visitor(address, "quiz", **LINK)
        wall.use("Open a round")
        code = next(line.removeprefix("Code: ") for line in wall.words() if line.startswith("Code: "))
        phones = list(pool.map(lambda _: Visitor(address, "quiz", round=code), range(pupils)))
        orders = [random.Random(number) for number in range(pupils)]
        for film in range(films):
            answers = list(pool.map(one_film, phones, orders))
            seconds += [second for _, clicks in answers for second in clicks]
            wall.use("Show the answers")
            list(pool.map(Visitor.look, phones))
            told = [[line for line in phone.words() if line.startswith("You said")] for phone in phones]
            crosstalk += sum(lines != [f"You said {said}."] for lines, (said, _) in zip(told, answers, strict=True))
            if film + 1 < films:
                wall.use("Next film")
                list(pool.map(Visitor.look, phones))
        errors = [error for visitor in (wall, *phones) for error in visitor.errors]
        for visitor in (wall, *phones):
            visitor.close()
    return seconds, crosstalk, errors


def main() -> None:
    """Print what was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pupils", type=int, default=40)
    parser.add_argument("--films", type=int, default=5, help="of the round, at most 10")
    args = parser.parse_args()
    before = os.getloadavg()[0]
    seconds, crosstalk, errors = lesson(args.pupils, args.films)
    cuts = statistics.quantiles(seconds, n=20)
    print(f"{args.pupils} pupils, {args.films} films, {os.cpu_count()} cores, load {before:.1f} before")
    print(f"clicks {len(seconds)}, errors {len(errors)}, cross-talk {crosstalk}")
    print(f"seconds: p50 {statistics.median(seconds):.2f}, p95 {cuts[-1]:.2f}, most {max(seconds):.2f}")
    for error in dict.fromkeys(errors):
        print(f"- {error}")


if __name__ == "__main__":
    main()
