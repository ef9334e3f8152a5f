"""Stored samples to 8 bits of grey."""

import numpy as np


def grey_from_deep(values: np.ndarray, depth: int | None = None) -> tuple[np.ndarray, str]:
    """Samples of more than 8 bits, or real numbers, as uint8 of the same shape, and a note on how.

    Values are scaled by the whole range of the smallest usual depth that holds them (8, 10, 12, 14 or 16 bits, or
    ``depth`` where the file states it), so that equal films stay equal. A film that uses less than a quarter of that
    range would be nearly black: it is stretched between its 0.1 and 99.9 percentiles instead.
    """
    values = np.nan_to_num(values.astype(np.float32))
    highest = float(values.max())
    low, high = (float(v) for v in np.percentile(values, (0.1, 99.9)))
    bits = next((b for b in (depth or 8, 8, 10, 12, 14, 16) if highest < 2**b), None)
    top = 1.0 if 0.0 < highest <= 1.0 else float(2**bits - 1) if bits else 0.0
    if float(values.min()) >= 0.0 and top and high - low >= top / 4:
        low, high = 0.0, top
        note = "" if top == 255.0 else f"values 0 to {top:g} scaled to 8 bits"
    else:
        note = f"values {low:g} to {high:g} (0.1 to 99.9 percentile) stretched to 8 bits"
    scaled = (values - low) * (255.0 / max(high - low, 1e-6))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8), note


def colourfulness(rgb: np.ndarray) -> float:
    """Mean saturation of uint8 (H, W, 3), 0 to 1, read off every fourth row and column."""
    some = rgb[::4, ::4]
    return float((some.max(axis=2) - some.min(axis=2)).mean() / 255)
