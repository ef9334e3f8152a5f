"""A model of several findings on the pages: each finding by itself, nothing that is true of exclusive classes only."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data import findings
from core.data.readers import open_cohort
from core.model.checkpoint import EVALUATION, Card, Checkpoint, save
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
from tests.pages.conftest import OpenPage
from tests.pages.tiny import sound
from tests.several import CORNERS, draw_findings

NAMES = tuple(CORNERS)
NONSENSE = ("sum to 1", "sums to 1", "most likely class", "most likely other class")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with three findings, some unknown."""
    return draw_findings(tmp_path_factory.mktemp("films"), films=40)


@pytest.fixture
def weights(tiny_weights: Path, table: Path):
    """An untrained model of three findings, and a second one, with what is kept of the films."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    films = open_cohort(table)
    for name in ("findings", "findings-b"):
        network = build("resnet_small", len(NAMES))
        card = Card(
            name=name, title=f"Model {name}", classes=NAMES, network="resnet_small", preprocess=Preprocess(size=64),
            recipe={}, parameters=1, created="2026-01-01T00:00:00", output="sigmoid",
            thresholds={"Effusion": 0.5, "Edema": 0.4, "Mass": 0.3}, platt={"Edema": [1.5, -0.5]},
            data={"name": films.name},
        )  # fmt: skip
        folder = save(Checkpoint(card, network.state_dict()), tiny_weights / name)
        known = films.present()
        p = np.clip(rng.normal(0.3 + 0.3 * np.nan_to_num(known), 0.15), 0, 1).astype(np.float32)
        kept = films.samples.assign(path=[Path(path).name for path in films.samples["path"]], split="test")
        order = [films.findings.index(name) for name in NAMES]
        kept = kept.assign(**{f"p_{name}": p[:, c] for name, c in zip(NAMES, order, strict=True)})
        kept.to_parquet(folder / EVALUATION)
    yield
    for name in ("findings", "findings-b"):
        shutil.rmtree(tiny_weights / name)


def words(app) -> str:
    parts = [*app.markdown, *app.caption, *app.header, *app.info, *app.success, *app.warning]
    return " ".join(str(part.value) for part in parts)


@pytest.mark.parametrize(
    "path",
    [
        "case/predict.py", "case/heatmaps.py", "data/explore.py", "data/augment.py", "model/report.py",
        "model/compare.py", "model/strategies.py", "teach/quiz.py", "teach/methods.py", "teach/shortcut.py",
    ],
)  # fmt: skip
def test_every_page(open_page: OpenPage, weights: None, table: Path, path: str) -> None:
    app = open_page(path, model="findings", cohort=str(table))
    said = words(app).lower()
    assert not [nonsense for nonsense in NONSENSE if nonsense in said]


def test_live_prediction_says_what_is_known_and_unknown(open_page: OpenPage, weights: None, table: Path) -> None:
    app = open_page("case/predict.py", model="findings", cohort=str(table), case="1")
    films = open_cohort(table)
    said = words(app)
    for value, word in ((1, "present"), (0, "absent")):
        there = [name for name, seen in zip(films.findings, films.present()[0], strict=True) if seen == value]
        assert not there or f"{word}: {', '.join(there)}" in said


def test_the_report_judges_one_finding_and_all(open_page: OpenPage, weights: None, table: Path) -> None:
    app = open_page("model/report.py", model="findings", cohort=str(table))
    every = next(frame.value for frame in app.dataframe if "Known" in frame.value)
    films = open_cohort(table)
    assert every["Finding"].tolist() == [*NAMES, "macro average", "micro average"]
    assert every["Known"].tolist()[:3] == [
        str((~np.isnan(findings.values(films.samples, [name]))).sum()) for name in NAMES
    ]
    app.selectbox(key="class").set_value("Edema")
    sound(app.run())
    assert "no Edema" in str([box.options for box in app.selectbox])
    for view in ("AUROC", "2 x 2", "Present together", "Called together", "Files"):
        app.session_state["findings view"] = view
        sound(app.run())
    for view in ("Curves", "Calibration", "Slices", "Errors", "Doubtful labels", "Export"):
        app.session_state["report view"] = view
        sound(app.run())
        assert not [nonsense for nonsense in NONSENSE if nonsense in words(app).lower()]


def test_two_models_are_compared_by_finding(open_page: OpenPage, weights: None, table: Path) -> None:
    app = open_page("model/compare.py", model="findings", cohort=str(table))
    app.session_state["compare view"] = "Two on the same films"
    app.session_state["second model"] = "findings-b"
    sound(app.run())
    assert app.selectbox(key="class").options == list(NAMES)
    assert "films" in words(app)


def test_a_quiz_of_several_answers(open_page: OpenPage, weights: None, table: Path) -> None:
    app = open_page("teach/quiz.py", model="findings", cohort=str(table), seed="3")
    sound(app.checkbox(key="quiz none").check().run())
    for label in ("Next: the model's answer", "Show the evidence"):
        sound(next(button for button in app.button if button.label == label).click().run())
    answer = app.session_state["_answers"][0]
    assert answer.reader == "none"
    assert set(answer.label.split("|")) <= {*NAMES, "none"}
    assert answer.label == answer.expected
    shown = words(app)
    assert "You said no finding" in shown


def test_the_leaderboard_ranks_models_of_findings(open_page: OpenPage, weights: None, table: Path) -> None:
    app = open_page("model/compare.py", model="findings", cohort=str(table))
    app.segmented_control(key="compare view").set_value("Leaderboard").run()
    sound(app)
    ranked = app.dataframe[0].value
    assert set(ranked["Model"]) == {"Model findings", "Model findings-b"}
    assert "Macro AUROC" in ranked.columns
    app.selectbox(key="ranked finding").set_value("Edema").run()
    sound(app)
    assert "Edema: AUROC" in app.dataframe[0].value.columns
