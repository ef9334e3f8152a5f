"""What visitors do, in a real browser: each story from the first click to what they came for."""

import re
from collections.abc import Callable
from pathlib import Path

import torch
from playwright.sync_api import Browser, Page, expect

from core.networks import sources
from tests.browser.conftest import serve
from tests.browser.steps import PATIENCE, arrive, dicom_film, drag_box, drawing, film, paste, png_film, settle, zoom
from tests.browser.talk import listen

Visit = Callable[..., Page]


def test_first_visit(visit: Visit) -> None:
    page = visit(accepted=False)
    expect(page.get_by_text("must not guide care")).to_be_visible()
    page.get_by_role("button", name="I understand").click()
    settle(page)
    expect(page.get_by_text("must not guide care")).to_have_count(0)
    expect(page.get_by_text("as the model sees it").first).to_be_visible()
    expect(page.get_by_text("Research and teaching, not for diagnosis")).to_be_visible()
    page.get_by_text("Where did the model look?").click()
    expect(film(page)).to_be_visible()
    expect(page.get_by_role("heading", name="Is this evidence?")).to_be_visible()
    settle(page)
    page.reload()
    arrive(page)
    expect(page.get_by_text("must not guide care")).to_have_count(0)


def test_a_link_into_a_fresh_server_started_from_another_folder(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path, start_in=tmp_path) as address:
        page = listen(browser.new_page())
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/heatmaps?case=40")
        expect(film(page)).to_be_visible()
        expect(page.get_by_role("spinbutton", name=re.compile("^Film of"))).to_have_value("40")
        expect(page.get_by_role("dialog")).to_have_count(0)
        for title in ("Explore", "Compare", "Learn", "Shortcut lab"):  # each reads files of its own
            page.get_by_role("link", name=title).click()
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
            settle(page)
            expect(page.get_by_test_id("stException")).to_have_count(0)
        page.close()


def test_upload_a_dicom(visit: Visit) -> None:
    page = visit()
    page.locator('input[type="file"]').first.set_input_files(
        {"name": "IM0001", "mimeType": "application/octet-stream", "buffer": dicom_film()}
    )
    expect(page.get_by_text("Stored: DICOM, 256 x 256, 12 bit")).to_be_visible()
    expect(page.get_by_text("Calibrated probabilities")).to_be_visible()
    page.wait_for_url(re.compile("upload=1"))
    assert "Nobody" not in page.content()


def test_paste_a_picture(visit: Visit) -> None:
    page = visit()
    paste(page, "image.png", png_film())
    expect(page.get_by_text("Stored: PNG, 256 x 256, 8 bit")).to_be_visible()
    expect(page.get_by_role("combobox", name="Film from")).to_have_value("Upload 1: image.png")
    paste(page, "page.html", b"<!doctype html><html></html>")
    expect(page.get_by_text('"page.html" is a web page')).to_be_visible()


def test_hide_a_region(visit: Visit) -> None:
    page = visit("heatmaps")
    page.get_by_role("radio", name="A box").click()
    settle(page)
    told = page.get_by_text("Hiding this").first  # the second is for readers who cannot see the first
    expect(told).to_be_visible()
    before = told.inner_text()
    drag_box(page, 0.1, 0.1, 0.9, 0.8)
    expect(told).not_to_have_text(before)
    expect(page.get_by_role("slider", name="Across, %").first).to_have_value(re.compile(r"^(9|10|11)"))


def test_zoom_survives_a_change_of_setting(visit: Visit) -> None:
    page = visit("heatmaps")
    film(page).dblclick(position={"x": 60, "y": 60})
    assert zoom(page) == 2
    page.get_by_role("radio", name="Film", exact=True).click()
    settle(page)
    page.get_by_role("slider", name="Opacity").press("ArrowLeft")
    settle(page)
    page.get_by_role("radio", name=re.compile("^Normal")).click()
    settle(page)
    assert zoom(page) == 2
    page.get_by_role("button", name="Whole film").click()
    assert zoom(page) == 1


def test_scroll_survives_a_change_of_setting(visit: Visit) -> None:
    page = visit("report?model=tiny-a&cohort=phantom:fair")
    scrolled = "document.querySelector('[data-testid=stMain]').scrollTop"
    expect(page.get_by_text("Percent of the true class")).to_be_visible()
    settle(page)
    page.evaluate(f"{scrolled} = 250")
    page.get_by_text("Percent of the true class").click()
    settle(page)
    assert page.evaluate(scrolled) == 250


def test_sweep_a_rotation(visit: Visit) -> None:
    page = visit("augment")
    expect(page.get_by_text("Robustness curve")).to_be_visible()
    expect(page.get_by_text("heatmap correlation")).to_be_visible()
    here = page.get_by_text(re.compile(r"^angle -?[\d.]+ °$"))
    before = here.inner_text()
    page.get_by_role("slider", name="Film at").press("ArrowLeft")
    expect(here).not_to_have_text(before)
    settle(page)
    points = page.locator(".js-plotly-plot").last.locator(".scatterlayer .trace").first.locator(".point")
    points.nth(3).click(force=True)
    expect(page.get_by_text("angle -18.8 °", exact=True)).to_be_visible()
    page.get_by_role("slider", name="Angle, °").press("ArrowRight")
    expect(page.get_by_text("Rotate (angle 11, fill black)")).to_be_visible()


def test_a_cleared_filter_stays_cleared(visit: Visit) -> None:
    page = visit("explore?cohort=phantom:fair&model=tiny")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Label").click()
    page.get_by_role("option", name="COVID-19 (500)").click()
    expect(page.get_by_text("500 of 2,000 films")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear").last.click()
    expect(page.get_by_text("2,000 of 2,000 films")).to_be_visible()
    page.get_by_role("radio", name="Counts").click()  # the browser sends what it still holds with the next click
    expect(page.get_by_role("combobox", name="Against")).to_be_visible()
    expect(page.get_by_text("2,000 of 2,000 films")).to_be_visible()


def test_long_work_can_be_cancelled(visit: Visit) -> None:
    page = visit("explore?cohort=phantom:new-hospital&model=tiny")
    page.get_by_role("radio", name="Map").click()
    expect(page.get_by_text("300 films have to be shown")).to_be_visible()
    page.get_by_role("button", name="Show them").click()
    expect(page.get_by_text("1,200 more films")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    rest = page.get_by_text(re.compile(r"^[\d,]+ more films"))  # how many depends on the machine
    expect(rest).to_be_visible()
    assert 0 < int(rest.inner_text().split()[0].replace(",", "")) <= 1200


def test_the_keyboard_alone(visit: Visit) -> None:
    page = visit("heatmaps?case=5")
    number = page.get_by_role("spinbutton", name=re.compile("^Film of"))
    page.get_by_role("button", name="Next film").wait_for()
    for key, expected in (("n", "6"), ("p", "5"), ("p", "4")):
        page.keyboard.press(key)
        expect(number).to_have_value(expected)
    film(page)
    viewer = page.locator(".viewer").first
    viewer.focus()
    page.keyboard.press("+")
    expect(viewer).to_have_attribute("data-zoom", "1.500")
    page.keyboard.press("0")
    expect(viewer).to_have_attribute("data-zoom", "1.000")


def test_back_leaves_a_page_in_one_step(visit: Visit) -> None:
    page = visit()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    settle(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Live prediction")).to_be_visible()


def test_click_a_cell_of_the_confusion_matrix(visit: Visit) -> None:
    page = visit("report?model=tiny-a&cohort=phantom:fair")
    cells = page.locator(".js-plotly-plot .nsewdrag").first
    cells.wait_for()
    cells.scroll_into_view_if_needed()
    area = cells.bounding_box()
    assert area
    page.mouse.click(area["x"] + area["width"] * 0.125, area["y"] + area["height"] * 0.125)
    settle(page)
    for label in ("Films that are", "and were called"):
        expect(page.get_by_role("combobox", name=label)).to_have_value(re.compile("."))
    film_of_cell = page.get_by_role("button", name=re.compile(r"^\d+ · ")).last
    number = film_of_cell.inner_text().split(" · ")[0]
    film_of_cell.click()
    expect(page.get_by_role("spinbutton", name=re.compile("^Film of"))).to_have_value(number)


def test_a_link_shows_the_same_in_another_browser(visit: Visit) -> None:
    page = visit("heatmaps?case=40&class=COVID-19")
    page.get_by_role("radio", name="Swipe").click()
    page.get_by_role("slider", name="Opacity").press("ArrowRight")
    settle(page)
    page.get_by_role("radio", name=re.compile("^Normal")).click()
    settle(page)
    page.wait_for_url(re.compile("class=Normal"))
    caption = page.get_by_text(re.compile(r"^Grad-CAM for Normal")).inner_text()
    other = visit(page.url)
    assert (
        other.get_by_text(re.compile(r"^Grad-CAM for Normal")).inner_text().split(" · ")[:3] == caption.split(" · ")[:3]
    )
    expect(other.get_by_role("slider", name="Opacity")).to_have_value("0.65")
    expect(other.get_by_role("spinbutton", name=re.compile("^Film of"))).to_have_value("40")


def test_quiz(visit: Visit) -> None:
    page = visit("quiz?seed=7")
    expect(page.get_by_text("1 of 10")).to_be_visible()
    page.get_by_text("Viral Pneumonia", exact=True).click()
    page.get_by_role("button", name="Next: mark the region").click()
    settle(page)
    drag_box(page, 0.2, 0.4, 0.45, 0.8)
    expect(page.get_by_role("button", name="Remove box 1")).to_be_visible()
    with drawing(page, 0.55, 0.4, 0.8, 0.8):  # the page runs while the mouse is down
        page.get_by_role("button", name="Add this box").press("Enter")
        expect(page.get_by_role("button", name="Remove box 2")).to_be_visible()
    for left in (0.1, 0.3):  # one after the other, without a wait for the page's run
        with drawing(page, left, 0.1, left + 0.1, 0.2):
            pass
    expect(page.get_by_role("button", name="Remove box 5")).to_be_visible()
    page.get_by_role("button", name="These regions").click()
    expect(page.get_by_text("The model says")).to_be_visible()
    page.get_by_role("button", name="Show the evidence").click()
    expect(page.get_by_text("You said Viral Pneumonia")).to_be_visible()
    expect(page.get_by_text(re.compile(r"[01] of 1$")).first).to_be_visible()
    page.get_by_role("button", name="Next case").click()
    expect(page.get_by_text("2 of 10")).to_be_visible()
    settle(page)
    page.reload()
    arrive(page)
    expect(page.get_by_text("2 of 10")).to_be_visible()


def test_add_a_model(visit: Visit, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(sources.make("timm:test_vit", 4, 3, 64).state_dict(), tmp_path / "guest.pth")
    page = visit("compare?cohort=phantom:fair&model=tiny")
    page.get_by_role("radio", name="Add a model").click()
    page.locator('[data-testid="stMain"] input[type="file"]').set_input_files(tmp_path / "guest.pth")
    page.get_by_role("textbox", name="Classes, one a line").fill("Normal\nCOVID-19\nViral Pneumonia\nLung Opacity")
    page.get_by_role("spinbutton", name=re.compile("^Side of the picture")).fill("64")
    page.get_by_role("button", name="Try it on this film").click()
    expect(page.get_by_text(re.compile("^Grad-CAM of "))).to_be_visible()
    page.get_by_role("button", name="Keep this model").click()
    settle(page)
    page = visit("heatmaps?cohort=phantom:fair&model=guest&method=legrad")
    expect(film(page)).to_be_visible()
    expect(page.get_by_text(re.compile("^LeGrad for .*all blocks"))).to_be_visible()
    page = visit("report?cohort=phantom:fair&model=guest")
    expect(page.get_by_text("Uncalibrated, no in-domain check").first).to_be_visible()


def test_phone_width(visit: Visit) -> None:
    page = visit("heatmaps", width=390)
    expect(film(page)).to_be_visible()
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0


def test_what_the_published_systems_show_is_here(visit: Visit) -> None:
    page = visit("explore?cohort=phantom:fair&model=tiny")
    page.get_by_role("radio", name="Table").click()
    expect(page.get_by_text("Rows 1 to 50 of 2,000.")).to_be_visible()
    page.get_by_role("spinbutton", name="Page of 40").fill("40")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rows 1,951 to 2,000 of 2,000.")).to_be_visible()
    page = visit("augment")
    page.get_by_text("12 draws", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Figure").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page = visit("compare?cohort=phantom:fair&model=honest")
    page.get_by_role("radio", name="Leaderboard").click()
    expect(page.get_by_role("combobox", name="Ranked by")).to_be_visible()
    expect(page.get_by_text(re.compile("No test film is common to all|films.* of .* patients")).first).to_be_visible()
