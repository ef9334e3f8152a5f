"""A server that lies, breaks off, trickles or floods: a sentence each, and nothing of it gets through."""

import gzip
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.data.dicomweb import multipart, session
from core.data.dicomweb.client import PAGE, Pacs
from core.data.dicomweb.query import Query
from core.data.dicomweb.server import Server
from core.errors import PacsAwayError, PacsError
from tests.data.dicomweb.films import ROOT, film, uids

Answer = Callable[[BaseHTTPRequestHandler], None]
JSON = "application/dicom+json"


class Fake:
    """An HTTP server whose answers a test decides, in order; the last one is repeated."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.asked.append(self.path)
                fake.headers.append(dict(self.headers))
                answer = fake.answers.pop(0) if len(fake.answers) > 1 else fake.answers[0]
                try:
                    answer(self)
                except OSError:  # the client gave up
                    self.close_connection = True

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pacs(self, *answers: Answer, scheme: str = "http", **settings: Any) -> Pacs:
        self.answers = list(answers)
        address = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/dicom-web"
        return Pacs(Server(address, "The archive", **settings), sleep=lambda seconds: None)


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    yield made
    made.server.shutdown()
    made.server.server_close()


def says(body: bytes, kind: str = JSON, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = length is not None

    return answer


def match(number: int) -> dict[str, Any]:
    study, series, uid = uids(number)
    tags = {"0020000D": study, "0020000E": series, "00080018": uid}
    return {tag: {"vr": "UI", "Value": [value]} for tag, value in tags.items()}


def matches(*numbers: int) -> Answer:
    return says(json.dumps([match(number) for number in numbers]).encode())


def searched(archive: Pacs) -> list[str]:
    return [found.uid for found in archive.search(Query(modalities=("DX",)))]


@pytest.mark.parametrize(
    "body",
    [b"<html>Please log in</html>", b"[", b"\xff\xfe", b"7", b'"films"', b"[" * 20_000, b"nullnull"],
)
def test_what_is_no_list_of_matches_is_said(fake: Fake, body: bytes) -> None:
    with pytest.raises(PacsError, match="The archive answers a search with something"):
        searched(fake.pacs(says(body)))


def test_a_page_of_html_is_no_film(fake: Fake) -> None:
    with pytest.raises(PacsError, match="The archive answers a film with something that cannot be used"):
        fake.pacs(says(b"<html></html>", "text/html")).retrieve(*uids(1))


def test_a_server_that_sends_fewer_than_asked_for_is_asked_on(fake: Fake) -> None:
    found = searched(fake.pacs(matches(0, 1, 2), matches(3, 4, 5), matches(6), matches()))
    assert found == [uids(number)[2] for number in range(7)]
    assert ["offset=3" in path for path in fake.asked[1:2]] == [True]


def test_a_page_of_nothing_usable_is_no_end(fake: Fake) -> None:
    body = json.dumps([7, None]).encode()
    assert searched(fake.pacs(says(body), matches(3), matches())) == [uids(3)[2]]
    fake.asked.clear()
    assert searched(fake.pacs(says(body))) == []  # for ever
    assert len(fake.asked) == 2


@pytest.mark.parametrize(
    "broken",
    [
        7, None, "film", [], {"00080018": 5}, {"00080018": {"Value": "1.2"}}, {"00080018": {"Value": [None]}},
        match(1) | {"00080018": {"Value": ["../../etc/passwd"]}}, match(1) | {"0020000D": {"Value": [{"a": {}}]}},
        match(1) | {"00080016": {"Value": ["1.2.840.10008.5.1.4.1.1.2"]}},
        match(1) | {"00080018": {"Value": ["1" * 65]}},
    ],
)  # fmt: skip
def test_a_match_of_wrong_types_is_left_out_and_the_others_stay(fake: Fake, broken: Any) -> None:
    body = json.dumps([broken, match(2)]).encode()
    assert searched(fake.pacs(says(body))) == [uids(2)[2]]


def test_values_of_wrong_types_count_as_unknown(fake: Fake) -> None:
    odd = {
        "00080020": {"Value": ["yesterday"]}, "00080060": {"Value": [["DX"]]}, "00280010": {"Value": [-5]},
        "00280011": {"Value": ["10**9"]}, "00080050": {"Value": [True]}, "00185101": {"Value": ["P\nA" + "x" * 999]},
    }  # fmt: skip
    (found,) = fake.pacs(says(json.dumps([match(1) | odd]).encode())).search(Query(modalities=("DX",)))
    assert (found.date, found.modality, found.rows, found.columns, found.accession) == ("", "", 0, 0, "")
    assert found.view.startswith("PA")
    assert len(found.view) <= 64


def test_100_000_matches_are_too_many_however_they_come(fake: Fake) -> None:
    template = json.dumps([match(number) for number in range(PAGE)]).encode()
    page = iter(range(0, 100_000, PAGE))

    def next_page(handler: BaseHTTPRequestHandler) -> None:
        first = next(page)
        body = template.replace(f"{ROOT}.3.".encode(), f"{ROOT}.3.{first}".encode())
        says(body)(handler)

    with pytest.raises(PacsError, match="ore than 2,000 objects match"):
        list(fake.pacs(next_page).search(Query(modalities=("DX",)), most=2_000))
    assert len(fake.asked) == 21
    with pytest.raises(PacsError, match="sends more than 16 MB"):
        searched(fake.pacs(says(b"[" + b",".join([json.dumps(match(1)).encode()] * 100_000) + b"]")))


def test_a_server_that_knows_no_paging_is_asked_twice_at_most(fake: Fake) -> None:
    assert len(searched(fake.pacs(matches(*range(PAGE))))) == PAGE
    assert len(fake.asked) == 2
    assert len(searched(fake.pacs(matches(*range(350))))) == 350


def test_a_flood_inside_a_small_body_is_stopped(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"[" + b" " * 40_000_000 + b"]")
    with pytest.raises(PacsError, match="sends more than 16 MB"):
        searched(fake.pacs(says(bomb, Content_Encoding="gzip")))
    monkeypatch.setattr(session, "LIMIT", 1_000_000)
    with pytest.raises(PacsError, match="sends more than 1 MB"):
        fake.pacs(says(b"x" * 2_000_000, "application/dicom")).retrieve(*uids(1))


def test_bytes_that_trickle_for_ever_are_given_up(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", JSON)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)

    monkeypatch.setattr(session, "WHOLE", 2)
    with pytest.raises(PacsAwayError, match="needs more than 1 seconds for one answer"):
        searched(fake.pacs(trickle, seconds=0.5))


def test_silence_is_given_up(fake: Fake) -> None:
    released = threading.Event()
    with pytest.raises(PacsAwayError, match=r"did not answer within 0\.1 seconds"):
        searched(fake.pacs(lambda handler: released.wait(5) and None, seconds=0.1))
    released.set()


def test_an_answer_cut_in_the_middle_is_asked_for_again(fake: Fake) -> None:
    cut = says(b"[" + json.dumps(match(1)).encode(), length=5000)
    assert searched(fake.pacs(cut, matches(1))) == [uids(1)[2]]
    with pytest.raises(PacsAwayError, match="stopped in the middle of its answer"):
        searched(fake.pacs(cut))


def test_a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not(fake: Fake) -> None:
    assert searched(fake.pacs(says(b"", status=503), says(b"", status=500), matches(1))) == [uids(1)[2]]
    for status, sentence in ((403, "does not allow this"), (413, "too large"), (418, "refuses the request")):
        fake.asked.clear()
        with pytest.raises(PacsError, match=sentence):
            searched(fake.pacs(says(b"", status=status)))
        assert len(fake.asked) == 1


def test_no_redirect_is_followed(fake: Fake) -> None:
    away = says(b"", status=302, Location="http://127.0.0.1:9/elsewhere")
    with pytest.raises(PacsError, match="sends us to another address"):
        searched(fake.pacs(away))


def test_a_token_is_sent_and_never_shown(fake: Fake) -> None:
    archive = fake.pacs(matches(1), token="very-secret")
    searched(archive)
    assert fake.headers[-1]["Authorization"] == "Bearer very-secret"
    assert fake.headers[-1]["Host"].startswith("127.0.0.1:")
    assert "very-secret" not in repr(archive)


@pytest.mark.tool("openssl", "openssl")
def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_is_named_taken(
    fake: Fake, tmp_path: Path
) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    asked += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(asked, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
    with pytest.raises(PacsError, match="not one that this machine trusts"):
        searched(fake.pacs(matches(1), scheme="https"))
    assert searched(fake.pacs(matches(1), scheme="https", ca=str(cert))) == [uids(1)[2]]


def related(*bodies: bytes, end: bytes = b"\r\n--b--\r\n") -> bytes:
    return b"".join(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body for body in bodies) + end


KIND = 'multipart/related; type="application/dicom"; boundary="b"'


def test_a_film_in_one_part_or_without_wrapping(fake: Fake) -> None:
    sent = film(1)
    assert fake.pacs(says(related(sent), KIND)).retrieve(*uids(1)) == sent
    assert fake.pacs(says(sent, "application/dicom")).retrieve(*uids(1)) == sent


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (related(film(1))[:-30], KIND), (related(film(1), end=b""), KIND), (related(film(1), film(2)), KIND),
        (related(), KIND), (b"", KIND), (related(film(1)), "multipart/related"), (b"--b\r\nno header", KIND),
        (related(film(1)), 'multipart/related; boundary="c"'),
    ],
)  # fmt: skip
def test_half_a_multipart_is_said(fake: Fake, body: bytes, kind: str) -> None:
    with pytest.raises(PacsError, match="cannot be used"):
        fake.pacs(says(body, kind)).retrieve(*uids(1))


def test_a_boundary_inside_a_film_is_no_end() -> None:
    body = b"x\r\n-b\r\n--a\r\n"
    assert multipart.parts(related(body, b""), KIND) == [body, b""]


@pytest.mark.parametrize("status", [200, 202, 409])
def test_objects_that_a_server_refuses_are_named(fake: Fake, status: int) -> None:
    good, bad = (pydicom.dcmread(BytesIO(film(number))) for number in (1, 2))
    item = {"00081155": {"vr": "UI", "Value": [uids(2)[2]]}, "00081197": {"vr": "US", "Value": [0xA700]}}
    body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
    stored = fake.pacs(says(body, status=status)).store([good, bad])
    assert stored.kept == (uids(1)[2],)
    assert stored.refused == ((uids(2)[2], "reason A700"),)


def test_a_refusal_without_words_keeps_nothing(fake: Fake) -> None:
    sent = pydicom.dcmread(BytesIO(film(1)))
    with pytest.raises(PacsError, match="refused the objects"):
        fake.pacs(says(b"", "text/plain", status=409)).store([sent])
    with pytest.raises(PacsError, match="cannot be used"):
        fake.pacs(says(b"[7]")).store([sent])
    assert ROOT in uids(1)[0]
