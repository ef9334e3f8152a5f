"""Training on several findings, of which some are unknown, up to a checkpoint that says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data.cohort import Cohort
from core.errors import CohortError, RecipeError
from core.evaluate.findings import from_parquet
from core.evaluate.pooled import Pooled
from core.model.checkpoint import EVALUATION
from core.model.classifier import Classifier
from core.training.films import prepare
from core.training.finish import finish
from core.training.fit import fit
from core.training.recipe import NetworkConfig, Recipe, TrainingConfig
from core.training.run import begin


def test_it_learns_what_occurs_together(several: Cohort, findings_recipe: Recipe, tmp_path: Path) -> None:
    run = begin(several, findings_recipe, tmp_path)
    epochs = list(fit(run))
    assert epochs[-1].train_loss < epochs[0].train_loss
    checkpoint = finish(run)
    card = checkpoint.card
    assert card.output == "sigmoid"
    assert set(card.platt) == set(card.thresholds) == set(findings_recipe.classes)
    assert set(card.data["splits"]["train"]) == set(findings_recipe.classes)
    model = Classifier(checkpoint, "torch")
    kept = from_parquet(tmp_path / EVALUATION, dict(zip(model.classes, model.output.operating_points, strict=True)))
    assert set(kept.samples["split"]) == {"train", "validation", "test"}
    assert Pooled(kept.split("train")).micro["auroc"].value > 0.9  # of squares that anybody can see
    test = kept.split("test").pooled  # what the card says of it is what Report says
    assert card.metrics["findings"] == len(test.averaged)
    assert card.metrics["auroc"] == pytest.approx(test.macro["auroc"].value, abs=1e-6)
    assert "accuracy" not in card.metrics["home"]  # of several findings there is no one share of films called correctly
    assert set(card.metrics["home"]["classes"]) == set(kept.split("test").judged)
    film = several.film(0)
    said = model.predict(film)
    np.testing.assert_allclose(said.probabilities, kept.probabilities[0], atol=2e-3)
    assert said.answer == ("|".join(said.called) or "none")
    assert set(said.called) == {n for n, p in said.by_class.items() if p >= said.operating_points[n]}


def test_films_of_which_nothing_is_known_teach_nothing(several: Cohort, findings_recipe: Recipe) -> None:
    table = several.samples.copy()
    table.loc[:4, [f"finding: {name}" for name in several.findings]] = np.nan
    divided = prepare(replace(several, samples=table), findings_recipe)
    assert len(divided) == 55
    assert any("5 films" in note for note in divided.notes)
    assert divided.samples.groupby("patient")["split"].nunique().max() == 1


def test_a_finding_that_no_film_shows_is_refused(several: Cohort, findings_recipe: Recipe) -> None:
    classes = (*findings_recipe.classes, "Hernia")
    recipe = replace(findings_recipe, classes=classes, labels={name: name for name in classes})
    with pytest.raises(CohortError, match="no film of Hernia"):
        prepare(several, recipe)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"output": "softmin"}, "softmin"),
        ({"training": TrainingConfig(sampling="weighted")}, "sampling"),
        ({"training": TrainingConfig(lungs=1.0)}, "lungs"),
        ({"network": NetworkConfig("resnet_local")}, "compete"),
    ],
)
def test_what_is_made_for_exclusive_classes_is_refused(findings_recipe: Recipe, changes: dict, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        replace(findings_recipe, **changes)


def test_a_run_from_before_goes_on(findings_recipe: Recipe, tiny_recipe: Recipe) -> None:
    """Exclusive classes are the default: naming them makes no other run; findings do."""
    plain = tiny_recipe.to_dict()
    assert plain.pop("output") == "softmax"
    assert Recipe.from_dict(plain).fingerprint == tiny_recipe.fingerprint
    assert replace(tiny_recipe, output="sigmoid").fingerprint != tiny_recipe.fingerprint
