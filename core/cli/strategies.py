"""`python -m core strategies CHECKPOINT --data PATH`: what a model goes by, which nobody had to name."""

import argparse
from typing import TYPE_CHECKING

from core.cli import asked

if TYPE_CHECKING:
    from core.examine.concepts import Found


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Find the concepts (directions of the last feature map) and the strategies (clusters of heatmaps) behind each "
        "answer of a model on a cohort, and how far each lies in the lungs against what chance would give. Exit "
        "status 1 if one that the model relies on shuns the lungs."
    )
    command = subparsers.add_parser("strategies", help="find what a model goes by", description=about)
    asked.add(command, "the draw and the factorisation")
    command.add_argument("--concepts", type=int, default=6, metavar="N", help="concepts for each class (default: 6)")
    command.add_argument("--strategies", type=int, metavar="N", help="clusters of heatmaps (default: as they fall)")
    command.add_argument("--limit", type=int, metavar="N", help="use at most N films of each label, drawn at random")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each class's concepts and strategies."""
    from rich.markup import escape

    from core.cli.progress import Bars, say
    from core.errors import ExplainError
    from core.examine.concepts import of_class

    classifier, cohort, names = asked.opened(args)
    if args.limit:
        cohort = cohort.draw(args.limit, args.seed)
    suspects = 0
    for name in names:
        try:
            with Bars() as bars:
                told = lambda done, total, name=name: bars(name, done, total)  # noqa: E731 - a bar for each class
                found = of_class(classifier, cohort, name, args.concepts, args.strategies, args.seed, told)
        except ExplainError as error:
            say(escape(f"{name}: {error}"))
            continue
        print(as_text(found))
        suspects += sum(c.suspect for c in found.concepts) + sum(s.suspect for s in found.strategies)
    return 1 if suspects else 0


def as_text(found: "Found") -> str:
    """Concepts with their share of the relevance and what they are tied to, then strategies."""
    lines = [f"{found.class_name}, {len(found.films)} films called so"]
    for concept, tied in zip(found.concepts, found.ties, strict=True):
        mark = "SUSPECT" if concept.suspect else f"{concept.share:7.0%}"
        lines.append(f"  {mark}  concept {concept.number}: {concept.sentence}")
        clear = tied[((tied["low"] > 1) | (tied["high"] < 1)) & concept.relied_on].head(2)
        lines += [
            f"           films that show it have {row.column} {row.value}: odds ratio {row.odds_ratio:.1f} "
            f"[{row.low:.1f}, {row.high:.1f}]"
            for row in clear.itertuples()
        ]
    for number, one in enumerate(found.strategies, start=1):
        mark = "SUSPECT" if one.suspect else f"{len(one.films):3d} maps"
        lines.append(
            f"  {mark}  strategy {number} ({len(one.films)} films): {one.zone}; {one.lung_share:.2f} "
            f"[{one.low:.2f}, {one.high:.2f}] of the evidence inside the lungs, where {one.lung_area:.2f} is lung"
        )
    return "\n".join(lines)
