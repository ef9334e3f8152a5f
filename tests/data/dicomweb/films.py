"""Small films for a PACS: each of a patient, a study and a series of its own, as a modality would send them."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.data.conftest import draw
from tests.data.film.dicom_files import dicom

ROOT = "1.2.826.0.1.3680043.10.543"
NAME, NUMBER = "Doe^Jane", "SECRET-7"  # must not be seen anywhere


def film(number: int, size: int = 64, pixels: np.ndarray | None = None, **tags: Any) -> bytes:
    """Film ``number`` as a DICOM file."""
    usual = {
        "StudyInstanceUID": f"{ROOT}.1.{number}", "SeriesInstanceUID": f"{ROOT}.2.{number}",
        "SOPInstanceUID": f"{ROOT}.3.{number}", "StudyDate": f"2024{1 + number % 12:02d}15", "StudyTime": "101112",
        "PatientID": f"{NUMBER}-{number}", "AccessionNumber": f"A{number}", "SeriesNumber": 1, "InstanceNumber": 1,
        "ViewPosition": "PA", "BodyPartExamined": "CHEST", "Modality": "DX", "PixelSpacing": [0.2, 0.2],
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "PatientOrientation": ["L", "F"],
        "PresentationIntentType": "FOR PRESENTATION", "PatientSex": "O", "PatientAge": "044Y",
    }  # fmt: skip
    drawn = draw(number, size) if pixels is None else pixels
    made = pydicom.dcmread(BytesIO(dicom(drawn, **{**usual, **tags})))
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    return as_bytes(made)


def uids(number: int) -> tuple[str, str, str]:
    """Study, series and instance of film ``number``."""
    return f"{ROOT}.1.{number}", f"{ROOT}.2.{number}", f"{ROOT}.3.{number}"


def as_bytes(dataset: Dataset) -> bytes:
    """The DICOM file of a data set."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def recoded(data: bytes, syntax: str, folder: Path) -> bytes:
    """The same film in another transfer syntax, made by pydicom or dcmtk."""
    import subprocess

    dataset = pydicom.dcmread(BytesIO(data))
    programs = {
        "1.2.840.10008.1.2.4.57": ["dcmcjpeg", "+el"], "1.2.840.10008.1.2.4.70": ["dcmcjpeg", "+e1"],
        "1.2.840.10008.1.2.4.50": ["dcmcjpeg", "+eb", "+un"], "1.2.840.10008.1.2.2": ["dcmconv", "+tb"],
        "1.2.840.10008.1.2.1.99": ["dcmconv", "+td"], "1.2.840.10008.1.2": ["dcmconv", "+ti"],
    }  # fmt: skip
    if syntax in programs:
        (folder / "a.dcm").write_bytes(data)
        subprocess.run([*programs[syntax], str(folder / "a.dcm"), str(folder / "b.dcm")], check=True)
        return (folder / "b.dcm").read_bytes()
    if syntax in ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"):
        import openjpeg

        dataset.PixelData = encapsulate([bytes(openjpeg.encode(dataset.pixel_array))])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
        return as_bytes(dataset)
    if syntax != dataset.file_meta.TransferSyntaxUID:
        dataset.compress(syntax, generate_instance_uid=False)
    return as_bytes(dataset)
