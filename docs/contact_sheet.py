"""The README's contact sheet: drawn films of four classes at three severities, their masks outlined.

Run from the repository: ``python -m docs.contact_sheet`` writes docs/phantoms.png.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from core.data.phantom import CLASSES, Acquisition, Finding, Patient, draw
from core.report.overlay import LUNGS, TRUTH, outline

SEVERITIES = {"mild": 0.25, "moderate": 0.5, "severe": 0.9}
SIDE, GAP, HEAD = 224, 6, 22
COLOURS = 64  # of the palette; the films are grey, the rest are the outlines


def film(name: str, severity: float, seed: int) -> np.ndarray:
    """One film with its lungs and its finding outlined, RGB uint8 (SIDE, SIDE, 3)."""
    phantom = draw(Patient.random(seed), Finding(name, severity, seed), Acquisition.random(seed), SIDE)
    image = np.repeat(phantom.pixels[..., None], 3, axis=2)
    image = outline(image, phantom.lungs, LUNGS, thickness=1)
    return outline(image, phantom.lesion, TRUTH, thickness=1)


def sheet() -> Image.Image:
    """All films in a grid, a column a class, a row a severity."""
    width = len(CLASSES) * (SIDE + GAP) - GAP
    height = HEAD + len(SEVERITIES) * (SIDE + HEAD + GAP) - GAP
    page = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    for column, name in enumerate(CLASSES):
        left = column * (SIDE + GAP)
        pen.text((left + SIDE / 2, HEAD / 2), name, "black", anchor="mm", font_size=14)
        for row, (band, severity) in enumerate(SEVERITIES.items()):
            top = HEAD + row * (SIDE + HEAD + GAP)
            page.paste(Image.fromarray(film(name, severity, 41 + 10 * row + column)), (left, top))
            caption = "no finding" if name == "Normal" else f"{band}, severity {severity}"
            pen.text((left + SIDE / 2, top + SIDE + HEAD / 2), caption, "#555555", anchor="mm", font_size=12)
    return page.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    target = Path(__file__).with_name("phantoms.png")
    sheet().save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size / 1024:.0f} KB")
