"""Words that came from outside, shown as what they are.

Streamlit renders Markdown, LaTeX, icons and colours in labels, captions and messages; a picture's address in a link or
a file name would make the visitor's browser fetch it. Whatever a link, file, card or table says passes through `plain`.
"""

import re

_SYNTAX = re.compile(
    r"([\\`*_\[\]<>$:|~{}]|^[-+#=]|^\d+(?=[.)]\s)|(?<=www)\.|&(?=#?\w+;))"
)  # what means something, there
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")  # also what turns text round
LONGEST = 160  # characters


def plain(text: object, longest: int = LONGEST) -> str:
    """Text that Markdown shows letter by letter, on one line, cut in the middle where it is longer than ``longest``."""
    words = _UNSEEN.sub(" ", str(text)).strip()
    if len(words) > longest:
        words = f"{words[: longest // 2]} … {words[-longest // 2 :]}"
    return _SYNTAX.sub(_escaped, words)


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
