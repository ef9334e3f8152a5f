"""Plotly figures of an evaluation. Pure functions; background and text are left to the page's theme.

Classes keep one colour through all figures (Okabe-Ito, safe for colour-blind readers); intervals are bands or whiskers.
"""

import math
from collections.abc import Container, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.evaluate.curves import GRID, Curves
from core.evaluate.glossary import GLOSSARY
from core.intervals import Estimate
from core.report.figures import BLUES, NAMES, PALETTE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LONGEST = 26  # letters of a name on an axis before it is broken into lines
_GREY = "#888888"  # reads on white and on black
_LAYOUT: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
    "legend": {"orientation": "h", "yanchor": "top", "y": -0.22},
}


def confusion(matrix: np.ndarray, classes: Sequence[str], percent: bool = False) -> "Figure":
    """The confusion matrix, coloured by the share of each true class.

    Args:
        matrix: films, int (C, C), rows = true class.
        percent: show shares of the true class instead of counts.

    A heatmap cannot be clicked in Streamlit, so an invisible point lies on every cell, its ``customdata`` being
    ``[row, column]``.
    """
    from plotly import graph_objects as go

    rows = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, rows, out=np.zeros(matrix.shape), where=rows > 0)
    text = np.vectorize("{:.1%}".format)(share) if percent else np.vectorize("{:,}".format)(matrix)
    cells = [(i, j) for i in range(len(classes)) for j in range(len(classes))]
    hidden = {"opacity": 0.0}
    coloured = go.Heatmap(
        z=share, x=list(classes), y=list(classes), text=text, texttemplate="%{text}", textfont={"size": 16},
        colorscale=BLUES, zmin=0, zmax=1, xgap=2, ygap=2, hoverinfo="skip",
        showscale=False,
    )  # fmt: skip
    clicked = go.Scatter(
        x=[classes[j] for _, j in cells], y=[classes[i] for i, _ in cells], mode="markers", customdata=cells,
        marker={"size": 56, "symbol": "square", **hidden}, selected={"marker": hidden}, unselected={"marker": hidden},
        hovertext=[
            f"{classes[i]} called {classes[j]}: {matrix[i, j]:,} ({share[i, j]:.1%})" for i, j in cells
        ],
        hoverinfo="text", showlegend=False,
    )  # fmt: skip
    broken = [name.replace(" ", "<br>") for name in classes]
    ticks = {"tickvals": list(classes), "ticktext": broken, "fixedrange": True, "showgrid": False, **NAMES}
    upright = {"autotickangles": [0, 90]}  # on a phone
    far = len(classes) - 0.5  # the invisible points would otherwise widen the axes
    layout = _LAYOUT | {  # in one piece: each update of a Plotly figure takes longer than to make it
        "height": 120 + 84 * len(classes),
        "clickmode": "event+select",
        "xaxis": {"title": {"text": "called"}, "range": [-0.5, far], **ticks, **upright},
        "yaxis": {"title": {"text": "true class"}, "range": [far, -0.5], **ticks},
    }
    return go.Figure([coloured, clicked], layout)


def roc(
    curves: Mapping[str, Curves],
    areas: Mapping[str, Estimate],
    at: Mapping[str, tuple[float, float]] | None = None,
) -> "Figure":
    """ROC curve of each class against all others, with 95 % bands.

    Args:
        areas: AUROC of each class, for the legend.
        at: operating point of some classes (1 - specificity, sensitivity), marked by a diamond.
    """
    figure = _empty("1 - specificity", "sensitivity (recall)")
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="coin toss", line={"color": _GREY, "dash": "dot"})
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        if len(curve.tpr):
            _add_band(figure, curve.roc_low, curve.roc_high, colour, name)
            line = _add_line(figure, curve.fpr, curve.tpr, colour, name, (at or {}).get(name))
            line.name = f"{name}: {areas[name]}"
            line.hovertemplate = f"{name}<br>1 - specificity %{{x:.3f}}, sensitivity %{{y:.3f}}"
            _add_points(line, curve)
    return figure


def precision_recall(
    curves: Mapping[str, Curves],
    areas: Mapping[str, Estimate],
    at: Mapping[str, tuple[float, float]] | None = None,
) -> "Figure":
    """Precision-recall curve of each class with 95 % bands; dotted: its prevalence, where a coin toss lies.

    Args:
        areas: average precision of each class, for the legend.
        at: operating point of some classes (recall, precision), marked by a diamond.
    """
    figure = _empty("recall (sensitivity)", "precision (PPV)")
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        if len(curve.tpr):
            _add_band(figure, curve.pr_low, curve.pr_high, colour, name)
            line = _add_line(figure, curve.tpr, curve.precision, colour, name, (at or {}).get(name))
            line.line.shape = (
                "vh"  # between two operating points nothing is reached: the area below is the average precision
            )
            line.name = f"{name}: {areas[name]}"
            line.hovertemplate = f"{name}<br>recall %{{x:.3f}}, precision %{{y:.3f}}"
            _add_points(line, curve)
            figure.add_scatter(
                x=[0, 1], y=[curve.prevalence] * 2, mode="lines", line={"color": colour, "dash": "dot", "width": 1},
                legendgroup=name, showlegend=False, hoverinfo="skip",
            )  # fmt: skip
    return figure


def gains(curves: Mapping[str, Curves], figures: Mapping[str, Mapping[str, Estimate]]) -> "Figure":
    """Cumulative gains of each class: what share of it is found in the films that are likeliest of it; 95 % bands.

    Args:
        figures: of each class; a diamond marks how many films are called so, and how much of the class is among them.
    """
    figure = _empty("share of all films looked at, the likeliest first", "share of the class found")
    diagonal = {"color": _GREY, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="in any order", line=diagonal)
    for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
        if len(curve.tpr):
            _add_band(figure, curve.gains_low, curve.gains_high, colour, name)
            found, purity = figures[name]["recall"].value, figures[name]["precision"].value
            called = found * curve.prevalence / purity if purity > 0 else math.nan
            line = _add_line(figure, curve.flagged, curve.tpr, colour, name, (called, found))
            line.name = f"{name}: lift {curve.lift(0.1)[0]:.1f} in the first tenth"
            line.hovertemplate = f"{name}<br>%{{x:.1%}} of films hold %{{y:.1%}} of the class"
            _add_points(line, curve)
            best = {"color": colour, "dash": "dot", "width": 1}
            figure.add_scatter(
                x=[0, curve.prevalence, 1], y=[0, 1, 1], mode="lines", line=best, legendgroup=name, showlegend=False,
                hoverinfo="skip",
            )  # fmt: skip
    return figure


def reliability(bins: pd.DataFrame, title: str = "confidence", point: float | None = None) -> "Figure":
    """Reliability diagram over the number of films in each bin; ``bins`` as `calibration.reliability` returns them.

    Args:
        point: probability from which the class is called, marked by a line.
    """
    from plotly.subplots import make_subplots

    filled = bins[bins["n"] > 0]
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    diagonal = {"color": _GREY, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="perfect", line=diagonal, row=1, col=1)
    figure.add_scatter(
        x=filled["said"], y=filled["came_true"], mode="lines+markers", name="this model", row=1, col=1,
        line_color=PALETTE[0], marker_size=8, customdata=filled["n"],
        error_y={
            "array": filled["came_true_high"] - filled["came_true"],
            "arrayminus": filled["came_true"] - filled["came_true_low"],
            "width": 3,
        },
        hovertemplate="said %{x:.3f}, came true %{y:.3f}, %{customdata} films<extra></extra>",
    )  # fmt: skip
    centres = (bins["low"] + bins["high"]) / 2
    figure.add_bar(
        x=centres, y=bins["n"], width=0.095, marker_color=PALETTE[0], opacity=0.6, text=bins["n"], showlegend=False,
        hovertemplate="%{y} films<extra></extra>", row=2, col=1,
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], row=1, col=1)
    figure.update_xaxes(range=[0, 1], title=f"{title}, as the model says", row=2, col=1)
    figure.update_yaxes(range=[0, 1.02], title="share that came true", row=1, col=1)
    figure.update_yaxes(title="films", row=2, col=1)
    if point is not None:
        figure.add_vline(point, line={"color": PALETTE[1], "dash": "dash", "width": 1.5})
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.02}
    return figure.update_layout(_LAYOUT | {"height": 460, "legend": legend})


def forest(rows: Mapping[str, Estimate], title: str, reference: float | None = None) -> "Figure":
    """One figure for several groups or models, with whiskers; a dotted line at ``reference``."""
    from plotly import graph_objects as go

    known = {name: measured for name, measured in rows.items() if measured.defined}
    figure = go.Figure()
    names = ["<br>".join(wrap(name, LONGEST)) for name in known]
    figures = list(known.values())
    figure.add_scatter(
        x=[f.value for f in figures], y=names, mode="markers", customdata=[[f.low, f.high, f.n] for f in figures],
        marker={"size": [6 + 10 * np.sqrt(f.n / max(g.n for g in figures)) for f in figures], "color": PALETTE[0]},
        error_x={
            "array": [f.high - f.value for f in figures], "arrayminus": [f.value - f.low for f in figures], "width": 4,
        },
        hovertemplate="%{x:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}], n %{customdata[2]}<extra>%{y}</extra>",
    )  # fmt: skip
    if reference is not None:
        figure.add_vline(reference, line={"color": _GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title=title, nticks=6)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ", showgrid=False, **NAMES)
    return figure.update_layout(
        _LAYOUT | {"height": 90 + (42 if any("<br>" in name for name in names) else 34) * max(len(names), 1)},
        showlegend=False,
    )


def differences(gaps: Mapping[str, Estimate], clear: Container[str]) -> "Figure":
    """Second model less first, one row per figure; green: the second is better, orange: worse; grey: could be luck.

    Args:
        clear: keys whose difference is more than luck with all of them looked at together (`Comparison.clear`).
    """
    figure = forest({GLOSSARY[key].title: gap for key, gap in gaps.items()}, "second model less first", 0.0)
    colours = []
    for key, gap in gaps.items():
        if gap.defined:
            better = (gap.value > 0) == GLOSSARY[key].higher_is_better
            colours.append(_GREY if key not in clear else PALETTE[2] if better else PALETTE[1])
    return figure.update_traces(marker={"color": colours, "size": 11})


def history(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> "Figure":
    """Loss, accuracy and learning rate per epoch of one or more trained models, from their cards' history."""
    from plotly.subplots import make_subplots

    titles = ("loss (validation solid, training dotted)", "accuracy", "learning rate")
    heights = [0.4, 0.4, 0.2]
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.09, row_heights=heights, subplot_titles=titles)
    for colour, (name, epochs) in zip(PALETTE * (1 + len(runs) // len(PALETTE)), runs.items(), strict=False):
        table = pd.DataFrame(list(epochs))
        lines = (("validation_loss", 1, "solid"), ("train_loss", 1, "dot"), ("validation_accuracy", 2, "solid"))
        for key, row, dash in (*lines, ("train_accuracy", 2, "dot"), ("learning_rate", 3, "solid")):
            if key in table:
                figure.add_scatter(
                    x=table["epoch"], y=table[key], row=row, col=1, name=name, legendgroup=name, mode="lines",
                    showlegend=key == "validation_loss", line={"color": colour, "dash": dash},
                    hovertemplate=f"{name}, epoch %{{x}}: {key.replace('_', ' ')} %{{y:.4g}}<extra></extra>",
                )  # fmt: skip
    figure.update_xaxes(title="epoch", row=3, col=1)
    figure.update_yaxes(type="log", exponentformat="power", row=3, col=1)
    return figure.update_layout(_LAYOUT | {"height": 620, "legend": {"orientation": "h", "y": -0.1}})


def _empty(x: str, y: str) -> "Figure":
    from plotly import graph_objects as go

    figure = go.Figure()
    figure.update_xaxes(title=x, range=[-0.01, 1.01], constrain="domain")
    figure.update_yaxes(title=y, range=[-0.01, 1.03])
    return figure.update_layout(_LAYOUT | {"height": 460}, uirevision="curves")


def _add_band(figure: "Figure", low: np.ndarray, high: np.ndarray, colour: str, name: str) -> None:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=np.r_[GRID, GRID[::-1]], y=np.r_[low, high[::-1]], fill="toself", mode="none", hoverinfo="skip",
        fillcolor=f"rgba({red},{green},{blue},0.18)", legendgroup=name, showlegend=False,
    )  # fmt: skip


def _add_line(
    figure: "Figure", x: np.ndarray, y: np.ndarray, colour: str, name: str, at: tuple[float, float] | None
) -> Any:
    figure.add_scatter(x=x, y=y, mode="lines", legendgroup=name, line={"color": colour, "width": 2})
    line = figure.data[-1]
    if at is not None and np.isfinite(at).all():
        figure.add_scatter(
            x=[at[0]], y=[at[1]], mode="markers", legendgroup=name, showlegend=False,
            marker={"size": 13, "color": colour, "symbol": "diamond", "line": {"color": "white", "width": 1.5}},
            hovertemplate=f"{name}: operating point (%{{x:.3f}}, %{{y:.3f}})<extra></extra>",
        )  # fmt: skip
    return line


def _add_points(line: Any, curve: Curves) -> None:
    line.customdata = np.minimum(curve.threshold, 1.0)
    line.hovertemplate += ", operating point %{customdata:.3f}<extra></extra>"
