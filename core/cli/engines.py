"""What every command that works through many films shares: ``--engine``, ``--workers``, ``--address``."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.run.stream import Engine


def add(command: argparse.ArgumentParser) -> None:
    """The arguments."""
    help_ = "who works through the films: threads of this process, or a Ray cluster (requirements-cluster.txt)"
    command.add_argument("--engine", choices=("threads", "ray"), default="threads", help=help_)
    help_ = "threads, or Ray actors, at a time (default: one for each processor; of Ray one fewer)"
    command.add_argument("--workers", type=int, metavar="N", help=help_)
    help_ = 'of a Ray cluster, e.g. "auto" on one of its machines (default: Ray on this machine, for this run)'
    command.add_argument("--address", default="", help=help_)


def chosen(args: argparse.Namespace) -> "Engine":
    """The engine that the arguments name."""
    if args.engine == "ray":
        from core.run.cluster import Ray

        return Ray(args.workers, args.address)
    from core.run.stream import Threads

    return Threads(args.workers)
