"""What every command that opens cohorts shares: ``--layout`` and ``--labels``."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.data.cohort import Cohort

_LAYOUTS = (
    "table, pacs, siim, rsna, mimic, padchest, vindr, chexpert, nih, nih-rsna, coronahack, covid-chestxray, "
    "montgomery-shenzhen, radiography, folders, films"
)


def add(command: argparse.ArgumentParser) -> None:
    """Both arguments."""
    help_ = f"how the cohorts lie on disk ({_LAYOUTS}), instead of as recognised; the films then count as its own"
    command.add_argument("--layout", help=help_)
    help_ = "what labels of the cohorts are called instead, e.g. 0=Normal 1=COVID-19"
    command.add_argument("--labels", nargs="+", default=[], metavar="LABEL=NAME", help=help_)


def opened(paths: Sequence[str], layout: str | None = None, labels: Sequence[str] = ()) -> "list[Cohort]":
    """The cohorts at these paths (of a folder of cohorts each), as the arguments say.

    Raises:
        CohortError: a path is not a cohort, no such layout, or a label that none of them has.
    """
    from core.data.labels import pairs
    from core.data.readers import open_cohorts, renamed

    found = open_cohorts(paths, layout)
    return renamed(found, pairs(labels)) if labels else found


def several(paths: Sequence[str], layout: str | None = None, labels: Sequence[str] = ()) -> "list[Cohort]":
    """One cohort for each path, as the arguments say; a folder of several is refused."""
    from core.data.labels import pairs
    from core.data.readers import open_cohort, renamed

    found = [open_cohort(path, layout) for path in paths]
    return renamed(found, pairs(labels)) if labels else found
