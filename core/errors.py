"""What can go wrong, said in the user's words.

Every error Hilum raises on purpose says three things: what came, what was expected, what to do about it. Pages and the
command line show ``str(error)`` as it is; anything else that escapes is a bug.
"""

from typing import Self


class HilumError(Exception):
    """Base of all errors meant for a reader.

    Args:
        came: what arrived or happened, as a sentence without its full stop ("notes.png is a text file").
        expected: what would have been right ("a PNG, JPEG, TIFF, BMP, WebP or DICOM image"); may be empty.
        remedy: what the reader can do about it ("Export the film as PNG and try again"); may be empty.
    """

    def __init__(self, came: str, expected: str = "", remedy: str = "") -> None:
        self.came, self.expected, self.remedy = came, expected, remedy
        expectation = f"expected {expected}" if expected else ""
        sentences = (came, expectation, remedy)
        super().__init__(" ".join(f"{s[0].upper()}{s[1:].rstrip('.')}." for s in sentences if s))

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, str]]:
        return type(self), (self.came, self.expected, self.remedy)


class FilmError(HilumError):
    """A file or array that is not a readable radiograph."""


class CohortError(HilumError):
    """A folder or table that is not a usable cohort."""


class RecipeError(HilumError):
    """A training recipe that is unknown, incomplete or contradicts itself."""


class CheckpointError(HilumError):
    """A checkpoint that is missing, damaged or does not fit its network."""


class ExplainError(HilumError):
    """A heatmap, region or measurement that was asked for and is unavailable."""


class EvaluationError(HilumError):
    """Labels and probabilities from which no figure can be computed."""


class RunError(HilumError):
    """A run over many films that cannot start or go on."""


class RoundError(HilumError):
    """A class round that does not take what it was given."""


class PacsError(HilumError):
    """A PACS that is not configured, refuses, or answers with something that cannot be used."""


class PacsAwayError(PacsError):
    """A PACS that does not answer now: asking again later may help."""


class ServeError(HilumError):
    """The dashboard would stand open, or cannot be reached as it is said to be."""


class NoRoomError(HilumError):
    """What does not fit into the memory that the owner of a server gave Hilum."""
