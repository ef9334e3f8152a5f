"""What docs/deploy.md says, tried: `core serve` behind a real nginx, with its own configuration and a login."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.steps import PATIENCE
from tests.conftest import REPOSITORY
from tests.deploy.provider import Provider, provider
from tests.pages.tiny import tiny_checkpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.tool("nginx", "nginx-light"),
    pytest.mark.tool("openssl", "openssl"),
    pytest.mark.skipif(sys.platform == "win32", reason="nginx.conf is for Linux"),
]
NGINX = """{user}daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; default_type application/octet-stream;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/hilum.conf;
}}
"""
SECRETS = """[auth]
redirect_uri = "{origin}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "hilum"
client_secret = "secret"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


@dataclass(frozen=True)
class Site:
    """Where the proxy answers, and who logs in."""

    tls: int
    plain: int
    provider: Provider

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.tls}"

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("localhost", self.tls, timeout=60, context=context)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configured(folder: Path, tls: int, plain: int, behind: int) -> Path:
    """deploy/nginx.conf with the ports and names of this test and nothing else changed."""
    own = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "hilum.example.org": "localhost",
        "/etc/ssl/hilum/fullchain.pem": str(folder / "cert.pem"),
        "/etc/ssl/hilum/privkey.pem": str(folder / "key.pem"),
        "include hilum_proxy.conf": f"include {folder}/hilum_proxy.conf",
        "127.0.0.1:8501": f"127.0.0.1:{behind}",
    }
    for name, target in (("nginx.conf", "hilum.conf"), ("hilum_proxy.conf", "hilum_proxy.conf")):
        text = (REPOSITORY / "deploy" / name).read_text()
        for old, new in own.items():
            text = text.replace(old, new)
        (folder / target).write_text(text)
    user = "user root; " if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True,
    )  # fmt: skip
    return folder / "nginx.conf"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("deploy")
    tls, plain, behind = free(), free(), free()
    tiny_checkpoint(folder / "weights" / "tiny")
    secrets = folder / "secrets.toml"
    environment = os.environ | {"HILUM_WEIGHTS": str(folder / "weights"), "NO_PROXY": "127.0.0.1,localhost"}
    with provider() as known:
        site = Site(tls, plain, known)
        secrets.write_text(SECRETS.format(origin=site.origin, issuer=known.issuer))
        secrets.chmod(0o600)
        serve = ["-m", "core", "serve", "--origin", site.origin, "--domains", "example.org", "--secrets", str(secrets)]
        commands = (
            [sys.executable, *serve, "--port", str(behind)],
            [str(shutil.which("nginx")), "-p", str(folder), "-c", str(configured(folder, tls, plain, behind))],
        )
        with (folder / "log").open("wb") as log:
            running = [subprocess.Popen(c, cwd=REPOSITORY, env=environment, stdout=log, stderr=log) for c in commands]
            try:
                wait_for(site, running, folder)
                yield site
            finally:
                running[0].kill()  # asked politely, it waits for browsers that keep their connections open
                running[1].terminate()  # killed, it would leave its workers behind
                for process in running:
                    process.wait()


def wait_for(site: Site, running: list[subprocess.Popen], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and all(process.poll() is None for process in running):
        try:
            if site.get("/_stcore/health").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail((folder / "log").read_text()[-2000:])


def test_the_proxy_keeps_what_it_promises(site: Site) -> None:
    home = site.get("/")
    assert home.status == 200
    assert home.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in home.headers["Content-Security-Policy"]
    assert home.headers["Strict-Transport-Security"]
    assert site.get("/_stcore/metrics").status == 404
    connection = http.client.HTTPConnection("localhost", site.plain, timeout=60)
    connection.request("GET", "/x")
    moved = connection.getresponse()
    assert (moved.status, moved.headers["Location"]) == (301, "https://localhost/x")


@pytest.mark.parametrize(("origin", "status"), [("own", 101), ("https://evil.example", 403)])
def test_pages_of_others_cannot_open_a_session(site: Site, origin: str, status: int) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": site.origin if origin == "own" else origin}
    assert site.get("/_stcore/stream", **headers).status == status


def test_only_who_is_on_the_list_enters(site: Site, browser: Browser) -> None:
    told: list[str] = []
    with browser.new_context(ignore_https_errors=True) as context:
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": site.origin}])
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.goto(site.origin)
        entry, leave = page.get_by_role("button", name="Log in"), page.get_by_role("button", name="Log out")
        for claims, answer in (
            ({"email": "eve@evil.example", "email_verified": True}, "may not enter here"),
            ({"email": "ann@example.org", "email_verified": False}, "does not say that"),
        ):
            expect(entry).to_be_visible(timeout=PATIENCE)
            assert page.get_by_test_id("stSidebar").count() == 0
            site.provider.user = claims
            entry.click()
            expect(page.get_by_text(answer)).to_be_visible(timeout=PATIENCE)
            assert page.get_by_test_id("stSidebar").count() == 0
            leave.click()
        expect(entry).to_be_visible(timeout=PATIENCE)
        site.provider.user = {"email": "Ann@example.org", "email_verified": True}
        entry.click()
        expect(page.get_by_role("heading", name="Live prediction")).to_be_visible(timeout=3 * PATIENCE)
        expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=3 * PATIENCE)
    assert not [text for text in told if "Content Security Policy" in text]
