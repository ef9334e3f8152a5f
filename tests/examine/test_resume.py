"""Rows on disk: a run goes on with its own rows, and with nobody else's."""

import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.__main__ import main
from core.examine.cohort import open_film
from core.model import checkpoint
from core.model.checkpoint import Checkpoint
from tests.explain.toys import CLASSES, classifier, picture

ROWS = "rows-last-label.csv"


def films(folder: Path, seed: int = 0, names: tuple[str, ...] = CLASSES) -> Path:
    """Two films of each of two classes, called alike in every cohort."""
    for number, name in enumerate(names[:2]):
        (folder / name).mkdir(parents=True)
        for film in range(2):
            Image.fromarray(picture(96, seed + 10 * number + film)).save(folder / name / f"{film}.png")
    return folder


@pytest.fixture
def stored(tmp_path):
    return checkpoint.save(classifier().checkpoint, tmp_path / "mine")


def explain(folder: Path, cohort: Path, out: Path | None = None, *more: str) -> int:
    where = ["--out", str(out)] if out else []
    return main(["explain", str(folder), "--cohort", str(cohort), *where, *more])


def rows(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / ROWS, dtype=str)


def test_own_rows_are_found_again_and_more_methods_added(stored, tmp_path, monkeypatch):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    assert explain(stored, cohort, out) == 0
    before = (out / ROWS).read_text()
    monkeypatch.setattr("core.examine.cohort.open_film", lambda *_: pytest.fail("a film was read again"))
    assert explain(stored, cohort, out) == 0
    assert (out / ROWS).read_text() == before


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    names = ["id", "class", "predicted", "probability", "lung_share"]
    pd.testing.assert_frame_equal(found[names], expected[names])


def test_another_model_s_rows_are_set_aside_naming_both_and_found_again(stored, tmp_path, capsys, monkeypatch):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    other = checkpoint.save(classifier(seed=1).checkpoint, tmp_path / "other")
    assert explain(stored, cohort, out) == 0
    before, summary = (out / ROWS).read_text(), (out / "summary.csv").read_text()
    capsys.readouterr()
    assert explain(other, cohort, out) == 0
    said = capsys.readouterr().out
    assert "mine on p" in said
    assert "other on p" in said
    assert explain(other, cohort, tmp_path / "alone") == 0
    same(rows(out), rows(tmp_path / "alone"))
    assert (out / "summary.csv").read_text() == (tmp_path / "alone" / "summary.csv").read_text()
    key = before.splitlines()[1].split(",")[0]
    assert (out / f"rows-last-label.{key[:12]}.csv").read_text() == before
    assert (out / f"summary.{key[:12]}.csv").read_text() == summary
    monkeypatch.setattr("core.examine.cohort.open_film", lambda *_: pytest.fail("a film was read again"))
    assert explain(stored, cohort, out) == 0
    assert (out / ROWS).read_text() == before
    assert (out / "summary.csv").read_text() == summary


def test_rows_without_a_key_are_set_aside(stored, tmp_path, capsys):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    out.mkdir()
    (out / ROWS).write_text("film,method\na.png,gradcam\n")
    (out / "summary.csv").write_text("method,class,measure,value\ngradcam,COVID-19,hit,0.5\n")
    assert explain(stored, cohort, out) == 0
    assert "an earlier version of Hilum" in capsys.readouterr().out
    assert len(rows(out)) == 4
    assert len(list(out.glob("rows-*.csv"))) == len(list(out.glob("summary*.csv"))) == 2


def test_a_model_trained_anew_under_its_name_is_another(stored, tmp_path, capsys):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    assert explain(stored, cohort, out) == 0
    checkpoint.save(classifier(seed=1).checkpoint, stored)
    capsys.readouterr()
    assert explain(stored, cohort, out) == 0
    assert "held rows of mine on p" in capsys.readouterr().out
    assert len(rows(out)) == 4


def test_in_its_own_folder_the_old_rows_are_set_aside(stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cohort = films(tmp_path / "p")
    assert explain(stored, cohort) == 0
    out = tmp_path / "runs" / "explain-mine"
    old = rows(out)
    checkpoint.save(classifier(seed=1).checkpoint, stored)
    assert explain(stored, cohort) == 0
    assert len(list(out.glob("rows-*.csv"))) == 2
    alone = tmp_path / "alone"
    assert explain(stored, cohort, alone) == 0
    same(rows(out), rows(alone))
    assert not rows(out)["probability"].equals(old["probability"])


def test_two_cohorts_of_one_name_are_two(stored, tmp_path, capsys):
    first, second, out = films(tmp_path / "X" / "p"), films(tmp_path / "Y" / "p", seed=5), tmp_path / "out"
    assert explain(stored, first, out) == 0
    assert explain(stored, second, out) == 0
    assert "held rows of mine on p" in capsys.readouterr().out
    assert len(rows(out)) == 4


def test_a_film_that_changed_is_decoded_again_and_no_other(stored, tmp_path):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    assert explain(stored, cohort, out) == 0
    before = rows(out)
    assert explain(stored, cohort, out, "--names") == 0
    changed = cohort / CLASSES[0] / "0.png"
    Image.fromarray(picture(96, seed=77)).save(changed)
    touched = cohort / CLASSES[0] / "1.png"
    touched.write_bytes(touched.read_bytes())  # another time, the same content
    assert explain(stored, cohort, out, "--names") == 0
    after = rows(out)
    assert list(after["film"]) == ["0.png", "1.png"] * 2
    same = (before["sha256"] == after["sha256"]).tolist()
    assert same == [not id_.endswith(f"{CLASSES[0]}/0.png") for id_ in after["id"]]
    assert not same[list(after["id"]).index(next(i for i in after["id"] if i.endswith(f"{CLASSES[0]}/0.png")))]
    summary = pd.read_csv(out / "summary.csv").set_index("measure")
    assert set(summary["films"]) == {2}  # of each class: the old row no longer counts


def test_rows_call_films_and_patients_by_hashes_unless_names_are_asked_for(stored, tmp_path, monkeypatch):
    folder = films(tmp_path / "p")
    paths = sorted(folder.rglob("*.png"))
    samples = [{"path": str(p), "label": p.parent.name, "patient": "Jane Doe", "source": "=1+1"} for p in paths]
    pd.DataFrame(samples).to_csv(tmp_path / "table.csv", index=False)
    out = tmp_path / "out"
    assert explain(stored, tmp_path / "table.csv", out) == 0
    hashed = (out / ROWS).read_text()
    assert "Jane" not in hashed
    assert ".png" not in hashed
    assert str(tmp_path) not in hashed
    assert ",=1+1" not in hashed
    assert rows(out)["id"].nunique() == rows(out)["film"].nunique() == len(paths)
    assert rows(out)["patient"].nunique() == 1
    monkeypatch.setattr("core.examine.cohort.open_film", lambda *_: pytest.fail("a film was read again"))
    assert explain(stored, tmp_path / "table.csv", out, "--names") == 0
    named = rows(out)
    assert [Path(name).name for name in named["id"]] == list(named["film"]) == [p.name for p in paths]
    assert set(named["patient"]) == {"Jane Doe"}
    assert explain(stored, tmp_path / "table.csv", out) == 0
    assert (out / ROWS).read_text() == hashed


def test_a_film_whose_label_was_corrected_is_another(stored, tmp_path):
    folder = films(tmp_path / "p")
    table, out = tmp_path / "table.csv", tmp_path / "out"
    samples = pd.DataFrame([{"path": str(p), "label": p.parent.name} for p in sorted(folder.rglob("*.png"))])
    samples.to_csv(table, index=False)
    assert explain(stored, table, out) == 0
    before = rows(out)
    other = next(name for name in samples["label"] if name != samples["label"][0])
    samples.assign(label=[other, *samples["label"][1:]]).to_csv(table, index=False)
    assert explain(stored, table, out) == 0
    after = rows(out)
    assert list(after["class"]) == list(after["label"])
    assert (before["class"] != after["class"]).sum() == 1


def test_a_film_that_cannot_be_read_is_a_row_with_the_reason_and_is_tried_again(stored, tmp_path, capsys):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    bad = cohort / CLASSES[0] / "Jane Roe.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\ncut off")
    assert explain(stored, cohort, out) == 0
    told = capsys.readouterr()
    assert "1 film could not be read and left out" in told.out
    assert "Jane Roe.png: " in told.err
    assert "Jane" not in (out / ROWS).read_text()
    assert all(b"Jane" not in part.read_bytes() for part in out.rglob("*.parquet"))
    last = rows(out).iloc[-1]
    assert last["film"].startswith("film-")
    assert "cannot be read" in last["error"] or "damaged" in last["error"], last["error"]
    assert rows(out)["error"].notna().sum() == 1
    Image.fromarray(picture(96, seed=3)).save(bad)
    assert explain(stored, cohort, out) == 0
    assert len(rows(out)) == 5
    assert not rows(out)["error"].notna().any()


def test_with_no_readable_film_the_reason_is_said(stored, tmp_path, capsys):
    cohort = films(tmp_path / "p")
    for path in cohort.rglob("*.png"):
        path.write_bytes(b"no film")
    assert explain(stored, cohort, tmp_path / "out") == 2
    assert "None of the 4 films of p can be read" in capsys.readouterr().err


KILLED = """
    import sys, time
    from core.run import parts
    from core.examine.cohort import Explain
    from core.__main__ import main
    parts.Writer.__init__.__defaults__ = (1, 1e9)
    Explain.batch = 1
    real = parts.Parts.write
    def write(self, rows):
        real(self, rows)
        print(len(self.files), flush=True)
        time.sleep(60)
    parts.Parts.write = write
    main(sys.argv[1:])
"""


def test_killed_it_goes_on_to_the_table_of_an_undisturbed_run(stored, tmp_path, monkeypatch):
    cohort, out, whole = films(tmp_path / "p"), tmp_path / "out", tmp_path / "whole"
    arguments = ["explain", str(stored), "--cohort", str(cohort), "--method", "gradcam,hirescam"]
    command = [sys.executable, "-c", textwrap.dedent(KILLED), *arguments, "--out", str(out), "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as running:
        assert running.stdout
        while running.stdout.readline().strip() != b"1":
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
    assert len(list(out.rglob("part-*.parquet"))) == 1
    assert not (out / ROWS).exists()
    read: list[object] = []
    monkeypatch.setattr("core.examine.cohort.open_film", lambda *a: (read.append(a), open_film(*a))[1])
    assert main([*arguments, "--out", str(out)]) == 0
    assert len(read) == 3
    assert main([*arguments, "--out", str(whole)]) == 0
    assert len(read) == 7
    pd.testing.assert_frame_equal(pd.read_csv(out / ROWS), pd.read_csv(whole / ROWS))
    assert (out / "summary.csv").read_text() == (whole / "summary.csv").read_text()


def test_a_truncated_part_is_named_and_without_it_its_films_are_done_again(stored, tmp_path, capsys):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    assert explain(stored, cohort, out) == 0
    before = rows(out)
    [part] = out.rglob("part-*.parquet")
    part.write_bytes(part.read_bytes()[:200])
    assert explain(stored, cohort, out) == 2
    assert f"{part.name} cannot be read" in capsys.readouterr().err
    part.unlink()
    assert explain(stored, cohort, out) == 0
    pd.testing.assert_frame_equal(rows(out), before)


def test_other_settings_have_files_of_their_own(stored, tmp_path):
    cohort, out = films(tmp_path / "p"), tmp_path / "out"
    assert explain(stored, cohort, out) == 0
    assert explain(stored, cohort, out, "--of", "predicted") == 0
    assert (out / "rows-last-predicted.csv").is_file()


@pytest.mark.parametrize("names", [("1", "3", "2"), ("None", "NA", "nan"), ("Normal/NA", "Normal NA", "x")])
def test_classes_of_any_name_come_back_as_they_were(tmp_path, names):
    toy = classifier()
    from dataclasses import replace

    stored = checkpoint.save(Checkpoint(replace(toy.card, classes=names), toy.checkpoint.state), tmp_path / "mine")
    folders = {name: name.replace("/", "-") for name in names}
    folder = films(tmp_path / "p", names=tuple(folders.values()))
    rows_of = [(film, name) for name in names[:2] for film in (folder / folders[name]).iterdir()]
    table = pd.DataFrame([{"path": str(film), "label": name} for film, name in rows_of])
    table.to_parquet(tmp_path / "table.parquet")
    out = tmp_path / "out"
    assert explain(stored, tmp_path / "table.parquet", out) == 0
    assert set(pd.read_csv(out / "summary.csv", dtype=str, keep_default_na=False)["class"]) == set(names[:2])
    shutil.rmtree(out)
    film = next((folder / folders[names[0]]).iterdir())
    assert main(["explain", str(stored), str(film), "--class", "all", "--out", str(out)]) == 0
    assert len(list(out.glob("*.png"))) == 3
    assert all(np.load(path).ndim == 2 for path in out.glob("*.npy"))
