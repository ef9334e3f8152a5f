"""An ONNX file read as data: its one input and output, all weights in one piece, its last activation cut off."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, RecipeError
from core.networks.program import LARGEST
from core.networks.trial import INSTALL

MOST = 1000  # outputs, as a card takes
LARGEST_SIDE = 4096
_ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "softmax", "Sigmoid": "sigmoid"}
_THROUGH = ("Identity", "Reshape", "Flatten", "Squeeze", "Cast")  # that may follow the activation and change no number


@dataclass(frozen=True, eq=False)
class Found:
    """A program from one picture to one row of logits.

    Attributes:
        content: the program, its weights inside.
        config: for `core.networks.program.Program`, less its bytes.
        channels: 1 or 3.
        side: of the picture, pixels; 0 where it takes any.
        output: "softmax" or "sigmoid", by the activation it ended in; "" where it ended in none.
    """

    content: bytes
    config: dict[str, Any]
    channels: int
    side: int
    output: str


def read(path: Path) -> Found:
    """A file and the data beside it.

    Raises:
        CheckpointError: it is damaged, takes anything but one picture, or names data that is not beside it.
        RecipeError: the package onnx is not installed.
    """
    onnx = _onnx()
    try:
        if path.stat().st_size > LARGEST:
            raise CheckpointError(f"{path.name} has {path.stat().st_size:,} bytes", f"{LARGEST:,} at most")
        model = onnx.load(path, load_external_data=False)
    except CheckpointError:
        raise
    except Exception as error:  # protobuf's parser raises classes of its own
        raise CheckpointError(f"{path.name} cannot be read as ONNX ({type(error).__name__})", "an ONNX file") from error
    _beside(onnx, model, path)
    layout, channels, side, batch, name, half = _input(onnx, model, path.name)
    if len(model.graph.output) != 1:
        came = f"{path.name} has {len(model.graph.output)} outputs"
        raise CheckpointError(
            came, "one: a row of numbers, a number for each class", "Export the model with one output"
        )
    output = _cut_activation(onnx, model)
    types = onnx.TensorProto
    weights = [
        t for t in model.graph.initializer if t.dims and t.data_type in (types.FLOAT, types.FLOAT16, types.DOUBLE)
    ]
    parameters = sum(map(_count, weights))
    config = {"layout": layout, "batch": batch, "input": name, "half": half, "parameters": parameters}
    try:
        content = model.SerializeToString()
    except Exception as error:
        raise CheckpointError(f"{path.name} is too large with its weights", f"{LARGEST:,} bytes at most") from error
    return Found(content, config, channels, side, output)


def _input(onnx: Any, model: Any, name: str) -> tuple[str, int, int, int, str, bool]:
    """Layout, channels, side (0: any), batch (0: any), name, and whether it is float16."""
    kept = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in kept]
    if len(inputs) != 1:
        came = f"{name} takes {len(inputs)} inputs ({', '.join(one.name for one in inputs[:4])})"
        raise CheckpointError(came, "one, the picture")
    kind = inputs[0].type.tensor_type
    types = {onnx.TensorProto.FLOAT: False, onnx.TensorProto.FLOAT16: True}
    if kind.elem_type not in types:
        came = f"{name} takes {onnx.TensorProto.DataType.Name(kind.elem_type)}"
        raise CheckpointError(came, "float32 or float16", "Export it with float pixels")
    shape = [int(d.dim_value) if d.HasField("dim_value") else 0 for d in kind.shape.dim]
    if len(shape) != 4 or any(n < 0 for n in shape):
        raise CheckpointError(
            f"{name} takes an array of shape {tuple(shape)}", "(batch, channels, side, side) of a picture"
        )
    batch, *rest = shape
    if rest[0] in (1, 3):
        layout, channels, sides = "NCHW", rest[0], rest[1:]
    elif rest[2] in (1, 3):
        layout, channels, sides = "NHWC", rest[2], rest[:2]
    else:
        raise CheckpointError(
            f"{name} takes an array of shape {tuple(shape)}, 0 for any", "1 or 3 channels, said in the file"
        )
    if sides[0] != sides[1]:
        raise CheckpointError(f"{name} takes pictures of {sides[1]} x {sides[0]} px", "square ones")
    if sides[0] > LARGEST_SIDE:
        raise CheckpointError(f"{name} takes pictures of {sides[0]:,} px", f"{LARGEST_SIDE:,} px at most")
    if batch not in (0, 1):
        raise CheckpointError(
            f"{name} takes {batch} pictures at a time", "one, or any number", "Export it with a batch of 1"
        )
    return layout, channels, sides[0], batch, inputs[0].name, types[kind.elem_type]


def _beside(onnx: Any, model: Any, path: Path) -> None:
    """Take in weights that lie in other files: files of this folder by their bare names, and no others."""
    folder, total = path.resolve().parent, path.stat().st_size
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        said = {entry.key: entry.value for entry in tensor.external_data}
        location = said.get("location", "")
        file = folder / location
        bare = location and location == os.path.basename(location) and location not in (".", "..")
        if not bare or "\\" in location or file.is_symlink():
            came = f"{path.name} says its weights lie in {location!r}"
            raise CheckpointError(came, "a file beside it, by its bare name")
        if not file.is_file():
            came = f"{path.name} has its weights in {location}, which is not beside it"
            raise CheckpointError(came, remedy="Give both: in one folder, or in one zip")
        try:
            offset, length = int(said.get("offset", 0)), int(said.get("length", file.stat().st_size))
        except ValueError as error:
            raise CheckpointError(f"{path.name} names a part of {location} that is no number") from error
        if offset < 0 or length < 0 or offset + length > file.stat().st_size:
            raise CheckpointError(f"{location} is shorter than {path.name} says", "the file it was written with")
        total += length
        if total > LARGEST:
            raise CheckpointError(f"{path.name} and its weights have more than {LARGEST:,} bytes")
        with file.open("rb") as data:
            data.seek(offset)
            tensor.raw_data = data.read(length)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(model: Any) -> Iterator[Any]:
    """Every tensor of a model: initialisers and constants, of its functions and of graphs inside graphs, too."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += list(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors
            graphs += [attribute.g] if attribute.HasField("g") else []
            graphs += list(attribute.graphs)


def _cut_activation(onnx: Any, model: Any) -> str:
    """Make the program end before its last softmax or sigmoid; what it was, "" where there is none."""
    graph = model.graph
    made = {name: node for node in graph.node for name in node.output}
    name, after = graph.output[0].name, []
    node = made.get(name)
    while node is not None and node.op_type in _THROUGH:
        after.append(node)
        node = made.get(node.input[0])
    if node is None or node.op_type not in _ACTIVATIONS:
        return ""
    for follower in after[-1:]:
        follower.input[0] = node.input[0]
    if not after:
        kind = graph.output[0].type.tensor_type.elem_type
        del graph.output[:]
        graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], kind, None))
    return _ACTIVATIONS[node.op_type]


def _count(tensor: Any) -> int:
    total = 1
    for size in tensor.dims:
        total *= size
    return int(total)


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise RecipeError("the package onnx is not installed", remedy=INSTALL) from error
    return onnx
