"""`python -m core evaluate`, from checkpoint and films to four files."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cli import main
from core.evaluate.storage import from_parquet, to_parquet
from core.model.checkpoint import Checkpoint, save
from core.networks.zoo import build
from tests.evaluate.drawn import evaluation
from tests.report.cards import card

FILMS = 12


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder of class folders; the third class has the recipe's spelling of no model."""
    root, rng = tmp_path_factory.mktemp("films"), np.random.default_rng(0)
    for name in ("Normal", "COVID-19", "Hernia"):
        for i in range(FILMS):
            path = root / name / f"{name}-{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (80, 80), np.uint8)).save(path)
    (root / "Normal" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "toy"
    network = build("resnet_small", 3)
    save(Checkpoint(card(recipe={}), network.state_dict()), folder)
    to_parquet(evaluation(), folder / "evaluation.parquet")
    return folder


def test_own_films_are_printed_by_split(checkpoint, capsys):
    assert main(["evaluate", str(checkpoint)]) == 0
    out = capsys.readouterr().out
    assert out.index("validation: ") < out.index("test: ")
    assert "weighted avg" in out


def test_a_film_is_called_as_the_model_calls_it_unless_asked_otherwise(tmp_path, capsys):
    own, drawn = {"Normal": 0.7, "COVID-19": 0.1, "Viral Pneumonia": 0.3}, evaluation()
    save(Checkpoint(card(recipe={}, thresholds=own), build("resnet_small", 3).state_dict()), tmp_path / "toy")
    to_parquet(drawn, tmp_path / "toy" / "evaluation.parquet")
    test = drawn.split("test")
    for extra, operating_points, name in (
        ([], list(own.values()), "the model's own operating points"),
        (["--called-by", "own"], list(own.values()), "the model's own operating points"),
        (["--called-by", "likeliest"], [1, 1, 1], "the most likely class"),
    ):
        out = tmp_path / "out"
        assert main(["evaluate", str(tmp_path / "toy"), "--split", "test", "--out", str(out), *extra]) == 0
        assert f"called by {name}" in capsys.readouterr().out
        said = json.loads((out / "evaluation.json").read_text())
        right = ((test.probabilities / np.array(operating_points)).argmax(1) == test.labels).mean()
        assert said["splits"]["test"]["figures"]["all films"]["accuracy"]["value"] == pytest.approx(right)
        assert said["called_by"] == name
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path / "toy"), "--called-by", "own", "--sensitivity", "COVID-19=0.9"])


def test_new_films_are_scored_and_written(checkpoint, films, tmp_path, capsys):
    assert main(["evaluate", str(checkpoint), "--data", str(films), "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "external: 24 films" in out
    assert "broken.png" in out
    assert "Hernia" in out
    written = from_parquet(tmp_path / "evaluation.parquet")
    assert len(written) == 2 * FILMS
    assert all("/" not in path for path in written.samples["path"])
    assert json.loads((tmp_path / "evaluation.json").read_text())["external"]
    assert (tmp_path / "evaluation.html").stat().st_size > 1_000_000
    assert len(pd.read_csv(tmp_path / "evaluation.csv")) > 20


def test_films_of_the_training_are_told_apart(films, tmp_path, capsys):
    network = build("resnet_small", 3)
    save(Checkpoint(card(recipe={}), network.state_dict()), tmp_path / "toy")
    known = evaluation(films=3)
    samples = pd.DataFrame(
        {"path": ["Normal-0.png", "Normal-1.png", "COVID-19-0.png"], "label": ["Normal", "Normal", "COVID-19"]}
    ).assign(source="", patient="", split=["train", "train", "test"])
    to_parquet(
        type(known)(known.classes, known.labels, known.probabilities, samples), tmp_path / "toy/evaluation.parquet"
    )
    assert main(["evaluate", str(tmp_path / "toy"), "--data", str(films), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "train: 2 films" in out
    assert "test: 1 films" in out
    assert "external: 21 films" in out


def test_a_checkpoint_that_keeps_no_evaluation_says_so(films, tmp_path, capsys):
    network = build("resnet_small", 3)
    save(Checkpoint(card(recipe={}), network.state_dict()), tmp_path / "bare")
    assert main(["evaluate", str(tmp_path / "bare"), "--data", str(films), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "external: 24 films" in out
    assert "which of these films it learned from is not known" in out


def test_a_wished_sensitivity_and_a_prevalence(checkpoint, capsys):
    assert main(["evaluate", str(checkpoint), "--sensitivity", "COVID-19=0.9", "--prevalence", "COVID-19=0.02"]) == 0
    out = capsys.readouterr().out
    assert "COVID-19 from a probability of" in out
    assert "PPV at your prevalence" in out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--split", "train"], "no train films"),
        (["--prevalence", "Hernia=0.1"], "one of Normal, COVID-19"),
        (["--prevalence", "COVID-19=2"], "CLASS=SHARE"),
        (["--data", "/nowhere"], "no"),
    ],
)
def test_refused_in_one_sentence(checkpoint, extra, message, capsys):
    assert main(["evaluate", str(checkpoint), *extra]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
