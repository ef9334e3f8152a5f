"""The documentation: links that lead somewhere, a README that stays short, a notebook that runs."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "weights").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]+)")


def dead_links(page: Path, text: str) -> list[str]:
    return [link for link in LINK.findall(text) if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert dead_links(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_found() -> None:
    assert dead_links(REPOSITORY / "README.md", "[a](docs/none.md) [b](README.md) [c](https://example.org)") == [
        "docs/none.md"
    ]


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").split()) <= 700


def test_the_notebook_runs() -> None:
    notebook = json.loads((REPOSITORY / "docs" / "first_look.ipynb").read_text(encoding="utf-8"))
    names: dict = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # the project's own notebook
    assert names["prediction"].label in names["cohort"].classes
    assert not names["map_"].blank
