"""From doubt to cure in a real browser: a cheat is hunted, a hypothesis read and tried on a film, the cheat mended."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import PATIENCE, settle

NAME = "COVID-19"  # one class of one model on as few films as the page offers: half a minute of one processor


def metric(page: Page, label: str) -> Locator:
    """The figure under a label."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_a_cheat_is_hunted_tried_and_mended(visit: Callable[..., Page]) -> None:
    page = visit(f"strategies?cohort=phantom:confounded&model=cheat&hunt-films=64&hunt-class={NAME}")
    page.get_by_role("button", name="Hunt", exact=True).click()
    expect(page.get_by_text("1 hypothesis on 64 films")).to_be_visible(timeout=3 * PATIENCE)
    expect(page.get_by_text(f"1. {NAME} goes with what lies in the corners")).to_be_visible()
    expect(metric(page, "Hidden")).to_have_count(0)
    page.get_by_role("button", name="Test it on a film").click()
    expect(metric(page, f"Hidden: {NAME}")).to_have_text(re.compile(r"^0\.[0-4]"))
    expect(metric(page, f"Pasted onto another film: {NAME}")).to_have_text(re.compile(r"^(0\.[5-9]|1\.0)"))
    page.get_by_role("link", name="Shortcut lab").click()
    page.get_by_role("radio", name="6 Mend it").click()
    expect(page.get_by_text("Take the letter's meaning away")).to_be_visible()
    for class_name in ("Normal", NAME):
        page.get_by_role("radio", name=class_name, exact=True).click()
        expect(page.get_by_text(f"and {class_name} once it has the donor's corners")).to_be_visible()
    told = page.get_by_test_id("stMetric").filter(has_text="mended: accuracy in the new hospital")
    expect(told).to_contain_text(re.compile(r"9\d%.*\+\d\d points, from 26%"))
    settle(page)
