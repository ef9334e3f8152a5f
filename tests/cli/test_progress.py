"""What a terminal shows of names that come from outside."""

import pytest

from core.cli.progress import Bars


@pytest.mark.parametrize("name", ["[/]", "[bold]x[/bold]", "[link=https://example.org]x[/link]"])
def test_a_name_is_no_markup(name: str) -> None:
    with Bars() as bars:
        bars(name, 1, 2)
        shown = bars.progress.columns[0].render(bars.progress.tasks[0])
    assert str(shown) == name
