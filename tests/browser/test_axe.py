"""axe-core finds nothing on any page, light or dark, that is ours to mend; and it would find it if there were."""

import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.steps import arrive, settle

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FILM = "cohort=phantom%3Afair&model=honest&case=49&class=COVID-19"
PAGES = {
    "Live prediction": f"?{FILM}",
    "Heatmaps": f"heatmaps?{FILM}",
    "Heatmaps with a hidden box": f"heatmaps?{FILM}&hide=box",
    "Explore": f"explore?{FILM}",
    "Augmentation preview": f"augment?{FILM}",
    "Report": f"report?{FILM}",
    "Compare": f"compare?{FILM}",
    "Strategies": f"strategies?{FILM}",
    "Learn": "learn",
    "Quiz": f"quiz?{FILM}&seed=7",
    "Shortcut lab": "shortcut?shortcut-step=3",
    "Method lab": f"methods?{FILM}",
    "Server": "memory",
}
# What Streamlit itself draws so and no style of ours reaches: rule -> (pattern of the element, where it is reported).
STREAMLITS: dict[str, tuple[str, str]] = {}


def ours(page: Page) -> list[str]:
    """The violations of any impact in what Streamlit does not draw, each in a line."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run()")
    lines = []
    for violation in found["violations"]:
        pattern = STREAMLITS.get(violation["id"], (None, ""))[0]
        for node in violation["nodes"]:
            if pattern is None or not re.search(pattern, node["html"]):
                told = " ".join(node.get("failureSummary", "").split())
                lines.append(f"{violation['id']} ({violation['impact']}): {node['html'][:200]} | {told[:200]}")
    return lines


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(window: Page, shipped: str, name: str) -> None:
    found = {}
    window.emulate_media(color_scheme="light")
    window.goto(f"{shipped}/{PAGES[name]}")
    arrive(window)
    for theme in ("light", "dark"):
        window.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        settle(window)
        found[theme] = ours(window)
    assert window.locator("h1").count() == 1
    assert not any(found.values()), "\n".join(f"{theme} {line}" for theme, lines in found.items() for line in lines)


def test_axe_would_find_what_is_wrong(window: Page) -> None:
    window.evaluate(
        """() => {
            const box = document.createElement("div");
            box.innerHTML = '<img src="data:,"><button></button><p style="color:#aaa;background:#fff">pale words</p>';
            document.querySelector('[data-testid="stMain"]').append(box);
        }"""
    )
    rules = {line.split(" ")[0] for line in ours(window)}
    assert {"image-alt", "button-name", "color-contrast"} <= rules


def test_buttons_are_called_by_words_and_keys_can_be_switched_off(window: Page, shipped: str) -> None:
    window.goto(f"{shipped}/explore?{FILM}&keys=0")
    arrive(window)
    window.get_by_role("button", name="Next film", exact=True).wait_for()
    window.keyboard.press("n")
    window.wait_for_timeout(500)
    settle(window)
    assert "case=49" in window.url
    window.goto(f"{shipped}/explore?{FILM}")
    arrive(window)
    window.get_by_role("button", name="Next film").wait_for()
    window.keyboard.press("n")
    window.wait_for_url(re.compile("case=50"))
