"""What a figure is about: one class, or a total of several."""

from enum import Enum


class Total(Enum):
    """A scope of several classes; no class name equals it, not even "all films"."""

    MACRO = "macro avg"
    WEIGHTED = "weighted avg"
    OVERALL = "all films"

    def __str__(self) -> str:
        return self.value


Scope = str | Total  # the name of a class, or a total
MACRO, WEIGHTED, OVERALL = Total.MACRO, Total.WEIGHTED, Total.OVERALL


def kind(scope: Scope) -> str:
    """``total`` or ``class``."""
    return "total" if isinstance(scope, Total) else "class"
