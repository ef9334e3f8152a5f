"""How often a model was right: what its card keeps, and the sentence beside an answer."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.evaluate import track_record
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.storage import from_parquet
from core.model.checkpoint import EVALUATION, Card, Checkpoint, load, save
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
from tests.pages.evaluated_films import checkpoints


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A checkpoint with its evaluation beside it."""
    root = tmp_path_factory.mktemp("weights")
    checkpoints(root)
    return root / "tiny-a"


def test_what_is_kept_is_what_was_measured(judged):
    films = from_parquet(judged / EVALUATION).split("test")
    kept = json.loads(json.dumps(track_record.of(films), allow_nan=False))
    called = films.probabilities.argmax(1)
    assert kept["films"] == len(films)
    assert kept["accuracy"] == pytest.approx((called == films.labels).mean())
    for index, name in enumerate(films.classes):
        row, own = kept["classes"][name], films.labels == index
        assert row["films"] == own.sum()
        assert row["sensitivity"] == pytest.approx((called[own] == index).mean())
        assert row.get("sensitivity_low", 0) <= row["sensitivity"] <= row.get("sensitivity_high", 1)


def test_keep_writes_the_card_and_leaves_the_weights_as_they_are(judged, capsys):
    before = (judged / "model.safetensors").read_bytes()
    assert track_record.sentence(load(judged).card, "COVID-19") == track_record.UNKNOWN
    assert main(["evaluate", str(judged), "--split", "test", "--keep"]) == 0
    assert "Kept in" in capsys.readouterr().out
    told = track_record.sentence(load(judged).card, "COVID-19")
    assert "test films of its own collections, it was right on" in told
    assert told.endswith("Films from elsewhere: not measured.")
    assert (judged / "model.safetensors").read_bytes() == before


def test_films_from_elsewhere_come_first_and_a_class_without_films_is_said(judged):
    card = load(judged).card
    row = {"films": 40, "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "classes": {}}
    card = replace(card, metrics={"elsewhere": {"Far": row}, "home": {**row, "accuracy": 1.0}})
    told = track_record.sentence(card, "COVID-19")
    assert "On 40 films of Far, which it never met, it was right on 50 % [40, 60]; none of them" in told
    assert "100 %" not in told


def test_findings_are_kept_each_by_itself(tmp_path, capsys):
    drawn = np.random.default_rng(0)
    truth = drawn.integers(0, 2, (40, 2)).astype(float)
    truth[:10, 0] = np.nan
    truth[:, 1] = 0  # no film shows it
    p = np.clip(0.25 + 0.4 * np.nan_to_num(truth) + drawn.normal(0, 0.2, truth.shape), 0, 1)
    names, point = ("Effusion", "Mass"), {"Effusion": 0.5, "Mass": 0.5}
    samples = pd.DataFrame({"path": [f"{n}.png" for n in range(40)], "patient": "", "split": "test"})
    films = FindingsEvaluation(names, truth, p, samples, point)
    network = build("resnet_small", 2)
    look, born = Preprocess(size=64), "2026-01-01T00:00:00"
    card = Card("two", "Two", names, "resnet_small", look, {}, 1, born, output="sigmoid", thresholds=point)
    folder = save(Checkpoint(card, network.state_dict()), tmp_path / "two")
    films.table.to_parquet(folder / EVALUATION)
    assert main(["evaluate", str(folder), "--keep"]) == 0
    assert "Kept in" in capsys.readouterr().out
    kept = load(folder).card.metrics["home"]
    assert set(kept["classes"]) == {"Effusion"}
    known = ~np.isnan(truth[:, 0])
    called, there = p[known, 0] >= 0.5, truth[known, 0] == 1
    assert kept["classes"]["Effusion"]["films"] == there.sum()
    assert kept["classes"]["Effusion"]["sensitivity"] == pytest.approx(called[there].mean())
    assert kept["classes"]["Effusion"]["precision"] == pytest.approx(there[called].mean())
    told = track_record.sentence(load(folder).card, "Effusion")
    assert told.startswith("On 40 test films of its own collections it found ")
    assert "right on" not in told
    assert "none of them is known to show Mass" in track_record.sentence(load(folder).card, "Mass")


@pytest.mark.parametrize(
    "metrics", [{"elsewhere": 3}, {"elsewhere": {"x": "y"}}, {"home": []}, {"home": {"films": "n"}}]
)
def test_a_card_that_holds_something_else_is_no_record(judged, metrics):
    card = replace(load(judged).card, metrics=metrics)
    assert track_record.sentence(card, "COVID-19") == track_record.UNKNOWN


def test_few_films_have_no_interval():
    row = {"films": 3, "accuracy": 2 / 3}
    assert track_record._percent(row, "accuracy").startswith("67 % (")
    assert np.isfinite(row["accuracy"])


@pytest.mark.parametrize(
    "classes", [[1], "text", 7, None, {"COVID-19": 3}, {"COVID-19": {"films": 1, "sensitivity": ""}}]
)
def test_classes_of_another_kind_are_no_classes(judged, classes):
    row = {"films": 40, "accuracy": 0.5, "classes": classes}
    for kept in ({"home": row}, {"elsewhere": {"Far": row}}):
        told = track_record.sentence(replace(load(judged).card, metrics=kept), "COVID-19")
        assert "right on 50 %" in told
        assert "none of them is known to show COVID-19" in told
