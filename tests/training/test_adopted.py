"""Calibration of models from outside: of findings, each by itself, and of what is only a function."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.cli import main
from core.data.film.radiograph import from_pixels
from core.data.readers import open_cohort
from core.evaluate.findings import from_parquet
from core.model.checkpoint import load
from core.model.classifier import Classifier
from core.networks import sources
from tests.networks import test_onnx
from tests.several import CORNERS, draw_findings

NAMES = tuple(CORNERS)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_findings(tmp_path_factory.mktemp("films"), films=72)


def weights(folder: Path) -> list[str]:
    torch.manual_seed(0)
    torch.save(sources.make("timm:test_resnet", len(NAMES), 3, 64).state_dict(), folder / "mine.pth")
    return [str(folder / "mine.pth"), "--network", "timm:test_resnet", "--size", "64"]


def program(folder: Path) -> list[str]:
    test_onnx.exported(folder / "mine.onnx", torch.nn.Sigmoid())
    return [str(folder / "mine.onnx")]


@pytest.mark.parametrize("saved", [weights, program])
def test_findings_are_calibrated_each_by_itself(
    saved: Callable[[Path], list[str]], films: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    asked = ["--classes", ",".join(NAMES), "--output", "sigmoid", "--calibrate", str(films)]
    assert main(["adopt", *saved(tmp_path), *asked, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "Preprocessing tried: as declared" in said
    classifier = Classifier(load(tmp_path / "out"), "torch")
    card = classifier.card
    assert (card.output, card.caveat) == ("sigmoid", "")
    assert set(card.platt) == set(NAMES)
    kept = from_parquet(tmp_path / "out" / "evaluation.parquet", card.thresholds)
    assert set(kept.samples["split"]) == {"validation", "test"}
    cohort = open_cohort(films)
    known = cohort.present()[:, [cohort.findings.index(name) for name in NAMES]]
    assert kept.classes == NAMES
    logits = kept.logits
    fitted = (kept.samples["split"] == "validation").to_numpy()
    order = [int(Path(path).stem) for path in kept.samples["path"]]
    slopes, offsets = np.array([card.platt[name] for name in NAMES]).T
    p = 1 / (1 + np.exp(-(logits * slopes + offsets)))
    truth = known[order]
    for c in range(len(NAMES)):  # Platt's offset makes the mean probability the share of films, of those that are known
        there = fitted & ~np.isnan(truth[:, c])
        assert p[there, c].mean() == pytest.approx(truth[there, c].mean(), abs=0.05)
    statuses = [classifier.predict(cohort.film(row)).domain for row in range(8)]
    assert sum(verdict.status == "out" for verdict in statuses) <= 1
    assert all(np.isfinite(verdict.score) for verdict in statuses)
    noise = from_pixels(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), "noise")
    assert classifier.predict(noise).domain.status == "out"
    blind = saved is program
    assert ("No sanity check of heatmaps" in said) == blind
    assert bool(card.randomisation) != blind
