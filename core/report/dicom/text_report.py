"""The whole film's answer as a Basic Text SR (PS3.3 A.35.1): a page of text in any viewer."""

import textwrap
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import BasicTextSRStorage

from core.report.dicom.answer import CAUTION, Answer
from core.report.dicom.begun import begun, code, reference
from core.report.dicom.source import referred

_DIAGNOSTIC_REPORT = ("18748-4", "LN", "Diagnostic imaging report")
_FINDING = ("121071", "DCM", "Finding")  # printed in fixed width by OHIF, which cuts off what is wider than its page
_WIDTH = 80


def text_report(film: Dataset, answer: Answer, now: datetime | None = None) -> Dataset:
    """UNVERIFIED and PARTIAL: each finding with its operating point, the in-domain verdict, lung share, trust lines.

    Args:
        now: when it was written; the clock's time unless given.
    """
    source, now = referred(film), now or datetime.now()
    report = begun(source, answer, BasicTextSRStorage, "text", "AI answer in words", 2, now)
    if not str(_text(answer)).isascii() or "SpecificCharacterSet" not in report:
        report.SpecificCharacterSet = "ISO_IR 192"
    report.Modality = "SR"
    report.ReferencedPerformedProcedureStepSequence = Sequence()
    report.PerformedProcedureCodeSequence = Sequence()
    report.CompletionFlag, report.VerificationFlag = "PARTIAL", "UNVERIFIED"
    report.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(source)])
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.ConceptNameCodeSequence = code(*_DIAGNOSTIC_REPORT)
    report.ContentSequence = Sequence([_line(text) for text in _text(answer)])
    return report


def _text(answer: Answer) -> list[str]:
    lines = [CAUTION.capitalize(), f"Does the film fit the model: {answer.domain}"]
    if answer.refused:
        lines.append("No answer is given: the film is outside what the model knows.")
    else:
        lines += [
            f"{f.name}: probability {f.probability:.3f}, operating point {f.operating_point:.3f}, "
            f"{'called' if f.called else 'not called'}"
            for f in answer.findings
        ]
        if answer.prediction_set is not None:
            lines.append(f"Prediction set: {', '.join(answer.prediction_set) or 'empty'}")
        if answer.lung_share is not None:
            lines.append(f"Share of the evidence for {answer.class_name} inside the lungs: {answer.lung_share:.2f}")
        if answer.extent:
            lines.append(answer.extent)
        lines += [f"{title}: {verdict}. {sentence}" for title, verdict, sentence in answer.trust]
    return [
        *lines,
        f"Heatmap: {answer.method} for {answer.class_name}",
        f"Model: {answer.model}, weights SHA-256 {answer.weights_sha256}, Hilum {answer.version}",
    ]


def _line(text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.TextValue = "\r\n".join(textwrap.wrap(text, _WIDTH))
    item.ConceptNameCodeSequence = code(*_FINDING)
    return item


def _evidence(source: Dataset) -> Dataset:
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = source.SeriesInstanceUID, Sequence([reference(source)])
    study.StudyInstanceUID, study.ReferencedSeriesSequence = source.StudyInstanceUID, Sequence([series])
    return study
