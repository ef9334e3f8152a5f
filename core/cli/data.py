"""`python -m core data PATH`: what is in a cohort. `python -m core data download NAME`: fetch a public one."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import cohorts

if TYPE_CHECKING:
    import pandas as pd

    from core.data.cohort import Cohort

_ADULT = 18  # years


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Show the films of a cohort by class, source and split: a folder, a CSV or Parquet, or phantom. "
        "'data download covid-chestxray' (or radiography, coronahack: they need kagglehub) fetches a public one."
    )
    command = subparsers.add_parser("data", help="show or download a cohort", description=about)
    command.add_argument("path", nargs="+", help="cohorts, or the word download and a collection")
    command.add_argument("--to", type=Path, default=Path("data"), help="folder to download into (default: data)")
    help_ = "look for every file that is named, instead of some of a table of many; exit status 1 if any is missing"
    command.add_argument("--check", action="store_true", help=help_)
    cohorts.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each cohort, or fetch each collection."""
    if args.path[0] == "download":
        return _download(args.path[1:], args.to)
    from core.cli.cohorts import opened

    status = 0
    for cohort in opened(args.path, args.layout, args.labels):
        print(describe(cohort), end="\n\n")
        if args.check:
            told, missing = checked(cohort)
            print(told, end="\n\n")
            status |= bool(missing)
    return int(status)


def checked(cohort: "Cohort") -> tuple[str, int]:
    """Which files that the cohort names are not there, in words, and how many they are."""
    from core.cli.progress import Bars
    from core.data.table import FILES, named

    if cohort.drawn or cohort.fetch is not None:
        return "Check: its films are made, or fetched, when they are asked for.", 0
    lines, missing = [], 0
    with Bars() as bars:
        for column in (name for name in FILES if name in cohort.samples):
            files = [
                file
                for file in cohort.samples[column].tolist()
                if isinstance(file, str) and file and not cohort.is_drawn(file)
            ]
            gone = []
            for number, file in enumerate(files, start=1):
                if not Path(file).is_file():
                    gone.append(file)
                if number % 1000 == 0 or number == len(files):
                    bars(f"looking for the files of {column}", number, len(files))
            missing += len(gone)
            if gone:
                lines.append(f"{column}: {len(gone):,} of {len(files):,} files are missing: {named(gone)}")
            elif files:
                lines.append(f"{column}: all {len(files):,} files are there")
    return "\n".join(f"Check: {line}" for line in lines), missing


def describe(cohort: "Cohort") -> str:
    """Name, size, films by class, source and split, and what the reader noticed."""
    import pandas as pd

    from core.data import findings

    samples = cohort.samples
    files = [Path(p) for p in samples["path"]]
    size = sum(f.stat().st_size for f in files if f.exists()) / 1e6
    patients = samples.loc[samples["patient"] != "", "patient"].nunique()
    unnamed = int((samples["patient"] == "").sum())
    table = pd.crosstab(
        [pd.Categorical(samples["label"], cohort.classes), samples["source"].replace("", "unknown")],
        samples["split"].replace("", "no split"),
        rownames=["class", "source"],
        colnames=[""],
        margins=True,
        margins_name="all",
    )
    head = f"{cohort.name} ({cohort.layout}): {len(cohort):,} films, {size:,.0f} MB, {patients:,} known patients"
    lines = [head + (f", {unnamed:,} films without one" if unnamed else ""), table.to_string()]
    if cohort.findings:
        lines.append(findings.counts(samples).to_string())
    grounds = [f"Layout {cohort.layout}: {cohort.grounds}"] if cohort.grounds else []
    return "\n".join([*lines, *_known(samples), *grounds, *(f"- {note}" for note in cohort.notes)])


def _known(samples: "pd.DataFrame") -> Iterator[str]:
    """View, sex and age of the films, one line each, where any is known."""
    age = samples["age"]
    grown = age.map(lambda years: "under 18" if years < _ADULT else "18 and over").where(age.notna(), "")
    for name, values in (("view", samples["view"]), ("sex", samples["sex"]), ("age", grown)):
        if values.ne("").any():
            counts = values.replace("", "unknown").value_counts()
            yield f"{name}: {', '.join(f'{value} {n:,}' for value, n in counts.items())}"


def _download(names: list[str], folder: Path) -> int:
    from core.cli.progress import Bars, say
    from core.data.download import COLLECTIONS, download
    from core.errors import CohortError

    if not names:
        raise CohortError("No collection was named", " or ".join(COLLECTIONS), "Say: data download covid-chestxray")
    for name in names:
        with Bars() as bars:
            place = download(name, folder, bars)
        say(f"{name} is in {place}")
    return 0
