"""The overlay as a Secondary Capture (PS3.3 A.8.1): the one object that every viewer shows without a click."""

import cv2
import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.report.dicom.answer import CAUTION, MANUFACTURER, Answer
from core.report.dicom.source import referred, series_number

LINE = 1 / 34  # of the picture's height, a line of the text burned in
WHITE = (255, 255, 255)


def secondary_capture(film: Dataset, answer: Answer) -> Dataset:
    """One RGB frame: the film with its map, and below it what it is, in the film's study and a series of its own."""
    source = referred(film)
    pixels = burned_in(answer)
    capture = hd.sc.SCImage.from_ref_dataset(
        ref_dataset=source,
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system=hd.CoordinateSystemNames.PATIENT,
        series_instance_uid=answer.uid(source.SOPInstanceUID, "capture series"),
        series_number=series_number(source, 1),
        sop_instance_uid=answer.uid(source.SOPInstanceUID, "capture"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        patient_orientation=("L", "F") if answer.turned else tuple(source.PatientOrientation),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    capture.Modality = source.Modality  # OT would open a cine bar
    capture.SeriesDescription = f"AI heatmap {answer.class_name}, {CAUTION}"[:64]
    capture.BurnedInAnnotation = "YES"
    capture.Laterality = ""
    capture.SoftwareVersions = answer.version
    capture.ManufacturerModelName = answer.model[:64]
    capture.DerivationDescription = f"{answer.method} of {answer.model}, weights {answer.weights_sha256}"[:1024]
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    capture.SourceImageSequence = Sequence([reference])
    return capture


def burned_in(answer: Answer) -> np.ndarray:
    """The overlay with a strip of text below it, uint8 (h, w, 3)."""
    picture = np.ascontiguousarray(answer.overlay)
    height, width = picture.shape[:2]
    size = max(round(height * LINE), 12)
    finding = answer.of_class()
    lines = (
        f"{finding.name} p = {finding.probability:.2f} (operating point {finding.operating_point:.2f})",
        f"{answer.method}, {answer.model}",
        CAUTION.upper(),
    )
    strip = np.zeros((round(size * 1.5) * len(lines) + size // 2, width, 3), np.uint8)
    for number, line in enumerate(lines, start=1):
        at = (size // 2, round(size * 1.5) * number)
        scale = min(size / 24, (width - size) / max(cv2.getTextSize(line, 0, 1.0, 1)[0][0], 1))
        cv2.putText(strip, _latin(line), at, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, 1, cv2.LINE_AA)
    return np.concatenate([picture, strip])


def _latin(text: str) -> str:
    """OpenCV's font knows no other letters; a question mark says that one is missing."""
    return text.encode("ascii", "replace").decode()
