"""Pictures of every page, light and dark, at desktop and phone width, with drawn films only.

python -m docs.screenshots [page ...]     writes docs/screenshots/<page>-<theme>[-phone].png
python -m docs.screenshots --size 1280x720 2560x1440 --out FOLDER     other sizes, to be looked at
"""

import argparse
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
    "strategies": "strategies?cohort=phantom%3Aconfounded&model=cheat",
    "learn": "learn",
    "quiz": f"quiz?{FILM}&seed=7",
    "shortcut": f"shortcut?{FILM}",
    "methods": f"methods?{FILM}",
}
CLICKS = {  # what a page shows only when asked
    "predict": ("button", "Find nearest films"),
    "strategies": ("button", "Hunt"),
    "shortcut": ("radio", "2 Heatmap"),
    "methods": ("button", "Mark"),
}


def main() -> None:
    """Take the pictures of the named pages, or of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="page", help=f"of {', '.join(PAGES)}; all unless said")
    parser.add_argument("--size", nargs="+", type=size, default=[], metavar="WxH", help="pixels of the window")
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: docs/screenshots")
    args = parser.parse_args()
    sizes = {f"-{width}": (width, height) for width, height in args.size} or SIZES
    args.out.mkdir(parents=True, exist_ok=True)
    # No real films: only what Hilum draws may be in a picture of the repository.
    with served(HILUM_DATA=str(args.out)) as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        for name in args.pages or PAGES:
            for theme in ("light", "dark"):
                for suffix, window in sizes.items():
                    picture = args.out / f"{name}-{theme}{suffix}.png"
                    shoot(browser, f"{address}/{PAGES[name]}", theme, window, picture, CLICKS.get(name))
                    print(picture, f"{picture.stat().st_size / 1024:.0f} kB", flush=True)
        browser.close()


def size(text: str) -> tuple[int, int]:
    """1280x720 as width and height."""
    width, height = text.split("x")
    return int(width), int(height)


def shoot(
    browser: Browser, address: str, theme: str, window: tuple[int, int], picture: Path, click: tuple[str, str] | None
) -> None:
    """One page as a visitor sees it once everything has arrived."""
    width, height = window
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
    main()
