"""MkDocs hooks: tables of the documentation that are made from the code's own."""

from typing import Any

from core.explain.methods import METHODS


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in ``{{ methods }}``."""
    return markdown.replace("{{ methods }}", _methods()) if "{{ methods }}" in markdown else markdown


def _methods() -> str:
    rows = [f"| {m.title} | {m.cost} | {m.shows} | {m.weakness} | {m.paper} |" for m in METHODS.values()]
    return "\n".join(["| method | cost | what it shows | how it misleads | source |", "|---|---|---|---|---|", *rows])
