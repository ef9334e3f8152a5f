"""One attribute of a data set, as the type that the standard gives it, or an error that names it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.data.film.limits import REMEDY
from core.errors import FilmError

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Attributes:
    """The attributes of one data set; ``name`` is what the film is called in errors."""

    dataset: "Dataset"
    name: str

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.dataset

    def raw(self, keyword: str) -> Any:
        """The value as pydicom has it; None where the attribute is absent or empty."""
        try:
            value = self.dataset.get(keyword)
        except Exception as error:  # hostile bytes make a parser raise almost anything
            raise self.unreadable(keyword) from error
        return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else value

    def text(self, keyword: str) -> str:
        """Upper case, without blanks at either end; "" where absent. Of several values the first."""
        value = self.raw(keyword)
        if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue":
            value = value[0]
        return "" if value is None else str(value).strip(" \0").upper()

    def integer(self, keyword: str) -> int | None:
        """One whole number, or None where the attribute is absent or empty."""
        value = self.number(keyword)
        if value is not None and value != int(value):
            raise self.unreadable(keyword)
        return None if value is None else int(value)

    def number(self, keyword: str) -> float | None:
        """One finite number (of several the first), or None where the attribute is absent or empty."""
        numbers = self.numbers(keyword)
        return numbers[0] if numbers else None

    def numbers(self, keyword: str) -> list[float]:
        """All values as finite numbers; empty where the attribute is absent."""
        value = self.raw(keyword)
        if value is None:
            return []
        try:
            several = [value] if isinstance(value, str | bytes) or not hasattr(value, "__iter__") else list(value)
            numbers = [float(v) for v in several]
        except (TypeError, ValueError) as error:
            raise self.unreadable(keyword) from error
        if not all(map(math.isfinite, numbers)):
            raise self.unreadable(keyword)
        return numbers

    def items(self, keyword: str) -> list["Attributes"]:
        """The items of a sequence; empty where it is absent."""
        value = self.raw(keyword)
        if value is None:
            return []
        if type(value).__name__ != "Sequence":
            raise self.unreadable(keyword)
        return [Attributes(item, self.name) for item in value]

    def unreadable(self, keyword: str) -> FilmError:
        """The error for a value that is not what the standard makes of this attribute."""
        came = f'"{self.name}" is a DICOM file with an unreadable {keyword}'
        return FilmError(came, f"a {keyword} as PS3.3 defines it", REMEDY)

    def refused(self, keyword: str, value: object, expected: str) -> FilmError:
        """The error for a value that can be read but not meant."""
        return FilmError(f'"{self.name}" is a DICOM file with {keyword} {value}', expected, REMEDY)
