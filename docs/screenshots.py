"""Pictures of every page, light and dark, at desktop and phone width, with drawn films only.

python -m docs.screenshots [page ...]     writes docs/screenshots/<page>-<theme>[-phone].png
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.server import chromium, served
from tests.browser.steps import arrive, settle
from tests.browser.talk import listen

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docs" / "screenshots"
SIZES = {"": (1360, 860), "-phone": (390, 844)}
TALLEST = 1500  # pixels of a page that are shown
FILM = "cohort=phantom%3Afair&model=honest&case=49&class=COVID-19"  # moderate, and called rightly
PAGES = {
    "predict": f"?{FILM}",
    "heatmaps": f"heatmaps?{FILM}",
    "explore": f"explore?{FILM}",
    "augment": f"augment?{FILM}",
    "report": f"report?{FILM}",
    "compare": f"compare?{FILM}",
    "learn": "learn",
    "quiz": f"quiz?{FILM}&seed=7",
    "shortcut": f"shortcut?{FILM}",
    "methods": f"methods?{FILM}",
}
CLICKS = {  # what a page shows only when asked
    "predict": ("button", "Find nearest films"),
    "shortcut": ("radio", "2 Heatmap"),
    "methods": ("button", "Mark"),
}


def main(names: list[str]) -> None:
    """Take the pictures of the named pages, or of all."""
    FOLDER.mkdir(exist_ok=True)
    # No real films: only what Hilum draws may be in a picture of the repository.
    with served(HILUM_DATA=str(FOLDER)) as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in names or PAGES:
            for theme in ("light", "dark"):
                for suffix, size in SIZES.items():
                    picture = FOLDER / f"{name}-{theme}{suffix}.png"
                    shoot(browser, f"{address}/{PAGES[name]}", theme, size, picture, CLICKS.get(name))
                    print(picture.relative_to(REPOSITORY), f"{picture.stat().st_size / 1024:.0f} kB")
        browser.close()


def shoot(
    browser: Browser, address: str, theme: str, size: tuple[int, int], picture: Path, click: tuple[str, str] | None
) -> None:
    """One page as a visitor sees it once everything has arrived."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": address}])
    page = listen(context.new_page())
    page.goto(address)
    arrive(page)
    if click and (wanted := page.get_by_role(click[0], name=click[1])).count():  # type: ignore[arg-type]
        wanted.first.click()
        page.mouse.move(width - 2, 2)
        settle(page)
        page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop = 0")
    tall = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": width, "height": int(min(max(tall, height), TALLEST))})
    page.wait_for_timeout(1200)
    page.screenshot(path=picture)
    context.close()
    shrink(picture)


def shrink(picture: Path) -> None:
    """A palette of 256 colours is enough for a page, and a third of the size; dithered, so that maps stay smooth."""
    from PIL import Image

    with Image.open(picture) as image:
        page = image.convert("RGB")
    palette = page.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)
    small = page.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(picture, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
