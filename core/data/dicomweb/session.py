"""HTTP within limits: of silence, of the whole time, of size; no redirects; every failure as a sentence.

A hostile or broken server can send 100,000 matches, a page of HTML, bytes that trickle for ever or a tenth of a film.
What it sends is read in pieces and given up at a limit, before anything parses it.
"""

import logging
import time
from pathlib import Path
from typing import Any

import requests
from urllib3.exceptions import DecodeError, HTTPError, ProtocolError, ReadTimeoutError

from core.data.dicomweb.server import Server
from core.data.film.limits import MAX_BYTES
from core.errors import PacsAwayError, PacsError

LIMIT = MAX_BYTES + 1_000_000  # bytes of an answer: one film of the largest size and its wrapping
LIMIT_JSON = 16_000_000  # bytes of matches; parsed they take ten times as much
WHOLE = 10  # times ``Server.seconds``: how long a whole answer may take
_PIECE = 1 << 16
_AWAY = (408, 429, 500, 502, 503, 504)  # a server in trouble, not a request that is wrong
_CHATTY = ("urllib3", "dicomweb_client", "requests", "retrying")  # they log addresses, which may name a patient
_STATUS = {
    401: ("asks for a login, or refuses ours", "Check user and password, or the token"),
    403: ("does not allow this", "Ask its owner for the right to it"),
    404: ("knows no such film or service", "Check the address, and whether the film is still there"),
    406: ("cannot send films as they are stored", "Ask its owner about transfer syntaxes"),
    409: ("refused the objects", "Look into its log"),
    413: ("finds the request too large", "Ask its owner for a higher limit"),
}


class RefusedError(PacsError):
    """An answer that asking again will not mend, with its HTTP status."""

    def __init__(self, came: str, remedy: str, status: int) -> None:
        super().__init__(came, "", remedy)
        self.status = status


class Session(requests.Session):
    """Requests to one server."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        for chatty in _CHATTY:
            logging.getLogger(chatty).setLevel(logging.ERROR)
        self.server = server
        self.trust_env = False  # a .netrc must not overrule the owner's settings
        self.verify = str(Path(server.ca).expanduser()) if server.ca else True
        self.auth = (server.user, server.password) if server.user else None
        self.headers["User-Agent"] = "Hilum"
        if server.token:
            self.headers["Authorization"] = f"Bearer {server.token}"

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        """As in requests, but the whole body is here, within the limits.

        Raises:
            PacsAwayError: no answer, half an answer, or one that says "later".
            PacsError: an answer that asking again will not mend.
        """
        headers = dict(arguments.pop("headers", None) or {})
        headers.pop("Host", None)  # dicomweb-client leaves the port out of it
        arguments |= {"headers": headers, "stream": True, "allow_redirects": False}
        arguments["timeout"] = (self.server.connect_seconds, self.server.seconds)
        name, until = self.server.name, time.monotonic() + WHOLE * self.server.seconds
        try:
            response = super().request(method, url, **arguments)
            with response:
                limit = LIMIT_JSON if "json" in headers.get("Accept", "") else LIMIT
                response._content = self._body(response, limit, until)
        except requests.exceptions.SSLError:
            remedy = "Name the file of your hospital's certificates as ca, if the server is the right one"
            raise PacsError(f"the certificate of {name} is not one that this machine trusts", "", remedy) from None
        except (requests.exceptions.Timeout, ReadTimeoutError):
            came = f"{name} did not answer within {self.server.seconds:g} seconds"
            raise PacsAwayError(came, "", "Try again, or allow more seconds") from None
        except (ProtocolError, DecodeError):
            raise PacsAwayError(f"{name} stopped in the middle of its answer", "", "Try again") from None
        except (requests.exceptions.ConnectionError, OSError):
            remedy = "Check that it runs and that its address is right"
            raise PacsAwayError(f"{name} cannot be reached", "", remedy) from None
        except (requests.exceptions.RequestException, HTTPError, ValueError):
            raise PacsError(f"{name} answers with something that is no HTTP", "", "Check its address") from None
        self._judge(response)
        return response

    def _body(self, response: requests.Response, limit: int, until: float) -> bytes:
        found = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=True):  # what is there, however little: no waiting
            found += piece
            if len(found) > limit:
                came = f"{self.server.name} sends more than {limit // 1_000_000:,} MB"
                raise PacsError(came, "less", "Narrow the search")
            if time.monotonic() > until:
                came = f"{self.server.name} needs more than {WHOLE * self.server.seconds:g} seconds for one answer"
                raise PacsAwayError(came, "", "Try again, or allow more seconds")
        return bytes(found)

    def _judge(self, response: requests.Response) -> None:
        """Raise what a status outside 200 to 299 means."""
        name, status = self.server.name, response.status_code
        if 200 <= status < 300 or (status == 409 and "json" in response.headers.get("Content-Type", "")):
            return
        if 300 <= status < 400:
            raise PacsError(f"{name} sends us to another address", "an answer", "Give that address as url")
        if status in _AWAY:
            raise PacsAwayError(f"{name} is in trouble (HTTP {status})", "", "Try again later")
        said, remedy = _STATUS.get(status, (f"refuses the request (HTTP {status})", "Look into its log"))
        raise RefusedError(f"{name} {said} (HTTP {status})" if status in _STATUS else f"{name} {said}", remedy, status)
