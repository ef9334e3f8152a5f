"""Labelled films make a checkpoint's probabilities true: of a model that is too sure, and of one that is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.special import expit, softmax

from core.data.cohort import Cohort
from core.data.findings import column
from core.data.table import samples
from core.errors import CohortError, EvaluationError
from core.evaluate.storage import table_of
from core.model.checkpoint import EVALUATION, Card, Checkpoint, load
from core.model.classifier import Classifier
from core.networks.zoo import build
from core.training import calibrate as calibrating
from core.training.calibrate import Plan, calibrate, error_before_and_after, store
from core.transform.preprocess import Preprocess
from tests.explain.toys import picture

FILMS, SIDE = 300, 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, each of a patient of its own."""
    made = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        Image.fromarray(picture(SIDE, number)).save(made / f"{number:03d}.png")
    return made


@pytest.fixture(autouse=True)
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two of them are the same, and that needs no looking."""
    monkeypatch.setattr(calibrating, "groups", lambda cohort, progress: np.arange(len(cohort)))


def model(folder: Path, sure: float = 1.0, output: str = "softmax") -> tuple[Checkpoint, np.ndarray]:
    """Random weights whose logits spread by 2, times ``sure``, and those before (N, 2)."""
    torch.manual_seed(0)
    look = Preprocess(size=SIDE)
    card = Card("m", "M", ("A", "B"), "resnet_small", look, {}, 1, "2026-01-01", output=output)
    state = build("resnet_small", 2).state_dict()
    films = sorted(folder.glob("*.png"))
    pictures = np.stack([np.asarray(Image.open(path)) for path in films])
    logits, _ = Classifier(Checkpoint(card, state), "torch").predict_pictures(pictures)
    weight, bias = (next(key for key in reversed(state) if key.endswith(end)) for end in (".weight", ".bias"))
    assert state[weight].shape[0] == 2
    scale = 2 / logits.std(axis=0)
    state[bias] = torch.tensor(scale) * (state[bias] - torch.tensor(logits.mean(0)))
    state[weight] = torch.tensor(scale)[:, None] * state[weight]
    true = (logits - logits.mean(0)) * scale
    state |= {key: state[key] * sure for key in (weight, bias)}
    return Checkpoint(card, {key: value.float() for key, value in state.items()}), true


def cohort(folder: Path, labels: list[str], **columns: Any) -> Cohort:
    films = sorted(folder.glob("*.png"))
    rows, _ = samples(
        [{"path": str(path), "label": label, "patient": path.stem} for path, label in zip(films, labels, strict=True)]
    )
    return Cohort("Elsewhere", rows.assign(**columns), ("A", "B"), layout="table")


def drawn(logits: np.ndarray, offset: float = 0.0) -> list[str]:
    """Labels that come true as often as the logits say, B oftener by an offset."""
    p = softmax(logits + np.array([0, offset]), axis=1)[:, 1]
    return ["B" if yes else "A" for yes in np.random.default_rng(0).random(len(p)) < p]


def errors(before: Checkpoint, made: Checkpoint, table: pd.DataFrame) -> tuple[float, float]:
    words = error_before_and_after(before, made, table).split()
    return float(words[words.index("before,") - 1]), float(words[words.index("now.") - 1])


def test_a_model_that_is_too_sure_is_mended_on_films_that_were_not_used(folder: Path) -> None:
    checkpoint, true = model(folder, sure=3.0)
    made, table = calibrate(checkpoint, cohort(folder, drawn(true)))
    before, now = errors(checkpoint, made, table)
    assert made.card.temperature == pytest.approx(3, rel=0.3)
    assert now < before - 0.05
    assert set(table["split"]) == {"validation", "test"}
    assert made.card.domain["limits"]  # there was no check
    assert made.card.conformal["fitted_on"] == f"its {(table['split'] == 'validation').sum()} validation films"
    assert made.card.data["calibrated_on"] == "Elsewhere"


def test_a_model_that_is_right_is_left_within_noise(folder: Path) -> None:
    checkpoint, true = model(folder)
    made, table = calibrate(checkpoint, cohort(folder, drawn(true)))
    before, now = errors(checkpoint, made, table)
    assert made.card.temperature == pytest.approx(1, abs=0.3)
    assert now == pytest.approx(before, abs=0.04)


def test_offsets_follow_the_frequency_of_classes_and_balance_forgets_it(folder: Path) -> None:
    checkpoint, true = model(folder)
    films = cohort(folder, drawn(true, offset=1.5))
    shift = {}
    for plan in (Plan(), Plan(offsets=True), Plan(offsets=True, balanced=True)):
        made, _ = calibrate(checkpoint, films, plan=plan)
        shift[plan] = made.card.offsets.get("B", 0) - made.card.offsets.get("A", 0)
        assert Card.from_dict(made.card.to_dict()).offsets == made.card.offsets
    none, fitted, balanced = shift.values()
    assert none == 0
    assert 0.6 < fitted < 2.4  # of 1.5, on 150 films
    assert balanced < fitted - 0.3


def test_findings_get_slopes_each(folder: Path) -> None:
    checkpoint, true = model(folder, sure=3.0, output="sigmoid")
    present = np.random.default_rng(0).random(true.shape) < expit(true)
    told = {column(name): present[:, n].astype(float) for n, name in enumerate("AB")}
    made, table = calibrate(checkpoint, cohort(folder, ["A"] * FILMS, **told))
    before, now = errors(checkpoint, made, table)
    assert [made.card.platt[name][0] for name in "AB"] == pytest.approx([1 / 3, 1 / 3], rel=0.35)
    assert now < before - 0.05


def test_its_own_films_take_part_when_asked_and_what_it_met_is_left_out(folder: Path, tmp_path: Path) -> None:
    checkpoint, true = model(folder, sure=3.0)
    films = cohort(folder, drawn(true))
    home, away = films.take(np.arange(200)), films.take(np.arange(200, FILMS))
    first, table = calibrate(checkpoint, home)
    store(first, table, tmp_path / "m")
    kept = load(tmp_path / "m")
    with pytest.raises(CohortError, match=r"has met every film of Elsewhere"):
        calibrate(kept, home)
    made, rows = calibrate(kept, films)
    assert len(rows) == FILMS  # 100 new ones beside those it met
    fit, judge = (int((table["split"] == name).sum()) for name in ("validation", "test"))
    splits = rows["split"].value_counts()
    assert (splits["train"], splits[""], splits["validation"] + splits["test"]) == (fit, judge, 100)
    assert set(map(str, kept.domain)) == set(map(str, made.domain))
    assert made.card.domain == kept.card.domain  # the check stays
    _, rows = calibrate(kept, away, plan=Plan(own=True))
    assert 30 <= (rows["split"] == "validation").sum() - fit <= 70
    assert len(rows) == FILMS
    _, rows = calibrate(kept, away, plan=Plan(own=True, all_fit=True))
    assert rows["split"].value_counts().to_dict() == {"validation": fit + 100, "test": judge}
    with pytest.raises(EvaluationError, match=r"none to judge"):
        Plan(all_fit=True)
    with pytest.raises(EvaluationError, match="No evaluation is kept"):
        calibrate(checkpoint, away, plan=Plan(own=True))


def test_what_cannot_be_saved_leaves_card_and_evaluation_as_they_were(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    checkpoint, true = model(folder)
    made, table = calibrate(checkpoint, cohort(folder, drawn(true)))
    store(made, table, tmp_path / "m")
    before = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(calibrating, "save", full)
    with pytest.raises(OSError, match="No space"):
        store(made, table.head(3), tmp_path / "m")
    assert {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()} == before
    assert len(table_of(tmp_path / "m" / EVALUATION)) == FILMS
