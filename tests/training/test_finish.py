"""Calibration uses validation films only, figures come from test films only."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss, roc_auc_score

from core.data.cohort import Cohort
from core.model.checkpoint import Card, load
from core.model.conformal import Sets
from core.training import finish as finishing
from core.training.finish import calibrated, finish
from core.training.fit import fit
from core.training.recipe import Recipe
from core.training.run import begin
from core.transform.preprocess import Preprocess

CARD = Card("x", "X", ("A", "B", "C"), "resnet_small", Preprocess(), {}, 0, "")


@pytest.fixture
def table() -> pd.DataFrame:
    """900 films; logits three times as sure as they should be."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(900, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (rng.random((900, 1)) > p.cumsum(1)).sum(1).clip(0, 2)
    columns = {f"logit_{name}": 3 * logits[:, i] for i, name in enumerate("ABC")}
    split = np.repeat(["train", "validation", "test"], 300)
    return pd.DataFrame({"label": np.array(list("ABC"))[labels], "split": split, **columns})


def test_temperature_and_figures(table: pd.DataFrame) -> None:
    card, scored = calibrated(CARD, table)
    assert card.temperature == pytest.approx(3, rel=0.2)
    test = scored[scored["split"] == "test"]
    p = test[["p_A", "p_B", "p_C"]].to_numpy()
    assert card.metrics["films"] == 300
    called = np.array(list("ABC"))[np.argmax(p / np.array([card.thresholds[name] for name in "ABC"]), axis=1)]
    assert (called != np.array(list("ABC"))[p.argmax(1)]).any()  # the operating points, not the most likely class
    assert card.metrics["accuracy"] == pytest.approx(accuracy_score(test["label"], called))
    assert card.metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(test["label"], called))
    assert card.metrics["macro_f1"] == pytest.approx(f1_score(test["label"], called, average="macro"))
    assert card.metrics["auroc"] == pytest.approx(roc_auc_score(test["label"], p, multi_class="ovr"), abs=1e-6)
    assert "largest factor" in card.metrics["called_by"]
    assert card.metrics["home"]["accuracy"] == card.metrics["accuracy"]
    assert card.metrics["log_loss"] == pytest.approx(log_loss(test["label"], p), rel=1e-4)
    assert all(0.05 <= value <= 0.95 for value in card.thresholds.values())


def test_prediction_sets_are_fitted_on_validation_films(table: pd.DataFrame) -> None:
    card, scored = calibrated(CARD, table)
    sets = Sets.from_card(card.conformal, card.classes)
    assert sets is not None
    assert card.conformal["fitted_on"] == "its 300 validation films"
    test = scored[scored["split"] == "test"]
    labels = test["label"].map("ABC".index).to_numpy()
    held = sets.of(test[["p_A", "p_B", "p_C"]].to_numpy(), seed=3)[np.arange(len(test)), labels]
    assert held.mean() == pytest.approx(0.9, abs=0.07)
    assert Card.from_dict(json.loads(json.dumps(card.to_dict()))).conformal == card.conformal
    assert card.triage == {}  # none of A, B and C says that nothing is there


def test_test_labels_change_neither_temperature_nor_thresholds(table: pd.DataFrame) -> None:
    first, _ = calibrated(CARD, table)
    table.loc[table["split"] != "validation", "label"] = "B"
    second, _ = calibrated(CARD, table)
    assert (second.temperature, second.thresholds) == (first.temperature, first.thresholds)
    assert second.metrics.keys() == {"films", "validation_accuracy", "home"}


def test_no_card_is_written_before_the_model_knows_its_limits(
    squares: Cohort, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, epochs=1))
    assert len(list(fit(begin(squares, recipe, tmp_path)))) == 1

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(finishing, "_gate", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(begin(squares, recipe, tmp_path))
    assert not (tmp_path / "card.json").exists()
    assert finish(begin(squares, recipe, tmp_path)).card == load(tmp_path).card
    assert load(tmp_path).card.domain
    kept = pd.read_parquet(tmp_path / "evaluation.parquet")
    films = [squares.film(i) for i in range(len(squares))]
    content = dict(zip(squares.samples["film_id"], (film.sha256 for film in films), strict=True))
    assert kept["sha256"].tolist() == [content[name] for name in kept["film_id"]]  # films that move are known again
