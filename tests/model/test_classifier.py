"""A classifier is its network and nothing else: same numbers as plain torch, from any thread, on any backend."""

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax

from core.data.film.radiograph import Radiograph, from_pixels
from core.errors import CheckpointError, FilmError
from core.model.bulk.files import find_files
from core.model.checkpoint import Card, Checkpoint, save
from core.model.classifier import Classifier, open_classifier
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
from tests.conftest import REPOSITORY

CLASSES = ("Normal", "Viral Pneumonia", "COVID-19")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")


def grain(seed: int, shape: tuple[int, int] = (150, 130)) -> np.ndarray:
    """Smooth random greys, uint8."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 9), np.uint8)
    return np.asarray(Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def films() -> list[Radiograph]:
    return [from_pixels(grain(i), f"{i}.png") for i in range(9)]


def drawn_checkpoint() -> Checkpoint:
    """Random weights with a temperature and uneven operating points; statistics of the norms as after training."""
    torch.manual_seed(0)
    network = build("resnet_small", len(CLASSES))
    preprocess = Preprocess(size=64, fit="pad", contrast="stretch")
    with torch.no_grad():
        for _ in range(5):
            network(preprocess.tensor(torch.randint(0, 256, (8, 64, 64), dtype=torch.uint8)))
    card = Card(
        name="drawn", title="Drawn", classes=CLASSES, network="resnet_small", preprocess=preprocess, recipe={},
        parameters=0, created="2026-01-01", temperature=1.7,
        thresholds={"Normal": 0.6, "Viral Pneumonia": 0.3, "COVID-19": 0.05},
    )  # fmt: skip
    return Checkpoint(card, network.state_dict())


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return drawn_checkpoint()


@pytest.fixture(scope="module")
def classifier(checkpoint: Checkpoint) -> Classifier:
    return Classifier(checkpoint, backend="torch")


def test_it_is_plain_torch(classifier: Classifier, checkpoint: Checkpoint, films: list[Radiograph]) -> None:
    network = build("resnet_small", 3)
    network.load_state_dict(checkpoint.state)
    network.eval()
    for film in films:
        with torch.no_grad():
            expected = network(classifier.preprocess.tensor(classifier.preprocess.picture(film)[None]))[0].numpy()
        prediction = classifier.predict(film)
        np.testing.assert_allclose(prediction.logits, expected, atol=1e-5)
        np.testing.assert_allclose(prediction.probabilities, softmax(expected / 1.7), atol=1e-5)
        assert prediction.probabilities.dtype == np.float32
        assert prediction.name == film.name
        assert prediction.picture.shape == (64, 64)


def test_pictures_and_the_two_halves_agree(classifier: Classifier, films: list[Radiograph]) -> None:
    pictures = np.stack([classifier.picture(film) for film in films])
    logits, probabilities = classifier.predict_pictures(pictures)
    halves = classifier.head(classifier.features(classifier.tensor(pictures))).numpy()
    np.testing.assert_allclose(logits, halves, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert classifier.predict_pictures(pictures[:0])[0].shape == (0, 3)


def test_the_label_follows_the_operating_points(classifier: Classifier, films: list[Radiograph]) -> None:
    prediction = classifier.predict(films[0])
    ratios = {c: p / classifier.card.thresholds[c] for c, p in zip(CLASSES, prediction.probabilities, strict=True)}
    assert prediction.label == max(ratios, key=ratios.get) == CLASSES[prediction.index]
    assert prediction.positive == tuple(c for c in CLASSES if ratios[c] >= 1)


def test_without_operating_points_the_likeliest_class_wins(checkpoint: Checkpoint, films: list[Radiograph]) -> None:
    from dataclasses import replace

    plain = Classifier(Checkpoint(replace(checkpoint.card, thresholds={}), checkpoint.state))
    for film in films:
        prediction = plain.predict(film)
        assert prediction.index == prediction.probabilities.argmax()


def test_threads_get_the_same_bits_and_leave_no_trace(classifier: Classifier, films: list[Radiograph]) -> None:
    alone = [classifier.predict(film).logits.tobytes() for film in films]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda film: classifier.predict(film).logits.tobytes(), films * 8))
    assert together == alone * 8
    assert not classifier.network.training
    for module in classifier.network.modules():
        assert not module.training
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert not any(p.requires_grad for p in classifier.network.parameters())


@pytest.mark.parametrize("backend", ["torch", pytest.param("openvino", marks=needs_openvino)])
def test_many_films_are_scored_like_one(
    checkpoint: Checkpoint, films: list[Radiograph], backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if backend == "openvino":
        monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    classifier = Classifier(checkpoint, backend)
    many = list(classifier.predict_many(iter(films), batch=4))
    assert [m.name for m in many] == [f.name for f in films]
    for film, prediction in zip(films, many, strict=True):
        one = classifier.predict(film)
        np.testing.assert_allclose(prediction.probabilities, one.probabilities, atol=1e-4)
        assert np.array_equal(prediction.picture, one.picture)


@needs_openvino
def test_a_converted_network_is_kept_and_found_again(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, films: list[Radiograph]
) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of the tracer's chatter reaches the user
        list(Classifier(checkpoint, "openvino").predict_many(films[:1]))
    kept = list((tmp_path / "openvino").glob("*.xml"))
    assert len(kept) == 1
    assert sorted(path.suffix for path in kept[0].parent.iterdir()) == [".bin", ".sums", ".xml"]
    stamp = kept[0].stat().st_mtime_ns
    (whole,) = Classifier(checkpoint, "openvino").predict_many(films[:1])
    assert kept[0].stat().st_mtime_ns == stamp
    weights = kept[0].with_suffix(".bin")
    content = weights.read_bytes()
    for damaged in (content[: len(content) // 2], bytes(len(content))):  # cut off, or other numbers
        weights.write_bytes(damaged)
        (again,) = Classifier(checkpoint, "openvino").predict_many(films[:1])
        assert again.logits.tobytes() == whole.logits.tobytes()
        assert weights.read_bytes() == content


@needs_openvino
def test_visitors_who_come_together_convert_once(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, films: list[Radiograph]
) -> None:
    import openvino

    converted, convert = [], openvino.convert_model
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    monkeypatch.setattr(openvino, "convert_model", lambda *a, **k: converted.append(1) or convert(*a, **k))
    with ThreadPoolExecutor(4) as pool:
        visitors = [Classifier(checkpoint, "openvino") for _ in range(4)]
        answers = list(pool.map(lambda visitor: next(visitor.predict_many(films[:1])).logits.tobytes(), visitors))
    assert len(converted) == 1
    assert len(set(answers)) == 1


@needs_openvino
def test_a_conversion_cut_off_leaves_nothing_to_be_found(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, films: list[Radiograph]
) -> None:
    import openvino

    def half(model: object, path: Path, **_: object) -> None:
        Path(path).write_text("<net")
        raise KeyboardInterrupt

    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    with monkeypatch.context() as cut:
        cut.setattr(openvino, "save_model", half)
        with pytest.raises(KeyboardInterrupt):
            list(Classifier(checkpoint, "openvino").predict_many(films[:1]))
    assert not list((tmp_path / "openvino").iterdir())
    assert len(list(Classifier(checkpoint, "openvino").predict_many(films[:1]))) == 1


def test_a_missing_checkpoint_is_named() -> None:
    with pytest.raises(CheckpointError, match="nowhere"):
        open_classifier("nowhere")


def test_an_unknown_backend_is_named(checkpoint: Checkpoint) -> None:
    with pytest.raises(CheckpointError, match=r"no backend 'onnx'.*openvino"):
        _ = Classifier(checkpoint, "onnx").engine  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Checkpoint) -> Path:
    return with_films(tmp_path, checkpoint)


def with_films(tmp_path: Path, checkpoint: Checkpoint) -> Path:
    """Five films, one of them cut off and one in a folder below, beside a checkpoint."""
    save(checkpoint, tmp_path / "model")
    films = tmp_path / "films"
    (films / "below").mkdir(parents=True)
    for i, place in enumerate(("a.png", "b.jpg", "c.png", "below/d.png")):
        Image.fromarray(grain(i)).save(films / place)
    whole = (films / "c.png").read_bytes()
    (films / "c.png").write_bytes(whole[: len(whole) // 2])
    (films / "notes.txt").write_text("not looked at")
    return tmp_path


def test_files_keep_their_order_and_a_bad_one_stops_nothing(classifier: Classifier, folder: Path) -> None:
    from core.run import stream
    from core.run.score import Score, unlabelled

    paths = find_files([str(folder / "films")])
    told = stream.rows(unlabelled(paths), Score(classifier), batch=2)
    rows = [row for found in told for row in found]
    assert [row["id"] for row in rows] == paths
    assert [Path(path).name for path in paths] == ["a.png", "b.jpg", "c.png", "d.png"]
    assert [bool(row.get("error")) for row in rows] == [False, False, True, False]


def test_folders_patterns_and_files_are_found_once(folder: Path) -> None:
    films = folder / "films"
    both = find_files([str(films / "*.png"), str(films / "a.png"), str(films / "**" / "*.png")])
    assert [Path(path).name for path in both] == ["a.png", "c.png", "d.png"]
    with pytest.raises(FilmError, match="no film"):
        find_files([str(films / "*.dcm")])


@needs_openvino
def test_openvino_reports_to_nobody() -> None:
    script = """
import sys
from core.model.bulk.engine import open_engine
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
open_engine(build("resnet_small", 4).eval(), Preprocess(size=96), "openvino")
assert "openvino" in sys.modules and sys.modules["openvino_telemetry"] is None
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
