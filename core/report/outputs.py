"""What the files of an examined film are called: readable, safe on every system, and never those of another film."""

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from core.identity import short

if TYPE_CHECKING:
    from core.examine.examined import Examined


def safe(text: str) -> str:
    """A class's or film's name as a part of a file name: lower-case letters, digits, dot, dash and underscore."""
    return re.sub(r"[^\w.-]+", "-", text.lower()).strip(".-") or "unnamed"


def export_name(what: str, ending: str, *of: str) -> str:
    """The file name of a download: of what (cohort, film, model), what, and the day; none takes another's place."""
    parts = [safe(part) for part in (*of, what) if part]
    return f"{'-'.join(parts)}-{date.today():%Y-%m-%d}.{ending}"


def stems(first: str, classes: Sequence[str]) -> dict[str, str]:
    """The stem of each class's files: "FIRST-CLASS", numbered where two classes would share one ("a b" and "a/b")."""
    found: dict[str, str] = {}
    for name in classes:
        stem, number = f"{first}-{safe(name)}", 1
        while stem in found.values():
            number += 1
            stem = f"{first}-{safe(name)}-{number}"
        found[name] = stem
    return found


def free_stem(folder: Path, name: str, method: str, examined: "Examined") -> str:
    """NAME-METHOD, with the first digits of film or result between where that name is another film's or model's.

    The same film before the model of the same name takes its place again: that is the newer result.
    """
    mine = examined.film.sha256, examined.classifier.card.name
    name = re.sub(r"[^\w.-]+", "-", name).strip("-") or "film"
    candidates = [name, f"{name}-{short(examined.film.sha256)}", f"{name}-{short(examined.key)}"]
    for first in candidates[:-1]:
        if _owner(folder / f"{first}-{method}.json") in (None, mine):
            return f"{first}-{method}"
    return f"{candidates[-1]}-{method}"


def _owner(path: Path) -> tuple[str, str] | None:
    """Film and model that a JSON of this house tells of; None where there is no such file."""
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return str(told["sha256"]), str(told["model"])
    except (ValueError, KeyError, TypeError, OSError):
        return "", ""  # somebody else's: left alone
