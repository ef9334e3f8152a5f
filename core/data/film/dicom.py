"""DICOM radiographs: rescale, VOI LUT or window, MONOCHROME1, and a whitelist for what may be known of the patient."""

import re
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from core.data.film.grey import colourfulness, grey_from_deep
from core.data.film.limits import EXPECTED, REMEDY, check_size
from core.data.film.radiograph import Radiograph
from core.errors import FilmError

if TYPE_CHECKING:
    from pydicom import Dataset

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_RADIOGRAPHS = ("CR", "DX", "RG", "PX", "XR", "RF", "OT", "SC", "")
_OLDEST = 90  # higher ages identify people (HIPAA safe harbour)


def read(data: bytes, name: str, digest: str) -> Radiograph:
    """One film from the bytes of a DICOM file; ``digest`` is the SHA-256 of those bytes.

    Raises:
        FilmError: no pixels, several frames, too large, or in a compression that cannot be read here.
    """
    import pydicom

    if _DEFLATED in data[:1024]:  # it would be inflated whole before its size is known
        raise FilmError(f'"{name}" is a deflated DICOM file', "an uncompressed or JPEG DICOM file", REMEDY)
    try:
        dataset = pydicom.dcmread(BytesIO(data), force=True)
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        frames = int(dataset.get("NumberOfFrames") or 1)
        photometric = str(dataset.get("PhotometricInterpretation") or "")
    except Exception:  # hostile bytes make a parser raise almost anything
        raise FilmError(f'"{name}" is a damaged DICOM file', EXPECTED, "Export it again") from None
    if not rows or not columns or "PixelData" not in dataset:
        kind = str(dataset.get("Modality") or "unknown modality")[:16]
        raise FilmError(f'"{name}" is a DICOM file without pixels ({kind})', EXPECTED, "Export the image series")
    if frames > 1:
        raise FilmError(f'"{name}" is a DICOM file of {frames} frames', "one film a file", "Export a single frame")
    check_size(columns, rows, name)
    try:
        pixels, notes, colour = _decode(dataset, photometric)
    except Exception as error:
        kind = getattr(dataset.file_meta.get("TransferSyntaxUID"), "name", "unknown")
        came = f'"{name}" holds pixels that cannot be decoded ({kind})'
        raise FilmError(came, "DICOM pixels, uncompressed or JPEG baseline", REMEDY) from error
    tags = _tags(dataset, photometric)
    if tags.get("modality", "") not in _RADIOGRAPHS:
        notes.append(f"modality {tags['modality']} is no radiograph")
    depth = int(dataset.get("BitsStored") or 8)
    return Radiograph(pixels, name, digest, (rows, columns), depth, "DICOM", tags, tuple(notes), colour)


def _decode(dataset: "Dataset", photometric: str) -> tuple[np.ndarray, list[str], float]:
    """uint8 (H, W), notes, colourfulness."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

    stored = pixel_array(dataset)
    if photometric == "PALETTE COLOR":
        stored = (apply_color_lut(stored, dataset) >> 8).astype(np.uint8)
    if stored.ndim == 3:
        rgb = stored.astype(np.uint8)
        colour = colourfulness(rgb)
        return np.rint(rgb.mean(axis=2)).astype(np.uint8), ["colour averaged to grey"] if colour else [], colour
    notes = []
    values = apply_modality_lut(stored, dataset)
    if "VOILUTSequence" in dataset or "WindowCenter" in dataset:
        values = apply_voi_lut(values, dataset).astype(np.float32)
        span = max(float(np.ptp(values)), 1e-6)
        pixels = np.rint((values - values.min()) * (255 / span)).astype(np.uint8)
        notes.append("windowed as the file asks (VOI LUT)")
    else:
        pixels, note = grey_from_deep(values, int(dataset.get("BitsStored") or 8))
        notes += [note] if note else []
    if photometric == "MONOCHROME1":
        pixels = 255 - pixels
        notes.append("inverted (MONOCHROME1)")
    return pixels, notes, 0.0


def _tags(dataset: "Dataset", photometric: str) -> dict[str, str]:
    """What may leave the file: each value must look like what it claims to be, for people type names anywhere."""
    age = re.fullmatch(r"(\d{1,3})([DWMY]?)", str(dataset.get("PatientAge") or ""))
    years = int(age[1]) / {"D": 365.25, "W": 52.18, "M": 12}.get(age[2], 1) if age else None
    found = {
        "view": _code(dataset.get("ViewPosition")),
        "sex": _code(dataset.get("PatientSex"), "M|F|O"),
        "age": "" if years is None else f"{min(years, _OLDEST):.3g}",
        "photometric": photometric,
        "modality": _code(dataset.get("Modality"), "[A-Z]{2}"),
    }
    return {key: value for key, value in found.items() if value}


def _code(value: object, pattern: str = "AP|PA|LL|RL|LAT|LATERAL|LLO|RLO|LPO|RPO") -> str:
    text = str(value or "").strip().upper()
    return text if re.fullmatch(pattern, text) else ""
