"""Steps that the stories share."""

from io import BytesIO

import numpy as np
import pydicom
from playwright.sync_api import Locator, Page
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from core.data.phantom_cohort import cohort

PATIENCE = 60_000  # milliseconds; a busy machine needs them


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    page.wait_for_timeout(250)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)


def dicom_film() -> bytes:
    """A drawn film as a scanner would send it: 12 bits, MONOCHROME1."""
    pixels = 4095 - cohort("fair").film(0).pixels.astype(np.uint16) * 16
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film = FileDataset("film", {}, file_meta=meta, preamble=b"\0" * 128)
    film.SOPClassUID, film.SOPInstanceUID, film.Modality = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
        "CR",
    )
    film.Rows, film.Columns = pixels.shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PhotometricInterpretation = "MONOCHROME1"
    film.PatientName = "Nobody^Must^See"
    film.PixelData = pixels.tobytes()
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, film, enforce_file_format=True)
    return buffer.getvalue()


def drag_box(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw a box on the first film, in shares of the film's side."""
    area = film(page).bounding_box()
    assert area
    x, y = (lambda share: area["x"] + share * area["width"]), (lambda share: area["y"] + share * area["height"])
    page.mouse.move(x(left), y(top))
    page.mouse.down()
    page.mouse.move(x((left + right) / 2), y((top + bottom) / 2), steps=4)
    page.mouse.move(x(right), y(bottom), steps=4)
    page.mouse.up()
    settle(page)


def film(page: Page) -> Locator:
    """The first film of the viewer."""
    found = page.locator(".viewer .window").first
    found.wait_for()
    return found


def zoom(page: Page) -> float:
    """How much the viewer is zoomed in."""
    film(page)
    return float(page.locator(".viewer").first.get_attribute("data-zoom") or 0)
