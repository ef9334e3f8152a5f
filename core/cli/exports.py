"""What every command that writes files about films shares: ``--names``."""

import argparse


def add(command: argparse.ArgumentParser) -> None:
    """The argument."""
    help_ = "name files and patients in what is written; without it films are called by the SHA-256 of their bytes"
    command.add_argument("--names", action="store_true", help=help_)
