"""Tables that leave the building as CSV, and what they may say of a file's name.

File names carry patients' names more often than not, so what is exported calls a film by the first digits of the
SHA-256 of its bytes unless its owner asks for names. A cell that a spreadsheet would take for a formula is defused, and
the file begins with the mark by which Excel knows UTF-8.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from core import identity

MARK = "\ufeff"  # byte order mark
_FORMULA = ("=", "+", "-", "@")


def called(name: str, sha256: str, names: bool = False) -> str:
    """What an export calls a film: ``film-`` and the first digits of its hash, or its name if that was asked for."""
    return name if names or not sha256 else f"film-{identity.short(sha256)}"


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV with a heading, lines ended by a newline; numbers stay numbers, text can be no formula."""
    text = StringIO()
    table = csv.DictWriter(text, fieldnames=[_defused(name) for name in columns], lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({_defused(name): _defused(row.get(name, "")) for name in columns})
    return MARK + text.getvalue()


def _defused(cell: Any) -> Any:
    """A text cell with a quote before what would start a formula (OWASP, CSV injection)."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")  # a bare carriage return would end the row for some readers
    return f"'{text}" if text.lstrip().startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
