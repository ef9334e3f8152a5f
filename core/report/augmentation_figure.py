"""A figure of augmentations: one film's draws, a row for each step by its name, and a last one for the whole chain."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.report.overlay import enlarge
from core.transform.augment import Augment, Drawn, Step

DRAWS, SIDE = 6, 160  # pictures in a row, and the side of each in pixels
GAP, CAPTION, NAMES = 6, 18, 150  # pixels between pictures, below each, and for the names on the left
INK, FAINT = 0, 90  # grey of names and captions on white
ALL = "All of them"


def figure(picture: np.ndarray, steps: Sequence[Step], draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """The figure as grey uint8 (H, W).

    Args:
        picture: the film as the model sees it, uint8 (S, S).
        steps: the chain; the first row is the film as it is.
        draws: pictures in a row; below each stand the numbers that were drawn.
        seed: the same seed makes the same draws.
    """
    from PIL import Image, ImageDraw, ImageFont

    rows = [("As it is", [(picture, "")])]
    rows += [(name, _draws(picture, chain, draws, seed)) for name, chain in _rows(steps)]
    width = NAMES + draws * (SIDE + GAP)
    page = Image.new("L", (width, len(rows) * (SIDE + CAPTION + GAP)), 255)
    pen, large, small = ImageDraw.Draw(page), ImageFont.load_default(15), ImageFont.load_default(11)
    for number, (name, shown) in enumerate(rows):
        top = number * (SIDE + CAPTION + GAP)
        pen.multiline_text((GAP, top + GAP), _wrapped(name, NAMES - 2 * GAP, large), INK, large)
        for column, (changed, caption) in enumerate(shown):
            left = NAMES + column * (SIDE + GAP)
            page.paste(Image.fromarray(_square(changed)), (left, top))
            pen.text((left, top + SIDE + 2), _cut(caption, SIDE, small), FAINT, small)
    return np.asarray(page)


def _rows(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    """The name of each row and its chain; a step that some draws pass over is always applied in its own row."""
    alone = [(step.augmentation.title, [Step(step.name, step.values)]) for step in steps]
    return alone if len(steps) < 2 else [*alone, (ALL, list(steps))]


def _draws(picture: np.ndarray, steps: list[Step], draws: int, seed: int) -> list[tuple[np.ndarray, str]]:
    augment, generator = Augment(steps), torch.Generator().manual_seed(seed)
    found = [augment.draw(generator) for _ in range(draws)]
    return [(Augment.replay(picture, drawn), _numbers(drawn) if len(steps) == 1 else "") for drawn in found]


def _numbers(drawn: Sequence[Drawn]) -> str:
    """The values that were drawn from a range, rounded."""
    one = drawn[0]
    free = [(key, one.values[key]) for key, value in one.step.settings.items() if isinstance(value, tuple)]
    return ", ".join(f"{key} {value:.3g}" for key, value in free)


def _square(picture: np.ndarray) -> np.ndarray:
    import cv2

    if picture.shape[0] > SIDE:
        return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return enlarge(picture, SIDE)


def _wrapped(text: str, width: int, font: Any) -> str:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _cut(text: str, width: int, font: Any) -> str:
    while font.getlength(text) > width:
        text = text[:-2] + "…"
    return text
