"""`core predict` on the screen, as CSV and as parts: one row for every film, and nothing of a refused one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cli import main
from core.identity import of_file
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.report.spreadsheet import called
from core.run.score import Score, unlabelled
from tests.model.test_classifier import CLASSES, drawn_checkpoint, with_films


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return drawn_checkpoint()


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Checkpoint) -> Path:
    return with_films(tmp_path, checkpoint)


def test_predict_writes_a_row_a_film(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = folder / "out.csv"
    words = ["predict", str(folder / "model"), str(folder / "films"), "--csv", str(csv), "--backend", "torch"]
    status = main([*words, "--names"])
    rows = pd.read_csv(csv).fillna("")
    assert status == 1
    assert list(rows.columns) == ["file", "verdict", "label", *(f"p_{c}" for c in CLASSES), "set", "sentence"]
    assert len(rows) == 4
    unreadable = rows[rows["verdict"] == "unreadable"]
    assert [Path(f).name for f in unreadable["file"]] == ["c.png"]
    assert "damaged" in unreadable["sentence"].iloc[0]
    assert "c.png" in capsys.readouterr().err
    assert set(rows["label"][:2]) <= set(CLASSES)
    main(words)
    hashed = pd.read_csv(csv).fillna("")
    assert not {"a.png", "b.jpg", "c.png", "d.png"} & set(csv.read_text(encoding="utf-8").replace(",", " ").split())
    assert hashed["file"].tolist() == [called("", of_file(f)) for f in rows["file"]]
    pd.testing.assert_frame_equal(hashed.drop(columns=["file", "sentence"]), rows.drop(columns=["file", "sentence"]))
    assert main([*words[:3], "--csv", str(folder / "no such folder" / "x.csv")]) == 2


def test_a_refused_film_has_neither_label_nor_number_in_any_table(
    folder: Path, checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = folder / "films" / "blank.png"
    Image.fromarray(np.full((150, 130), 90, np.uint8)).save(blank)
    words = ["predict", str(folder / "model"), str(folder / "films" / "a.png"), str(blank), "--backend", "torch"]
    assert main([*words, "--csv", str(folder / "out.csv")]) == 0
    rows = pd.read_csv(folder / "out.csv", dtype=str).fillna("").set_index("verdict")
    numbers = [f"p_{name}" for name in CLASSES]
    assert (rows.loc["refused", ["label", "set", *numbers]] == "").all()
    assert rows.loc["doubtful", ["label", *numbers]].ne("").all()  # a model without a gate doubts every film
    assert main([*words, "--out", str(folder / "scores")]) == 0
    parts = pd.read_parquet(folder / "scores").set_index("domain")
    logits = [f"logit_{name}" for name in CLASSES]
    assert parts.loc["out", [*numbers, *logits]].isna().all()
    assert parts.loc["out", "called"] == ""
    assert parts.loc["doubtful", [*numbers, *logits]].notna().all()
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out.strip().splitlines()[-1].split()[:2] == ["blank.png", "refused"]
    [judged] = Score(Classifier(checkpoint, "torch"), all_answers=True)(
        unlabelled([blank]), [("",)]
    )  # an evaluation counts every film
    assert sum(judged[name] for name in numbers) == pytest.approx(1)


def test_predict_shows_rows_on_the_screen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films = str(folder / "films" / "a.png")
    assert main(["predict", str(folder / "model"), films, "--backend", "torch"]) == 0
    heading, row = capsys.readouterr().out.strip().splitlines()
    assert heading.split()[:3] == ["film", "verdict", "label"]
    assert row.startswith("a.png")
