"""The whole film's answer as a Basic Text SR (PS3.3 A.35.1): a page of text in any viewer."""

from datetime import datetime

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian

from core.report.dicom.answer import CAUTION, MANUFACTURER, Answer
from core.report.dicom.source import referred, series_number

_DIAGNOSTIC_REPORT = ("18748-4", "LN", "Diagnostic imaging report")
_FINDING = ("121071", "DCM", "Finding")  # printed in fixed width by OHIF
_PATIENT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def text_report(film: Dataset, answer: Answer, now: datetime | None = None) -> Dataset:
    """UNVERIFIED and PARTIAL: each finding with its operating point, the in-domain verdict, lung share, trust lines.

    Args:
        now: when it was written; the clock's time unless given.
    """
    source, now = referred(film), now or datetime.now()
    report = Dataset()
    for name in _PATIENT:
        setattr(report, name, source.get(name, ""))
    if "SpecificCharacterSet" in source:
        report.SpecificCharacterSet = source.SpecificCharacterSet
    if not str(_text(answer)).isascii() or "SpecificCharacterSet" not in report:
        report.SpecificCharacterSet = "ISO_IR 192"
    report.SOPClassUID = BasicTextSRStorage
    report.SOPInstanceUID = answer.uid(source.SOPInstanceUID, "text")
    report.SeriesInstanceUID = answer.uid(source.SOPInstanceUID, "text series")
    report.SeriesNumber, report.InstanceNumber = series_number(source, 2), 1
    report.SeriesDescription = f"AI answer in words, {CAUTION}"[:64]
    report.Modality, report.Manufacturer = "SR", MANUFACTURER
    report.ManufacturerModelName, report.SoftwareVersions = answer.model[:64], answer.version
    report.ReferencedPerformedProcedureStepSequence = Sequence()
    report.PerformedProcedureCodeSequence = Sequence()
    report.ContentDate, report.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    report.SeriesDate, report.SeriesTime = report.ContentDate, report.ContentTime
    report.CompletionFlag, report.VerificationFlag = "PARTIAL", "UNVERIFIED"
    report.CurrentRequestedProcedureEvidenceSequence = Sequence([_evidence(source)])
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.ConceptNameCodeSequence = _code(*_DIAGNOSTIC_REPORT)
    report.ContentSequence = Sequence([_line(text) for text in _text(answer)])
    report.file_meta = FileMetaDataset()
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
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
        lines += [f"{title}: {verdict}. {sentence}" for title, verdict, sentence in answer.trust]
    return [
        *lines,
        f"Heatmap: {answer.method} for {answer.class_name}",
        f"Model: {answer.model}, weights SHA-256 {answer.weights_sha256}, Hilum {answer.version}",
    ]


def _line(text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", text
    item.ConceptNameCodeSequence = _code(*_FINDING)
    return item


def _evidence(source: Dataset) -> Dataset:
    image, series, study = Dataset(), Dataset(), Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedSOPSequence = source.SeriesInstanceUID, Sequence([image])
    study.StudyInstanceUID, study.ReferencedSeriesSequence = source.StudyInstanceUID, Sequence([series])
    return study


def _code(value: str, scheme: str, meaning: str) -> Sequence:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return Sequence([code])
