"""What a card's headline pools, in a sentence for the sidebar: light, as every page asks. See `core.evaluate.parts`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.model.card import Card

PARTS = "parts"  # key of a card's metrics
COLUMNS = ("age group", "source")
_NUMBERS = ("accuracy", "low", "high", "films")


def pooled(card: "Card") -> str:
    """Accuracy by age group, else by source; "" where the card keeps nothing of the sort: cards come from anybody."""
    kept = card.metrics.get(PARTS)
    rows = [row for row in kept if isinstance(row, Mapping)] if isinstance(kept, list) else []
    rows = [row for row in rows if isinstance(row.get("name"), str) and all(_number(row.get(key)) for key in _NUMBERS)]
    for column in COLUMNS:
        told = [
            f"{row['name']} {row['accuracy']:.2f} [{row['low']:.2f}, {row['high']:.2f}] ({row['films']:,} films)"
            for row in rows
            if row.get("column") == column
        ]
        if len(told) > 1:
            return f"Its accuracy on its own test films, by {column}: {', '.join(told)}."
    return ""


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
