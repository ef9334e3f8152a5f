"""What a page and its server say to one another, so that a story knows when the server has answered."""

import time
from weakref import WeakKeyDictionary

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

POLL = 20  # milliseconds
DROPPED = 10.0  # seconds of silence after which a part that was asked for has left the page: the server says nothing
_TALKS: WeakKeyDictionary[Page, "Talk"] = WeakKeyDictionary()


class Talk:
    """Whether every run that a page asked for has begun and ended.

    What the page itself says of its state is too late for that: it goes on saying that nothing runs until the server
    has taken up what was asked for, however long that takes.
    """

    def __init__(self) -> None:
        self._asked: str | None = ""  # the part whose run was asked for and has not begun; "" is the whole page
        self._running = False  # a page asks for its first run by itself
        self._opened = False
        self._last = time.monotonic()  # when one of them said something

    @property
    def over(self) -> bool:
        """Whether the server has nothing more to say."""
        dropped = bool(self._asked) and time.monotonic() - self._last > DROPPED
        return not self._running and (self._asked is None or dropped)

    def opened(self, socket: WebSocket) -> None:
        """The page is connected; what it asked for over another connection, it asks for again if it still wants it."""
        if self._opened:
            self._asked, self._running = None, False
        self._opened = True
        socket.on("framesent", self.said)
        socket.on("framereceived", self.heard)

    def said(self, frame: bytes | str) -> None:
        """The page sends a message. Parts that poll ask again and again; nobody waits for those."""
        self._last = time.monotonic()
        message = BackMsg.FromString(_bytes(frame))
        if message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun:
            self._asked = message.rerun_script.fragment_id

    def heard(self, frame: bytes | str) -> None:
        """The server sends a message."""
        self._last = time.monotonic()
        message = ForwardMsg.FromString(_bytes(frame))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._running = True
            parts = message.metadata.run.fragment_ids  # none: the whole page
            if not parts or self._asked in parts:
                self._asked = None
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._running = False


def listen(page: Page) -> Page:
    """Listen to what a page and its server say; to be called before the page opens an address."""
    talk = _TALKS[page] = Talk()
    page.on("websocket", talk.opened)  # Streamlit's page opens no other
    return page


def wait_until_answered(page: Page, patience: float) -> None:
    """Wait until every run that the page asked for has ended; ``patience`` in milliseconds.

    Raises:
        LookupError: nobody listens to this page.
        TimeoutError: the server does not answer.
    """
    if page not in _TALKS:
        raise LookupError("nobody listens to this page: call tests.browser.talk.listen before it opens an address")
    talk, until = _TALKS[page], time.monotonic() + patience / 1000
    while not talk.over:
        if time.monotonic() > until:
            raise TimeoutError(f"the server has not answered for {patience / 1000:g} s")
        page.wait_for_timeout(POLL)


def _bytes(frame: bytes | str) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
