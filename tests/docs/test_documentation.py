"""The documentation: links that lead somewhere, a README that stays short, a notebook that runs."""

import itertools
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


def unknown_tests(text: str) -> set[str]:
    """Files and functions of tests that a page names in code and that are not there."""
    named = set(re.findall(r"`(?:tests/)?(?:\w+/)*(test_\w+(?:\.py)?)`", text))
    files = list((REPOSITORY / "tests").rglob("test_*.py"))  # two folders may have a file of one name
    texts = "\n".join(path.read_text(encoding="utf-8") for path in files)
    there = {path.name for path in files} | set(re.findall(r"^def (test_\w+)", texts, re.MULTILINE))
    return named - there


def test_what_reliability_promises_has_its_test() -> None:
    text = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert text.count("`test_") > 30
    assert not unknown_tests(text)
    assert unknown_tests("`test_none.py`: `test_nothing`, `test_documentation.py`") == {"test_none.py", "test_nothing"}


def untested_rows(text: str) -> list[str]:
    """The rows of a page's tables whose last column names no test, folder of tests or benchmark that is there."""
    rows = [line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|[\s:-]+\|", line)]
    heads = {before for before, line in itertools.pairwise(text.splitlines()) if re.match(r"\|[\s:-]+\|", line)}
    return [row for row in rows if row not in heads and not _tested(row.strip(" |").rsplit("|", 1)[-1])]


def _tested(cell: str) -> bool:
    places = re.findall(r"`(tests/[\w./]+)`", cell)
    modules = [f"{name.replace('.', '/')}.py" for name in re.findall(r"`python -m (benchmarks\.\w+)`", cell)]
    names = re.findall(r"`(?:[\w/]+/)?(test_\w+)(?:\.py)?`", cell)
    return bool(names) or any((REPOSITORY / place).exists() for place in [*places, *modules])


def test_each_promise_of_reliability_names_a_test() -> None:
    text = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert untested_rows(text) == []
    made_up = "| fault | promise | test |\n| --- | --- | --- |\n| a | b | `tests/none/` |\n| c | d | `tests/hostile/` |"
    assert untested_rows(made_up) == ["| a | b | `tests/none/` |"]


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
