"""What stands round every page besides the sidebar: its look, what it is not for, how it is shown before a class."""

import html
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import resources

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NOT_FOR_DIAGNOSIS = "Research and teaching, not for diagnosis"
PRESENT, KEYBOARD = "present", "keys"
_HERE = Path(__file__).parent
COPY = """export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button"), told = parentElement.querySelector("[role=status]");
  button.onclick = async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {  // without https a browser gives no page its clipboard
      const field = document.createElement("textarea");
      field.value = location.href;
      document.body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
    }
    told.textContent = done ? data.done : data.failed;
    setTimeout(() => (told.textContent = ""), 4000);
  };
}"""
COPY_STYLE = """:host { display: block; font: 0.875rem/1.4 var(--st-font); color: var(--st-text-color); }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--st-border-color); cursor: pointer;
  border-radius: var(--st-base-radius); padding: 0.15rem 0.6rem; white-space: nowrap; }
button:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
span { margin-left: 0.5rem; }"""


def presenting() -> bool:
    """Whether the page is shown before a class."""
    return bool(st.session_state.get(PRESENT))


def aside(title: str, icon: str) -> AbstractContextManager[object]:
    """Round what a class can do without: one click away while presenting, so that a step fits on one screen."""
    return st.popover(title, icon=f":material/{icon}:") if presenting() else nullcontext()


def fitted(figure: "Figure", most: int) -> "Figure":
    """A Plotly chart, while presenting at most so many pixels high."""
    return figure.update_layout(height=min(figure.layout.height, most)) if presenting() else figure


def look() -> None:
    """The style of every page."""
    files = ("style.css", "present.css") if presenting() else ("style.css",)
    st.html(f"<style>{''.join((_HERE / name).read_text(encoding='utf-8') for name in files)}</style>")


def mend() -> None:
    """Mend in the browser what Streamlit's pages lack, see ``mend.js``."""
    st.html(f"<script>{(_HERE / 'mend.js').read_text(encoding='utf-8')}</script>", unsafe_allow_javascript=True)


def not_for_diagnosis() -> None:
    """The one sentence that never leaves the screen, and the way out of presenting."""
    with st.container(key="not-for-diagnosis"):
        st.caption(NOT_FOR_DIAGNOSIS)
    if presenting():
        with st.container(key="leave-presenting"):
            st.button("Leave presenter mode", on_click=st.session_state.update, args=({PRESENT: False},))


def ways_of_showing() -> None:
    """At the end of the sidebar: the link to what is seen, keys, and the mode for a class."""
    copy_link()
    with st.popover("Keys and presenting", icon=":material/keyboard:", width="stretch"):
        st.toggle("Single-letter keys", key=KEYBOARD, help="P, N and X for films. Off: no single letter does anything.")
        st.toggle(
            "Presenter mode", key=PRESENT, help="For a class: no sidebar, large type, picture and result side by side."
        )


def shortcut(key: str) -> str | None:
    """A single-letter key of a button, unless the visitor has switched them off."""
    return key if st.session_state.get(KEYBOARD, True) else None


def copy_link() -> None:
    """A button that copies the address, which shows the same page to whoever opens it."""
    own = " An uploaded film is not in it: pass on its package instead." if st.session_state.get("upload") else ""
    data = {"done": f"Copied.{own}", "failed": "Copy it from the address bar."}
    body = '<button type="button">Copy link</button><span role="status"></span>'
    resources.component("copy_link", body, COPY_STYLE, COPY)(key="copy link", data=data)


def announce(sentence: str) -> None:
    """Say something to anyone who cannot see the page: a live region, unseen."""
    st.html(f'<p class="hilum-unseen" role="status">{html.escape(sentence)}</p>')
