"""Plotly figures of a cohort: the map of its films, distributions, counts, marks. Pure functions from tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.report.figures import BLUES, NAMES, PALETTE, colours

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST_BINS = 30  # of a histogram


def film_map(
    points: np.ndarray,
    rows: Sequence[int],
    group: Sequence[str],
    hover: Sequence[str],
    title: str,
    classes: Sequence[str] = (),
) -> "Figure":
    """Films as points, near each other when the model finds them alike; box and lasso select.

    Args:
        points: float (N, 2).
        rows: row of the cohort of each point; returned as ``customdata`` by a selection.
        group: what a point is coloured by; at most as many groups as the palette has colours, the rest is "other".
        hover: text of each point.
        title: of the legend.
        classes: of the cohort; groups that are classes keep the classes' colours.
    """
    from plotly import graph_objects as go

    groups = np.asarray(group, dtype=object)
    names = pd.Series(groups).value_counts().index[: len(PALETTE) - 1].tolist()
    groups = np.where(np.isin(groups.astype(str), [str(name) for name in names]), groups, "other")
    figure = go.Figure()
    for name, colour in colours(sorted(set(groups.tolist()), key=str), classes).items():
        at = np.flatnonzero(groups == name)
        figure.add_scattergl(
            x=points[at, 0],
            y=points[at, 1],
            mode="markers",
            name=str(name),
            marker={"color": colour, "size": 6, "opacity": 0.75},
            customdata=np.asarray(rows)[at],
            text=np.asarray(hover, dtype=object)[at],
            hoverinfo="text",
        )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure.update_layout(
        height=520, margin={"l": 0, "r": 0, "t": 8, "b": 0}, dragmode="lasso", uirevision="map", legend_title_text=title
    )


def distribution(values: Mapping[str, Sequence[float]], axis: str, classes: Sequence[str] = ()) -> "Figure":
    """Overlaid histograms, one per group, as shares of the group; values may contain NaN (left out).

    Groups that are among the cohort's ``classes`` keep the classes' colours. All groups have the same bins, so that
    equal heights mean equal shares.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    known = {name: [number for number in numbers if np.isfinite(number)] for name, numbers in values.items()}
    bins = _bins([number for numbers in known.values() for number in numbers])
    for name, colour in colours(list(values), classes).items():
        figure.add_histogram(
            x=known[name], name=name, histnorm="percent", xbins=bins, opacity=0.55, marker_color=colour
        )
    figure.update_xaxes(title=axis)
    figure.update_yaxes(title="% of the group")
    return figure.update_layout(
        height=280, barmode="overlay", margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": 1.15}
    )


def _bins(numbers: Sequence[float]) -> dict[str, float] | None:
    """Plotly's ``xbins`` for these numbers: some 30 at most, of a round width; None without any."""
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    least = (high - low) / _MOST_BINS or 1.0
    power = 10.0 ** np.floor(np.log10(least))
    size = float(power * next(step for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9)))
    start = float(np.floor(low / size) * size)
    return {"start": start, "end": start + size * (int((high - start) // size) + 1), "size": size}


def counts(table: pd.DataFrame, axis: str) -> "Figure":
    """Stacked bars: one bar per index entry, one colour per column."""
    from plotly import graph_objects as go

    figure = go.Figure()
    for number, column in enumerate(table):
        figure.add_bar(
            y=[str(name) for name in table.index],
            x=table[column],
            name=str(column) or "no split",
            orientation="h",
            marker_color=PALETTE[number % len(PALETTE)],
        )
    figure.update_yaxes(autorange="reversed", ticksuffix="  ", **NAMES)
    figure.update_xaxes(title=axis)
    return figure.update_layout(
        barmode="stack",
        height=90 + 34 * len(table),
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )


def marks(values: pd.DataFrame, notes: pd.DataFrame) -> "Figure":
    """Shares as numbers on a shade, e.g. the hit rate of each method (rows) at each severity (columns).

    Args:
        values: 0 to 1; NaN leaves a gap.
        notes: of the same shape, what a cell says under the mouse.
    """
    from plotly import graph_objects as go

    names, columns = list(values.index), [str(name).replace(" ", "<br>") for name in values]
    text = [["" if value != value else f"{value:.2f}" for value in row] for row in values.to_numpy(float)]
    cells = go.Heatmap(
        z=values.to_numpy(float), x=columns, y=names, text=text, texttemplate="%{text}", textfont={"size": 14},
        hovertext=notes.to_numpy(), hoverinfo="text", colorscale=BLUES, zmin=0, zmax=1, xgap=2, ygap=2,
        showscale=False,
    )  # fmt: skip
    figure = go.Figure(cells)
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False, ticks="", **NAMES)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticks="", ticksuffix="  ", **NAMES)
    return figure.update_layout(height=60 + 34 * len(names), margin={"l": 0, "r": 0, "t": 8, "b": 0})
