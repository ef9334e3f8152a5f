"""DICOM files written for tests, with any header; what dcmtk, an independent reader, makes of a file."""

import re
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGLossless, generate_uid

from tests.data.conftest import draw

FILM = draw(3)


def dicom(
    pixels: np.ndarray | None = FILM, syntax: str = ExplicitVRLittleEndian, bits: int = 8, **tags: object
) -> bytes:
    """A DICOM file with these pixels and tags; it names a patient, as real ones do."""
    data = dataset(syntax)
    if pixels is not None:
        allocated = 16 if bits > 8 else 8
        data.Rows, data.Columns = pixels.shape[-2:]
        data.SamplesPerPixel, data.PixelRepresentation = 1, int(bool(pixels.min() < 0))
        data.BitsAllocated, data.BitsStored, data.HighBit = allocated, bits, bits - 1
        sign = "i" if data.PixelRepresentation else "u"
        raw = pixels.astype(f"<{sign}{allocated // 8}").tobytes()
        data.PixelData = encapsulate([b"\xff\xd8\xff\xd9"]) if syntax == JPEGLossless else raw
    for key, value in tags.items():
        if value is None:
            delattr(data, key)
        else:
            setattr(data, key, value)
    return written(data)


def dataset(syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """A CR without pixels, of Jane Doe."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["hilum"])
    data = Dataset()
    data.file_meta = meta
    data.PatientName, data.PatientID, data.PatientBirthDate = "Doe^Jane", "SECRET-7", "19700101"
    data.InstitutionName, data.Modality, data.PhotometricInterpretation = "St Nowhere", "CR", "MONOCHROME2"
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    return data


def written(data: Dataset) -> bytes:
    """The bytes of a file with this data set."""
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def dcmtk(path: Path, *options: str) -> np.ndarray | None:
    """uint8 (H, W) as dcmj2pnm renders the file, overlays left out; None where it refuses."""
    ran = subprocess.run(["dcmj2pnm", "-q", "-O", "+op", *options, str(path)], capture_output=True, check=False)
    head = re.match(rb"P5\s(?:#.*\n)?(\d+) (\d+)\s255\s", ran.stdout)
    if ran.returncode or head is None:
        return None
    width, height = int(head[1]), int(head[2])
    return np.frombuffer(ran.stdout[head.end() :], np.uint8).reshape(height, width)
