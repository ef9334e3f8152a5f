"""Notes on a cohort, in a sentence each: what was left out, joined or renamed, counted and then named.

A note that names files does so behind a colon, and its count stands before it, so that it can be told without them.
"""

import re

_COUNTED = re.compile(r"((?:^|: )\d[\d,]* [^:]*): .*", re.DOTALL)
UNNAMED = "their names are left out here"


def note_without_names(note: str, names: bool = False) -> str:
    """A note of a cohort's reader ("3 files left out (empty): a.png, b.png, c.png") without the files' names."""
    return note if names else _COUNTED.sub(rf"\1 ({UNNAMED})", note)
