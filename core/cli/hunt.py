"""`python -m core hunt CHECKPOINT --data PATH`: what a model goes by that is no disease, as tested hypotheses."""

import argparse
from typing import TYPE_CHECKING

from core.cli import asked

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.hunt.hypothesis import Hunt


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Hunt for shortcuts: what lies away from the lungs, and how films were taken, is pasted from film to film, "
        "places are hidden, concepts and strategies searched, attributes read from the features; ranked, with "
        "intervals. Exit status 1 if anything was found."
    )
    command = subparsers.add_parser("hunt", help="find what a model goes by that is no disease", description=about)
    asked.add(command, "the draw and the pairs")
    command.add_argument("--films", type=int, default=160, metavar="N", help="look at N films at most (default: 160)")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the hypotheses, the strongest first."""
    import json
    from contextlib import nullcontext

    from core.cli.progress import Bars
    from core.data.progress import quiet
    from core.hunt.hunter import hunt

    classifier, cohort, names = asked.opened(args)
    with nullcontext(quiet) if args.json else Bars() as progress:
        found = hunt(classifier, cohort, args.films, args.seed, progress, class_names=names)
    print(json.dumps(found.to_dict(), indent=1, ensure_ascii=False) if args.json else as_text(found, cohort))
    return 1 if found.hypotheses else 0


def as_text(found: "Hunt", cohort: "Cohort") -> str:
    """The outcome, then each hypothesis with its evidence and films, then leads and notes."""
    lines = [f"{found.model} on {found.cohort}", found.sentence]
    for number, one in enumerate(found.hypotheses, start=1):
        lines.append(f"{number}. {one.sentence}")
        lines += [f"   - {told}" for told in one.evidence]
        names = cohort.samples["film_id"].iloc[list(one.examples)]
        lines.append(f"   films: {', '.join(names)}")
    lines += [f"lead: {told}" for told in found.leads]
    lines += [f"note: {told}" for told in found.notes]
    return "\n".join(lines)
