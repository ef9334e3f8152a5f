"""A visitor without a browser: a websocket that speaks Streamlit's protocol and draws nothing."""

import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE = 300  # seconds until an answer counts as lost
ENDS = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


def connected(address: str) -> ClientConnection:
    """A new session of a dashboard at an address like ``http://127.0.0.1:8501``."""
    url = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    protocols = [Subprotocol("streamlit"), Subprotocol("none")]
    # A busy machine lets a handshake wait.
    return connect(
        url,
        subprotocols=protocols,
        max_size=None,
        origin=Origin(address),
        open_timeout=PATIENCE,
        ping_interval=None,
    )


class Visitor:
    """One session: opens a page by its link, uses widgets by their labels, and keeps what the last run drew.

    Attributes:
        errors: messages of all exceptions so far.
        query: what the address bar holds.
    """

    def __init__(self, address: str, page: str = "", **link: str) -> None:
        self._server = connected(address)
        self._drawn: list[tuple[str, Element]] = []  # each with the part of the page that drew it, "" for the page
        self.errors: list[str] = []
        self.query = urlencode(link)
        self._page, self._hash = page, ""
        self._held: dict[str, WidgetState] = {}
        self._polls: dict[str, float] = {}  # parts that ask to be run again: by id, every so many seconds
        self._run(ClientState(query_string=self.query, page_name=page))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def elements(self) -> list[Element]:
        """Of the last run of the whole page, in order; a part that ran by itself since then stands at the end."""
        return [element for _, element in self._drawn]

    def close(self) -> None:
        """Leave."""
        self._server.close()

    def use(self, label: str, value: str | None = None) -> None:
        """Choose an option of a radio, or press a button, by its label.

        Raises:
            LookupError: the page has no such widget.
        """
        part, kind, widget = self._widget(label)
        if kind == "radio":
            self._held[widget.id] = WidgetState(id=widget.id, string_value=value or "")
        pressed = [WidgetState(id=widget.id, trigger_value=True)] if kind == "button" else []
        self._run(self._state(pressed, part))

    def look(self) -> None:
        """Have the page drawn anew."""
        self._run(self._state([]))

    def wait(self, seconds: float) -> None:
        """Look on, as an open browser does: parts that ask for it are run again and again."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, min(self._polls.values(), default=left)))
            for fragment in list(self._polls):
                state = self._state([], fragment)
                state.is_auto_rerun = True
                self._run(state)

    def words(self) -> list[str]:
        """The sentences on the page: its text, captions, notices and metrics."""
        return [
            f"{element.metric.label}: {element.metric.body}" if kind == "metric" else getattr(element, kind).body
            for element in self.elements
            if (kind := str(element.WhichOneof("type"))) in ("markdown", "alert", "heading", "metric")
        ]

    def _widget(self, label: str) -> tuple[str, str, Any]:
        """The part of the page that a radio or a button is in, which of the two it is, and the widget."""
        for part, element in reversed(self._drawn):
            kind = str(element.WhichOneof("type"))
            widget = getattr(element, kind) if kind in ("radio", "button") else None
            if widget is not None and widget.label == label:
                return part, kind, widget
        raise LookupError(f"no widget is called {label}; the page says: {' | '.join(self.words())}")

    def _state(self, pressed: list[WidgetState], part: str = "") -> ClientState:
        state = ClientState(query_string=self.query, page_script_hash=self._hash, fragment_id=part)
        state.widget_states.widgets.extend([*self._held.values(), *pressed])
        return state

    def _run(self, state: ClientState) -> None:
        """Have a script run, and read what it says until its end."""
        self._server.send(BackMsg(rerun_script=state).SerializeToString())
        begun = False
        while True:
            message = ForwardMsg.FromString(self._server.recv(PATIENCE))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                begun, parts = True, message.metadata.run.fragment_ids
                if not parts:  # a run of the whole page
                    self._polls = {}
                self._drawn = [drawn for drawn in self._drawn if parts and drawn[0] not in parts]
            elif kind == "navigation":
                self._hash = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "auto_rerun":
                self._polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                self._drawn.append((message.delta.fragment_id, element))
                if element.WhichOneof("type") == "exception":
                    self.errors.append(element.exception.message)
            elif kind == "script_finished" and begun and message.script_finished in ENDS:
                return
