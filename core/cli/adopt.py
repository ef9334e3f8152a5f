"""`python -m core adopt SOURCE`: a model from outside becomes a checkpoint that every page and command opens."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import cohorts
from core.errors import CheckpointError

if TYPE_CHECKING:
    from core.model.checkpoint import Checkpoint

FILES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")


def add(subparsers: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    about = (
        "Turn a model from outside into a checkpoint. SOURCE is a file of weights (.pth, .safetensors), timm:NAME or "
        "torchvision:NAME with the weights offered there. Nothing in a file is run. What the file does not say is "
        "asked for or taken as usual, and printed."
    )
    command = subparsers.add_parser("adopt", help="open a model from outside", description=about)
    command.add_argument("source", metavar="SOURCE", help="a file, or SOURCE:NAME")
    command.add_argument("--network", default="", metavar="SOURCE:NAME", help="whose weights a file holds")
    command.add_argument("--classes", default="", metavar="A,B", help="names of the outputs, in their order")
    help_ = "softmax: exclusive classes (default); sigmoid: findings that occur together"
    command.add_argument("--output", choices=("softmax", "sigmoid"), default="", help=help_)
    command.add_argument("--size", type=int, help="side of the picture it takes, pixels")
    help_ = "what pixels become: imagenet, 0..1, -1..1, 0..255, bgr or -1024..1024"
    command.add_argument("--range", default="", metavar="NAME", help=help_)
    command.add_argument("--mean", metavar="A,B,C", help="instead of --range, in units of white = 1")
    command.add_argument("--std", metavar="A,B,C", help="with --mean")
    command.add_argument("--fit", choices=("squash", "pad", "crop"), help="how an oblong film becomes a square")
    command.add_argument("--title", default="", help="what pages call it")
    help_ = "the checkpoint's folder (default: its name in $HILUM_WEIGHTS, or in weights/)"
    command.add_argument("--out", type=Path, metavar="FOLDER", help=help_)
    cohorts.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Adopt, save and tell what was understood."""
    from core.model.checkpoint import save

    folder = args.out or _room() / _name(args.source)
    if (folder / "card.json").exists():
        raise CheckpointError(f"{folder} holds a checkpoint already", remedy="Name another folder with --out")
    adopted = _adopted(args, folder.name)
    save(adopted, folder)
    for line in told(adopted):
        print(line)
    print(f"Written to {folder}: card.json, model.safetensors")
    return 0


def told(checkpoint: "Checkpoint") -> list[str]:
    """What was understood of a model, a line each."""
    from core.model.adopt import looks

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
    return [*lines, *([card.caveat] if card.caveat else [])]


def _adopted(args: argparse.Namespace, name: str) -> "Checkpoint":
    from core.model.adopt.adopted import Wishes, from_file, from_source
    from core.networks.sources import is_source

    look: dict[str, Any] = {key: getattr(args, key) for key in ("size", "fit") if getattr(args, key)}
    look |= {key: _numbers(getattr(args, key)) for key in ("mean", "std") if getattr(args, key)}
    classes = tuple(args.classes.split(",")) if args.classes else ()
    wishes = Wishes(args.network, classes, args.output or "softmax", look, args.range, args.title)
    if is_source(args.source):
        return from_source(args.source, wishes, name)
    path = Path(args.source)
    if path.suffix.lower() not in FILES:
        expected = f"a file ({', '.join(FILES)}), timm:NAME or torchvision:NAME"
        raise CheckpointError(f"{args.source} came", expected)
    return from_file(path, wishes, name)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise CheckpointError(f"{text!r} came", "numbers such as 0.485,0.456,0.406") from error


def _name(source: str) -> str:
    """A folder's name from a file's or a network's."""
    stem = Path(source).stem if Path(source).suffix.lower() in FILES else source
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in stem).strip("-.") or "adopted"


def _room() -> Path:
    from core.model.checkpoint import rooms

    return rooms()[-1]
