"""Names of version 0.1 lead to what they named; nothing of the house uses them."""

import importlib
import re
import sys

import pytest

from core.moved import MOVED
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_leads_to_where_its_contents_are(old: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=old):
        module = importlib.import_module(old)
    new = importlib.import_module(MOVED[old][0])
    for name in [name for name in vars(new) if not name.startswith("_")][:5]:
        assert getattr(module, name) is getattr(new, name)
    with pytest.raises(AttributeError, match="has no attribute"):
        module.nothing_of_the_kind  # noqa: B018
    sys.modules.pop(old, None)


def test_nothing_of_the_house_imports_by_an_old_name() -> None:
    old = re.compile(rf"(from|import) ({'|'.join(map(re.escape, MOVED))})\b")
    for room in ("core", "pages", "tests", "benchmarks", "docs"):
        for path in (REPOSITORY / room).rglob("*.py"):
            assert not old.search(path.read_text(encoding="utf-8")), path


def test_a_function_that_has_left_its_module_is_found_there_and_nothing_else_is() -> None:
    from core.evaluate import evaluation, storage

    for name in ("from_parquet", "to_parquet"):
        with pytest.warns(DeprecationWarning, match=f"storage.{name} now"):
            assert getattr(evaluation, name) is getattr(storage, name)
    assert not hasattr(evaluation, "from_csv")
