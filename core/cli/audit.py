"""`python -m core audit PATH`: duplicates, leaks, confounding and odd films of cohorts, and what they share."""

import argparse
import json
from typing import TYPE_CHECKING

from core.cli import cohorts as shared

if TYPE_CHECKING:
    from core.data.audit.findings import Audit

_MARKS = {True: "pass", False: "FAIL", None: " -- "}


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = "Look for the ways in which cohorts can fool a model; several paths are also compared with each other."
    command = subparsers.add_parser("audit", help="look for leaks and shortcuts in a cohort", description=about)
    command.add_argument("path", nargs="+", help="cohorts: folders, tables, phantom, or a folder of cohorts")
    command.add_argument("--json", action="store_true", help="print JSON, with every film named")
    command.add_argument(
        "--films", type=int, default=5, metavar="N", help="how many films to name per test (default: 5)"
    )
    shared.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each finding; exit status 1 if a test failed."""
    from contextlib import nullcontext

    from core.cli.progress import Bars
    from core.data.audit import audit, audit_across
    from core.data.progress import quiet
    from core.lungs.masks import for_audit, met

    cohorts = shared.opened(args.path, args.layout, args.labels)
    audits = []
    notes: list[list[str]] = []
    for work in (*cohorts, None) if len(cohorts) > 1 else cohorts:
        with nullcontext(quiet) if args.json else Bars() as progress:
            audits.append(audit(work, progress, for_audit()) if work else audit_across(cohorts, progress))
        notes.append([*work.notes, *filter(None, [met(work)])] if work else [])
        if not args.json:
            said = "".join(f"\n- {note}" for note in notes[-1])
            print(_text(audits[-1], args.films) + said, end="\n\n", flush=True)
    if args.json:
        told = [result.to_dict() | {"notes": of} for result, of in zip(audits, notes, strict=True)]
        print(json.dumps(told, indent=1, ensure_ascii=False))
    return 0 if all(result.passed for result in audits) else 1


def _text(result: "Audit", most: int) -> str:
    lines = [f"{result.name}: {result.films:,} films"]
    for finding in result.findings:
        lines.append(f"{_MARKS[finding.passed]}  {finding.title}: {finding.sentence}")
        if finding.passed is not True and finding.films and most:
            more = f" and {len(finding.films) - most:,} more" if len(finding.films) > most else ""
            lines.append(f"      {', '.join(finding.films[:most])}{more}")
    return "\n".join(lines)
