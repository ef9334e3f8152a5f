"""Words from outside are shown as what they are, wherever they come from."""

import pytest
from markdown_it import MarkdownIt

from pages.shared.text import plain

HOSTILE = (
    "![x](http://127.0.0.1:9/leak.png)",
    "[click](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "**bold** _it_ ~~no~~ `code`",
    "# heading",
    "- item",
    "1. item",
    "12) item",
    "$x^2$ :material/home: :red[alarm]",
    "www.example.org http://example.org",
    "&lt;b&gt; a | b",
    "\\",
)


@pytest.mark.parametrize("words", HOSTILE)
def test_markdown_shows_them_letter_by_letter(words: str) -> None:
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    (paragraph,) = [token for token in markdown.parse(plain(words)) if token.type == "inline"]
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in paragraph.children or []) == words


def test_what_cannot_be_seen_is_left_out_and_what_is_long_is_cut() -> None:
    assert plain("a\u202eb\x00c\nd") == "a b c d"
    assert len(plain("x" * 5000)) < 200


def test_usual_names_stay_as_they_are() -> None:
    for name in ("COVID-19", "film (2).png", "Grad-CAM++", "0.93", "a.b-c+d", 'There is no "/films"'):
        assert plain(name) == name
