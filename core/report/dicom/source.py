"""The film's own header, completed and repaired in a copy, so that what refers to it is valid.

Hospitals' headers lack type 2 attributes, carry ages without a unit, decimal strings that are too long and a pixel
spacing of zero, at which a viewer draws black. Nothing of the film itself is changed.
"""

import re
from collections.abc import Iterable
from copy import deepcopy

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from core.errors import FilmError

_EMPTY_IF_MISSING = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "StudyID", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber",
)  # fmt: skip
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_MUST = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
_LONGEST_DS = 16  # characters of a decimal string, PS3.5 6.2


def referred(film: Dataset) -> Dataset:
    """A copy of a film's header, without pixels, complete enough to be referred to.

    Raises:
        FilmError: it lacks an identifier without which nothing can refer to it.
    """
    if missing := [name for name in _MUST if not film.get(name)]:
        remedy = "Use the film as its PACS sends it"
        raise FilmError(f"the film's header has no {missing[0]}", "a film that can be referred to", remedy)
    copy = Dataset()
    for element in film:
        if element.tag.group not in (0x7FE0, 0x6000) and not element.tag.is_private:
            copy.add(deepcopy(element))  # or the film itself would be repaired
    for name in _EMPTY_IF_MISSING:
        if name not in copy:
            setattr(copy, name, None if name.endswith("Number") else "")
    copy.Modality = str(film.get("Modality") or "CR")
    _mend_age(copy)
    _mend_spacing(copy)
    _shorten_decimals(copy)
    copy.PatientOrientation = _orientation(film)
    if hasattr(film, "file_meta"):
        copy.file_meta = film.file_meta
    return copy


def spacing(film: Dataset) -> tuple[float, float] | None:
    """Millimetres between rows and between columns where the header has them and they are not zero."""
    for name in _SPACINGS:
        if name in film and film.get(name):
            row, column = (float(v) for v in film.get(name))
            return row, column
    return None


def series_number(film: Dataset, step: int) -> int:
    """A series number above the film's own, or a viewer would open the answer before the film."""
    own = film.get("SeriesNumber")
    return (int(own) if own is not None and str(own).strip() else 0) + 9000 + step


def _mend_age(copy: Dataset) -> None:
    age = str(copy.get("PatientAge") or "")
    if age and not re.fullmatch(r"\d{3}[DWMY]", age):
        digits = re.fullmatch(r"(\d{1,3})([DWMYdwmy]?)", age.strip())
        if digits:
            copy.PatientAge = f"{int(digits[1]):03d}{(digits[2] or 'Y').upper()}"
        else:
            del copy.PatientAge


def _mend_spacing(copy: Dataset) -> None:
    for name in _SPACINGS:
        if name in copy:
            values = copy.get(name)
            if not isinstance(values, MultiValue | list) or len(values) != 2 or min(map(float, values)) <= 0:
                delattr(copy, name)


def _shorten_decimals(copy: Dataset) -> None:
    for element in copy:
        if element.VR == "DS" and element.value not in (None, ""):
            values: Iterable[object] = element.value if isinstance(element.value, MultiValue) else [element.value]
            texts = [str(value) for value in values]
            if any(len(text) > _LONGEST_DS for text in texts):
                element.value = [f"{float(text):.10g}" for text in texts]


def _orientation(film: Dataset) -> list[str]:
    """As the film says, else as a frontal film hangs: the patient's left on the right, feet down."""
    stated = film.get("PatientOrientation")
    return [str(v) for v in stated] if stated and len(stated) == 2 else ["L", "F"]
