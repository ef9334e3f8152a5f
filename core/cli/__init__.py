"""`python -m core data | train | adopt | evaluate | predict | explain | report | ...`: all but pages.

Each command is a module of this package with two functions, ``add(subparsers)`` (its arguments) and ``run(args)``
(its work; returns the exit status). They import what they need inside ``run`` so that ``--help`` answers at once.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from core.errors import HilumError

COMMANDS: tuple[str, ...] = (
    *("data", "augment", "train", "adopt", "calibrate", "evaluate", "predict", "explain", "report", "audit", "serve"),
    *("watch", "strategies", "hunt", "mend"),
)


def parser() -> argparse.ArgumentParser:
    """The whole command line, one subparser per command."""
    root = argparse.ArgumentParser(
        prog="python -m core",
        description="Train, test and explain chest-film classifiers. Research and teaching only, not for diagnosis.",
    )
    subparsers = root.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name in COMMANDS:
        importlib.import_module(f"core.cli.{name}").add(subparsers)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error meant for the reader is one sentence on stderr and exit status 2."""
    args = parser().parse_args(arguments)
    args.given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return args.run(args) or 0
    except HilumError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # the disk is full, a folder may not be written to, a name is too long
        where = f" ({error.filename})" if error.filename else ""
        print(f"{args.command}: {error.strerror or error}{where}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{args.command}: stopped", file=sys.stderr)
        return 130
