"""Many visitors at once, for minutes: errors, cross-talk, memory over time, and how long an answer takes.

    python -m benchmarks.soak --minutes 10 --visitors 30

A real server is started; visitors are connections of their own that speak Streamlit's protocol, as browsers do, but
draw nothing. Each opens one film after another on Live prediction and Heatmaps, in an order of its own, with a pause to
look at it. An answer takes from the request to the end of the script. Cross-talk is an answer that does not name the
film asked for. The processor time per answer says what an idle machine would bear, whatever else runs here. Linux only:
memory and processor time are read from /proc.
"""

import argparse
import os
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection

from core.data.phantom.cohort import cohort
from core.device import describe, pick
from tests.browser.server import served
from tests.visitor import connected

SPEC, MODEL = "phantom:fair", "honest"
PAGES = ("", "heatmaps")  # Live prediction is the page without a name
LOOK = 1.0  # seconds between an answer and the next request
PATIENCE = 300  # seconds until an answer counts as lost
MB = 1024**2


@dataclass
class Found:
    """What all visitors met."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    crosstalk: int = 0
    lock: Lock = field(default_factory=Lock)


def visitor(number: int, address: str, until: float, names: list[str], found: Found) -> None:
    """One visitor's whole visit."""
    order = random.Random(number)
    try:
        with connected(address) as server:
            while time.monotonic() < until:
                row = order.randrange(len(names))
                started = time.monotonic()
                said, errors = ask(server, order.choice(PAGES), row)
                with found.lock:
                    found.seconds.append(time.monotonic() - started)
                    found.errors += errors
                    found.crosstalk += not errors and names[row] not in said
                time.sleep(LOOK)
    except (OSError, TimeoutError) as error:
        with found.lock:
            found.errors.append(f"visitor {number}: {type(error).__name__} {error}")


def ask(server: ClientConnection, page: str, row: int) -> tuple[str, list[str]]:
    """Open a page on a film; all that it says, and its errors."""
    query = urlencode({"cohort": SPEC, "model": MODEL, "case": row + 1})
    state = ClientState(query_string=query, page_name=page)
    server.send(BackMsg(rerun_script=state).SerializeToString())
    said, errors, begun = [], [], False
    while True:
        message = ForwardMsg.FromString(server.recv(PATIENCE))
        kind = message.WhichOneof("type")
        begun = begun or kind == "new_session"
        if kind == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                errors.append(element.exception.message)
            said.append(str(element))
        elif kind == "script_finished" and begun and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return "\n".join(said), errors


def _server() -> Path:
    """Where /proc tells of the server, this process's only child."""
    return Path("/proc") / Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()[0]


def resident() -> int:
    """Bytes of memory of the server."""
    return int((_server() / "status").read_text().split("VmRSS:")[1].split()[0]) * 1024


def processor() -> float:
    """Seconds that the server has computed so far, on all cores together."""
    fields = (_server() / "stat").read_text().rpartition(")")[2].split()  # the name before may hold blanks
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user and system


def soak(minutes: float, visitors: int) -> tuple[Found, list[tuple[float, int]], float]:
    """What the visitors met, (minute, bytes) of the server's memory, and the seconds it computed for them."""
    drawn = cohort("fair")
    names = [Path(path).name for path in drawn.samples["path"]]
    found, memory = Found(), []
    with served() as address:
        with connected(address) as first:
            ask(first, PAGES[1], 0)  # models are loaded
        began = time.monotonic()
        memory.append((0.0, resident()))
        before = processor()
        until = began + 60 * minutes
        with ThreadPoolExecutor(visitors) as pool:
            visits = [pool.submit(visitor, n, address, until, names, found) for n in range(visitors)]
            while not all(visit.done() for visit in visits):
                time.sleep(5)
                memory.append(((time.monotonic() - began) / 60, resident()))
            for visit in visits:
                visit.result()
        computed = processor() - before
    return found, memory, computed


def main() -> None:
    """Print what was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--visitors", type=int, default=30)
    args = parser.parse_args()
    found, memory, computed = soak(args.minutes, args.visitors)
    load = os.getloadavg()[0]
    print(f"{args.visitors} visitors, {args.minutes:g} minutes, {os.cpu_count()} cores, load {load:.1f} at the end")
    print(describe(pick()))
    print(f"answers {len(found.seconds)}, errors {len(found.errors)}, cross-talk {found.crosstalk}")
    if len(found.seconds) > 1:
        cuts = statistics.quantiles(found.seconds, n=20)
        print(f"processor seconds per answer {computed / len(found.seconds):.2f}")
        print(f"seconds: p50 {statistics.median(found.seconds):.1f}, p95 {cuts[-1]:.1f}, most {max(found.seconds):.1f}")
    step = max(1, len(memory) // 10)
    print("memory: " + ", ".join(f"{minute:.1f} min {size / MB:.0f} MB" for minute, size in memory[::step]))
    for error in dict.fromkeys(found.errors):
        print(f"- {error}")


if __name__ == "__main__":
    main()
