"""Models that are only functions: adopted, they answer as they did; a hostile file is a sentence."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from core.cli import main
from core.errors import CheckpointError, ExplainError
from core.explain.heatmap import heatmaps
from core.explain.methods import methods_for
from core.explain.randomisation import randomisation
from core.explain.trust import assess
from core.model.adopt import archive
from core.model.adopt.adopted import Wishes, from_path, from_source
from core.model.checkpoint import load, save
from core.model.classifier import Classifier

SIDE, CLASSES = 32, ("Normal", "COVID-19", "Viral Pneumonia")
WISHES = Wishes(classes=CLASSES)


class Net(nn.Module):
    """A small convolutional network that ends in ``last``."""

    def __init__(self, last: nn.Module, channels: int = 3, outputs: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.pool = nn.Conv2d(channels, 8, 5, 2), nn.AdaptiveAvgPool2d(2)
        self.head, self.last = nn.Linear(32, outputs), last

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Before the last activation."""
        return 20 * self.head(self.pool(self.conv(x).relu()).flatten(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As exported."""
        return self.last(self.logits(x))


def exported(path: Path, last: nn.Module, dynamic: bool = False, external: bool = False, **net: int) -> Net:
    """As PyTorch writes ONNX today: a fixed batch of one unless asked."""
    model = Net(last, **net).eval()
    batch = {"dynamic_shapes": {"x": {0: torch.export.Dim.DYNAMIC}}} if dynamic else {}
    film = torch.rand(2 if dynamic else 1, net.get("channels", 3), SIDE, SIDE)
    torch.onnx.export(model, (film,), str(path), dynamo=True, external_data=external, verbose=False, **batch)
    return model


def keras(path: Path) -> np.ndarray:
    """Channels last, one sigmoid output, as Keras exports: the kernel (3, 1) over the mean of the picture."""
    kernel = np.array([[3.0], [-1.0], [0.5]], np.float32)
    nodes = [
        helper.make_node("GlobalAveragePool", ["nchw"], ["pooled"]),
        helper.make_node("Transpose", ["image"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["answer"]),
    ]
    graph = helper.make_graph(
        [nodes[1], nodes[0], *nodes[2:]], "keras",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(kernel, "kernel")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return kernel


def films(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), np.uint8)


@pytest.mark.parametrize(
    ("last", "output", "options"),
    [
        (nn.Softmax(dim=1), "softmax", {}),
        (nn.Sigmoid(), "sigmoid", {"dynamic": True}),
        (nn.Identity(), "softmax", {"channels": 1}),
    ],
    ids=["softmax, batch of one", "sigmoid, any batch", "logits, grey"],
)
def test_an_adopted_program_answers_as_it_did(last: nn.Module, output: str, options: dict, tmp_path: Path) -> None:
    model = exported(tmp_path / "mine.onnx", last, **options)
    assert (
        main(["adopt", str(tmp_path / "mine.onnx"), "--classes", ",".join(CLASSES), "--out", str(tmp_path / "o")]) == 0
    )
    classifier = Classifier(load(tmp_path / "o"))
    assert (classifier.card.network, classifier.card.output) == ("onnx:program", output)
    assert classifier.card.parameters == sum(p.numel() for p in model.parameters())
    assert str(tmp_path) not in (tmp_path / "o" / "card.json").read_text()
    with torch.no_grad():
        pixels = torch.from_numpy(films())[:, None].expand(-1, options.get("channels", 3), -1, -1) / 255
        wanted = model.logits(pixels).numpy()
    found, _ = classifier.predict_pictures(films())
    np.testing.assert_allclose(found, wanted, atol=1e-4)  # logits of 20: 1e-5 of them
    assert wanted.std() > 0.1
    bulk, _ = classifier.engine(films())
    np.testing.assert_allclose(bulk, found, atol=1e-5)


def test_weights_beside_the_file_come_along_in_a_folder_or_a_zip(tmp_path: Path) -> None:
    model = exported(tmp_path / "mine.onnx", nn.Identity(), external=True)
    assert (tmp_path / "mine.onnx.data").is_file()
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as packed:
        packed.write(tmp_path / "mine.onnx", "folder/mine.onnx")
        packed.write(tmp_path / "mine.onnx.data", "folder/mine.onnx.data")
    with torch.no_grad():
        wanted = model.logits(torch.from_numpy(films())[:, None].expand(-1, 3, -1, -1) / 255).numpy()
    for source in ("mine.onnx", "mine.zip"):
        save(from_path(tmp_path / source, WISHES, "m"), tmp_path / source.replace(".", "-"))
    (tmp_path / "mine.onnx").unlink()
    (tmp_path / "mine.onnx.data").unlink()
    for source in ("mine-onnx", "mine-zip"):
        found, _ = Classifier(load(tmp_path / source)).predict_pictures(films())
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_keras_channels_come_last_and_one_sigmoid_is_two_classes(tmp_path: Path) -> None:
    kernel = keras(tmp_path / "keras.onnx")
    made = from_source(f"onnx:{tmp_path / 'keras.onnx'}", Wishes(classes=("Normal", "COVID-19"), output="softmax"), "k")
    logits, probabilities = Classifier(made).predict_pictures(films())
    z = films().mean((1, 2)) / 255 * kernel.sum()
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], z, atol=1e-4)
    np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-z)), atol=1e-5)


def test_what_can_be_asked_of_a_function(tmp_path: Path) -> None:
    exported(tmp_path / "mine.onnx", nn.Identity())
    made = Classifier(from_source(f"onnx:{tmp_path / 'mine.onnx'}", WISHES, "m"))
    assert list(methods_for(made.network)) == ["occlusion", "rise"]
    assert heatmaps(made, films()[0])[CLASSES[0]].method == "occlusion"
    card = assess(made, films()[0], heatmaps(made, films()[0], "rise", masks=40)[CLASSES[0]])
    assert card["occlusion"].verdict == "unknown"
    assert "too slow" in card["stability"].sentence
    card = assess(made, films()[0], heatmaps(made, films()[0])[CLASSES[0]])
    assert -1 <= card["stability"].value <= 1
    with pytest.raises(ExplainError, match="needs a feature map and gradients"):
        heatmaps(made, films()[0], "gradcam")
    with pytest.raises(ExplainError, match="only a function"):
        randomisation(made, list(films()), ["occlusion"])


def test_a_torch_export_program_is_read_only_when_that_is_asked_for(tmp_path: Path) -> None:
    model = Net(nn.Sigmoid()).eval()
    torch.export.save(torch.export.export(model, (torch.rand(1, 3, SIDE, SIDE),)), str(tmp_path / "mine.pt2"))
    with pytest.raises(CheckpointError, match="can run code of whoever wrote it"):
        from_source(f"onnx:{tmp_path / 'mine.pt2'}", WISHES, "m")
    made = from_source(f"onnx:{tmp_path / 'mine.pt2'}", WISHES, "m", run_pickle=True)
    assert made.card.output == "sigmoid"
    with torch.no_grad():
        wanted = model.logits(torch.from_numpy(films())[:, None].expand(-1, 3, -1, -1) / 255).numpy()
    np.testing.assert_allclose(Classifier(made).predict_pictures(films())[0], wanted, atol=1e-4)


def _changed(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        model = onnx.load(path, load_external_data=False)
        change(model)
        path.write_bytes(model.SerializeToString())

    return run


def _outside(location: str) -> Callable[[Path], None]:
    def change(model: onnx.ModelProto) -> None:
        [tensor] = model.graph.initializer
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)

    return _changed(change)


def _two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, [1]))


def _shape(*sizes: int) -> Callable[[Path], None]:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, sizes))

    return _changed(change)


def _unknown(model: onnx.ModelProto) -> None:
    model.graph.node[-1].op_type, model.graph.node[-1].domain = "Evil", "com.evil"


def _bomb(model: onnx.ModelProto) -> None:
    """An answer of a hundred thousand classes."""
    wide = numpy_helper.from_array(np.zeros((1, 100_000), np.float32), "wide")
    model.graph.initializer.append(wide)
    model.graph.node[-1].CopyFrom(helper.make_node("Add", ["z", "wide"], ["answer"]))


def _memory(model: onnx.ModelProto) -> None:
    """A constant of a million gigabytes."""
    shape = numpy_helper.from_array(np.array([10**9, 10**6], np.int64), "shape")
    model.graph.initializer.append(shape)
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"]),
        helper.make_node("Add", ["z", "sum"], ["answer"]),
    ]
    del model.graph.node[-1]
    model.graph.node.extend(nodes)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.write_bytes(b"\x08\x01junk" * 40), "cannot be read as ONNX"),
        (_changed(_two_inputs), "takes 2 inputs"),
        (_changed(lambda m: m.graph.output.append(m.graph.output[0])), "2 outputs"),
        (_outside("../secret"), "says its weights lie in"),
        (_outside("/etc/passwd"), "says its weights lie in"),
        (_outside("missing.data"), "not beside it"),
        (_shape(1, 32, 32, 5), "1 or 3 channels"),
        (_shape(1, 32, 48, 3), "48 x 32 px"),
        (_shape(1, 10**6, 10**6, 3), "1,000,000 px"),
        (_shape(7, 32, 32, 3), "7 pictures at a time"),
        (_changed(_unknown), "could not be run"),
        (_changed(_bomb), "100,000 outputs"),
        (_changed(_memory), "could not be run"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(change: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 64)
    folder = tmp_path / "in"
    folder.mkdir()
    keras(folder / "mine.onnx")
    change(folder / "mine.onnx")
    with pytest.raises(CheckpointError, match=sentence):
        from_source(f"onnx:{folder / 'mine.onnx'}", Wishes(classes=("Normal", "COVID-19"), output="softmax"), "m")


def test_a_link_to_somewhere_else_is_no_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 12)
    folder = tmp_path / "in"
    folder.mkdir()
    keras(folder / "mine.onnx")
    _outside("weights.data")(folder / "mine.onnx")
    (folder / "weights.data").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="by its bare name"):
        from_source(f"onnx:{folder / 'mine.onnx'}", Wishes(classes=("A", "B"), output="softmax"), "m")


def test_classes_must_be_named(tmp_path: Path) -> None:
    keras(tmp_path / "keras.onnx")
    with pytest.raises(CheckpointError, match="names none of them"):
        from_source(f"onnx:{tmp_path / 'keras.onnx'}", Wishes(), "k")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.write(tmp_path / "keras.onnx", "a.onnx")
        packed.write(tmp_path / "keras.onnx", "b.onnx")
    with pytest.raises(CheckpointError, match="2 ONNX files"):
        from_path(tmp_path / "two.zip", Wishes(), "k")
    (tmp_path / "bad.zip").write_bytes(b"PK junk")
    with pytest.raises(CheckpointError, match="no zip that can be read"):
        from_path(tmp_path / "bad.zip", Wishes(), "k")


def test_a_zip_leads_nowhere_and_unpacks_to_no_more_than_it_says(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../../outside.onnx", b"junk")
        packed.writestr("/etc/inside.data", b"0" * 5_000_000)
    with archive.unpacked(tmp_path / "evil.zip") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["inside.data", "outside.onnx"]
    assert not (tmp_path.parent / "outside.onnx").exists()
    content = (tmp_path / "evil.zip").read_bytes()
    size = (5_000_000).to_bytes(4, "little")
    assert content.count(size) == 2
    (tmp_path / "bomb.zip").write_bytes(content.replace(size, (2**32 - 2).to_bytes(4, "little")))
    with pytest.raises(CheckpointError, match="unpack to too much"), archive.unpacked(tmp_path / "bomb.zip"):
        pass
