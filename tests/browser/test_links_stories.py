"""Two browsers, one link: something is set, the link is copied by its button, and elsewhere the same is shown."""

import re
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.steps import film, settle

Visit = Callable[..., Page]
FILM = "cohort=phantom:fair&model=tiny-a&case=40"
MAIN = '[data-testid="stMain"]'
# Charts are left out: one that was changed in place and one drawn anew say the same in another order.
READ = """(selector) => {
    const charts = [...document.querySelectorAll(".js-plotly-plot")];
    charts.forEach((chart) => (chart.style.visibility = "hidden"));
    const words = document.querySelector(selector).innerText.replace(/\\d+(\\.\\d+)? s\\b/g, "so long");
    charts.forEach((chart) => (chart.style.visibility = ""));
    return words;
}"""


def shown(page: Page) -> str:
    """All words of the page, but for how long something took."""
    text: str = page.evaluate(READ, MAIN)
    return text


def shows(page: Page, wanted: str) -> None:
    """Wait until the page says this, and say what it says instead if it never does."""
    try:
        page.wait_for_function(f"([selector, wanted]) => ({READ})(selector) === wanted", arg=[MAIN, wanted])
    except Error:
        assert shown(page) == wanted


def choose(page: Page, label: str, option: str | re.Pattern[str]) -> None:
    """Take an option of a list."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).first.click()


def another_film(page: Page) -> None:
    page.get_by_role("button", name="Next film").click()
    expect(page.get_by_role("spinbutton", name=re.compile("^Film of"))).to_have_value("41")


def a_hidden_box(page: Page) -> None:
    film(page)
    page.get_by_role("radio", name="A box").click()
    expect(page.get_by_text("Hiding this").first).to_be_visible()
    page.get_by_role("slider", name="Across, %").first.press("ArrowLeft")
    expect(page.get_by_role("slider", name="Across, %").first).to_have_value("34")


def a_filter(page: Page) -> None:
    page.get_by_role("button", name="Filters").click()
    choose(page, "Label", "COVID-19 (500)")
    expect(page.get_by_text("500 of 2,000 films")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Counts").click()
    choose(page, "Against", "view")


def a_sharper_turn(page: Page) -> None:
    page.get_by_role("slider", name="Angle, °").press("ArrowRight")
    expect(page.get_by_text("Rotate (angle 11, fill black)")).to_be_visible()
    page.get_by_role("radio", name="Copy").click()
    expect(page.get_by_text("For a recipe")).to_be_visible()


def a_class_of_interest(page: Page) -> None:
    expect(page.get_by_text("Percent of the true class")).to_be_visible()
    choose(page, "Class of interest", "Lung Opacity")
    page.get_by_text("Percent of the true class").click()


def another_ranking(page: Page) -> None:
    page.get_by_role("radio", name="Leaderboard").click()
    choose(page, "Ranked by", "Macro AUROC")
    expect(page.get_by_role("combobox", name="Ranked by")).to_have_value("Macro AUROC")


def a_hunt_in_fewer_films(page: Page) -> None:
    choose(page, "Whose answers", "COVID-19")
    page.get_by_role("slider", name="Films to look at").press("ArrowLeft")


def a_temperature(page: Page) -> None:
    page.get_by_role("radio", name=re.compile("Calibration$")).click()
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    expect(page.get_by_role("slider", name="Temperature")).to_have_value("1.25")


def an_answer(page: Page) -> None:
    page.get_by_text("Normal", exact=True).click()
    page.get_by_role("button", name="Next: the model's answer").click()
    page.get_by_role("button", name="Show the evidence").click()
    page.get_by_role("button", name="Next case").click()
    expect(page.get_by_text("2 of 10")).to_be_visible()


def a_step_of_the_lab(page: Page) -> None:
    page.get_by_role("radio", name="2 Heatmap").click()
    expect(page.get_by_text("What does model A look at?")).to_be_visible()
    page.get_by_role("button", name="Another film").click()


def fewer_films(page: Page) -> None:
    page.get_by_role("slider", name="Films of each class and severity").press("ArrowLeft")


STORIES: dict[str, tuple[str, Callable[[Page], None], str]] = {  # address, what is set, what the link then says
    "Live prediction": (f"?{FILM}", another_film, "case=41"),
    "Heatmaps": (f"heatmaps?{FILM}", a_hidden_box, "across=34-65"),
    "Explore": (f"explore?{FILM}", a_filter, "counts-against=view"),
    "Augmentation preview": (f"augment?{FILM}", a_sharper_turn, "below=copy"),
    "Report": (f"report?{FILM}", a_class_of_interest, "percent=1"),
    "Compare": (f"compare?{FILM}", another_ranking, "ranked-by=auroc"),
    "Strategies": (f"strategies?{FILM}", a_hunt_in_fewer_films, "hunt-films=64"),
    "Learn": ("learn", a_temperature, "learn-temperature=1.25"),
    "Quiz": (f"quiz?{FILM}&seed=7", an_answer, "answers="),
    "Shortcut lab": ("shortcut", a_step_of_the_lab, "shortcut-film=1"),
    "Method lab": (f"methods?{FILM}", fewer_films, "lab-films=4"),
}


@pytest.mark.parametrize("name", STORIES)
def test_two_browsers_with_one_link_show_the_same_page(visit: Visit, name: str) -> None:
    address, set_something, told = STORIES[name]
    page = visit(address)
    before = shown(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    set_something(page)
    page.wait_for_url(re.compile(told))  # the last that a run of the server says
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text(re.compile(r"^Copied\."))).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    wanted = shown(page)
    assert wanted != before
    shows(visit(link), wanted)


def test_a_package_holds_what_a_link_cannot_show(visit: Visit) -> None:
    page = visit(f"heatmaps?{FILM}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Package .zip").click()
    with zipfile.ZipFile(download.value.path()) as package:
        assert {name.rpartition("/")[2] for name in package.namelist()} == {
            "report.pdf",
            "overlay.png",
            "map.npy",
            "numbers.json",
        }
        assert package.read(next(name for name in package.namelist() if name.endswith("pdf"))).startswith(b"%PDF")
