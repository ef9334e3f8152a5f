"""The same rows from a Ray cluster as from threads, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.cohort import Cohort
from core.errors import RunError
from core.model.classifier import Classifier
from core.run import stream
from core.run.cluster import Ray, started
from core.run.parts import Parts
from core.run.score import Score
from tests.explain.toys import classifier
from tests.run.work import Mean

if find_spec("ray") is None:  # it is not imported here: `started` first tells it where to listen
    pytest.skip("requirements-cluster.txt is not installed", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Any]:
    """Two processors and one that reads, however many this machine has."""
    ray = started(processors=3)
    yield ray
    ray.shutdown()


def listening(pid: int) -> set[str]:
    """Addresses on which a process waits for connections, as the kernel writes them."""
    try:
        links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # gone meanwhile
        return set()
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in sockets}


def test_nobody_else_reaches_a_cluster_of_its_own(cluster: Any) -> None:
    session = cluster._private.worker._global_node.get_session_dir_path()
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    ours = [pid for pid in pids if session.encode() in command_of(pid)]
    found = set().union(*map(listening, ours))
    assert len(ours) >= 2
    assert found
    assert found <= {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


def command_of(pid: int) -> bytes:
    """What a process was started as; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def table(folder: Path, cohort: Cohort, work: stream.Work, engine: stream.Engine | None = None) -> pd.DataFrame:
    parts = Parts(folder, work.key, work.columns)
    stream.into(parts, cohort, work, batch=4, engine=engine)
    return parts.read().sort_values(["id", "unit"], ignore_index=True)


def test_rows_are_those_of_threads_and_a_second_run_has_nothing_to_do(films: Cohort, tmp_path: Path) -> None:
    work = Mean(("a", "b"))
    found = table(tmp_path / "ray", films, work, Ray(1))
    pd.testing.assert_frame_equal(found, table(tmp_path / "threads", films, work))
    parts = Parts(tmp_path / "ray", work.key, work.columns)
    assert (
        stream.into(parts, films.where(films.samples["film_id"] != "COVID/7.png"), Mean(("a", "b")), engine=Ray(1))
        == 44
    )


def test_a_dead_actor_is_replaced_and_its_films_are_done_by_another(films: Cohort, tmp_path: Path) -> None:
    deadly = tmp_path / "once"
    deadly.touch()
    found = table(tmp_path / "ray", films, Mean(once=deadly), Ray(1))
    assert not deadly.exists()
    pd.testing.assert_frame_equal(found, table(tmp_path / "threads", films, Mean()))


DRIVER = """
    import sys
    from pathlib import Path
    from core.data.readers import open_cohort
    from core.run import parts, stream
    from core.run.cluster import Ray, started
    from tests.run.work import Mean
    started(processors=2)
    parts.Writer.__init__.__defaults__ = (3, 1e9)
    def progress(done, total):
        print("rows", done, flush=True)
        if done >= 8:
            sys.stdin.read()  # goes on with half the films done until it is killed
    stream.into(parts.Parts(Path(sys.argv[2]), Mean.key, Mean.columns), open_cohort(sys.argv[1]), Mean(), batch=2,
                engine=Ray(1), progress=progress)
"""
PATIENCE = 240  # seconds for a driver that starts a cluster on a busy machine


def test_a_killed_driver_goes_on_to_the_same_table(films: Cohort, tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DRIVER), str(tmp_path / "films"), str(tmp_path / "killed")]
    driver = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True
    )
    deadline = Timer(PATIENCE, os.killpg, (driver.pid, signal.SIGKILL))
    deadline.start()
    assert driver.stdout
    done = 0
    while done < 8 and (line := driver.stdout.readline()):
        done = int(line.split()[1]) if line.startswith(b"rows ") else done
    deadline.cancel()
    os.killpg(driver.pid, signal.SIGKILL)  # the cluster that it started goes with it
    driver.wait()
    parts = Parts(tmp_path / "killed", Mean.key, Mean.columns)
    before = parts.read()
    assert 3 <= len(before) < 23
    again = Mean()
    stream.into(parts, films, again, engine=Ray(1))
    found = parts.read()
    assert len(found) == len(films)
    assert set(before["id"]) <= set(found["id"])
    whole = table(tmp_path / "threads", films, Mean())
    pd.testing.assert_frame_equal(found.sort_values(["id", "unit"], ignore_index=True), whole)


def test_a_model_says_the_same_there(films: Cohort, tmp_path: Path) -> None:
    model = Score(Classifier(classifier().checkpoint, "torch"))
    one, two = table(tmp_path / "ray", films, model, Ray(1)), table(tmp_path / "threads", films, model)
    numbers = list(model.columns.numbers)
    pd.testing.assert_frame_equal(one.drop(columns=numbers), two.drop(columns=numbers))
    np.testing.assert_allclose(one[numbers], two[numbers], atol=1e-5)


def test_an_actor_on_every_processor_is_refused(films: Cohort, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"3 actors were asked for on 3 processors.*2 at most"):
        table(tmp_path / "ray", films, Mean(), Ray(3))
