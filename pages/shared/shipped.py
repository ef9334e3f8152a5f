"""Figures of the Shortcut lab that ship with the weights, because making them takes from minutes to an hour."""

import json
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"
MENDED = WEIGHTS / "mended.json"  # python -m benchmarks.mend --lab FOLDER
BATTERY = WEIGHTS / "battery.json"  # python -m benchmarks.shortcuts --write
CORNERS = WEIGHTS / "without_corners.json"  # python -m benchmarks.corners


def mended(name: str) -> dict[str, Any] | None:
    """Both sides of a model's mending (`core.hunt.proof`); None where it was of other weights, or is not here."""
    from pages.shared import resources  # the benchmarks that write these files need no page

    told = _read(MENDED)
    return told if told and told["from_weights"] == resources.classifier(name).checkpoint.weights else None


def value(side: dict[str, Any], key: str) -> float:
    """A figure of one side of a mending, 0 to 1."""
    found = side[key]
    return float(found["value"] if isinstance(found, dict) else found)


def battery() -> dict[str, Any] | None:
    """What was said of small networks, one for each kind of shortcut, and of clean ones; None if it is not here."""
    return _read(BATTERY)


def without_corners(key: str) -> dict[str, Any] | None:
    """What a model is worth with the corners hidden, by `corners.shipped_key`; None where it was not measured."""
    found: dict[str, Any] | None = (_read(CORNERS) or {}).get(key)
    return found


def _read(path: Path) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found
