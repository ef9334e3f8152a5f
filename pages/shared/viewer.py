"""How films with heatmaps are shown on pages: the controls, one picture, and the row of pictures with linked zoom.

The viewer is a small component of our own (``film_viewer.js``): a Plotly figure inside Streamlit is built anew whenever
its picture changes, and forgets where the visitor had zoomed to.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import cv2
import numpy as np
import streamlit as st

from core.report import overlay
from pages.shared import resources, state

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap

FILM_SIDE = 896  # pixels of the longer side of a whole film, as it is sent to the browser
SIDE = 448  # pixels a picture is drawn with, so that outlines are finer than the model's pixels
MODES = ("Map", "Film", "Swipe")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Drawing:
    """What the display controls say."""

    style: overlay.Style
    mode: str = "Map"
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
        return self.heatmap.top if self.heatmap is not None else 0.0

    @property
    def in_words(self) -> str:
        """What the picture shows, for anyone who cannot see it."""
        from core.explain import places

        if self.heatmap is None:
            return "The film as the model sees it."
        return f"Heatmap of {self.heatmap.class_name}. {places.in_words(self.heatmap.values, self.lungs)}"


def controls(with_truth: bool) -> Drawing:
    """The display controls, in a row below a viewer."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        state.choose("mode", MODES, lambda: MODES[0])
        mode = st.segmented_control(
            "Show", MODES, required=True, key="mode", persist_state="session",
            help="Swipe: drag across the film to uncover it.",
        )  # fmt: skip
        opacity = st.slider(
            "Opacity", 0.0, 1.0, key="opacity", step=0.05, width=95,
            help="Of the strongest evidence. Where there is none the film stays exactly as it is.",
        )  # fmt: skip
        threshold = st.slider(
            "Threshold", 0.0, 1.0, key="threshold", step=0.05, width=95,
            help="Evidence below this share of the scale is not drawn.",
        )  # fmt: skip
        with st.popover("More", icon=":material/tune:"):
            contours = st.toggle(
                "Contours", key="contours", help="Lines at a quarter, half and three quarters of the scale.",
                persist_state="session",
            )  # fmt: skip
            lungs = st.toggle("Lung outline", key="outline", help="Blue: the lung fields.", persist_state="session")
            truth = with_truth and st.toggle(
                "Known truth", key="truth", help="Green: where the finding is known to be.", persist_state="session"
            )
            state.choose("colormap", overlay.COLORMAPS, lambda: overlay.COLORMAPS[0])
            colormap = st.selectbox("Colours", overlay.COLORMAPS, key="colormap", persist_state="session")
    style = overlay.Style(opacity, threshold, colormap, contours=contours)
    return Drawing(style, mode or MODES[0], lungs, bool(truth))


def draw(view: View, drawing: Drawing, top: float, film: bool = False) -> np.ndarray:
    """One picture with all that the controls ask for, RGB uint8 (n S, n S, 3).

    Args:
        view: the picture.
        drawing: from `controls`.
        top: value of the last colour.
        film: leave the heatmap away.
    """
    picture = overlay.enlarge(view.picture, SIDE)
    if view.heatmap is None or film:
        image = np.repeat(picture[..., None], 3, axis=2)
    else:
        image = overlay.overlay(picture, overlay.enlarge(view.heatmap.values, SIDE), replace(drawing.style, top=top))
    for wanted, mask, colour in (
        (drawing.lungs, view.lungs, overlay.LUNGS),
        (drawing.truth, view.truth, overlay.TRUTH),
    ):
        if wanted and mask is not None:
            image = overlay.outline(image, overlay.enlarge(mask, SIDE), colour)
    return image


def show(
    views: list[View],
    drawing: Drawing,
    key: str,
    common: bool = True,
    bar: bool = True,
    boxes: Sequence[tuple[float, float, float, float]] = (),
    on_box: Callable[[], None] | None = None,
) -> None:
    """The pictures in a row with linked zoom, and a colour bar with true values.

    Args:
        views: one or more pictures.
        drawing: from `controls`.
        key: of the viewer; it keeps its zoom as long as its key stays.
        common: one scale for all pictures (their evidence can be compared), or each its own.
        bar: whether the colour bar is shown.
        boxes: each left, top, right, bottom in shares of the picture, drawn on the first one.
        on_box: called when the visitor has drawn boxes; `drawn` then returns them.
    """
    top = max(view.top for view in views) if common else views[0].top
    panels = []
    for view in views:
        nothing = " · no evidence" if view.heatmap is not None and view.heatmap.blank else ""
        film = _source(draw(view, drawing, top, film=True)) if drawing.mode != "Map" else ""
        mapped = _source(draw(view, drawing, top if common else view.top)) if drawing.mode != "Film" else ""
        pictures = {
            "film": film or mapped,
            "overlay": mapped if film else "",
            "alt": view.in_words,
            "of": crc32(view.picture.tobytes()),
        }
        panels.append({"title": view.title + nothing, "size": view.picture.shape, **pictures})
    signed = any(view.heatmap is not None and view.heatmap.signed for view in views)
    scale = _scale(top, drawing.style, signed) if bar and top > 0 and drawing.mode != "Film" else None
    data = {"panels": panels, "mode": drawing.mode, "scale": scale, "selectable": on_box is not None, "boxes": boxes}
    _component()(key=key, data=data | {"alt": "the film"}, on_box_change=on_box or (lambda: None))


def drawn(key: str) -> list[tuple[float, tuple[float, float, float, float]]]:
    """The last boxes drawn on a viewer, oldest first: when (by the browser's clock, no two alike), and where.

    Each box is left, top, right, bottom in shares of the picture, 0 to 1. One message may bring several, and brings
    again what earlier ones brought: whoever adds them up remembers when the last one was.
    """
    reported = np.asarray(st.session_state[key]["box"] or np.empty((0, 5)), float)
    reported = reported[np.isfinite(reported).all(axis=1)]
    reported[:, :4] = reported[:, :4].clip(0, 1)
    return [(when, (left, top, right, bottom)) for left, top, right, bottom, when in reported.tolist()]


def show_film(
    pixels: np.ndarray, key: str, alt: str, on_window: Callable[[], None], millimetres: float | None = None
) -> None:
    """One film that a drag gives another window; double-click resets.

    Args:
        pixels: uint8 (H, W).
        key: of the viewer.
        on_window: called after a drag or a double-click; ``st.session_state[key]["window"]`` is then [right, down,
            time] in shares of the film, or [None, None, time] to reset.
        millimetres: that a pixel spans, for the scale; None where it is unknown.
    """
    height, width = pixels.shape
    shrink = min(1.0, FILM_SIDE / max(height, width))
    if shrink < 1.0:
        size = (round(width * shrink), round(height * shrink))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if millimetres is not None:
        pixels = overlay.ruler(pixels, millimetres / shrink)
    panel = {"title": "", "size": (height, width), "film": _source(pixels), "overlay": "", "alt": alt}
    data = {"panels": [panel], "mode": "Film", "scale": None, "selectable": False, "box": None, "windowing": True}
    _component()(key=key, data=data | {"alt": alt}, on_window_change=on_window)


def _component() -> Any:
    css, js = ((_HERE / f"film_viewer.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return resources.component("film_viewer", '<div class="viewer" tabindex="0" role="group"></div>', css, js)


def _scale(top: float, style: overlay.Style, signed: bool) -> dict[str, Any]:
    low = -1.0 if signed else 0.0
    stops = np.rint(overlay.colours(np.linspace(low, 1.0, 17), style.colormap)).astype(int)
    colours = [f"rgb({r},{g},{b})" for r, g, b in stops]
    return {"colours": colours, "values": [(i / 4, f"{top * (low + i * (1 - low) / 4):.3g}") for i in (4, 3, 2, 1, 0)]}


def _source(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(overlay.png(image)).decode()
