"""Several processes of one command on this machine, started again together when one of them is killed.

They meet by a file and, on a CPU, talk over the loopback interface: no other machine is asked or heard. For several
machines start the same command by torchrun.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from core.identity import HOUSE
from core.training.meeting import MEETING

RESTARTS = 3
_LOOK = 0.2  # seconds between two looks at them
_GRACE = 5.0  # seconds in which the others notice that one is gone


def run(command: Sequence[str], processes: int, restarts: int = RESTARTS) -> int:
    """Run a command in several processes at a time, each with its number in RANK.

    The first one speaks; what another says is told only where that one failed by itself.

    Args:
        command: program and arguments; a run of it goes on where an earlier one was killed.
        processes: how many.
        restarts: how often all are started again after one was killed by a signal.

    Returns:
        the exit status: 0, that of a process that failed, or 128 and the number of the signal.
    """
    for attempt in range(restarts + 1):
        with tempfile.TemporaryDirectory(prefix="hilum-") as folder:
            codes = _once(command, processes, Path(folder))
        killed = next((-code for code in codes if code is not None and code < 0), 0)
        if not killed:
            return next((code for code in codes if code), 0)
        if attempt < restarts:
            print("One of the processes was killed; all are started again.", file=sys.stderr)
    return 128 + killed


def _once(command: Sequence[str], processes: int, folder: Path) -> list[int | None]:
    """The exit status of each process; None of those that had to be ended because another was gone."""
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    usual = {"OMP_NUM_THREADS": threads, "GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    house = os.pathsep.join(filter(None, [str(HOUSE.parent), os.environ.get("PYTHONPATH", "")]))
    shared = {
        **usual,
        **os.environ,
        "PYTHONPATH": house,
        "WORLD_SIZE": str(processes),
        MEETING: str(folder / "meeting"),
    }
    told = [folder / f"{rank}.txt" for rank in range(processes)]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(processes):
            environment = {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            if rank == 0:
                running.append(subprocess.Popen(command, env=environment))
                continue
            with told[rank].open("wb") as file:
                running.append(
                    subprocess.Popen(command, env=environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
                )
        codes = _ended(running)
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()
    if not codes[0]:
        for rank, code in enumerate(codes):
            if rank and code and code > 0:
                print(told[rank].read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
    return codes


def _ended(running: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """The status of all when they are through, or of those that are when one has failed and the others had time."""
    failed = 0.0
    while True:
        codes = [process.poll() for process in running]
        if all(code is not None for code in codes) or (failed and time.monotonic() - failed > _GRACE):
            return codes
        if any(codes) and not failed:
            failed = time.monotonic()
        time.sleep(_LOOK)
