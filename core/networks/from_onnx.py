"""Models that are only functions: ``onnx:FILE`` of an ONNX file or of a ``torch.export`` program.

They answer; nothing in them can be seen or differentiated. Notable choices:
- An ONNX file is data. It is parsed, its weights may lie in files beside it and nowhere else, and it is first run in a
  process of its own with bounded memory and time.
- A ``.pt2`` is not: reading one unpickles objects and evaluates its symbolic shapes as Python. So it is read only when
  that is asked for, in a process of its own, which writes it again as ONNX; what is kept is that.
- Where the file ends in a softmax or sigmoid, the program kept ends before it: what is explained is the logit.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks import onnx_file, trial
from core.networks.from_scratch import named
from core.networks.network import Network, NetworkSpec
from core.networks.program import Program
from core.networks.sources import Offered

KIND = "program"
SUFFIXES = (".onnx", ".pt2")
USUAL_SIDE = 224
_CONVERT = """
import torch
torch.onnx.export(torch.export.load(sys.argv[1]), (), sys.argv[2], dynamo=True, external_data=False, verbose=False)
"""


def names() -> tuple[str, ...]:
    """None: what there is are files."""
    return ()


def spec(name: str) -> NetworkSpec:
    """What a card may say."""
    if name != KIND:
        raise RecipeError(f"there is no network onnx:{name}", f"onnx:{KIND}, which core adopt makes of a file")
    return NetworkSpec(f"onnx:{KIND}", "a program (ONNX)", False, USUAL_SIDE)


def make(
    name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any] | None = None
) -> nn.Module:
    """Room for the program that a card describes."""
    spec(name)
    return Program(n_classes, config or {})


def regroup(model: nn.Module) -> Network:
    """The picture itself, and the program on top of it."""
    return Network(named(film=nn.Identity()), named(program=model), opaque=True)


def own_weights(name: str, run_pickle: bool = False, size: int = 0) -> Offered:
    """The program in a file, tried once.

    Args:
        run_pickle: read a ``torch.export`` program, which runs code of whoever wrote it, in a process of its own.
        size: side of the picture it is tried on, where the file does not say.

    Raises:
        CheckpointError: it is no program from one picture to one row of outputs, or cannot be run.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        raise CheckpointError(f"there is no file {path.name}", f"a file ({', '.join(SUFFIXES)})")
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix.lower() == ".pt2":
            path = _converted(path, Path(folder), run_pickle)
        found = onnx_file.read(path)
    tried_on = (size or found.side or USUAL_SIDE,) * 2
    channels_last = found.config["layout"] == "NHWC"
    shape = (1, *tried_on, found.channels) if channels_last else (1, found.channels, *tried_on)
    outputs = trial.run(found.content, shape)
    if outputs > onnx_file.MOST:
        raise CheckpointError(f"{path.name} has {outputs:,} outputs", f"{onnx_file.MOST:,} at most")
    config = {**found.config, "bytes": len(found.content)}
    model = Program(outputs, config)
    model.program, model.session.tried = torch.frombuffer(bytearray(found.content), dtype=torch.uint8), True
    look = {"mean": (0.0,) * found.channels, "std": (1.0,) * found.channels, "fit": "squash"}
    side = found.side or size or USUAL_SIDE
    classes = tuple(f"output {n}" for n in range(1, outputs + 1))
    return Offered(model, KIND, classes, {**look, "size": side}, output=found.output, config=config, named=False)


def _converted(path: Path, folder: Path, allowed: bool) -> Path:
    if not allowed:
        came = f"{path.name} is a program of torch.export: reading it can run code of whoever wrote it"
        remedy = "If you trust it, say --run-pickle: a process of its own writes it as ONNX. Or export it to ONNX"
        raise CheckpointError(came, remedy=remedy)
    out = folder / "converted.onnx"
    trial.alone(_CONVERT, path.resolve(), str(out), doing="converted", folder=folder)
    return out
