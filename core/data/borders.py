"""What stands round the lungs and has nothing to do with disease: border brightness, black frames, burned-in text."""

import numpy as np
from PIL import Image

MEASURES = ("brightness", "contrast", "border_brightness", "border_contrast", "black_share", "text_share", "aspect")

_SIDE = 256
_BORDER = 20  # pixels of 256
_MARKED = 51  # text is looked for this close to an edge, pixels of 256
_STROKE = 9  # pixels of 256; letters are drawn with thinner lines
_BLACK = 8  # grey level
_RISE = 90  # grey levels by which a stroke stands out


def measure(pixels: np.ndarray) -> dict[str, float]:
    """``MEASURES`` of a film uint8 (H, W): grey levels 0 to 255, shares 0 to 1, aspect = width / height.

    ``border`` is the outer 8 % all round; ``text_share`` is the share of the outer 20 % covered by thin bright strokes.
    """
    import cv2

    height, width = pixels.shape
    film = np.asarray(Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0))
    outside = np.ones((_SIDE, _SIDE), bool)
    outside[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    border = film[outside].astype(np.float32)
    marked = np.ones((_SIDE, _SIDE), bool)
    marked[_MARKED:-_MARKED, _MARKED:-_MARKED] = False
    strokes = cv2.morphologyEx(film, cv2.MORPH_TOPHAT, np.ones((_STROKE, _STROKE), np.uint8)) > _RISE
    values = (
        *(film.mean(), film.std(), border.mean(), border.std(), (border <= _BLACK).mean()),
        *(strokes[marked].mean(), width / height),
    )
    return dict(zip(MEASURES, (float(v) for v in values), strict=True))
