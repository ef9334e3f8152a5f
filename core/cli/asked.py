"""What commands that look into a model over a cohort ask for alike: the model, the films, the classes."""

import argparse
from typing import TYPE_CHECKING

from core.cli import cohorts

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.model.classifier import Classifier


def add(command: argparse.ArgumentParser, drawn: str) -> None:
    """Their arguments.

    Args:
        drawn: what the seed is of, for people.
    """
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument("--data", metavar="PATH", required=True, help="a cohort's folder or table, or phantom")
    command.add_argument("--class", dest="names", nargs="+", metavar="CLASS", help="only these (default: all)")
    command.add_argument("--seed", type=int, default=0, help=f"of {drawn} (default: 0)")
    cohorts.add(command)


def opened(args: argparse.Namespace) -> "tuple[Classifier, Cohort, list[str]]":
    """The model, the films whose label means something to it, and the classes asked about.

    Raises:
        ExplainError: the model has no such class.
    """
    from core.errors import ExplainError
    from core.evaluate.scoring import labelled
    from core.model.classifier import open_classifier

    classifier = open_classifier(args.checkpoint)
    [cohort] = cohorts.several([args.data], args.layout, args.labels)
    names = args.names or list(classifier.classes)
    if unknown := [name for name in names if name not in classifier.classes]:
        raise ExplainError(f"{unknown[0]} came", f"one of {', '.join(classifier.classes)}")
    return classifier, labelled(classifier, cohort), names
