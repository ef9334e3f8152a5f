"""One answer for a film: bulk scoring rounds only where films showed that no probability moves by more than 0.002."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.data.readers import open_cohort
from core.model.bulk import engine, precision
from core.model.checkpoint import available, load
from core.model.classifier import Classifier
from core.networks.from_scratch import named
from core.networks.network import Network
from core.networks.zoo import build
from core.transform.preprocess import Preprocess

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
SHIPPED = [folder.name for folder in available() if "weights" in folder.parts[-2]]
COLLECTIONS = ("COVID-19_Radiography_Dataset", "siim-covid19-detection", "nih-chestxray14", "montgomery-shenzhen")
PICTURES = np.random.default_rng(0).integers(0, 256, (6, 64, 64), np.uint8)


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).softmax(1).numpy()


def trained(seed: int = 0) -> Network:
    torch.manual_seed(seed)
    network = build("resnet_small", 3)
    with torch.no_grad():
        for _ in range(5):
            network(Preprocess(size=64).tensor(PICTURES))
    return network.eval()


def test_rounding_is_that_of_bfloat16_in_hardware() -> None:
    """Inputs, weights and result have 8 bits each; the sum between them is exact."""
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 1, bias=False)
    network = Network(named(only=layer), named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten()))
    preprocess = Preprocess(size=16)
    pictures = PICTURES[:2, :16, :16]
    with torch.no_grad():
        x = preprocess.tensor(pictures).bfloat16().double()
        exact = torch.einsum("bchw,kc->bkhw", x, layer.weight[:, :, 0, 0].bfloat16().double())
        expected = exact.float().bfloat16().float().mean((2, 3))
    found = precision.logits(network, preprocess, pictures, ["only"])
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-3, atol=2e-4)
    assert np.abs(found - precision.logits(network, preprocess, pictures)).max() > 1e-4


def test_a_sensitive_stage_stays_exact_and_a_harmless_one_need_not() -> None:
    network, preprocess = trained(), Preprocess(size=64)
    blind = precision.measure(network, preprocess, lambda logits: 0 * logits, PICTURES)
    assert blind == {"bf16": list(network.layers), "largest": 0.0, "films": 6}
    steep = precision.measure(network, preprocess, lambda logits: 100 * logits, PICTURES)
    assert steep["bf16"] == []
    some = precision.measure(network, preprocess, softmax, PICTURES)
    assert some["largest"] <= precision.ROOM * precision.LIMIT
    assert some["bf16"] == list(network.layers[len(network.layers) - len(some["bf16"]) :])  # from the top downwards


def test_with_a_graphics_card_openvino_is_not_taken_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO computes on the processor: beside a graphics card that is the slow choice."""
    taken = []
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    monkeypatch.setattr(engine, "torch_engine", lambda *args: taken.append("torch"))
    monkeypatch.setattr(engine.devices, "pick", lambda: torch.device("cuda"))
    engine.open_engine(trained(), Preprocess(size=64), "auto")
    assert taken == ["torch"]


@needs_openvino
@pytest.mark.parametrize(
    "low", [(), ("layer4",), ("layer3", "layer4"), ("stem", "layer1", "layer2", "layer3", "layer4")]
)
def test_a_network_in_parts_is_the_same_network(
    low: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from core.model.bulk import openvino

    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    monkeypatch.setattr(openvino, "has_bf16", lambda device: True)
    network, preprocess = trained(), Preprocess(size=64)
    assert set(low) <= set(network.layers)
    logits, signatures = openvino.openvino_engine(network, preprocess, low)(PICTURES)
    exact_logits, exact_signatures = engine.torch_engine(network, preprocess)(PICTURES)
    assert signatures.shape == exact_signatures.shape
    atol = 0.1 if low else 1e-4  # where the processor has no bfloat16 the parts are exact, too
    np.testing.assert_allclose(logits, exact_logits, atol=atol)
    np.testing.assert_allclose(signatures, exact_signatures, atol=atol)


@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=needs_openvino)])
def test_without_measurement_bulk_is_exact_in_any_batch(
    backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    network, preprocess = trained(), Preprocess(size=64)
    run = engine.open_engine(network, preprocess, backend)
    whole, _ = run(PICTURES)
    singly = np.concatenate([run(picture[None])[0] for picture in PICTURES])
    np.testing.assert_allclose(whole, singly, atol=1e-4)
    np.testing.assert_allclose(whole, precision.logits(network, preprocess, PICTURES), atol=1e-4)


@pytest.mark.real
@pytest.mark.parametrize("name", SHIPPED)
def test_what_the_shipped_cards_allow_changes_no_answer_on_real_films(name: str, real_data: Path) -> None:
    model = Classifier(load(name), "torch")
    low = model.card.precision.get("bf16", ())
    assert "bf16" in model.card.precision  # measured, be it "none"
    films = [cohort.film(i) for cohort in map(open_cohort, (real_data / c for c in COLLECTIONS)) for i in (5, 155, 305)]
    pictures = np.stack([model.picture(film) for film in films])
    exact = model.probabilities(precision.logits(model.network, model.preprocess, pictures))
    rounded = model.probabilities(precision.logits(model.network, model.preprocess, pictures, low))
    assert np.abs(rounded - exact).max() <= precision.LIMIT
    single = np.stack([model.predict(film).probabilities for film in films[:4]])
    np.testing.assert_allclose(single, exact[:4], atol=1e-4)
