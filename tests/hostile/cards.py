"""Checkpoint folders that somebody sent: a good one, broken in every way that was tried."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

Break = Callable[[dict[str, Any]], Any]


def broken_cards(card: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """(what is wrong, bytes of card.json), of a card that must not be believed."""
    text = json.dumps(card).encode()
    for share in (0.0, 0.1, 0.5, 0.9):
        yield f"cut off at {share:.0%}", text[: int(len(text) * share)]
    yield "bytes", bytes(range(256))
    yield "a list", b"[]"
    yield "a number", b"7"
    yield "nested too deep", b"[" * 100_000
    for name in ("name", "title", "classes", "network", "preprocess", "recipe", "parameters", "created"):
        yield f"no {name}", _with(card, lambda c, name=name: c.pop(name))
    for name in card:
        for wrong in _WRONG.get(name, _WRONG_ANYWAY):
            yield f"{name} is {str(wrong)[:40]}", _with(card, lambda c, name=name, wrong=wrong: c.update({name: wrong}))
    for part, name, wrong in _WRONG_INSIDE:
        yield (
            f"{part}.{name} is {wrong}",
            _with(card, lambda c, p=part, n=name, w=wrong: c.update({p: {**c.get(p, {}), n: w}})),
        )


def _with(card: dict[str, Any], change: Break) -> bytes:
    copy = json.loads(json.dumps(card))
    change(copy)
    return json.dumps(copy).encode()


_WRONG_ANYWAY: tuple[Any, ...] = (None, 7, [1])
_WRONG: dict[str, tuple[Any, ...]] = {
    "classes": (None, "AB", [], ["A", "A"], ["A", ""], ["A", 2], [str(n) for n in range(10_000)]),
    "temperature": (None, "1", 0, -1, math.nan, math.inf, 1e9, True, [1]),
    "output": (None, "softmin", 7, ["sigmoid"]),
    "platt": (None, [], {"A": 1}, {"A": [1]}, {"A": [0, 0]}, {"A": [1, math.nan]}, {"A": [1, 1e9]}, {"Z": [1, 0]}),
    "parameters": (None, -1, "many"),
    "history": (None, {}, [None], "x"),
    "thresholds": (None, [], {"A": 2}, {"A": -0.1}, {"A": "x"}, {"A": math.nan}, {"Z": 0.5}),
    "weights_sha256": (None, "abc", 7, "0" * 64),
    "network": (None, "unheard_of", 7),
    "name": (None, 7, ["x"]),
}
_WRONG_INSIDE: tuple[tuple[str, str, Any], ...] = (
    ("preprocess", "std", [0, 0, 0]),
    ("preprocess", "std", [0.2]),
    ("preprocess", "std", [math.nan] * 3),
    ("preprocess", "mean", "grey"),
    ("preprocess", "size", "224"),
    ("preprocess", "size", 10**9),
    ("preprocess", "size", 224.5),
    ("preprocess", "contrast", "louder"),
    ("preprocess", "contrast", ["none"]),
    ("preprocess", "unheard_of", 1),
    ("conformal", "level", 2.0),
    ("conformal", "limits", {"nobody": 0.5}),
    ("triage", "negative", "nobody"),
    ("data", "name", None),
    ("data", "layout", 5),
    ("data", "sources", None),
    ("data", "splits", {"train": None}),
    ("domain", "limits", None),
    ("domain", "limits", {"view": {"centre": "x", "warn": 1, "refuse": 2}}),
    ("domain", "limits", {"view": {"centre": 1}}),
    ("recipe", "labels", None),
)
