"""The dashboard is not served open: what a login needs is there before the server starts."""

import argparse
from pathlib import Path

import pytest

from core.cli import main, parser
from core.cli.serve import prepared
from core.errors import ServeError
from tests.login import SECRETS

ORIGIN = ["--origin", "https://hilum.example.org"]
DOMAINS = ["--domains", "example.org", "@Uni.example"]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.toml"
    path.write_text(SECRETS)
    path.chmod(0o600)
    return path


def asked(*words: str) -> argparse.Namespace:
    return parser().parse_args(["serve", *words])


def test_it_listens_on_loopback_and_answers_to_its_origin_alone(secrets: Path) -> None:
    command, environment = prepared(asked(*ORIGIN, *DOMAINS, "--secrets", str(secrets), "--upload-mb", "20"))
    assert "--server.address=127.0.0.1" in command
    assert "--server.corsAllowedOrigins=https://hilum.example.org" in command
    assert "--server.enableXsrfProtection=true" in command
    assert "--server.maxUploadSize=20" in command
    assert f"--secrets.files={secrets}" in command
    assert environment == {
        "HILUM_LOGIN": "example.org uni.example",
        "HILUM_LOGIN_HOURS": "12",
        "HILUM_LOGIN_VERIFIED": "said",
    }


def test_no_login_has_to_be_asked_for(secrets: Path) -> None:
    with pytest.raises(ServeError, match=r"(?i)no --domains came"):
        prepared(asked(*ORIGIN, "--secrets", str(secrets)))
    assert prepared(asked(*ORIGIN, "--without-login"))[1] == {"HILUM_LOGIN": "none"}


@pytest.mark.parametrize(
    "origin", ["http://hilum.example.org", "hilum.example.org", "https://", "https://x.org/path", "https://x.org?a=b"]
)
def test_an_origin_without_tls_or_host_is_refused(origin: str, secrets: Path) -> None:
    with pytest.raises(ServeError, match=r"(?i)the origin"):
        prepared(asked("--origin", origin, *DOMAINS, "--secrets", str(secrets)))


@pytest.mark.parametrize("domain", ["org", "*.example.org", "example.org/x", "", "a b.org"])
def test_a_domain_that_is_none_is_refused(domain: str, secrets: Path) -> None:
    with pytest.raises(ServeError, match=r"(?i)as a domain"):
        prepared(asked(*ORIGIN, "--domains", domain, "--secrets", str(secrets)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[auth]", "[login]", "has no redirect_uri"),
        ('client_id = "hilum"', "", "has no client_id"),
        ("https://hilum.example.org/oauth2callback", "https://other.example/oauth2callback", "redirect_uri is"),
        ("0123456789abcdef0123456789abcdef", "short", "cookie_secret is short"),
        ("https://login.example.org", "http://login.example.org", "server_metadata_url is"),
        ('"secret"', '"secret', "is no TOML"),
    ],
)
def test_secrets_that_cannot_work_are_refused(old: str, new: str, said: str, secrets: Path) -> None:
    secrets.write_text(SECRETS.replace(old, new))
    with pytest.raises(ServeError, match=f"(?i){said}"):
        prepared(asked(*ORIGIN, *DOMAINS, "--secrets", str(secrets)))


def test_secrets_that_others_can_read_are_refused(secrets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.chmod(0o644)
    assert main(["serve", *ORIGIN, *DOMAINS, "--secrets", str(secrets)]) == 2
    assert "chmod 600" in capsys.readouterr().err
    assert main(["serve", *ORIGIN, *DOMAINS, "--secrets", str(secrets.with_name("none.toml"))]) == 2
