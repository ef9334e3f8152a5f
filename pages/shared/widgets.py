"""Small pieces that several pages share: headings, pickers, the error boundary, work that shows its progress."""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import streamlit as st

from core.data.progress import Progress
from core.errors import HilumError
from pages.shared import resources, state
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap
    from core.explain.trust import TrustLine
    from core.model.classifier import Classifier

P = ParamSpec("P")
R = TypeVar("R")

_CALLED = "_called"  # the film a class was last picked for, and the class called on it
NOT_THERE = "–"  # what a table says where there is no value
HARDLY_A_WAIT = 0.3  # seconds that pass without a word
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage"]}
VERDICTS = {  # of a line of the trust card
    "good": ":green[:material/check_circle:]",
    "caution": ":orange[:material/error:]",
    "bad": ":red[:material/cancel:]",
    "unknown": ":gray[:material/help:]",
}
VIEWER = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}


def heading(title: str, sentence: str) -> None:
    """The top of a page: its name and, in one sentence, what it shows."""
    st.title(title, anchor=False)
    with st.container(key="page-sentence"):
        st.caption(sentence)


def trust_lines(lines: "Iterable[TrustLine]") -> None:
    """Lines of a trust card: a sign, the verdict in a word, and the sentence."""
    with st.container(gap="xxsmall"):
        for line in lines:
            st.markdown(
                f"{VERDICTS[line.verdict]} :small[**{line.title}: {line.word}.** {plain(line.sentence, longest=600)}]"
            )


def table(data: Any, **options: Any) -> Any:
    """`st.dataframe` that shows a dash where there is no value; Streamlit would print "None"."""
    return st.dataframe(data, placeholder=NOT_THERE, **options)


@contextmanager
def errors_said() -> Iterator[None]:
    """Show an error meant for the reader as its sentence; anything else is a bug and passes."""
    try:
        yield
    except HilumError as error:
        st.error(plain(error, longest=600), icon=":material/error:")


def part(function: Callable[P, R]) -> Callable[P, R | None]:
    """A piece of a page that reruns by itself, says its own errors and keeps the address bar true."""

    @st.fragment
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R | None:
        if state.whole_page_is_wanted():
            st.rerun()
        result = None
        with errors_said():
            result = function(*args, **kwargs)
        state.publish()
        resources.collect_garbage()
        return result

    return run


def asked(button: str, icon: str, sentence: str = "", key: str | None = None) -> bool:
    """Ask before work that takes long; question and button are gone once they are answered.

    Args:
        key: of the button, where its words hold a number that may change before it is clicked.
    """
    place = st.empty()
    with place.container():
        if sentence:
            st.caption(sentence)
        clicked = st.button(button, icon=f":material/{icon}:", key=key)
    if clicked:
        place.empty()
    return clicked


@contextmanager
def progress(text: str, cancel: Callable[[], Any]) -> Iterator[Callable[[float], Any]]:
    """A bar for work over half a second, with a way out: gives a function that takes the share done, 0 to 1.

    A click on Cancel runs ``cancel``, which should choose something quicker, and ends the work at its next report. That
    needs a run of the whole page: inside a `part` Streamlit lets the work finish first.
    """
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, text)
        st.button("Cancel", on_click=cancel, key=f"cancel {text}", type="tertiary")
    try:
        yield lambda share: bar.progress(min(max(share, 0.0), 1.0), text)
    finally:
        place.empty()


def in_background(text: str, cancel: Callable[[], Any], work: Callable[[], R]) -> R:
    """Long work that cannot say how far it is: the seconds so far, and a way out.

    After a click on Cancel ``work`` goes on unseen, so it should keep what it finds; it may not draw on the page.
    """
    return followed(text, cancel, lambda _: work())


def anew(text: str, of: Hashable, work: Callable[[], Any], draw: Callable[[], Any]) -> None:
    """A part of the page that is cleared when it is about something else, and drawn when that is worked out.

    Otherwise the answer about the film before would stand beside a new one for as long as ``work`` takes.

    Args:
        of: what the part is about.
        work: what takes long; it keeps its result where ``draw`` finds it at once.
    """
    if st.session_state.get(f"_anew {text}") == of:
        with st.container():
            draw()
        return
    place = st.empty()
    with place, st.spinner(text):
        work()
    with place.container():
        draw()
    st.session_state[f"_anew {text}"] = of


class _UnwantedError(Exception):
    """The visitor went on to something else."""


class _Latest:
    """What work in another thread said last; once it is unwanted, the work ends at its next report."""

    def __init__(self) -> None:
        self.said = ("", 0, 0)
        self.unwanted = False

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.unwanted:
            raise _UnwantedError
        self.said = what, done, total


def followed(
    text: str, cancel: Callable[[], Any], work: Callable[[Progress], R],
    so_far: Sequence[Any] = (), draw: Callable[[Any], Any] = lambda known: None,
) -> R:  # fmt: skip
    """Long work in a thread of its own, which says how far it is: a bar, the seconds so far, and a way out.

    A click on Cancel, or on anything else of the page, ends ``work`` at its next report, so it should keep what it
    finds; it may not draw on the page.

    Args:
        so_far: what ``work`` has found, which it makes longer.
        draw: shows that below the bar whenever it has grown; gone at the end.
    """
    place, started, pool, latest = st.empty(), time.monotonic(), ThreadPoolExecutor(1), _Latest()
    found = pool.submit(work, latest)
    pool.shutdown(wait=False)
    with suppress(TimeoutError):
        return found.result(HARDLY_A_WAIT)
    with place.container(horizontal=True, vertical_alignment="center"):
        words = st.empty()
        st.button("Cancel", on_click=cancel, key=f"cancel {text}", type="tertiary")
    below, drawn = st.empty(), 0
    try:
        while True:
            seconds = time.monotonic() - started
            what, done, total = latest.said
            if total:  # a cancelled run ends here
                words.progress(min(done / total, 1.0), f"{text}: {what}, {done:,} of {total:,}, {seconds:.0f} s")
            else:
                words.caption(f":material/hourglass_top: {text}: {what or 'at work'}, {seconds:.0f} s")
            if len(known := so_far[:]) > drawn:
                drawn = len(known)
                with below.container():
                    draw(known)
            with suppress(TimeoutError):
                return found.result(0.5)
    finally:
        latest.unwanted = True
        place.empty()
        below.empty()


def class_picker(classes: Mapping[str, float], called: str, film: str, key: str = "class") -> str:
    """Which class to ask about; each option carries its probability, and the one that is called says so.

    The class called is shown first. Whoever pages on with it gets the next film's own; another choice stays.

    Args:
        film: what the film is known by.
    """
    before, follows = st.session_state.get(_CALLED, (film, None))
    if before != film and st.session_state.get(key) == follows:
        st.session_state[key] = called
    st.session_state[_CALLED] = film, called
    state.choose(key, classes, lambda: called)
    chosen = st.segmented_control(
        "Class",
        list(classes),
        key=key,
        required=True,
        width="stretch",
        wrap=True,
        format_func=lambda name: f"{plain(name)}  {classes[name]:.2f}{' · called' if name == called else ''}",
        help="The heatmap shows evidence for this class. The number is its calibrated probability for this film.",
    )
    return chosen or called


def method_of(model: "Classifier", key: str = "method") -> str:
    """The heatmap method that the visitor chose, where this model bears it; else the model's usual one."""
    from core.explain.methods import methods_for, usual

    chosen = st.session_state.get(key)
    return chosen if chosen in methods_for(model.network) else usual(model.network)


def method_picker(model: "Classifier", key: str = "method", label: str = "Method") -> str:
    """Which heatmap method of those the model bears; slow ones say so, the help what it shows and how it fails."""
    from core.explain.methods import METHODS, methods_for, usual

    borne = methods_for(model.network)
    if key == "method":  # the caller chooses another one's usual method
        state.choose(key, borne, lambda: usual(model.network))
    elif key in st.session_state:
        st.session_state[key] = method_of(model, key)
    chosen = METHODS[method_of(model, key)]
    cost = {"instant": "", "seconds": " · seconds", "slow": " · slow"}
    return st.selectbox(
        label,
        list(borne),
        key=key,
        width=210,
        format_func=lambda name: METHODS[name].title + cost[METHODS[name].cost],
        help=f"**{chosen.title}.** {chosen.shows} {chosen.weakness}",
    )


def layer_picker(model: "Classifier", method: str, key: str = "layer") -> str | None:
    """Which stage of the network; None for methods that look at the film itself."""
    from core.explain.methods import METHODS

    layers = list(model.network.layers)
    if not METHODS[method].layered:
        st.selectbox("Layer", [METHODS[method].where], disabled=True, width=150)
        return None
    state.choose(key, layers, lambda: model.network.usual_layer)
    only_class_token = " Of this model only the class token is read, which patches of the last block no longer reach: "
    only_class_token += "their gradients there are zero, so the block before is shown first."
    return st.selectbox(
        "Layer",
        layers,
        key=key,
        width=150,
        format_func=lambda name: f"{name} (last)" if name == layers[-1] else name,
        help="Early layers see fine detail with little meaning; the last one the places that the decision rests on."
        + only_class_token * (model.network.usual_layer != layers[-1]),
    )


def lacking(model: "Classifier") -> str:
    """Why a model that is only a function is offered few heatmap methods; "" for others."""
    if not model.network.opaque:
        return ""
    return (
        "This model is only a function from a picture to its outputs: methods that need its gradients or feature maps, "
        "such as Grad-CAM, are not offered."
    )


def made_by(model: "Classifier", map_: "Heatmap") -> str:
    """A heatmap's method and where it looked: "Grad-CAM, last layer"."""
    from core.explain.methods import METHODS

    row = METHODS[map_.method]
    place = "last layer" if map_.layer == model.network.layers[-1] else f"layer {map_.layer}"
    return f"{row.title}, {place if row.layered else row.where}"
