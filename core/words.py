"""Names in a sentence, the same way everywhere."""

from collections.abc import Sequence


def joined(names: Sequence[str], last: str = "and") -> str:
    """ "Effusion, Edema and Mass"; ``last`` is the word before the last name; "" of no names."""
    *others, final = names or [""]
    return f"{', '.join(others)} {last} {final}" if others else final
