"""Plotly figures of several findings: each one's figure with its interval, and what occurs together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.intervals import Estimate
from core.report.evaluation_figures import forest
from core.report.figures import BLUES, NAMES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOST = 24  # findings whose cells are numbered


def by_finding(found: Mapping[str, Estimate], title: str) -> "Figure":
    """One figure of each finding, with whiskers and the films known."""
    return forest({f"{name} ({figure.n:,})": figure for name, figure in found.items()}, title)


def together(share: pd.DataFrame, what: str) -> "Figure":
    """Of the films with the finding in the row, the share with the one in the column, as a heatmap.

    Args:
        share: (C, C), 0 to 1; NaN where no film has the finding in the row.
        what: "present" or "called".
    """
    from plotly import graph_objects as go

    names, values = list(share.columns), share.to_numpy()
    text = np.where(np.isnan(values), "", np.vectorize("{:.0%}".format)(np.nan_to_num(values)))
    figure = go.Figure(
        go.Heatmap(
            z=values, x=names, y=names, text=text, texttemplate="%{text}" if len(names) <= _MOST else "",
            colorscale=BLUES, zmin=0, zmax=1, xgap=1, ygap=1, showscale=False,
            hovertemplate=f"of the films with %{{y}} {what}, %{{text}} have %{{x}} {what}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title=f"also {what}", tickangle=-45, fixedrange=True, showgrid=False, **NAMES)
    figure.update_yaxes(title=what, autorange="reversed", fixedrange=True, showgrid=False, **NAMES)
    return figure.update_layout(
        height=160 + 26 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)"
    )
