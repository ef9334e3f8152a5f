"""What every object begins with: its place in the study, and who made it; without a library the whole of its head."""

from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from core.report.dicom.answer import CAUTION, MANUFACTURER, Answer
from core.report.dicom.source import series_number

_PATIENT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def begun(source: Dataset, answer: Answer, sop_class: str, kind: str, series: str, step: int, now: datetime) -> Dataset:
    """An object in the study of ``source`` (from `referred`), in a series of its own, with nothing said yet.

    Args:
        kind: what its UIDs follow from, beside film and answer.
        series: the first words of the series' description; the caution follows.
        step: of the series' number above the film's.
    """
    made = Dataset()
    for name in _PATIENT:
        setattr(made, name, source.get(name, ""))
    if "SpecificCharacterSet" in source:
        made.SpecificCharacterSet = source.SpecificCharacterSet
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = answer.uid(source.SOPInstanceUID, kind)
    made.SeriesInstanceUID = answer.uid(source.SOPInstanceUID, f"{kind} series")
    made.SeriesNumber, made.InstanceNumber = series_number(source, step), 1
    made.SeriesDescription = f"{series}, {CAUTION}"[:64]
    made.Manufacturer = MANUFACTURER
    made.ManufacturerModelName, made.SoftwareVersions = answer.model[:64], answer.version
    made.ContentDate, made.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    made.SeriesDate, made.SeriesTime = made.ContentDate, made.ContentTime
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def maker(source: Dataset, answer: Answer, kind: str, step: int) -> dict[str, Any]:
    """The same as highdicom's constructors of segmentations and presentation states take it: series, UIDs, equipment.

    Args:
        kind, step: as of `begun`.
    """
    return {
        "series_instance_uid": answer.uid(source.SOPInstanceUID, f"{kind} series"),
        "series_number": series_number(source, step),
        "sop_instance_uid": answer.uid(source.SOPInstanceUID, kind),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": answer.model[:64],
        "software_versions": answer.version,
        "device_serial_number": answer.weights_sha256[:16],
        "content_description": f"{answer.method} for {answer.class_name}"[:64],
    }


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """A code sequence of one item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def reference(source: Dataset) -> Dataset:
    """The film as an item of a sequence that refers to instances."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    return item
