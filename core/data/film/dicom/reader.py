"""One film from the bytes of a DICOM file: the order of the steps, and what may be known of the patient."""

import re
from collections.abc import Callable

import numpy as np

from core.data.film.dicom.attributes import Attributes
from core.data.film.dicom.geometry import read_aspect, read_spacing, square
from core.data.film.dicom.grayscale import grey, linear_values
from core.data.film.dicom.header import GREY, PALETTE, PixelHeader, read_header
from core.data.film.dicom.parsing import parse
from core.data.film.dicom.samples import read_samples
from core.data.film.dicom.view import read_body_part, read_hanging, read_view
from core.data.film.grey import colourfulness
from core.data.film.limits import EXPECTED, Room, unlimited
from core.data.film.radiograph import Radiograph
from core.data.film.turn import AS_STORED, Turn
from core.data.film.values import Values, Window
from core.errors import FilmError, HilumError

_RADIOGRAPHS = ("CR", "DX", "RG", "PX", "XR", "RF", "OT", "SC", "")
_OLDEST = 90  # higher ages identify people (HIPAA safe harbour)


def read(data: bytes, name: str, digest: str, room: Room = unlimited) -> Radiograph:
    """One film from the bytes of a DICOM file; ``digest`` is the SHA-256 of those bytes, ``room`` as in `opener`.

    Raises:
        FilmError: no pixels, several frames, too large, not meant for display, or an attribute or codestream that
            cannot be read; the message names it.
    """
    return _read(data, name, digest, room)[0]


def read_with_values(data: bytes, name: str, digest: str, room: Room = unlimited) -> tuple[Radiograph, Values]:
    """The same, and the film's values before they are windowed; of a colour film those of its grey."""
    film, values = _read(data, name, digest, room)
    return film, values()


def _read(data: bytes, name: str, digest: str, room: Room) -> tuple[Radiograph, Callable[[], Values]]:
    dataset, syntax = parse(data, name)
    of = Attributes(dataset, name)
    try:
        return _film(of, syntax, digest, room)
    except HilumError:
        raise
    except Exception as error:  # a fault that no check foresaw is still the file's
        raise FilmError(f'"{name}" is a damaged DICOM file', EXPECTED, "Export it again") from error


def _film(of: Attributes, syntax: str, digest: str, room: Room) -> tuple[Radiograph, Callable[[], Values]]:
    header = read_header(of)
    room(header.rows * header.columns)
    stored = read_samples(of, header, syntax)
    aspect = read_aspect(of)
    if header.photometric in GREY:
        pixels, notes = grey(stored, of, header)
        colour = 0.0
    else:
        rgb = _rgb(stored, of, header)
        colour = colourfulness(rgb)
        pixels = np.rint(rgb.mean(axis=2)).astype(np.uint8)
        notes = ["colour averaged to grey"] if colour else []
    pixels, note = square(pixels, aspect, of.name)
    notes += [note] if note else []
    tags, said, turn = _tags(of, header.photometric)
    if tags.get("modality", "") not in _RADIOGRAPHS:
        said.append(f"modality {tags['modality']} is not a radiograph")
    spacing, note = read_spacing(of, header.rows, header.columns, float(tags["age"]) if "age" in tags else None)
    said += [note] if note else []
    shape, depth = (header.rows, header.columns), header.stored
    notes, pixels = [*notes, *said], turn.shown(pixels)
    film = Radiograph(pixels, of.name, digest, shape, depth, "DICOM", tags, tuple(notes), colour, spacing, turn)

    name = of.name  # Values must not hold the data set

    def values() -> Values:
        if header.photometric not in GREY:
            return Values(film.turn.stored(film.pixels), turn=turn)
        found, inverse, window = linear_values(stored, of, header)
        asked = None if window is None else Window(*window)
        return Values(found, inverse, asked, lambda shown: square(shown, aspect, name)[0], turn)

    return film, values


def _rgb(stored: np.ndarray, of: Attributes, header: PixelHeader) -> np.ndarray:
    """Stored colours (rows, columns, 3), or indices (rows, columns) -> uint8 RGB (rows, columns, 3)."""
    from pydicom.pixels.processing import apply_color_lut, convert_color_space

    if header.photometric == PALETTE:
        try:
            looked_up = apply_color_lut(stored, of.dataset)
        except Exception as error:
            raise of.unreadable("PaletteColorLookupTable") from error
        # Tables of 8 bits in containers of 16 are common, whatever their descriptor says.
        deep = looked_up.dtype.itemsize > 1 and int(looked_up.max()) > 255
        return (looked_up >> 8 if deep else looked_up).astype(np.uint8)[..., :3]
    top = 2**header.stored - 1
    colours: np.ndarray = np.rint(stored.clip(0, top) * (255 / top)).astype(np.uint8)
    encoded = of.dataset["PixelData"].is_undefined_length
    if header.photometric.startswith("YBR_FULL") and not (encoded and header.allocated == 8 and _rgb_already(of)):
        return convert_color_space(colours, "YBR_FULL", "RGB")
    return colours


def _rgb_already(of: Attributes) -> bool:
    """Whether the decoder turned YCbCr into RGB: Pillow does, and nothing else here."""
    return b"\xff\xc0" in bytes(of.dataset["PixelData"].value[:4096])


def _tags(of: Attributes, photometric: str) -> tuple[dict[str, str], list[str], Turn]:
    """What may leave the file, notes, and how it hangs: each value must look right, for people type names anywhere."""
    age = re.fullmatch(r"(\d{1,3})([DWMY]?)", of.text("PatientAge"))
    years = int(age[1]) / {"D": 365.25, "W": 52.18, "M": 12}.get(age[2], 1) if age else None
    view, notes = read_view(of)
    part = read_body_part(of)
    turn, hanging = read_hanging(of, bool(view)) if view in ("", "AP", "PA") else (AS_STORED, [])
    notes += hanging
    found = {
        "view": view,
        "body part": part,
        "sex": _code(of.text("PatientSex"), "M|F|O"),
        "age": "" if years is None else f"{min(years, _OLDEST):.3g}",
        "photometric": photometric,
        "modality": _code(of.text("Modality"), "[A-Z]{2}"),
    }
    if part:
        notes.append(f"the file says that it shows another part of the body ({part})")
    return {key: value for key, value in found.items() if value}, notes, turn


def _code(text: str, pattern: str) -> str:
    return text if re.fullmatch(pattern, text) else ""
