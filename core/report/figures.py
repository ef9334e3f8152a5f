"""Plotly figures of one case: probabilities round their operating points, before and after, sweeps. Pure functions.

Every figure leaves its background and text to the page's theme, so that light and dark need no second version.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from core.explain.deletion import Curve

PALETTE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#8C6BB1",
    "#999999",
)  # Okabe-Ito, reordered
BLUES = ((0, "#EAF2FA"), (0.5, "#7FB4DB"), (1, "#08519C"))  # of a table's cells: its numbers read on every shade
NAMES = {"type": "category"}  # of an axis of names: "1" and "2020" are names as well, which Plotly takes for numbers
NOT_SURE = 0.25  # half width of the "not sure" zone round an operating point, on the rescaled axis of `margin`


def colours(names: Sequence[str], classes: Sequence[str] = ()) -> dict[str, str]:
    """A colour of the palette for each name; ``classes`` keep theirs whichever of them are shown, and in what order."""
    ranked = [*classes, *(name for name in names if name not in classes)]
    of_all = {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(ranked)}
    return {name: of_all[name] for name in names}


def margin(probability: float, point: float) -> float:
    """Where a probability stands relative to its operating point: -1 at 0, 0 there, 1 at 1; linear on each side."""
    below = probability < point
    return (probability - point) / point if below else (probability - point) / max(1 - point, 1e-9)


def probability_bars(
    probabilities: Mapping[str, float],
    points: Mapping[str, float],
    spread: Mapping[str, tuple[float, float]] | None = None,
) -> "Figure":
    """One bar per class, from the class's own operating point, with the zone round it in which the model is not sure.

    Args:
        probabilities: calibrated probability of each class, 0 to 1.
        points: operating point of each class, between 0 and 1.
        spread: lowest and highest probability of each class under mild changes of the film; drawn as a thin line.
    """
    from plotly import graph_objects as go

    names = list(probabilities)
    margins = [margin(probabilities[name], points[name]) for name in names]
    colours = ["#D55E00" if m > 0 else "#7A8CA3" for m in margins]
    hover = [f"{name}: {probabilities[name]:.3f}, operating point {points[name]:.3f}" for name in names]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar", "x": margins, "y": names, "orientation": "h", "marker": {"color": colours},
            "hovertext": hover, "hoverinfo": "text", "width": 0.5,
        }
    ]  # fmt: skip
    for name, (low, high) in (spread or {}).items():
        traces.append(
            {
                "type": "scatter", "x": [margin(low, points[name]), margin(high, points[name])], "y": [name, name],
                "mode": "lines+markers", "hovertext": f"{name}: {low:.3f} to {high:.3f} under mild changes",
                "hoverinfo": "text", "line": {"color": "#666666", "width": 2},
                "marker": {"symbol": "line-ns-open", "size": 10},
            }
        )  # fmt: skip
    whole_height = {"yref": "y domain", "y0": 0, "y1": 1, "xref": "x"}
    layout = {
        "shapes": [
            {"type": "rect", "x0": -NOT_SURE, "x1": NOT_SURE, "fillcolor": "#999999", "opacity": 0.18, "layer": "below",
             "line": {"width": 0}, **whole_height},
            {"type": "line", "x0": 0, "x1": 0, "line": {"width": 1, "color": "#888888"}, **whole_height},
        ],
        "annotations": [
            {"text": f"<b>{probabilities[name]:.3f}</b>", "font": {"size": 14}, "x": 1, "xref": "paper",
             "xanchor": "right", "y": name, "showarrow": False}
            for name in names
        ],
        "xaxis": {
            "range": [-1.02, 1.02], "domain": [0, 0.76], "zeroline": False, "showgrid": False, "fixedrange": True,
            "tickvals": [-1, 0, 1], "ticktext": ["certainly<br>not", "operating<br>point", "certainly"],
            "tickangle": 0,  # a phone would turn them
        },
        "yaxis": {"autorange": "reversed", "fixedrange": True, "ticksuffix": "  ", **NAMES},
        "height": 74 + 46 * len(names), "margin": {"l": 0, "r": 8, "t": 6, "b": 38}, "showlegend": False,
    }  # fmt: skip
    return go.Figure(traces, layout)  # whole: Plotly's add_ and update_ methods take five times as long


def before_after(before: Mapping[str, float], after: Mapping[str, float], changed: str = "after") -> "Figure":
    """Two bars per class: the probability of the film as it is and of the film as changed."""
    from plotly import graph_objects as go

    names = list(before)
    figure = go.Figure()
    for title, values, colour in (("as it is", before, "#7A8CA3"), (changed, after, "#D55E00")):
        numbers = [values[name] for name in names]
        figure.add_bar(
            x=numbers, y=names, name=title, orientation="h", marker_color=colour,
            text=[f"{number:.3f}" for number in numbers], textposition="outside", cliponaxis=False,
        )  # fmt: skip
    figure.update_xaxes(title="probability", range=[0, 1.12], showgrid=False, fixedrange=True, tickvals=[0, 0.5, 1])
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ", **NAMES)
    return figure.update_layout(
        height=90 + 40 * len(names), margin={"l": 0, "r": 8, "t": 30, "b": 0}, bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip


def sweep(
    values: Sequence[float],
    probabilities: Mapping[str, Sequence[float]],
    correlation: Sequence[float],
    axis: str,
    at: float,
    natural: tuple[float, float] | None = None,
) -> "Figure":
    """Robustness of one film: probability of each class, and correlation of its heatmap, as one setting moves.

    Args:
        values: the setting's values, ascending.
        probabilities: for each class, one probability per value.
        correlation: Pearson's, of the heatmap with that of the film as it is, -1 to 1; NaN for a blank map.
        axis: name and unit of the setting.
        at: the value whose film is shown; marked.
        natural: the range that real films show; shaded.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    for colour, (name, line) in zip(PALETTE, probabilities.items(), strict=False):
        same = {"marker": {"opacity": 1.0}}  # a click chooses a point; the others stay as they are
        figure.add_scatter(
            x=values, y=line, name=name, mode="lines+markers", line_color=colour, marker_size=5, unselected=same
        )
    figure.add_scatter(
        x=values, y=correlation, name="heatmap correlation", mode="lines", line={"color": "#888888", "dash": "dot"}
    )
    if natural:
        figure.add_vrect(*natural, fillcolor="#009E73", opacity=0.1, line_width=0, layer="below")
    figure.add_vline(at, line_color="#888888", line_width=1)
    figure.update_xaxes(title=axis, showgrid=False, range=[values[0], values[-1]])
    figure.update_yaxes(title="probability", range=[min(0.0, float(np.nanmin([*correlation, 0.0]))) - 0.03, 1.03])
    return figure.update_layout(
        height=360, margin={"l": 0, "r": 8, "t": 8, "b": 0}, uirevision=axis, legend={"orientation": "h", "y": -0.22}
    )


def hiding_curve(curve: "Curve") -> "Figure":
    """The class's probability as more and more is hidden (or shown): this map against random ones."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for number, line in enumerate(curve.random):
        figure.add_scatter(
            x=curve.fractions, y=line, mode="lines", name="random maps", legendgroup="random", showlegend=not number,
            line={"color": "#999999", "width": 1}, opacity=0.6,
        )  # fmt: skip
    figure.add_scatter(x=curve.fractions, y=curve.scores, mode="lines+markers", name="this map", line_color="#D55E00")
    figure.update_xaxes(title="share of the film", tickformat=".0%")
    figure.update_yaxes(title="probability")
    return figure.update_layout(
        height=260, margin={"l": 0, "r": 8, "t": 8, "b": 0}, legend={"orientation": "h", "y": 1.15}
    )
