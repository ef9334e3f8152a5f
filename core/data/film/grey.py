"""Which stored value is black and which is white where a file does not say so, and samples to 8 bits of grey."""

import numpy as np

_USUAL = (8, 10, 12, 14, 16)  # bits
_GAP = 1 / 8  # of the range: what lies beyond so wide a gap is a label or padding, not film
_STRAY = 0.01  # share of pixels that may lie beyond the depth
_BINS, _SAMPLE = 1024, 500_000
_MOST, _TONES = 0.3, 8  # share of pixels and number of filled bins that a film has at least
_NARROW = 1 / 4  # of a depth: what uses less would be nearly black


def grey_from_deep(values: np.ndarray) -> tuple[np.ndarray, str]:
    """Samples of more than 8 bits, or real numbers, as uint8 of the same shape, and a note on how. NaN is black."""
    whole = values.dtype.kind in "iu" and int(values.min()) >= 0 and int(values.max()) < 2**16
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high, note = film_range(values, (0.0, 65535.0) if whole else None)
    scaled = (values - low) * (255.0 / max(high - low, 1e-9))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8), note


def film_range(values: np.ndarray, declared: tuple[float, float] | None) -> tuple[float, float, str]:
    """Black and white of a film without a window, and a note on how they were found.

    In this order, so that neither a burned-in label nor padding nor a hot pixel moves them, and a film in 8 bits and
    its copy in 16 get the same grey:

    - the declared range, where the film uses a quarter of it, where that is 8 bits or less, and where the samples are
      those of an 8-bit film times 256 or 257;
    - 0 to the top of the smallest usual depth (8, 10, 12, 14 or 16 bits; 1 for fractions) that holds all but a
      hundredth of the film, where the film uses a quarter of it; the same below zero;
    - the film's own 0.1 and 99.9 percentiles.

    Args:
        values: samples of any shape, finite, after the modality step.
        declared: lowest and highest value that the file can hold, after the modality step; None where it holds
            real numbers or integers of 32 bits, whose type says nothing.
    """
    inside = _film(values)
    if declared is not None:
        bottom, top = declared
        used = float(np.ptp(inside)) / max(top - bottom, 1e-9)
        if top - bottom <= 255.0 or used >= _NARROW or (declared == (0.0, 65535.0) and _eight_bits_in_sixteen(values)):
            return bottom, top, "" if declared == (0.0, 255.0) else f"values {bottom:g} to {top:g} scaled to 8 bits"
    low, high = (float(v) for v in np.quantile(inside, (_STRAY, 1.0 - _STRAY)))
    side = 1.0 if float(inside.min()) >= 0.0 else -1.0 if float(inside.max()) <= 0.0 else 0.0
    furthest = max(high, -low)
    usual = next((2.0**bits - 1.0 for bits in _USUAL if furthest < 2.0**bits), None)
    if declared is None and furthest <= 1.0:
        usual = 1.0
    if side and usual and high - low >= _NARROW * usual:
        note = "" if usual == 255.0 else f"values 0 to {side * usual:g} scaled to 8 bits"
        return min(0.0, side * usual), max(0.0, side * usual), note
    low, high = (float(v) for v in np.quantile(inside, (0.001, 0.999)))
    return low, high, f"values {low:g} to {high:g} (0.1 to 99.9 percentile) stretched to 8 bits"


def _film(values: np.ndarray) -> np.ndarray:
    """A sample of the values without labels and padding: of the parts between wide gaps the one with most tones."""
    flat = values.ravel()
    some = flat[:: max(1, flat.size // _SAMPLE)]
    low, high = float(some.min()), float(some.max())
    if high <= low:
        return some
    bins = ((some - low) * ((_BINS - 1) / (high - low))).astype(np.int32)
    counts = np.bincount(bins, minlength=_BINS)
    filled = np.flatnonzero(counts > some.size * 2e-5)  # the blurred rim of a label does not bridge a gap
    parts = np.split(filled, np.flatnonzero(np.diff(filled) > _GAP * _BINS) + 1)
    large = [part for part in parts if counts[part].sum() >= _MOST * some.size and len(part) >= _TONES]
    if not large:
        return some
    film = max(large, key=len)
    kept: np.ndarray = some[(bins >= film[0]) & (bins <= film[-1])]
    return kept


def _eight_bits_in_sixteen(values: np.ndarray) -> bool:
    return not np.mod(values, 257).any() or not np.mod(values, 256).any()


def colourfulness(rgb: np.ndarray) -> float:
    """Mean saturation of uint8 (H, W, 3), 0 to 1, read off every fourth row and column."""
    some = rgb[::4, ::4]
    return float((some.max(axis=2) - some.min(axis=2)).mean() / 255)
