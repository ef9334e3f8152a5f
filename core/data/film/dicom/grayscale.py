"""Stored values -> grey, as PS3.3 asks: modality LUT (C.11.1), VOI LUT (C.11.2), presentation LUT (C.11.6).

Every step is a function of values alone, so it is worked out once for each value that the stored bits can take and
looked up for the pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data.film.dicom.attributes import Attributes
from core.data.film.dicom.header import PixelHeader
from core.data.film.grey import film_range

Curve = Callable[[np.ndarray], np.ndarray]  # float64 of any shape -> float64 of the same shape
_TABLE_BITS = 16


@dataclass(frozen=True, eq=False)
class Lut:
    """A lookup table (PS3.3 C.11.1.1.1).

    Args:
        entries: float64 (N,), 0 to ``top``.
        first: the input that the first entry belongs to; smaller inputs get the first entry, larger ones the last.
        top: the highest output that its bits can hold.
    """

    entries: np.ndarray
    first: int
    top: int

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values -> outputs, 0 to ``top``."""
        index = np.clip(np.trunc(values) - self.first, 0, len(self.entries) - 1)
        looked_up: np.ndarray = self.entries[index.astype(np.int64)]
        return looked_up


def grey(stored: np.ndarray, of: Attributes, header: PixelHeader) -> tuple[np.ndarray, list[str]]:
    """Stored values (rows, columns) -> uint8 of that shape, and what was done."""
    modality, bounds, notes = read_modality(of, header)
    voi, note = read_voi(of, signed=min(bounds) < 0)
    notes += note
    if voi is None:
        low, high, note = _declared_range(stored, of, header, modality, bounds)
        voi = _stretch(low, high)
        notes += note
    inverse, note = read_polarity(of, header)
    notes += note

    def shown(values: np.ndarray) -> np.ndarray:
        share = np.clip(voi(modality(values.astype(np.float64))), 0.0, 1.0)
        return np.rint(255.0 * (1.0 - share if inverse else share)).astype(np.uint8)

    if header.stored > _TABLE_BITS:
        return shown(stored), notes
    table = shown(np.arange(header.lowest, header.highest + 1))
    return table[stored - header.lowest], notes


def linear_values(
    stored: np.ndarray, of: Attributes, header: PixelHeader
) -> tuple[np.ndarray, bool, tuple[float, float] | None]:
    """Stored values (rows, columns) -> after the modality step, in that shape; whether the lowest is white; the window.

    The window (centre, width) is the one asked for, as LINEAR_EXACT would have it; None where there is none, or where a
    table or a curve stands in its place.
    """
    modality, _, _ = read_modality(of, header)
    if header.stored > _TABLE_BITS:
        found = modality(stored.astype(np.float64))
    else:
        found = modality(np.arange(header.lowest, header.highest + 1, dtype=np.float64))[stored - header.lowest]
    centre, width = of.number("WindowCenter"), of.number("WindowWidth")
    function = of.text("VOILUTFunction") or "LINEAR"
    window = None
    if centre is not None and width is not None and width > 1.0 and not of.items("VOILUTSequence"):
        window = {"LINEAR": (centre - 0.5, width - 1.0), "LINEAR_EXACT": (centre, width)}.get(function)
    return found, read_polarity(of, header)[0], window


def read_modality(of: Attributes, header: PixelHeader) -> tuple[Curve, tuple[float, float], list[str]]:
    """Modality LUT or rescale (C.11.1), its outputs for the lowest and the highest stored value, and notes."""
    tables = of.items("ModalityLUTSequence")
    if tables:
        lut = read_lut(tables[0], header.signed)
        return lut, (0.0, float(lut.top)), ["modality LUT applied"]
    slope, intercept = of.number("RescaleSlope"), of.number("RescaleIntercept")
    notes = []
    if slope == 0.0 or (slope is None) != (intercept is None):
        given = f"RescaleSlope {_said(slope)}, RescaleIntercept {_said(intercept)}"
        notes = [f"{given}: not applied"]
        slope = None
    if slope is None or intercept is None:
        return lambda values: values, (float(header.lowest), float(header.highest)), notes
    m, b = slope, intercept
    return lambda values: m * values + b, (m * header.lowest + b, m * header.highest + b), notes


def read_voi(of: Attributes, signed: bool) -> tuple[Curve | None, list[str]]:
    """The first VOI LUT or else the first window (C.11.2): values -> share of white, 0 to 1; None without either."""
    tables = of.items("VOILUTSequence")
    if tables:
        lut = read_lut(tables[0], signed)
        return lambda values: lut(values) / lut.top, ["windowed as the file asks (VOI LUT)"]
    centre, width = of.number("WindowCenter"), of.number("WindowWidth")
    function = of.text("VOILUTFunction") or "LINEAR"
    if centre is None or width is None:
        return None, []
    notes = []
    if function not in WINDOWS:
        notes.append("unknown VOILUTFunction read as LINEAR")
        function = "LINEAR"
    if width <= 0.0 or (width < 1.0 and function == "LINEAR"):
        return None, [*notes, f"WindowWidth {width:g} is not a window: not applied"]
    window = WINDOWS[function]
    c, w = centre, width
    notes.append(f"windowed as the file asks (VOI LUT function {function}, {c:g} and {w:g})")
    return lambda values: window(values, c, w), notes


def linear(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.2.1: the share of white, 0 to 1, before clipping; width at least 1."""
    if width == 1.0:
        return (values > centre - 0.5).astype(np.float64)
    return (values - (centre - 0.5)) / (width - 1.0) + 0.5


def linear_exact(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.3.2."""
    return (values - centre) / width + 0.5


def sigmoid(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """C.11.2.1.3.1."""
    return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0)))


WINDOWS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


def read_polarity(of: Attributes, header: PixelHeader) -> tuple[bool, list[str]]:
    """Whether the lowest value is white: the presentation LUT shape says it, or else the photometric interpretation.

    INVERSE goes with MONOCHROME1 and IDENTITY with MONOCHROME2 (C.11.6.1.2). Where they disagree the shape counts, as
    in dcmtk, and a note says so.
    """
    shape, first = of.text("PresentationLUTShape"), header.photometric == "MONOCHROME1"
    inverse = shape == "INVERSE" if shape in ("IDENTITY", "INVERSE") else first
    notes = []
    if inverse != first:
        notes.append(f"the file contradicts itself: {header.photometric} with PresentationLUTShape {shape}")
    if inverse:
        notes.append(f"inverted ({'MONOCHROME1' if first else 'PresentationLUTShape INVERSE'})")
    return inverse, notes


def read_lut(of: Attributes, signed: bool) -> Lut:
    """The LUT of an item of a modality or VOI LUT sequence; ``signed``: its inputs may be negative.

    Raises:
        FilmError: LUTDescriptor or LUTData is missing or contradicts the other.
    """
    descriptor = _words(of, "LUTDescriptor")
    if len(descriptor) != 3:
        raise of.unreadable("LUTDescriptor")
    count, first, bits = (int(v) & 0xFFFF for v in descriptor)
    count = count or 2**16
    first -= 2**16 if signed and first >= 2**15 else 0
    if not 1 <= bits <= 16:
        raise of.refused("LUTDescriptor", f"of {bits} bits", "8 to 16 bits per entry")
    entries = _words(of, "LUTData") & 0xFFFF
    if len(entries) < count and len(entries) == (count + 1) // 2:  # two entries of 8 bits per word
        entries = np.frombuffer(entries.astype("<u2").tobytes(), np.uint8)
    if len(entries) < count:
        raise of.refused("LUTData", f"of {len(entries)} entries", f"the {count} of LUTDescriptor")
    top = 2**bits - 1
    return Lut((entries[:count] & top).astype(np.float64), first, top)


def _words(of: Attributes, keyword: str) -> np.ndarray:
    """A value of US, SS or OW as int64 (N,)."""
    value = of.raw(keyword)
    if isinstance(value, bytes):
        return np.frombuffer(value[: len(value) // 2 * 2], "<u2").astype(np.int64)
    return np.array(of.numbers(keyword), np.int64)


def _declared_range(
    stored: np.ndarray, of: Attributes, header: PixelHeader, modality: Curve, bounds: tuple[float, float]
) -> tuple[float, float, list[str]]:
    """Black and white of a film without a window, after the modality step, and notes.

    The stored bits say it, and a range of stored values is carried through the modality step like the film itself.
    """
    inside = stored
    padding = of.integer("PixelPaddingValue")
    if padding is not None:
        limit = of.integer("PixelPaddingRangeLimit")
        ends = [_signed(v, header) for v in (padding, padding if limit is None else limit)]
        film = stored[(stored < min(ends)) | (stored > max(ends))]
        inside = film if film.size else stored
    low, high, note = film_range(modality(inside.astype(np.float64)), (min(bounds), max(bounds)))
    return low, high, [note] if note else []


def _signed(value: int, header: PixelHeader) -> int:
    """A value of US or SS, which files confuse, as this film's samples are meant (C.7.5.1.1.2)."""
    bits = header.allocated
    return value - (1 << bits) if header.signed and value >= 1 << (bits - 1) else value


def _stretch(low: float, high: float) -> Curve:
    return lambda values: (values - low) / max(high - low, 1e-9)


def _said(value: float | None) -> str:
    return "missing" if value is None else f"{value:g}"
