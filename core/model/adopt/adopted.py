"""``adopt``: a weights file or a source's own weights -> a checkpoint that opens on every page.

What is known of such a model is what its file and its source say, and what the user adds. Its answers are uncalibrated
and it has no in-domain check until labelled films have been shown to it (`core.training.calibrate`); its card says so.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.model import output
from core.model.adopt import archive, looks, recognise, weights
from core.model.card import MAX_CLASSES, Card
from core.model.checkpoint import Checkpoint
from core.networks import sources
from core.transform.preprocess import Preprocess

INTENDED_USE = "Research and teaching on frontal chest radiographs. Not a medical device; not for diagnosis."
LIMITATIONS = "A model from outside: what it learned from is not known here."
FILES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
PROGRAMS = (".onnx", ".zip", ".pt2")
LONGEST = 100  # characters of a class name
USUAL = {"mean": looks.RANGES["imagenet"][0], "std": looks.RANGES["imagenet"][1], "fit": "squash"}


@dataclass(frozen=True)
class Wishes:
    """What the user says of the model; what is left out is recognised or taken as usual."""

    network: str = ""
    """SOURCE:NAME; recognised from the keys if not given."""
    classes: tuple[str, ...] = ()
    """In the order of the outputs."""
    output: str = ""
    """"softmax": exclusive classes; "sigmoid": findings that occur together; the source's, or softmax, if not given."""
    look: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the preprocessing: size, fit, mean, std, contrast."""
    range: str = ""
    """Name of a range of `core.model.adopt.looks` instead of mean and std."""
    title: str = ""
    """For people; the source's or file's name if not given."""


def from_file(path: Path, wishes: Wishes, name: str) -> Checkpoint:
    """A state dict of a network that a source knows.

    Args:
        name: of the checkpoint's folder.

    Raises:
        CheckpointError: the file cannot be read, does not fit, or its classes are not named.
        RecipeError: the network does not exist, or its preprocessing contradicts itself.
    """
    found = weights.read(path)
    state, outputs, channels = found.state, found.outputs, found.channels
    classes = _classes(wishes, outputs)
    if outputs == 1 and len(classes) == 2:
        state, outputs = weights.one_logit_as_two(state), 2
    side = int(wishes.look.get("size", 0))
    network = wishes.network or recognise.network_of(state, outputs, channels, side)
    side = side or recognise.side_of(state) or sources.spec_of(network).input_size
    model = sources.make(network, outputs, channels, side)
    recognise.fill(model, state, network)
    left_out = {"left_out": list(found.left_out[:20])} if found.left_out else {}
    return _checkpoint(name, network, model, classes, _look(wishes, {**USUAL, "size": side}, channels), wishes,
                       {"source": path.name, **left_out})  # fmt: skip


def from_path(path: Path, wishes: Wishes, name: str, run_pickle: bool = False) -> Checkpoint:
    """Whatever lies at a path: weights, a program, or a folder of `transformers`, also as a zip.

    Raises:
        CheckpointError: nothing of the kind, or as ``from_file`` and ``from_source`` raise it.
        RecipeError: likewise.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        return from_source(f"hf:{path}", wishes, name)
    if suffix == ".zip":
        with archive.unpacked(path) as folder:
            if (folder / "config.json").is_file():
                made = from_source(f"hf:{folder}", wishes, name)
                origin = {**made.card.origin, "source": path.name}
                title = wishes.title or f"{path.stem} ({made.card.network})"
                return replace(made, card=replace(made.card, origin=origin, title=title))
            programs = sorted(folder.glob("*.onnx"))
            if len(programs) != 1:
                came = f"{path.name} holds {len(programs)} ONNX files and no config.json"
                raise CheckpointError(came, "one ONNX file with its data, or a folder that save_pretrained wrote")
            return from_source(f"onnx:{programs[0]}", wishes, name)
    if suffix in PROGRAMS:
        return from_source(f"onnx:{path}", wishes, name, run_pickle)
    if suffix not in FILES:
        expected = f"a file ({', '.join((*FILES, *PROGRAMS))}), a folder of transformers, or {sources.WAYS}"
        raise CheckpointError(f"{path.name} came", expected)
    return from_file(path, wishes, name)


def from_source(source: str, wishes: Wishes, name: str, run_pickle: bool = False) -> Checkpoint:
    """A model with the weights that its source offers: ``timm:NAME``, ``torchvision:NAME``, ``xrv:NAME``,
    or ``hf:`` with a folder or repository.

    Args:
        run_pickle: where the source has its weights as a pickle of a module, read it in a process of its own.

    Raises:
        RecipeError: there is no such network, or its weights are unavailable here.
        CheckpointError: other classes than it has outputs.
    """
    opened, rest = sources.opened(source)
    offered = opened.own_weights(rest, run_pickle, int(wishes.look.get("size", 0)))
    classes = checked_classes(offered.classes)
    if wishes.classes or not offered.named:
        classes = _classes(wishes, len(offered.classes))
    model = offered.model
    if len(classes) > len(offered.classes):  # one logit of two classes
        model = _of_two_classes(offered, source)
    network = f"{source.partition(':')[0]}:{offered.architecture}"
    look = _look(wishes, {**USUAL, **offered.preprocess}, len(offered.preprocess.get("mean", "123")))
    wishes = replace(wishes, output=wishes.output or offered.output)
    said = {"source": _shown(source), **({"licence": offered.licence} if offered.licence else {})}
    made = _checkpoint(name, network, model, classes, look, wishes, said, offered.config)
    points = {new: offered.operating_points.get(old) for new, old in zip(classes, offered.classes, strict=False)}
    known = {label: point for label, point in points.items() if point is not None}
    return replace(made, card=replace(made.card, thresholds={**made.card.thresholds, **known}))


def checked_classes(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as a card may hold them.

    Raises:
        CheckpointError: too many, empty, twice the same, too long, or with characters that are markup or invisible.
    """
    if not 1 <= len(names) <= MAX_CLASSES:
        raise CheckpointError(f"{len(names):,} classes were named", f"1 to {MAX_CLASSES:,}")
    cleaned = tuple(name.strip() for name in names)
    for name in cleaned:
        if not name or len(name) > LONGEST:
            raise CheckpointError(f"a class is called {name[:40]!r}", f"a name of 1 to {LONGEST} characters")
        if bad := next((c for c in name if c in "<>" or unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")), ""):
            raise CheckpointError(f"the class name {name!r} holds {bad!r}", "plain words")
    if len(set(cleaned)) != len(cleaned):
        twice = next(name for name in cleaned if cleaned.count(name) > 1)
        raise CheckpointError(f"two classes are called {twice!r}", "a name of its own for each")
    return cleaned


def told(checkpoint: Checkpoint) -> list[str]:
    """What was understood of a model, a line each."""
    card, look = checkpoint.card, checkpoint.card.preprocess
    named = ", ".join(card.classes[:6]) + (", ..." if len(card.classes) > 6 else "")
    channels = "one grey channel" if look.channels == 1 else "three equal channels"
    lines = [
        f"{card.title}: {card.network}, {card.parameters:,} parameters",
        f"outputs: {len(card.classes)} ({named})",
        f"picture: {look.size} px, {look.fit}, {channels}, pixels as {looks.name_of(look)}",
    ]
    if left := card.origin.get("left_out"):
        lines.append(f"left out of the file: {', '.join(map(str, left))}")
    return lines


def folder_name(source: str) -> str:
    """A checkpoint's folder from a file's, network's or user's name: letters, digits, "-", "_" and "." only."""
    source = _shown(source)
    suffix = Path(source).suffix.lower()
    stem = Path(source).stem if suffix in (*FILES, *PROGRAMS) else source
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in stem).strip("-.") or "adopted"


def _shown(source: str) -> str:
    """A source's name without the path of its folder or file, which is nobody's business."""
    prefix, _, rest = source.partition(":")
    if prefix == "onnx":
        return Path(rest).name
    return f"{prefix}:{Path(rest).name}" if rest and Path(rest).expanduser().is_dir() else source


def _of_two_classes(offered: sources.Offered, source: str) -> nn.Module:
    """A source's model with one output, made to answer for two classes."""
    if not source.startswith("onnx:"):
        raise CheckpointError("the model has 1 output, and 2 classes were named", "a name for each output")
    made = sources.make(f"onnx:{offered.architecture}", 2, config=offered.config)
    made.load_state_dict(offered.model.state_dict())
    return made


def _classes(wishes: Wishes, outputs: int) -> tuple[str, ...]:
    if not wishes.classes:
        came = f"the model has {outputs} output{'s' * (outputs > 1)} and its file names none of them"
        raise CheckpointError(
            came, f"{outputs} class names in the order of the outputs", "Name them with --classes A,B"
        )
    classes = checked_classes(wishes.classes)
    if len(classes) != outputs and not (outputs == 1 and len(classes) == 2):
        came = f"the model has {outputs} output{'s' * (outputs > 1)}, and {len(classes)} classes were named"
        raise CheckpointError(came, "a name for each output")
    return classes


def _look(wishes: Wishes, usual: Mapping[str, Any], channels: int) -> Preprocess:
    """The preprocessing: the user's wishes before what the source says."""
    values = {**usual, **wishes.look}
    if wishes.range and {"mean", "std"} & wishes.look.keys():
        raise RecipeError(f"both the range {wishes.range} and mean or std were given", "one of the two")
    if wishes.range:
        values["mean"], values["std"] = looks.values(wishes.range, channels)
    elif channels == 1:
        values |= {key: (sum(values[key]) / len(values[key]),) for key in ("mean", "std")}
    look = Preprocess.from_dict({key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
    if look.channels != channels:
        raise RecipeError(f"mean and std are of {look.channels} channels", f"{channels}, as the network takes")
    return look


def _checkpoint(
    name: str, network: str, model: nn.Module, classes: tuple[str, ...], look: Preprocess, wishes: Wishes,
    origin: dict[str, Any], config: Mapping[str, Any] = MappingProxyType({}),
) -> Checkpoint:  # fmt: skip
    """The model as the house keeps one; it must answer one picture with finite numbers."""
    opened, _ = sources.opened(network)
    parts = opened.regroup(model).eval().requires_grad_(False)
    state = dict(parts.state_dict())
    if bad := [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise CheckpointError(
            f"{origin['source']} holds values that are not finite, e.g. in {bad[0]}", "finite weights"
        )
    with torch.no_grad():
        try:
            logits = parts(torch.zeros(1, look.channels, look.size, look.size))
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0][:200]
            came = f"{network} does not take a picture of {look.size} px ({reason})"
            raise RecipeError(came, remedy="Give the side it was trained with: --size") from error
    if logits.shape != (1, len(classes)) or not logits.isfinite().all():
        raise CheckpointError(
            f"{network} answers a black picture with {logits.flatten()[:3].tolist()}", "finite logits"
        )
    card = Card(
        name=name,
        title=wishes.title or f"{Path(str(origin['source'])).stem} ({network})",
        classes=classes,
        network=network,
        network_config=dict(config),
        preprocess=look,
        recipe={},
        parameters=int(config.get("parameters") or sum(p.numel() for p in parts.parameters())),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data={"name": "films that are not known here"},
        precision={"stored": "float32"},
        origin={**origin, "calibrated": False},
        licence=str(origin.get("licence", "")),
        intended_use=INTENDED_USE,
        limitations=LIMITATIONS,
        versions={"torch": torch.__version__},
        **output.new(wishes.output or "softmax", classes).to_card(),
    )
    return Checkpoint(card, state)
