"""From the PACS and back in a real browser; afterwards nothing that tells whose the film was is found anywhere."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from playwright.sync_api import Browser, Page, expect

from core.data.phantom.cohort import cohort
from tests.browser.server import served
from tests.browser.steps import PATIENCE, arrive, settle
from tests.browser.steps import film as viewer
from tests.browser.talk import listen
from tests.data.dicomweb.films import NAME, NUMBER, film, uids
from tests.orthanc import Orthanc, needs_orthanc
from tests.pages.tiny import tiny_checkpoint

WHOSE = re.compile("|".join(rf"\b{re.escape(word)}" for word in (NAME, NUMBER, *uids(3))) + r"|\b(Doe|Jane)\b")


@needs_orthanc
def test_search_open_look_send_and_find_it_again(browser: Browser, orthanc: Orthanc, tmp_path: Path) -> None:
    deep = cohort("fair").film(3).pixels.astype(np.uint16) * 16
    tags = {"PixelSpacing": [1.5, 1.5], "WindowCenter": 2048, "WindowWidth": 4096}
    orthanc.put(film(3, pixels=deep, bits=12, **tags), film(4))
    tiny_checkpoint(tmp_path / "weights" / "tiny")
    sent = tmp_path / "sent"
    settings = f'url = "{orthanc.url}"\nname = "Ward"\nsend = true\nlog = "{sent}"\nsecret = "s"\n'
    (tmp_path / "pacs.toml").write_text(settings)
    places = {"HILUM_CACHE": tmp_path / "cache", "HILUM_WEIGHTS": tmp_path / "weights"}
    environment = {name: str(path) for name, path in places.items()} | {"HILUM_DICOMWEB": str(tmp_path / "pacs.toml")}
    with served(tmp_path / "log", **environment) as address:
        page = listen(browser.new_page(viewport={"width": 1280, "height": 1400}, accept_downloads=True))
        page.context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": address}])
        page.set_default_timeout(PATIENCE)
        seen: list[str] = []
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.goto(address)
        arrive(page)
        _open(page)
        _look_in_a_window_of_ones_own(page)
        told = page.inner_text("body")
        page.get_by_text("The answer as DICOM objects").click()
        page.get_by_role("button", name="Send to Ward").click()
        expect(page.get_by_text("Stored in Ward")).to_be_visible()
        page.get_by_text("Where did the model look?").click()
        expect(viewer(page)).to_be_visible()
        settle(page)
        expect(page.get_by_text(re.compile("covers .* cm²|the map is blank"))).to_be_visible()
        told += page.inner_text("body")
        for name in ("Numbers .json", "Report .html"):
            with page.expect_download() as download:
                page.get_by_role("button", name=name).click()
            told += download.value.suggested_filename + Path(download.value.path()).read_text("utf-8")
        seen.append(page.url)
        page.close()
    answers = [h for h in orthanc.headers() if h.get("Manufacturer") == "Hilum"]
    assert {h["Modality"] for h in answers} == {"DX", "SR"}
    assert {(h["StudyInstanceUID"], h["PatientID"]) for h in answers} == {(uids(3)[0], f"{NUMBER}-3")}
    (capture,) = [one for one in orthanc.rest("/instances") if _header(orthanc, one).Modality == "DX"
                  and _header(orthanc, one).get("Manufacturer") == "Hilum"]  # fmt: skip
    shown = pydicom.dcmread(BytesIO(orthanc.rest(f"/instances/{capture}/file")))
    assert np.ptp(shown.pixel_array.astype(int), axis=(0, 1)).min() > 100  # a picture, and in colour:
    assert (shown.pixel_array[..., 0] != shown.pixel_array[..., 2]).any()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path != sent]
    assert tmp_path / "log" in kept
    everything = [told, *seen, *map(str, kept), *(path.read_bytes().decode("latin-1") for path in kept)]
    assert [WHOSE.search(text) for text in everything if WHOSE.search(text)] == []
    log = sent.read_text()
    assert uids(3)[0] in log  # which study: that the owner's log must say
    assert not re.search(f"{re.escape(NAME)}|{NUMBER}", log)


def _open(page: Page) -> None:
    page.get_by_text("From the PACS").click()
    page.get_by_role("textbox", name="Patient number").fill(f"{NUMBER}-3")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 film. Tick one to open it.")).to_be_visible()
    settle(page)
    page.get_by_role("textbox", name="Patient number").fill("")  # what was typed stands in the page; nothing else may
    area = page.get_by_test_id("stDataFrame").locator("canvas").first.bounding_box()
    assert area
    page.mouse.click(area["x"] + 15, area["y"] + 60)  # the tick box of the first row, drawn on the canvas
    page.wait_for_url(re.compile("pacs=[0-9a-f]{32}"))
    expect(page.get_by_text("Stored: DICOM, 256 x 256, 12 bit")).to_be_visible()
    expect(page.get_by_text("Calibrated probabilities")).to_be_visible()


def _look_in_a_window_of_ones_own(page: Page) -> None:
    before = page.get_by_test_id("stPlotlyChart").first.get_attribute("aria-label")
    page.get_by_text("Window and level").click()
    expect(page.get_by_text("Shown as the file asks")).to_be_visible()
    area = viewer(page).bounding_box()
    assert area
    page.mouse.move(area["x"] + 100, area["y"] + 100)
    page.mouse.down()
    page.mouse.move(area["x"] + 40, area["y"] + 130, steps=4)
    stretched = page.locator(".viewer .film").first.evaluate("image => image.style.filter")
    page.mouse.up()
    assert "stretch" in stretched
    expect(page.get_by_text("Shown: centre")).to_be_visible()
    viewer(page).dblclick(position={"x": 60, "y": 60})
    expect(page.get_by_text("Shown as the file asks")).to_be_visible()
    assert page.get_by_test_id("stPlotlyChart").first.get_attribute("aria-label") == before


def _header(orthanc: Orthanc, instance: str) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(orthanc.rest(f"/instances/{instance}/file")), stop_before_pixels=True)
