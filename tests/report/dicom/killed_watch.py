"""A watch that is killed at random moments, as a program of its own: SERVER FOLDER FILMS KILLS SEED.

It forks, for a fork starts at once while a program imports for seconds; each child is killed with SIGKILL, the last one
runs to its end. Prints how many children were killed.
"""

import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from core.data.dicomweb.client import Pacs
from core.data.dicomweb.ledger import opened
from core.data.dicomweb.query import Query
from core.data.dicomweb.server import Server
from core.report.dicom.answer import Answer, Finding
from core.report.dicom.watching import Watch

OWNER = {"server": "tests", "model": "stub", "objects": "sc,sr"}


def stub(film) -> Answer:
    """What a model would say, at once."""
    findings = (Finding("Normal", 0.2, 0.5, False), Finding("COVID-19", 0.8, 0.5, True))
    return Answer(
        film.sha256, "COVID-19", "Grad-CAM", "stub", "ab" * 32, "1", findings, "It fits.", False,
        np.ones(film.shape, np.float32), None, np.zeros((64, 64, 3), np.uint8),
    )  # fmt: skip


def watch(url: str, folder: Path, films: int) -> None:
    """Until all films are answered."""
    with opened(folder / "ledger.sqlite", OWNER) as ledger:
        one = Watch(Pacs(Server(url)), ledger, stub, ("sc", "sr"), folder / "log", say=lambda line: None)
        while ledger.counts()["done"] < films:
            one.run(lambda: Query(modalities=("DX",)), once=True)


def done(folder: Path) -> int:
    """How many films are answered, as an onlooker sees it."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/ledger.sqlite?mode=ro", uri=True, timeout=5)) as base:
            return base.execute("SELECT COUNT(*) FROM films WHERE state = 'done'").fetchone()[0]
    except sqlite3.OperationalError:  # it does not exist yet
        return 0


def main() -> None:
    url, folder, films, kills, seed = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    draw = random.Random(seed)
    killed = 0
    while True:
        child = os.fork()
        if not child:
            watch(url, folder, films)
            os._exit(0)
        if killed < kills:
            target = (killed + draw.random()) * films / kills * 0.9
            while done(folder) < target and not os.waitpid(child, os.WNOHANG)[0]:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.15))  # anywhere within a film
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        killed += 1
    print(killed)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
