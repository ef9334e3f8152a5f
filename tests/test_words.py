"""Names in a sentence."""

import pytest

from core.words import joined


@pytest.mark.parametrize(
    ("names", "told"),
    [((), ""), (["a"], "a"), (["a", "b"], "a and b"), (("a", "b", "c"), "a, b and c")],
)
def test_names_are_joined_as_in_a_sentence(names, told):
    assert joined(names) == told
    assert joined(names, "or") == told.replace(" and ", " or ")
