"""Films -> batches -> rows: in order, resumable at any moment, nothing twice and nothing missing."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.data.phantom.cohort import cohort as drawn
from core.data.readers import open_cohort
from core.errors import RunError
from core.run import stream
from core.run.parts import Parts, Row, Writer
from tests.run.work import Mean


def undisturbed(films: Cohort, folder: Path) -> pd.DataFrame:
    """The table of a run that nothing disturbed."""
    parts = Parts(folder, Mean.key, Mean.columns)
    stream.into(parts, films, Mean())
    return parts.read()


@pytest.mark.parametrize("pause", [None, lambda: None])
@pytest.mark.parametrize("batch", [1, 4, 100])
def test_every_film_has_its_row_in_order_and_a_damaged_one_its_reason(films: Cohort, batch: int, pause) -> None:
    seen: list[tuple[int, int]] = []
    told = stream.rows(films, Mean(), batch, lambda *count: seen.append(count), pause)
    found = [row for part in told for row in part]
    assert [row["id"] for row in found] == list(films.samples[FILM_ID])
    assert [row["id"] for row in found if row.get("error")] == ["COVID/7.png"]
    assert found[0]["mean"] == films.film(0).pixels.mean()
    assert seen[-1] == (23, 23)


def test_nothing_is_at_work_in_a_pause(films: Cohort) -> None:
    asked: list[int] = []
    work = Mean()
    rows = stream.rows(films, work, 5, pause=lambda: asked.append(len(work.asked)))
    assert sum(map(len, rows)) == 23
    assert asked == [0, 5, 10, 15, 20]


def test_a_second_run_does_only_what_is_missing(films: Cohort, tmp_path: Path) -> None:
    whole = undisturbed(films, tmp_path / "whole")
    parts = Parts(tmp_path / "parts", Mean.key, Mean.columns)
    stream.into(parts, films.take(np.arange(0, 23, 2)), Mean())
    again = Mean()
    stream.into(Parts(tmp_path / "parts", Mean.key, Mean.columns), films, again, engine=stream.Threads(1))
    ids = films.samples[FILM_ID]
    assert set(again.asked) == set(ids[1::2]) | {"COVID/7.png"}  # what could not be read is tried again
    found = Parts(tmp_path / "parts", Mean.key, Mean.columns).read()
    pd.testing.assert_frame_equal(*(frame.sort_values("id", ignore_index=True) for frame in (found, whole)))


def test_a_unit_more_is_done_for_all_films_and_the_others_stay(films: Cohort, tmp_path: Path) -> None:
    stream.into(Parts(tmp_path / "p", Mean.key, Mean.columns), films, Mean(("a",)))
    stream.into(parts := Parts(tmp_path / "p", Mean.key, Mean.columns), films, Mean(("a", "b")))
    found = parts.read()
    assert found.groupby("unit").size().to_dict() == {"a": 23, "b": 23}


def test_a_film_changed_since_is_done_again_and_one_only_touched_is_not(films: Cohort, tmp_path: Path) -> None:
    stream.into(Parts(tmp_path / "p", Mean.key, Mean.columns), films, Mean())
    changed, touched = (Path(films.samples["path"].iat[k]) for k in (0, 1))
    Image.fromarray(np.full((40, 40), 9, np.uint8)).save(changed)
    os.utime(touched, (1, 1))
    again = Mean()
    stream.into(parts := Parts(tmp_path / "p", Mean.key, Mean.columns), films, again, engine=stream.Threads(1))
    assert set(again.asked) == {films.samples[FILM_ID].iat[0], "COVID/7.png"}
    found = parts.read().set_index("id")
    assert found["mean"][films.samples[FILM_ID].iat[0]] == 9
    assert len(found) == 23


def test_films_of_one_name_size_and_time_in_two_places_are_two(tmp_path: Path) -> None:
    for place, grey in (("X", 10), ("Y", 200)):
        for name in ("Normal/a.bmp", "COVID/b.bmp"):
            path = tmp_path / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((40, 40), grey, np.uint8)
            pixels[:20] = 255 - grey
            Image.fromarray(pixels).save(path)
            os.utime(path, (1, 1))
    one, two = (open_cohort(tmp_path / place) for place in ("X", "Y"))
    assert list(one.samples[FILM_ID]) == list(two.samples[FILM_ID])
    assert one.stamp(0) == two.stamp(0)
    again = Mean()
    for cohort, work in ((one, Mean()), (two, again)):
        stream.into(parts := Parts(tmp_path / "p", Mean.key, Mean.columns), cohort, work, engine=stream.Threads(1))
    assert len(again.asked) == 2
    assert set(parts.read()["sha256"]) == {two.film(0).sha256}


def test_drawn_films_of_another_cohort_are_other_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    again = Mean()
    for kind, work in (("fair", Mean()), ("confounded", again), ("confounded", Mean())):
        cohort = drawn(kind, films=8, size=64)
        cohort = replace(cohort, samples=cohort.samples.assign(film_id=list("abcdefgh")))  # as if they were named alike
        stream.into(Parts(tmp_path / "p", Mean.key, Mean.columns), cohort, work, engine=stream.Threads(1))
    assert again.asked == list("abcdefgh")
    assert work.asked == []


def test_parts_of_another_key_are_refused_with_both_keys(films: Cohort, tmp_path: Path) -> None:
    stream.into(Parts(tmp_path / "p", "a" * 64, Mean.columns), films, Mean())
    with pytest.raises(RunError, match=r"key aaaaaaaaaaaa, and this run is of key bbbbbbbbbbbb"):
        Parts(tmp_path / "p", "b" * 64, Mean.columns)


def test_one_part_of_another_key_among_others_is_refused(films: Cohort, tmp_path: Path) -> None:
    for key in ("a" * 64, "b" * 64):
        stream.into(Parts(tmp_path / key[0], key, Mean.columns), films, Mean())
    [theirs] = (tmp_path / "b").iterdir()
    theirs.rename(tmp_path / "a" / theirs.name.replace("000001", "000002"))
    with pytest.raises(RunError, match="key bbbbbbbbbbbb, and this run is of key aaaaaaaaaaaa"):
        Parts(tmp_path / "a", "a" * 64, Mean.columns)


def test_what_only_looks_like_a_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "part-000001-0123abcd.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"part-000001-0123abcd\.parquet cannot be read"):
        Parts(tmp_path, "k", Mean.columns)


def test_a_disk_that_fills_up_within_a_part_ends_the_run_and_what_was_written_stays(
    films: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file may grow beyond some bytes from the third part on: the system itself refuses in the middle of a write."""
    parts = Parts(tmp_path / "p", Mean.key, Mean.columns)
    real, before = parts.write, resource.getrlimit(resource.RLIMIT_FSIZE)

    def write(rows: list[Row]) -> None:
        if len(parts.files) == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            real(rows)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(parts, "write", write)
    monkeypatch.setattr(Writer.__init__, "__defaults__", (4, 1e9))
    with pytest.raises(OSError, match="File too large"):
        stream.into(parts, films, Mean(), batch=2, engine=stream.Threads(1))
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [path.name for path in parts.files]
    assert len(Parts(tmp_path / "p", Mean.key, Mean.columns).read()) == 8
    monkeypatch.undo()
    stream.into(last := Parts(tmp_path / "p", Mean.key, Mean.columns), films, Mean())
    pd.testing.assert_frame_equal(
        *(frame.sort_values("id", ignore_index=True) for frame in (last.read(), undisturbed(films, tmp_path / "w")))
    )


def test_whoever_stops_listening_leaves_no_thread_at_work(films: Cohort) -> None:
    def stopped(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt) as held:  # and with it the frames in which it was raised
        list(stream.rows(films, Mean(), 2, stopped, engine=stream.Threads(2)))
    assert held.traceback
    assert set(threading.enumerate()) <= before


KILLED = """
    import sys, time
    from core.data.readers import open_cohort
    from core.run import parts, stream
    from tests.run.work import Mean
    parts.Writer.__init__.__defaults__ = (3, 1e9)
    def progress(done, total):
        print(done, flush=True)
        time.sleep(0.05)
    stream.into(parts.Parts(__import__("pathlib").Path(sys.argv[2]), Mean.key, Mean.columns),
                open_cohort(sys.argv[1]), Mean(), batch=2, engine=stream.Threads(2), progress=progress)
"""


def test_killed_at_any_moment_it_goes_on_to_the_same_table(films: Cohort, tmp_path: Path) -> None:
    whole = undisturbed(films, tmp_path / "whole")
    folder = str(tmp_path / "killed")
    for lines in (1, 4):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "films"), folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as running:
            assert running.stdout
            for _ in range(lines):
                assert running.stdout.readline()
            running.send_signal(signal.SIGKILL)
    before = len(Parts(tmp_path / "killed", Mean.key, Mean.columns).index())
    assert 3 <= before < 22
    stream.into(parts := Parts(tmp_path / "killed", Mean.key, Mean.columns), films, Mean())
    pd.testing.assert_frame_equal(*(frame.sort_values("id", ignore_index=True) for frame in (parts.read(), whole)))


KILLED_WRITING = """
    import sys, time
    from pathlib import Path
    from core.data.readers import open_cohort
    from core.run import parts, stream
    from tests.run.work import Mean
    parts.Writer.__init__.__defaults__ = (3, 1e9)
    real, written = parts.pq.write_table, []
    def write_table(table, path):
        real(table, path)
        written.append(path)
        if len(written) == 3:
            Path(path).write_bytes(Path(path).read_bytes()[:200])
            print("half a part", flush=True)
            time.sleep(60)
    parts.pq.write_table = write_table
    stream.into(parts.Parts(Path(sys.argv[2]), Mean.key, Mean.columns), open_cohort(sys.argv[1]), Mean(), batch=1,
                engine=stream.Threads(1))
"""


def test_killed_in_the_middle_of_a_part_it_loses_that_part_alone(films: Cohort, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", textwrap.dedent(KILLED_WRITING), str(tmp_path / "films"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as running:
        assert running.stdout
        assert running.stdout.readline() == b"half a part\n"
        running.send_signal(signal.SIGKILL)
    again = Mean()
    parts = Parts(folder, Mean.key, Mean.columns)
    assert len(parts.read()) == 6
    stream.into(parts, films, again, engine=stream.Threads(1))
    assert len(again.asked) == 23 - 6
    whole = undisturbed(films, tmp_path / "whole")
    pd.testing.assert_frame_equal(*(frame.sort_values("id", ignore_index=True) for frame in (parts.read(), whole)))
    parts.remove()
    assert not folder.exists()
