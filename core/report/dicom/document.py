"""The case report as an Encapsulated PDF (PS3.3 A.45.1), for those who read documents."""

from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage

from core.errors import ExplainError
from core.report.dicom.answer import Answer
from core.report.dicom.begun import begun, code, reference
from core.report.dicom.source import referred

_TITLE = "Case report of a research model"


def document(film: Dataset, answer: Answer, now: datetime | None = None) -> Dataset:
    """The page that `core report` prints; it names the film by its hash, and nobody.

    Args:
        now: when it was written; the clock's time unless given.

    Raises:
        ExplainError: the answer brings no case report.
    """
    if answer.report is None:
        raise ExplainError("there is no case report", "one to encapsulate", "Leave this object out")
    source, now = referred(film), now or datetime.now()
    made = begun(source, answer, EncapsulatedPDFStorage, "document", "AI case report", 5, now)
    content = answer.report()
    made.Modality, made.ConversionType, made.BurnedInAnnotation = "DOC", "WSD", "NO"
    made.AcquisitionDateTime, made.DocumentTitle = "", _TITLE
    made.ConceptNameCodeSequence = code("18748-4", "LN", "Diagnostic imaging report")
    made.SourceInstanceSequence = Sequence([reference(source)])
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocumentLength = len(content)
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    return made
