"""What a page and its server say to each other: whether an answer is still due."""

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

DEBOUNCE = 250  # milliseconds after which Streamlit has sent what a slider or a field has become
_AFTER_DEBOUNCE = f"new Promise(done => setTimeout(() => requestAnimationFrame(() => done()), {DEBOUNCE}))"


class Traffic:
    """Listens from before a page is opened; without it nobody knows whether a click has reached the server yet."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.due = False  # a run was asked for and has not begun
        page.on("websocket", self._listen)

    def wait(self, patience: float) -> None:
        """Until the page has sent all it has to send and the server has begun the run that follows.

        The page's own clock counts: on a busy machine it is late by as much as the message is.
        """
        self.page.evaluate(_AFTER_DEBOUNCE)
        for _ in range(round(patience / 20)):
            if not self.due:
                return
            self.page.wait_for_timeout(20)  # messages are taken in meanwhile
        raise TimeoutError(f"the server has not begun a run within {patience / 1000:g} s")

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self.due = True

    def _received(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes) and ForwardMsg.FromString(frame).WhichOneof("type") == "new_session":
            self.due = False


_OPEN: dict[Page, Traffic] = {}


def watch(page: Page) -> Page:
    """A page not opened yet, whose traffic `settle` may then ask about until it is closed."""
    _OPEN[page] = Traffic(page)
    page.once("close", lambda: _OPEN.pop(page, None))
    return page


def of(page: Page) -> Traffic:
    """The traffic of a page that is watched."""
    return _OPEN[page]
