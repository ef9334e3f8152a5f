"""The image pixel module (PS3.3 C.7.6.3), checked before anything is decoded."""

from dataclasses import dataclass

from core.data.film.dicom.attributes import Attributes
from core.data.film.limits import EXPECTED, check_size
from core.errors import FilmError

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"  # Digital X-Ray Image Storage - For Processing


@dataclass(frozen=True)
class PixelHeader:
    """How the pixels lie.

    Args:
        rows, columns: pixels.
        samples: 1 (grey or palette) or 3.
        allocated: bits of the container of a sample: 1, 8, 16 or 32.
        stored: bits of a sample that carry its value, at most ``allocated``.
        high: number of the highest of these bits.
        signed: two's complement.
        photometric: photometric interpretation, one of GREY, PALETTE and COLOUR.
        planar: colours in planes instead of pixel by pixel.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    photometric: str
    planar: bool

    @property
    def lowest(self) -> int:
        """The lowest value that can be stored."""
        return -(2 ** (self.stored - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        """The highest value that can be stored."""
        largest: int = 2 ** (self.stored - self.signed) - 1
        return largest


def read_header(of: Attributes) -> PixelHeader:
    """The checked header.

    Raises:
        FilmError: no pixels, several frames, too large, not meant for display, or attributes that contradict each
            other; the message names the attribute.
    """
    rows, columns = of.integer("Rows") or 0, of.integer("Columns") or 0
    if not rows or not columns or "PixelData" not in of:
        kind = of.text("Modality")[:16] or "unknown modality"
        raise FilmError(f'"{of.name}" is a DICOM file without pixels ({kind})', EXPECTED, "Export the image series")
    frames = of.integer("NumberOfFrames") or 1
    if frames > 1:
        raise several_frames(of.name, frames)
    check_size(columns, rows, of.name)
    if of.text("PresentationIntentType") == "FOR PROCESSING" or of.text("SOPClassUID") == _FOR_PROCESSING:
        came = f'"{of.name}" is a "for processing" film: raw detector values that no one is meant to look at'
        raise FilmError(came, 'the film "for presentation" of the same exposure', "Export that one")
    photometric = of.text("PhotometricInterpretation")
    if photometric not in (*GREY, PALETTE, *COLOUR):
        known = f"one of {', '.join((*GREY, PALETTE, *COLOUR))}"
        raise of.refused("PhotometricInterpretation", photometric or "missing", known)
    wanted = 3 if photometric in COLOUR else 1
    samples = of.integer("SamplesPerPixel") or wanted
    if samples != wanted:
        raise of.refused("SamplesPerPixel", samples, f"{wanted} with {photometric}")
    return PixelHeader(rows, columns, samples, *_bits(of), photometric, bool(of.integer("PlanarConfiguration")))


def several_frames(name: str, frames: int) -> FilmError:
    """The error for a file of more than one picture, declared or not."""
    return FilmError(f'"{name}" is a DICOM file of {frames} frames', "one film per file", "Export a single frame")


def _bits(of: Attributes) -> tuple[int, int, int, bool]:
    """Allocated, stored, high bit, signed (PS3.5 8.1.1)."""
    found = {k: of.integer(k) for k in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")}
    for keyword in ("BitsAllocated", "BitsStored", "PixelRepresentation"):
        if found[keyword] is None:
            raise of.refused(keyword, "missing", f"a {keyword}, which every picture must have")
    allocated, stored, signed = (found[k] or 0 for k in ("BitsAllocated", "BitsStored", "PixelRepresentation"))
    high = found["HighBit"] if found["HighBit"] or stored == 1 else stored - 1
    if allocated not in (1, 8, 16, 32):
        raise of.refused("BitsAllocated", allocated, "1, 8, 16 or 32")
    if not 1 <= stored <= allocated:
        raise of.refused("BitsStored", stored, f"1 to the {allocated} of BitsAllocated")
    if high is None or not stored - 1 <= high < allocated:
        raise of.refused("HighBit", high, f"{stored - 1} to {allocated - 1}, as BitsStored and BitsAllocated ask")
    if signed not in (0, 1):
        raise of.refused("PixelRepresentation", signed, "0 (unsigned) or 1 (signed)")
    return allocated, stored, high, bool(signed)
