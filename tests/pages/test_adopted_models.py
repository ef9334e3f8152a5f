"""Models of every source, saved as their users save them and adopted by the command, on every page."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.cli import main
from core.model.checkpoint import read_card
from core.networks import sources
from tests.conftest import REPOSITORY
from tests.networks import test_hf, test_onnx
from tests.pages.test_findings import NAMES, NONSENSE, words
from tests.pages.tiny import small_cohort, sound
from tests.several import draw_findings

PAGES = (
    *("case/predict.py", "case/heatmaps.py", "data/explore.py", "data/augment.py", "model/report.py"),
    *("model/compare.py", "model/strategies.py", "teach/quiz.py", "teach/methods.py", "teach/shortcut.py"),
)
CLASSES = ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")
Save = Callable[[Path, str], list[str]]  # a folder and the kind of output -> what the command is told


def state_dict(network: str, wrapped: Callable[[dict], dict] = dict, channels: int = 3, size: int = 64) -> Save:
    def run(folder: Path, output: str) -> list[str]:
        torch.manual_seed(0)
        names = CLASSES if output == "softmax" else NAMES
        model = sources.make(network, len(names), channels, size)
        torch.save(wrapped(model.state_dict()), folder / "mine.pth")
        asked = ["--network", network, "--size", str(size), "--classes", ",".join(names)]
        return [str(folder / "mine.pth"), *asked, "--output", output]

    return run


def pretrained(kind: str) -> Save:
    def run(folder: Path, output: str) -> list[str]:
        problem = "single_label_classification" if output == "softmax" else "multi_label_classification"
        names = CLASSES if output == "softmax" else NAMES
        test_hf.saved(folder / "mine", kind, problem_type=problem, names=names)
        test_hf.processor(folder / "mine")
        return [f"hf:{folder / 'mine'}"]

    return run


def program(suffix: str) -> Save:
    def run(folder: Path, output: str) -> list[str]:
        last = torch.nn.Softmax(dim=1) if output == "softmax" else torch.nn.Sigmoid()
        names = CLASSES if output == "softmax" else NAMES
        file = folder / f"mine{suffix}"
        if suffix == ".onnx":
            test_onnx.exported(file, last, outputs=len(names), external=True)
        else:
            model = test_onnx.Net(last, outputs=len(names)).eval()
            torch.export.save(torch.export.export(model, (torch.rand(1, 3, 32, 32),)), str(file))
        return [str(file), "--classes", ",".join(names), "--run-pickle"]

    return run


def lightning(state: dict) -> dict:
    return {"state_dict": {f"model.{key}": value for key, value in state.items()}, "epoch": 3}


KINDS: dict[str, tuple[Save, str]] = {
    "torchvision resnet": (state_dict("torchvision:resnet18"), "softmax"),
    "torchvision densenet, DataParallel": (
        state_dict("torchvision:densenet121", lambda state: {f"module.{k}": v for k, v in state.items()}),
        "sigmoid",
    ),
    "torchvision squeezenet, one channel": (state_dict("torchvision:squeezenet1_1", channels=1), "sigmoid"),
    "xrv densenet": (state_dict("xrv:densenet121-res224-all", channels=1), "sigmoid"),
    "timm vit, Lightning": (state_dict("timm:test_vit", lightning), "softmax"),
    "timm convnext": (state_dict("timm:test_convnext"), "sigmoid"),
    "timm of no family": (state_dict("timm:test_byobnet", size=96), "softmax"),
    "hf vit": (pretrained("vit"), "sigmoid"),
    "hf dinov2 with registers": (pretrained("dinov2_with_registers"), "softmax"),
    "hf swin": (pretrained("swin"), "sigmoid"),
    "onnx": (program(".onnx"), "sigmoid"),
    "torch.export": (program(".pt2"), "softmax"),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cohort of exclusive classes and one of findings, a few films each."""
    root = tmp_path_factory.mktemp("films")
    (root / "classes").mkdir()
    several = draw_findings(root / "findings", films=12)
    return {"softmax": small_cohort(root / "classes", films=2), "sigmoid": str(several)}


@pytest.mark.timeout(900)  # nine pages, on a machine with other work to do
@pytest.mark.parametrize("kind", KINDS)
def test_every_page(kind: str, films: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, output = KINDS[kind]
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HILUM_COHORTS", films[output])
    assert main(["adopt", *save(tmp_path, output), "--out", str(tmp_path / "weights" / "adopted")]) == 0
    card = read_card(tmp_path / "weights" / "adopted")
    assert (card.output, card.classes) == (output, CLASSES if output == "softmax" else NAMES)
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params.update({"cohort": films[output], "model": "adopted"})
    for page in PAGES:
        app.switch_page(f"pages/{page}").run()
        sound(app)
        assert app.session_state["model"] == "adopted"
        said = words(app).lower()
        assert output == "softmax" or not [nonsense for nonsense in NONSENSE if nonsense in said], page
        if page == "case/heatmaps.py":
            looked_at(app, kind)


def looked_at(app: AppTest, kind: str) -> None:
    """The methods offered are those that the model bears, and the page says why others are not."""
    offered, blind = set(app.selectbox(key="method").options), kind in ("onnx", "torch.export")
    assert any(name.startswith("Grad-CAM") for name in offered) != blind
    assert any(name.startswith("LeGrad") for name in offered) == (kind in ("timm vit, Lightning", "hf vit", DINO))
    assert ("only a function" in words(app)) == blind
    assert any(name.startswith("RISE") for name in offered)


DINO = "hf dinov2 with registers"
