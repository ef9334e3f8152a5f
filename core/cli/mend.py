"""`python -m core mend CHECKPOINT --data PATH --how ...`: a new checkpoint without the shortcut, and the proof."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.cli import cohorts as shared


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Mend a model that goes by something it should not, and compare it with the old one. Killed at any moment, the "
        "same command goes on from the last finished epoch. Exit status 1 if the new one still goes by something."
    )
    command = subparsers.add_parser("mend", help="train a shortcut out of a model", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument("--data", metavar="PATH", required=True, help="films like those that the model learned from")
    help_ = (
        "last-layer: the head anew on balanced groups; hide: on films whose cue is another film's; evidence: with a "
        "price on evidence outside findings or lungs"
    )
    ways = ("last-layer", "evidence", "hide")
    command.add_argument("--how", nargs="+", required=True, choices=ways, metavar="HOW", help=help_)
    help_ = "corner, border, abdomen, wall, outside, exposure, sharpness, position (default: what the hunter finds)"
    command.add_argument("--cues", nargs="+", metavar="CUE", help=help_)
    command.add_argument("--elsewhere", metavar="PATH", help="films of another hospital, to compare both models on")
    command.add_argument("--out", type=Path, help="folder of the new checkpoint (default: runs/NAME-mended)")
    command.add_argument("--epochs", type=int, default=24, metavar="N", help="default: 24")
    command.add_argument("--films", type=int, default=160, metavar="N", help="that the hunter looks at (default: 160)")
    command.add_argument("--limit", type=int, metavar="N", help="use at most N films of each label, drawn at random")
    command.add_argument("--seed", type=int, default=0, help="of the draw, the exchange and the training (default: 0)")
    shared.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hunt, mend, and print both models side by side."""
    from rich.markup import escape

    from core.cli.progress import Bars, epoch_line, say
    from core.errors import RecipeError
    from core.evaluate.scoring import labelled
    from core.hunt import mending
    from core.hunt.hunter import hunt
    from core.hunt.proof import as_table, side
    from core.model.checkpoint import load, save
    from core.model.classifier import Classifier
    from core.training.finish import finish
    from core.training.fit import fit

    old = load(args.checkpoint)
    folder = args.out or Path("runs") / f"{old.card.name}-mended"
    [cohort] = shared.several([args.data], args.layout, args.labels)
    elsewhere = shared.several([args.elsewhere])[0] if args.elsewhere else None  # before hours of training
    if args.limit is not None:
        cohort = cohort.draw(args.limit, args.seed)
        elsewhere = elsewhere and elsewhere.draw(args.limit, args.seed)
    cues = args.cues
    with Bars() as bars:
        if cues is None and set(args.how) != {"evidence"}:
            before = Classifier(old)
            found = hunt(before, labelled(before, cohort), args.films, args.seed, bars)
            cues = list(dict.fromkeys(one.cue for one in found.hypotheses if one.cue))
            if not cues:
                raise RecipeError(f"{found.sentence} There is no cue to mend", "a cue", "Name one with --cues")
            say(escape(f"Found: {', '.join(cues)}"))
        training = mending.begin(old, cohort, args.how, cues or (), folder, args.epochs, args.seed, bars)
        for epoch in fit(training):
            bars.line(epoch_line(epoch))
        new = finish(training)
        home = training.divided.split("test")
        sides = [side(Classifier(c), home, elsewhere, args.films, args.seed, bars) for c in (old, new)]
    told: dict[str, Any] = {
        "from": old.card.name,
        "from_weights": old.weights,
        "how": list(args.how),
        "cues": list(cues or ()),
    }
    told |= {"before": sides[0].to_dict(), "after": sides[1].to_dict()}
    save(replace(new, card=replace(new.card, metrics={**new.card.metrics, "mending": told})), folder)
    say(escape(as_table(*sides)))
    for note in dict.fromkeys([*sides[0].hunted.notes, *sides[1].hunted.notes]):
        say(escape(f"note: {note}"))
    say(f"Written to {escape(str(folder))}")
    return 1 if sides[1].hunted.hypotheses else 0
