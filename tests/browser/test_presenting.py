"""Presenter mode at 1280 x 720, a projector's usual size: picture and result of a step are seen without scrolling."""

import pytest
from playwright.sync_api import Page

from tests.browser.steps import SCREEN, arrive, settle

FILM = "cohort=phantom%3Afair&model=honest&case=49&class=COVID-19"
# Address, then what has to be seen of it: the picture, and what is said of it.
PAGES = {
    "Live prediction": (f"?{FILM}", '[data-testid="stImage"] img', "text=Known label"),
    "Heatmaps": (f"heatmaps?{FILM}", ".viewer", "text=Is this evidence?"),
    "Heatmaps with a hidden box": (f"heatmaps?{FILM}&hide=box", ".viewer", "text=Hiding this >> nth=0"),
    "Augmentation preview": (f"augment?{FILM}", ".viewer", "text=moves by"),
    "Learn 1": ("learn?learn-step=1", '[data-testid="stImage"] img', "text=Your map is like"),
    "Learn 2": ("learn?learn-step=2", '[data-testid="stImage"] img', "text=Probability of"),
    "Learn 3": ("learn?learn-step=3", '[data-testid="stImage"] img', "text=elsewhere hidden"),
    "Learn 4": ("learn?learn-step=4", '[data-testid="stImage"] img', "text=Similarity of the two maps"),
    "Learn 5": ("learn?learn-step=5", ".js-plotly-plot", "text=Mean gap"),
    "Learn 6": ("learn?learn-step=6", '[data-testid="stVegaLiteChart"]', "text=Truth in the set"),
    "Learn 7": ("learn?learn-step=7", '[data-testid="stImage"] img', "text=Known label"),
    "Quiz": (f"quiz?{FILM}&seed=7", ".viewer", "text=How sure are you?"),
    "Shortcut lab 1": ("shortcut?shortcut-step=1", '[data-testid="stImage"] img', "text=Would you use this model?"),
    "Shortcut lab 2": ("shortcut?shortcut-step=2", ".viewer", "text=What does model A look at?"),
    "Shortcut lab 3": ("shortcut?shortcut-step=3", ".viewer", '[data-testid="stTable"]'),
    "Shortcut lab 4": ("shortcut?shortcut-step=4", '[data-testid="stImage"] img', "text=One film may be an exception"),
    "Shortcut lab 5": ("shortcut?shortcut-step=5", ".viewer", "text=No accuracy measured at home"),
}
# Lists and tables go on below; what opens them is on the first screen.
LISTS = {
    "Explore": (f"explore?{FILM}", "text=of 2,000 films", '[data-testid="stImage"] img >> nth=0'),  # films
    "Report": (f"report?{FILM}", '[data-testid="stMetric"] >> nth=0', ".js-plotly-plot >> nth=0"),  # figures
    "Compare": (f"compare?{FILM}", "text=All models", '[data-testid="stDataFrame"]'),  # models
    "Strategies": (f"strategies?{FILM}", "text=Films to look at", "role=button[name='Hunt']"),  # hypotheses
    "Method lab": (f"methods?{FILM}", "text=Methods", "role=button[name=/^Mark/]"),  # methods
}


def opened(window: Page, address: str) -> None:
    """Show a page to its end."""
    window.goto(address)
    arrive(window)
    settle(window)


def hidden_below(window: Page) -> int:
    """Pixels that can be scrolled down to."""
    scroll = "(main) => main.scrollHeight - main.clientHeight"
    return int(window.locator('[data-testid="stMain"]').evaluate(scroll))


@pytest.mark.parametrize("name", PAGES | LISTS)
def test_picture_and_result_are_on_one_screen(window: Page, shipped: str, name: str) -> None:
    address, *wanted = (PAGES | LISTS)[name]
    opened(window, f"{shipped}/{address}&present=1")
    for selector in wanted:
        place = window.locator(selector).first
        place.wait_for()
        area = place.bounding_box()
        assert area is not None
        assert area["y"] >= 0, selector
        assert area["y"] + area["height"] <= SCREEN["height"], selector
        assert area["x"] + area["width"] <= SCREEN["width"], selector
    if name in PAGES:
        assert hidden_below(window) == 0


def test_without_presenter_mode_there_is_more_than_one_screen(window: Page, shipped: str) -> None:
    opened(window, f"{shipped}/heatmaps?{FILM}")
    assert hidden_below(window) > 0


@pytest.mark.parametrize("step", ["2", "4", "5", "6", "7&shortcut-kind=nodule"])
def test_a_step_of_the_shortcut_lab_fits_beside_the_sidebar_too(window: Page, shipped: str, step: str) -> None:
    opened(window, f"{shipped}/shortcut?shortcut-step={step}")
    assert window.get_by_test_id("stSidebar").is_visible()
    assert hidden_below(window) == 0


def test_the_name_of_a_figure_is_read_to_its_end(window: Page, shipped: str) -> None:
    opened(window, f"{shipped}/shortcut?shortcut-step=4")  # names longer than their columns
    names = window.get_by_test_id("stMetricLabel").locator("p")
    assert names.count() == 2
    cut_off = "(names) => names.map((name) => name.scrollWidth - name.clientWidth)"
    assert names.evaluate_all(cut_off) == [0, 0]
