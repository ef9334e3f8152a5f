"""Networks of TorchXRayVision (Cohen 2022, arXiv:2111.00595): ``xrv:NAME``, several findings from one grey channel.

They are torchvision's DenseNet-121 and ResNet-50 with one input channel, so only their weights, labels and operating
points need the package. Films come cropped round their centre with values from -1024 to 1024. Outputs without a name
were never trained and are dropped; the package's rescaling of probabilities by operating points (``op_norm``) is not
applied, for what is explained is the logit.

The DenseNets' files are pickles of whole modules: reading one runs code of whoever wrote it. That happens only when it
is asked for, in a process of its own that writes the tensors and nothing else.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks import from_torchvision, torchvision_parts
from core.networks.initial import load_tensors
from core.networks.network import Network, NetworkSpec
from core.networks.sources import Offered

TRAINED_ON = ("all", "nih", "pc", "chex", "rsna", "mimic_nb", "mimic_ch")
SIDES = {f"densenet121-res224-{films}": 224 for films in TRAINED_ON} | {"resnet50-res512-all": 512}
CHANNELS = 1
MEAN, STD = (0.5,), (1 / 2048,)
LONGEST = 300  # seconds a conversion may take

_CONVERT = """
import sys, torch
from safetensors.torch import save_file
found = torch.load(sys.argv[1], map_location="cpu", weights_only=False)
state = found.state_dict() if hasattr(found, "state_dict") else found
save_file({key: value.contiguous() for key, value in state.items()}, sys.argv[2])
"""


def names() -> tuple[str, ...]:
    """The classifiers with weights in TorchXRayVision."""
    return tuple(SIDES)


def spec(name: str) -> NetworkSpec:
    """Side and title."""
    _check(name)
    return NetworkSpec(f"xrv:{name}", f"TorchXRayVision {name}", True, SIDES[name], evidence="activations")


def make(
    name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any] | None = None
) -> nn.Module:
    """torchvision's model with one input channel."""
    _check(name)
    return from_torchvision.make(name.partition("-")[0], n_classes, CHANNELS, 0, dropout)


def regroup(model: nn.Module) -> Network:
    """As torchvision's."""
    return torchvision_parts.regroup(model)


def own_weights(name: str, run_pickle: bool = False, size: int = 0) -> Offered:
    """The package's weights, from its cache or the internet, with labels and operating points.

    Args:
        run_pickle: read a pickle of a whole module, in a process of its own.
    """
    _check(name)
    said, file = _downloaded(name)
    labels = list(said["labels"])
    kept = [number for number, label in enumerate(labels) if label]
    state = {key.removeprefix("model."): v for key, v in _tensors(file, run_pickle).items() if key != "op_threshs"}
    for key in ("classifier.weight", "classifier.bias", "fc.weight", "fc.bias"):
        if key in state:
            state[key] = state[key][kept]
    model = make(name, len(kept), CHANNELS, 0, 0.0)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{file.name} does not hold the weights of xrv:{name}", f"those of {name}") from error
    points = {labels[n]: float(said["op_threshs"][n]) for n in kept} if "op_threshs" in said else {}
    points = {label: point for label, point in points.items() if math.isfinite(point)}
    look = {"size": SIDES[name], "mean": MEAN, "std": STD, "fit": "crop"}
    return Offered(model.eval(), name, tuple(labels[n] for n in kept), look, output="sigmoid", operating_points=points)


def _tensors(file: Path, run_pickle: bool) -> dict[str, torch.Tensor]:
    try:
        return load_tensors(file)
    except CheckpointError as error:
        if not run_pickle:
            came = f"{file.name} is a pickle of a whole module: reading it runs code of whoever wrote it"
            remedy = "If you trust it, say --run-pickle: it is converted in a process of its own"
            raise CheckpointError(came, remedy=remedy) from error
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "tensors.safetensors"
        command = [sys.executable, "-I", "-c", _CONVERT, str(file), str(out)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=LONGEST, cwd=folder)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise CheckpointError(f"{file.name} could not be converted", "a module of TorchXRayVision") from error
        return load_tensors(out)


def _downloaded(name: str) -> tuple[dict[str, Any], Path]:
    """What the package says of its weights, and where their file lies now."""
    try:
        from torchxrayvision import models
    except ImportError as error:
        remedy = "pip install -r requirements-models.txt"
        raise RecipeError("TorchXRayVision is not installed", remedy=remedy) from error
    try:
        return models.model_urls[name], Path(models.get_weights(name))
    except Exception as error:  # its downloader lets through whatever the network raises
        came = f"the weights of xrv:{name} could not be downloaded ({type(error).__name__})"
        raise RecipeError(came, remedy="Connect to the internet once; they are kept in ~/.torchxrayvision") from error


def _check(name: str) -> None:
    if name not in SIDES:
        raise RecipeError(f"there is no network xrv:{name}", f"one of {', '.join(SIDES)}")
