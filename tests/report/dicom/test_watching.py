"""The shadow reader: each film once, whatever happens to it, to the server or to the reader."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from core.cli import main
from core.data.dicomweb.client import Pacs
from core.data.dicomweb.ledger import Ledger, opened
from core.data.dicomweb.query import Found, Query
from core.data.dicomweb.server import Server
from core.errors import PacsAwayError, PacsError
from core.report.dicom.watching import Watch, prometheus
from tests.conftest import REPOSITORY
from tests.data.dicomweb.films import NAME, NUMBER, film, uids
from tests.orthanc import Orthanc, needs_orthanc, running
from tests.report.dicom.killed_watch import OWNER, stub
from tests.report.dicom.test_objects import answer

DX = Query(modalities=("DX", "CR"))
FILMS, KILLS = 200, 20


def small(number: int, **tags: object) -> bytes:
    return film(number, pixels=np.full((32, 32), 7, np.uint8), **tags)


def watch(server: Orthanc, ledger: Ledger, folder: Path, reader=stub, **settings: object) -> Watch:
    pacs = Pacs(Server(server.url, "The archive"), sleep=lambda seconds: None)
    given = {"kinds": ("sc", "sr"), "log": folder / "log", "poll": 0.01, "say": lambda line: None, **settings}
    return Watch(pacs, ledger, reader, **given)


def answers(server: Orthanc) -> Counter:
    """(study, modality) of what this house sent."""
    return Counter((h["StudyInstanceUID"], h["Modality"]) for h in server.headers() if h.get("Manufacturer") == "Hilum")


@needs_orthanc
@pytest.mark.timeout(900)  # some 60 seconds on a quiet machine
def test_killed_20_times_at_random_moments_it_has_answered_every_film_once(orthanc: Orthanc, tmp_path: Path) -> None:
    films = []
    for number in range(7000, 7000 + FILMS):  # UIDs of one length: patched in place
        patched = small(7000) if number == 7000 else films[0]
        films.append(patched.replace(b".7000", f".{number}".encode()).replace(b"-7000", f"-{number}".encode()))
    orthanc.put(*films)
    asked = [orthanc.url, str(tmp_path), str(FILMS), str(KILLS), "5"]
    told = subprocess.run(
        [sys.executable, "-m", "tests.report.dicom.killed_watch", *asked],
        check=False, cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (told.returncode, told.stdout.strip()) == (0, str(KILLS)), told.stderr[-2000:]
    sent = answers(orthanc)
    assert set(sent.values()) == {1}
    assert sent.keys() == {(uids(7000 + n)[0], kind) for n in range(FILMS) for kind in ("DX", "SR")}
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {line["study"] for line in lines} <= {uids(7000 + n)[0] for n in range(FILMS)}
    with opened(tmp_path / "ledger.sqlite", OWNER) as ledger:
        assert ledger.counts()["done"] == FILMS


@needs_orthanc
def test_what_arrived_before_a_crash_is_not_sent_again(orthanc: Orthanc, tmp_path: Path) -> None:
    orthanc.put(small(1))
    with opened(None, OWNER) as ledger:
        one = watch(orthanc, ledger, tmp_path)
        ended = ledger.ended
        ledger.ended = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # killed between sending and noting it
        with pytest.raises(KeyboardInterrupt):
            one.run(lambda: DX, once=True)
        ledger.ended = ended
        assert ledger.counts()["sending"] == 1
        one.run(lambda: DX, once=True)
        assert ledger.counts()["done"] == 1
        assert list(ledger.notes().values()) == ["found in the PACS after a restart"]
    assert len((tmp_path / "log").read_text().splitlines()) == 1


@needs_orthanc
def test_what_is_no_readable_frontal_chest_film_is_noted_and_never_retried(orthanc: Orthanc, tmp_path: Path) -> None:
    orthanc.put(small(1))
    orthanc.put(small(2, ViewPosition="LL"))
    orthanc.put(small(3, BodyPartExamined="KNEE"))
    orthanc.put(small(4, PresentationIntentType="FOR PROCESSING"))
    orthanc.put(small(5, PhotometricInterpretation="HSV"))
    with opened(tmp_path / "ledger", OWNER) as ledger:
        one = watch(orthanc, ledger, tmp_path, metrics=tmp_path / "metrics")
        one.run(lambda: DX, once=True)
        assert {k: v for k, v in ledger.counts().items() if v} == {"done": 1, "skipped": 4}
        notes = ledger.notes()
        assert "frontal" in notes[uids(2)[2]]
        assert "another part" in notes[uids(3)[2]]
        assert "for processing" in notes[uids(4)[2]]
        one.run(lambda: DX, once=True)  # its own answers are films of modality DX in the same PACS
        assert sum(ledger.counts().values()) == 5
    assert sum(answers(orthanc).values()) == 2
    assert 'hilum_watch_films{state="skipped"} 4' in (tmp_path / "metrics").read_text()


@needs_orthanc
@pytest.mark.parametrize(("kinds", "modalities"), [(("sc", "sr", "seg"), {"SR"}), (("sc",), set())])
def test_of_a_film_that_the_gate_refuses_only_a_text_is_sent(
    orthanc: Orthanc, tmp_path: Path, kinds: tuple[str, ...], modalities: set[str]
) -> None:
    orthanc.put(small(1))

    def refusing(film):
        return answer(*film.shape, refused=True, domain="It looks inverted.")

    with opened(None, OWNER) as ledger:
        watch(orthanc, ledger, tmp_path, refusing, kinds=kinds).run(lambda: DX, once=True)
        assert ledger.counts()["refused"] == 1
        assert ledger.notes()[uids(1)[2]].startswith("It looks inverted")
    assert {modality for _, modality in answers(orthanc)} == modalities


@needs_orthanc
def test_a_dry_run_sends_nothing(orthanc: Orthanc, tmp_path: Path) -> None:
    orthanc.put(small(1))
    with opened(None, OWNER) as ledger:
        watch(orthanc, ledger, tmp_path, log=None).run(lambda: DX, once=True)
        assert "sc, sr not sent" in ledger.notes()[uids(1)[2]]
    assert not answers(orthanc)
    assert not (tmp_path / "log").exists()


@needs_orthanc
def test_a_server_that_goes_away_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server, opened(None, OWNER) as ledger:
        for number in range(6):
            server.put(small(number))
        said: list[str] = []
        pauses: list[float] = []

        class Waiting(Event):
            def wait(self, timeout: float | None = None) -> bool:
                pauses.append(timeout or 0)
                if server.process is None and len(pauses) >= 3:
                    server.start()
                if server.process is not None and ledger.counts()["done"] == 6:
                    self.set()
                return self.is_set()

        def reader(film):
            if ledger.counts()["done"] == 2 and server.process is not None and not pauses:
                server.kill()
            return stub(film)

        watch(server, ledger, tmp_path, reader, poll=10.0, say=said.append, stop=Waiting()).run(lambda: DX)
        assert any("cannot be reached" in line for line in said)
        assert pauses[:3] == [20.0, 40.0, 80.0]
        assert pauses[-1] == 10.0
        assert set(answers(server).values()) == {1}
        assert len(answers(server)) == 12


@needs_orthanc
def test_a_reader_that_fails_is_tried_three_times_and_does_not_end_the_watch(orthanc: Orthanc, tmp_path: Path) -> None:
    orthanc.put(small(1))
    orthanc.put(small(2))
    tried: list[str] = []

    def reader(film):
        tried.append(film.sha256)
        if film.sha256 == tried[0]:
            raise ValueError("a fault of ours")
        return stub(film)

    with opened(None, OWNER) as ledger:
        one = watch(orthanc, ledger, tmp_path, reader)
        one.run(lambda: DX, once=True)
        assert (ledger.counts()["done"], ledger.counts()["waiting"]) == (1, 1)
        for _ in range(3):
            ledger._base.execute("UPDATE films SET due = 0")  # the pauses have passed
            one.run(lambda: DX, once=True)
        assert ledger.counts()["failed"] == 1
        assert "a fault of ours" in next(iter(ledger.notes().values()))
    assert Counter(tried).most_common(1)[0][1] == 3


def test_a_ledger_belongs_to_one_server_model_and_choice_and_to_one_program(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with opened(path, OWNER) as ledger:
        assert ledger.add(Found(*uids(1)))
        assert not ledger.add(Found(*uids(1)))
        with pytest.raises(PacsError, match="is in use"):
            Ledger(path, OWNER)
    with pytest.raises(PacsError, match="belongs to model stub, not other"):
        Ledger(path, OWNER | {"model": "other"})
    (tmp_path / "text").write_text("no ledger at all, but longer than a hundred bytes " * 9)
    with pytest.raises(PacsError, match="not a ledger"):
        Ledger(tmp_path / "text", OWNER)
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_metrics_are_in_prometheus_text_format() -> None:
    text = prometheus({"waiting": 3, "done": 2}, 4.5, 2, up=False)
    assert 'hilum_watch_films{state="waiting"} 3' in text
    assert "hilum_watch_answer_seconds_sum 4.500" in text
    assert "hilum_watch_server_up 0" in text
    assert all(line.startswith("# ") or len(line.split()) == 2 for line in text.splitlines())


@needs_orthanc
def test_the_command_answers_with_a_real_model(orthanc: Orthanc, tmp_path: Path, capsys) -> None:
    from core.data.phantom.cohort import cohort

    orthanc.put(film(1, pixels=cohort("fair").film(0).pixels))
    asked = ["watch", orthanc.url, "--model", "honest", "--days", "0", "--once", "--ledger", str(tmp_path / "ledger")]
    assert main([*asked, "--dry-run"]) == 0
    assert "not sent" in capsys.readouterr().out
    assert main([*asked, "--send", "sr,sc"]) == 0
    assert answers(orthanc) == {(uids(1)[0], "DX"): 1, (uids(1)[0], "SR"): 1}
    printed = capsys.readouterr()
    assert "done 1" in printed.out
    everything = printed.out + printed.err + (tmp_path / "ledger.log").read_text()
    assert NAME not in everything
    assert NUMBER not in everything
    assert main([*asked, "--send", "sr,movie"]) == 2
    assert main(["watch", "http://127.0.0.1:9/", "--model", "honest", "--once", "--ledger", str(tmp_path / "b")]) == 2
    assert "cannot be reached" in capsys.readouterr().err
    assert time.time() > 0
    assert issubclass(PacsAwayError, PacsError)
