"""How films with heatmaps are drawn on pages: the controls, one picture, and the row of pictures with linked zoom."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import streamlit as st

from core.report import figures, overlay
from pages.shared import widgets

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap

SIDE = 448  # pixels a picture is drawn with, so that outlines are finer than the model's pixels
MODES = ("Overlay", "Film", "Swipe")


@dataclass(frozen=True)
class Drawing:
    """What the display controls say."""

    style: overlay.Style
    mode: str = "Overlay"
    swipe: float = 0.5
    lungs: bool = False
    truth: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """One picture to draw: ``picture`` is uint8 (S, S); masks are bool (S, S) on it."""

    picture: np.ndarray
    heatmap: "Heatmap | None"
    title: str
    lungs: np.ndarray | None = None
    truth: np.ndarray | None = None

    @property
    def top(self) -> float:
        """The largest absolute evidence."""
        return float(np.abs(self.heatmap.values).max()) if self.heatmap is not None else 0.0


def controls(with_truth: bool) -> Drawing:
    """The display controls, in a row below a viewer."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        mode = st.segmented_control(
            "Show", MODES, default="Overlay", required=True, key="mode", persist_state="session"
        )
        opacity = st.slider(
            "Opacity", 0.0, 1.0, key="opacity", step=0.05, width=115,
            help="Of the strongest evidence. Where there is none the film stays exactly as it is.",
        )  # fmt: skip
        threshold = st.slider(
            "Threshold",
            0.0,
            1.0,
            key="threshold",
            step=0.05,
            width=115,
            help="Evidence below this share of the scale is not drawn.",
        )
        swipe = st.slider("Swipe", 0.0, 1.0, 0.5, 0.02, width=115, key="swipe") if mode == "Swipe" else 0.5
        with st.popover("More", icon=":material/tune:"):
            contours = st.toggle(
                "Contours", key="contours", help="Lines at a quarter, half and three quarters of the scale."
            )
            lungs = st.toggle("Lung outline", key="outline", help="Blue: the lung fields, found by a separate network.")
            truth = with_truth and st.toggle(
                "Known truth", key="truth", help="Green: where the finding is known to be."
            )
            colormap = st.selectbox("Colours", get_args(overlay.Colormap), key="colormap")
    style = overlay.Style(opacity, threshold, colormap, contours=contours)
    return Drawing(style, mode, swipe, lungs, bool(truth))


def draw(view: View, drawing: Drawing, top: float) -> np.ndarray:
    """One picture with everything the controls ask for, RGB uint8 (n S, n S, 3); ``top`` is the value of the last colour."""
    picture = overlay.enlarge(view.picture, SIDE)
    film = np.repeat(picture[..., None], 3, axis=2)
    image = film
    if view.heatmap is not None and drawing.mode != "Film":
        values = overlay.enlarge(view.heatmap.values, SIDE)
        image = overlay.overlay(picture, values, replace(drawing.style, top=top))
        if drawing.mode == "Swipe":
            image = overlay.swipe(film, image, drawing.swipe)
    if drawing.lungs and view.lungs is not None:
        image = overlay.outline(image, overlay.enlarge(view.lungs, SIDE), overlay.LUNGS)
    if drawing.truth and view.truth is not None:
        image = overlay.outline(image, overlay.enlarge(view.truth, SIDE), overlay.TRUTH)
    return image


def show(views: list[View], drawing: Drawing, key: str, common: bool = True, **options: Any) -> Any:
    """The pictures in a row with linked zoom, and a colour bar with true values.

    Args:
        views: one or more pictures.
        drawing: from `controls`.
        key: of the chart; a chart keeps its zoom as long as its key stays.
        common: one scale for all pictures (their evidence can be compared), or each its own.
        options: for ``figures.film_viewer`` (height, selectable, box), ``on_select``, and ``bar`` (False: no colour bar).
    """
    top = max(view.top for view in views) if common else views[0].top
    panels = []
    for view in views:
        image = draw(view, drawing, top if common else view.top)
        title = view.title + (" · no evidence" if view.heatmap is not None and view.heatmap.blank else "")
        panels.append(figures.Panel(image, title, view.picture.shape))  # type: ignore[arg-type]
    on_select, with_bar = options.pop("on_select", None), options.pop("bar", True)
    signed = any(view.heatmap is not None and view.heatmap.signed for view in views)
    bar = (top, drawing.style, signed) if with_bar and top > 0 and drawing.mode != "Film" else None
    figure = figures.film_viewer(panels, scale=bar, **options)
    select = {"on_select": on_select, "selection_mode": ("box",)} if on_select else {}
    alt = "; ".join(view.title or "the film" for view in views)
    return st.plotly_chart(figure, key=key, config=widgets.VIEWER, alt=alt, **select)
