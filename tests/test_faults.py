"""Faults of disks and files: each is mended by itself or said in a sentence, and costs nobody else anything."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cli import main
from core.data.audit import audit
from core.data.phantom.cohort import cohort as drawn
from core.data.readers import open_cohort
from core.errors import CohortError, FilmError
from core.model.checkpoint import save
from core.transform.preprocess import Preprocess
from tests.explain.toys import classifier, picture


@pytest.fixture
def films(tmp_path: Path) -> Path:
    root = tmp_path / "films"
    for number, name in enumerate(("Normal", "COVID-19")):
        (root / name).mkdir(parents=True)
        for film in range(3):
            Image.fromarray(picture(96, 10 * number + film)).save(root / name / f"{film}.png")
    return root


def refused(code: int):
    def raising(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return raising


# Drawn films


@pytest.mark.parametrize("how", ["cut", "exchanged", "an exchanged mask"])
def test_a_damaged_drawn_film_is_drawn_again(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    films = drawn("fair", films=8, size=96)
    column = "lungs" if "mask" in how else "path"
    before, mask = films.film(2).pixels.copy(), films.mask(2, "lungs")
    path = Path(films.samples[column][2])
    if how == "cut":
        path.write_bytes(path.read_bytes()[:500])
    else:
        Image.fromarray(np.zeros((96, 96), np.uint8)).save(path)
    assert np.array_equal(films.film(2).pixels, before)
    assert np.array_equal(films.mask(2, "lungs"), mask)


def test_a_drawn_film_that_cannot_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    films = drawn("fair", films=8, size=96)
    monkeypatch.setattr("core.data.phantom.cohort._write", refused(errno.ENOSPC))
    with pytest.raises(FilmError, match=r"cannot be kept in .*No space left"):
        films.film(0)


def test_real_films_joined_with_drawn_ones_are_left_alone(films: Path) -> None:
    from core.data.cohort import concatenate

    joined = concatenate("both", [open_cohort(films), drawn("fair", films=8, size=96)])
    assert joined.film(0).shape == (96, 96)
    Path(joined.samples["path"][0]).unlink()
    with pytest.raises(FilmError, match="There is no file"):
        joined.film(0)


# Two visitors at once


def test_two_audits_of_one_cohort_at_once_find_the_same(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: audit(open_cohort(films)), range(2)))
    assert [one.films for one in found] == [6, 6]
    said = [[finding.key for finding in one.findings] for one in found]
    assert said[0] == said[1]


# predict --csv


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return save(classifier().checkpoint, tmp_path / "toy")


def predict(stored: Path, films: Path, out: Path) -> int:
    return main(["predict", str(stored), str(films), "--csv", str(out), "--backend", "torch", "--names"])


def test_a_place_that_cannot_be_written_to_is_said_before_a_film_is_scored(
    stored: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("core.data.film.opener.read", lambda *_: pytest.fail("a film was read"))
    assert predict(stored, films, tmp_path / "no such folder" / "out.csv") == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_a_killed_prediction_goes_on_and_ends_as_if_it_had_not_been(
    stored: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.run import parts, score, stream

    monkeypatch.setattr(parts.Writer.__init__, "__defaults__", (1, 0.0))
    assert predict(stored, films, tmp_path / "whole.csv") == 0
    real, scored = score.Score.__call__, list(pd.read_csv(tmp_path / "whole.csv")["file"])

    def killed(self, batch, units):
        if batch.samples["path"].iat[0] == scored[3]:
            raise KeyboardInterrupt
        return real(self, batch, units)

    out = tmp_path / "out.csv"
    with monkeypatch.context() as patched:
        patched.setattr(score.Score, "__call__", killed)
        patched.setattr("core.run.stream.into", partial(stream.into, batch=1))
        assert predict(stored, films, out) == 130
    kept = tmp_path / "out.csv.parts"
    assert not out.exists()
    assert len(list(kept.glob("part-*.parquet"))) == 3
    first = scored[0]
    Image.fromarray(picture(96, 77)).save(first)  # changed since
    again: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(
            score.Score,
            "__call__",
            lambda self, batch, units: again.extend(batch.samples["path"]) or real(self, batch, units),
        )
        assert predict(stored, films, out) == 0
    assert "3 films were scored by an earlier run" in capsys.readouterr().out
    assert len(again) == 4
    assert first in again
    assert not kept.exists()
    whole, found = pd.read_csv(tmp_path / "whole.csv"), pd.read_csv(out)
    pd.testing.assert_frame_equal(found[found["file"] != first], whole[whole["file"] != first])
    assert list(found["file"]) == list(whole["file"])


def test_another_model_does_not_go_on_with_it(
    stored: Path, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save(classifier(seed=1).checkpoint, tmp_path / "other")
    command = [str(films), "--out", str(tmp_path / "rows"), "--backend", "torch"]
    assert main(["predict", str(stored), *command]) == 0
    before = sorted((tmp_path / "rows").iterdir())
    assert main(["predict", str(other), *command]) == 2
    assert "holds rows of key" in capsys.readouterr().err
    assert sorted((tmp_path / "rows").iterdir()) == before


def test_unreadable_films_of_an_earlier_command_are_not_counted_again(
    stored: Path, films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = films / "Normal" / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\ncut off")
    command = ["predict", str(stored), "--out", str(tmp_path / "rows"), "--backend", "torch"]
    assert main([*command, str(bad)]) == 1
    assert "0 films scored, 1 unreadable" in capsys.readouterr().out
    assert main([*command, str(films / "COVID-19")]) == 0
    assert "3 films scored, 0 unreadable" in capsys.readouterr().out


def test_parts_name_nobody_unless_asked(stored: Path, films: Path, tmp_path: Path) -> None:
    (films / "Normal" / "Jane Roe.png").write_bytes(b"\x89PNG\r\n\x1a\ncut off")
    for names, found in (([], False), (["--names"], True)):
        folder = tmp_path / f"rows{len(names)}"
        assert main(["predict", str(stored), str(films), "--out", str(folder), "--backend", "torch", *names]) == 1
        assert ("Jane Roe" in pd.read_parquet(folder).to_csv()) == found


# Results


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_a_disk_that_fills_up_leaves_the_files_of_before_and_no_half_one(
    command: str, stored: Path, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked = [str(films / "Normal" / "0.png")] if command == "explain" else ["--data", str(films)]
    words = [command, str(stored), *asked, "--out", str(out)]
    assert main(words) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert len(before) >= 3
    real = Path.write_bytes

    def half(self: Path, content: bytes) -> None:
        real(self, content[: len(content) // 2])
        refused(errno.ENOSPC)()

    monkeypatch.setattr(Path, "write_bytes", half)
    assert main(words) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


# Paths


@pytest.mark.parametrize("path", ["x" * 300, "~nosuchuser/x", "a\0b", "/" + "y/" * 3000])
def test_a_path_that_cannot_be_is_refused_in_a_sentence(path: str) -> None:
    with pytest.raises(CohortError, match=r"not a path that can be opened|There is no") as error:
        open_cohort(path)
    assert len(str(error.value)) < 600


def test_a_folder_that_cannot_be_read_is_counted(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (films / "Normal" / "ward").mkdir()
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("ward"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    cohort = open_cohort(films)
    assert len(cohort) == 6
    assert any("cannot be read: Permission denied): Normal/ward" in note for note in cohort.notes), cohort.notes


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names are Unicode there")
def test_names_that_are_not_utf8_are_left_out_by_name(films: Path) -> None:
    raw = os.fsencode(films)
    (whole := (films / "Normal" / "0.png")).read_bytes()
    for place in (b"Normal/caf\xe9.png", b"B\xe9ton/0.png", b"Normal/w\xe9/0.png"):
        target = os.path.join(raw, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(whole.read_bytes())
    cohort = open_cohort(films)
    assert len(cohort) == 6
    assert set(cohort.classes) == {"Normal", "COVID-19"}
    said = " ".join(cohort.notes)
    assert "3 files left out (a name that is not UTF-8)" in said
    assert r"caf\xe9.png" in said
    said.encode()
    with pytest.raises(CohortError, match="not UTF-8"):
        open_cohort(os.fsdecode(os.path.join(raw, b"B\xe9ton")))


# Decoded films of a run


def test_decoded_films_that_were_cut_are_decoded_again(films: Path, tmp_path: Path) -> None:
    from core.training.films import films_of

    cohort, kept = open_cohort(films), tmp_path / "films.npy"
    before = films_of(cohort, Preprocess(size=32), kept).pictures.numpy().copy()
    for length in (kept.stat().st_size // 2, 40, 0):
        kept.write_bytes(kept.read_bytes()[:length])
        after = films_of(cohort, Preprocess(size=32), kept, begun=True).pictures.numpy()
        assert np.array_equal(after, before)
