"""One self-contained HTML page: styles and scripts inside, readable in light, dark and print."""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NOT_PROVIDED = "not provided"
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; --accent: #0072B2; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--accent); }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { background: var(--soft); } .wide { overflow-x: auto; margin-bottom: 1rem; }
figure { margin: 0; display: inline-block; }
.note { padding: .6rem 1rem; border-left: 4px solid #E69F00; background: var(--soft); }
.absent { color: #888; font-style: italic; } img { max-width: 100%; image-rendering: auto; }
figcaption { font-size: .85rem; } .films { display: flex; flex-wrap: wrap; gap: 1rem; }
.films img { width: 24rem; }
@media print { body { max-width: none; font-size: 12px; } h2, h3 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def page(title: str, body: Iterable[str], scripts: bool = False) -> str:
    """The whole document; ``scripts`` puts Plotly in it, once (about 5 MB)."""
    script = ""
    if scripts:
        from plotly.offline import get_plotlyjs

        script = f"<script>{get_plotlyjs()}</script>"
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{text(title)}</title><style>{_STYLE}</style>{script}"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def text(value: object) -> str:
    """Any value as HTML text; None becomes "not provided"."""
    if value is None:
        return f'<span class="absent">{NOT_PROVIDED}</span>'
    return html.escape(str(value))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], help_: Sequence[str] = ()) -> str:
    """A table; ``help_`` gives the headings their explanations on hover."""
    titles = [f' title="{html.escape(h)}"' if h else "" for h in help_] or [""] * len(header)
    cells = "".join(f"<th{title}>{html.escape(h)}</th>" for h, title in zip(header, titles, strict=True))
    head = f"<thead><tr>{cells}</tr></thead>" if any(header) else ""
    lines = ("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{"".join(lines)}</tbody></table></div>'


def plot(figure: "Figure") -> str:
    """A Plotly figure without its script (see `page`), its text in a grey that reads on white and on black.

    Streamlit puts its own template in Plotly's place, which leaves the names along the axes no room without its theme:
    the template is named here, so that a page is the same whoever makes it.
    """
    axes = {"automargin": True, "title_standoff": 12, "gridcolor": "#8883", "zeroline": False}
    figure.update_layout(template="plotly_white", font_color="#7a7a7a").update_xaxes(axes).update_yaxes(axes)
    html: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True}
    )
    return html
