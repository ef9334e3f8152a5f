"""Steps that the stories share."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pydicom
from PIL import Image
from playwright.sync_api import Locator, Page
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from core.data.phantom.cohort import cohort
from tests.browser.talk import wait_until_answered

PATIENCE = 180_000  # milliseconds; a busy machine needs them, and a quiet one never waits so long
SCREEN = {"width": 1280, "height": 720}  # pixels of a usual projector
DEBOUNCE = 250  # milliseconds; Streamlit's sliders wait for 200
BUFFER = 50  # milliseconds; Streamlit gathers what arrives for 10 before it draws it


def arrive(page: Page) -> None:
    """Wait until a page just opened is drawn to its end.

    Before its first run the server has nothing to say either, and afterwards the browser still fetches the code of
    each kind of widget.
    """
    page.wait_for_selector('[data-testid="stMain"] h1', timeout=PATIENCE)
    settle(page)
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    page.wait_for_selector('[data-testid="stSkeleton"]', state="detached", timeout=PATIENCE)


def settle(page: Page) -> None:
    """Wait until what was just done has been sent, answered by the server, and drawn.

    A click is sent at once, a slider only after its browser has waited for more moves. That wait is a timer of the
    page's own, begun before ours, so ours comes after it however slow the machine is; likewise after the answer.
    """
    _pass(page, DEBOUNCE)
    wait_until_answered(page, PATIENCE)
    _pass(page, BUFFER)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)


def _pass(page: Page, milliseconds: int) -> None:
    """Let the page's own timers of this length, and a redrawing, pass."""
    page.evaluate("(wait) => new Promise((done) => setTimeout(() => requestAnimationFrame(done), wait))", milliseconds)


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


def png_film() -> bytes:
    """A drawn film as a picture."""
    buffer = BytesIO()
    Image.fromarray(cohort("fair").film(3).pixels).save(buffer, "PNG")
    return buffer.getvalue()


def paste(page: Page, name: str, content: bytes) -> None:
    """Ctrl+V a file: Chromium gives no test a clipboard of files, so the event is made here."""
    page.locator('[data-testid="stFileUploader"] input[type="file"]').wait_for(state="attached")
    page.wait_for_function("document.onpaste !== null")
    page.evaluate(
        """([name, bytes]) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], name));
            const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
        }""",
        [name, list(content)],
    )
    settle(page)


def drag_box(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw a box on the first film, in shares of the film's side."""
    with drawing(page, left, top, right, bottom):
        pass
    settle(page)


@contextmanager
def drawing(page: Page, left: float, top: float, right: float, bottom: float) -> Iterator[None]:
    """While a box is drawn: the mouse is down, and goes up at the end; nothing is waited for afterwards."""
    page.locator(".viewer.selecting").first.wait_for()  # the script may be through before its viewer is redrawn
    film(page).scroll_into_view_if_needed()
    area = film(page).bounding_box()
    assert area
    x, y = (lambda share: area["x"] + share * area["width"]), (lambda share: area["y"] + share * area["height"])
    page.mouse.move(x(left), y(top))
    page.mouse.down()
    page.mouse.move(x((left + right) / 2), y((top + bottom) / 2), steps=4)
    yield
    page.mouse.move(x(right), y(bottom), steps=4)
    page.mouse.up()


def film(page: Page) -> Locator:
    """The first film of the viewer."""
    found = page.locator(".viewer .window").first
    found.wait_for()
    return found


def zoom(page: Page) -> float:
    """How much the viewer is zoomed in."""
    film(page)
    return float(page.locator(".viewer").first.get_attribute("data-zoom") or 0)
