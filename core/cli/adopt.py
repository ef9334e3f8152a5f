"""`python -m core adopt SOURCE`: a model from outside becomes a checkpoint that every page and command opens."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import cohorts
from core.cli.calibrate import FILES, calibrated
from core.errors import CheckpointError

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.model.checkpoint import Checkpoint


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Turn a model from outside into a checkpoint. SOURCE is a file of weights (.pth, .safetensors), a program "
        "(.onnx, a .zip of one with its data, .pt2), timm:NAME, torchvision:NAME or xrv:NAME with the weights offered "
        "there, or hf:FOLDER of transformers. No Python in a file is run. What it does not say is asked for, or taken "
        "as usual, and printed."
    )
    command = subparsers.add_parser("adopt", help="open a model from outside", description=about)
    command.add_argument("source", metavar="SOURCE", help="a file, or SOURCE:NAME")
    command.add_argument("--network", default="", metavar="SOURCE:NAME", help="whose weights a file holds")
    command.add_argument("--classes", default="", metavar="A,B", help="names of the outputs, in their order")
    help_ = "softmax: exclusive classes (default); sigmoid: findings that occur together"
    command.add_argument("--output", choices=("softmax", "sigmoid"), default="", help=help_)
    command.add_argument("--size", type=int, help="side of the picture it takes, pixels")
    help_ = "what pixels become: imagenet, unit (0..1), symmetric (-1..1), bytes (0..255), caffe, xrv (-1024..1024), "
    help_ += "imagenet_bgr, caffe_rgb"
    command.add_argument("--range", default="", metavar="NAME", help=help_)
    command.add_argument("--mean", metavar="A,B,C", help="instead of --range, in units of white = 1")
    command.add_argument("--std", metavar="A,B,C", help="with --mean")
    command.add_argument("--fit", choices=("squash", "pad", "crop"), help="how an oblong film becomes a square")
    command.add_argument("--title", default="", help="what pages call it")
    help_ = "the checkpoint's folder (default: its name in $HILUM_WEIGHTS, or in weights/)"
    command.add_argument("--out", type=Path, metavar="FOLDER", help=help_)
    help_ = "films to try the usual preprocessings on; their labels tell which is clearly better"
    command.add_argument("--try", dest="tried", metavar="COHORT", help=help_)
    help_ = "labelled films it did not learn from: fits calibration, operating points, in-domain check and sanity check"
    command.add_argument("--calibrate", metavar="COHORT", help=help_)
    help_ = "read what runs code of whoever wrote it (xrv: modules, .pt2 programs), in a process of its own"
    command.add_argument("--run-pickle", action="store_true", help=help_)
    cohorts.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Adopt, save and tell what was understood."""
    from core.model.adopt.adopted import folder_name, told
    from core.model.checkpoint import save

    folder = args.out or _room() / folder_name(args.source)
    if (folder / "card.json").exists():
        raise CheckpointError(f"{folder} holds a checkpoint already", remedy="Name another folder with --out")
    adopted = _adopted(args, folder.name)
    for line in told(adopted):
        print(line)
    if path := args.tried or args.calibrate:
        [cohort] = cohorts.several([path], args.layout, args.labels)
        adopted = _tried(adopted, cohort)
    if args.calibrate:
        [cohort] = cohorts.several([args.calibrate], args.layout, args.labels)
        for line in calibrated(adopted, cohort, folder):
            print(line)
        written = ", ".join(FILES)
    else:
        save(adopted, folder)
        print(adopted.card.caveat + ": see --calibrate.")
        written = "card.json, model.safetensors"
    print(f"Written to {folder}: {written}")
    return 0


def _tried(checkpoint: "Checkpoint", cohort: "Cohort") -> "Checkpoint":
    """Try preprocessings on films, say what came of it, and keep it in the card."""
    from core.cli.progress import Bars
    from core.errors import EvaluationError
    from core.evaluate import looks
    from core.evaluate.scoring import labelled
    from core.model.classifier import Classifier

    classifier = Classifier(checkpoint, "torch")
    try:
        known = labelled(classifier, cohort)
    except EvaluationError as error:
        _, films = looks.readable(cohort.draw(max(1, looks.ALONE // len(cohort.classes))))
        odd = looks.suspicions(classifier, films)
        for line in (str(error), *(odd or [f"Nothing odd about its answers to {len(films)} films."])):
            print(line)
        return checkpoint
    with Bars() as bars:
        found = looks.compared(classifier, known, progress=bars)
    for line in looks.sentences(found):
        print(line)
    tried = [vars(look) for look in found]
    card = replace(checkpoint.card, origin={**checkpoint.card.origin, "tried": tried, "tried_on": cohort.name})
    return replace(checkpoint, card=card)


def _adopted(args: argparse.Namespace, name: str) -> "Checkpoint":
    from core.model.adopt.adopted import Wishes, from_path, from_source
    from core.networks.sources import offers

    look: dict[str, Any] = {key: getattr(args, key) for key in ("size", "fit") if getattr(args, key)}
    look |= {key: _numbers(getattr(args, key)) for key in ("mean", "std") if getattr(args, key)}
    classes = tuple(args.classes.split(",")) if args.classes else ()
    wishes = Wishes(args.network, classes, args.output, look, args.range, args.title)
    if offers(args.source):
        return from_source(args.source, wishes, name, args.run_pickle)
    return from_path(Path(args.source), wishes, name, args.run_pickle)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise CheckpointError(f"{text!r} came", "numbers such as 0.485,0.456,0.406") from error


def _room() -> Path:
    from core.model.checkpoint import rooms

    return rooms()[-1]
