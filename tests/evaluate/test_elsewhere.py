"""Films from elsewhere: what shares a picture or a patient with a model's own is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.readers import open_cohort
from core.errors import EvaluationError
from core.evaluate.elsewhere import record, sentence, unmet
from core.evaluate.scopes import OVERALL
from core.model.checkpoint import load, save
from tests.evaluate.drawn import evaluation
from tests.pages.tiny import tiny_checkpoint


def films(root: Path, first: int, count: int = 6) -> Path:
    """Films of two classes, each another noise, numbered on from ``first``."""
    for label in ("A", "B"):
        (root / label).mkdir(parents=True)
        for number in range(first, first + count):
            rough = np.random.default_rng(1000 * (label == "B") + number).integers(0, 255, (12, 12), dtype=np.uint8)
            Image.fromarray(rough).resize((96, 96), Image.Resampling.BICUBIC).save(root / label / f"{number}.png")
    return root


def test_copies_and_patients_are_left_out(tmp_path: Path) -> None:
    home, away = open_cohort(films(tmp_path / "home", 0)), films(tmp_path / "away", 100)
    (away / "A" / "100.png").write_bytes((tmp_path / "home" / "A" / "3.png").read_bytes())
    elsewhere = open_cohort(away)
    patients = [f"p{number}" for number in range(len(elsewhere))]
    patients[-1] = "known"
    elsewhere = replace(elsewhere, samples=elsewhere.samples.assign(patient=patients))
    home = replace(home, samples=home.samples.assign(patient=["known"] + [""] * (len(home) - 1)))
    left = unmet(elsewhere, home)
    assert sorted(Path(path).name for path in set(elsewhere.samples["path"]) - set(left.samples["path"])) == [
        "100.png",
        "105.png",
    ]
    assert left.notes[-1].startswith("2 films that share a patient or a picture with home")


def test_nothing_left_is_said(tmp_path: Path) -> None:
    home = open_cohort(films(tmp_path / "home", 0))
    with pytest.raises(EvaluationError, match="very film of home shares"):
        unmet(home, home)
    assert len(unmet(open_cohort(films(tmp_path / "away", 50)), home)) == 12


def test_a_card_keeps_the_pair_of_figures_and_says_it(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "tiny")
    card = load(folder).card
    assert sentence(card) == ""
    save(replace(load(folder), card=replace(card, metrics={"balanced_accuracy": 0.987})), folder)
    films = evaluation(classes=card.classes)
    record(folder, "another collection", films)
    figure = films.figures()[OVERALL]["balanced_accuracy"]
    kept = load(folder).card
    assert kept.metrics["elsewhere"]["another collection"]["balanced_accuracy"] == figure.value
    assert sentence(kept) == (
        f"Balanced accuracy 0.99 on its own test films, {figure.text(2)} on 300 films of another collection; "
        f"by chance {1 / len(card.classes):.2f}."
    )
    for nonsense in ("good", {"here": "good"}, {"here": {"films": "3", "balanced_accuracy": "1"}}):
        assert sentence(replace(kept, metrics={**kept.metrics, "elsewhere": nonsense})) == ""
