"""`python -m core serve`: the dashboard for others than this machine's user, behind a proxy with TLS and with a login.

It listens on loopback alone; the proxy (docs/deploy.md) is what the others reach. What would leave it open is refused
before it starts: no origin, a login without allowed domains, secrets that others can read.
"""

import argparse
import os
import stat
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import ServeError

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard.py"
CALLBACK = "/oauth2callback"  # Streamlit's own
LEAST_SECRET = 32  # characters of a cookie secret
_WANTED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_TOML = "[auth] with " + ", ".join(_WANTED)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Serve the dashboard on this machine's loopback for a proxy with TLS (docs/deploy.md). Visitors log in at an "
        "OpenID Connect provider and must have an e-mail address of one of the domains given."
    )
    command = subparsers.add_parser(
        "serve", help="the dashboard for others, behind a proxy and a login", description=about
    )
    command.add_argument("--origin", required=True, help="how visitors reach it: https://hilum.example.org")
    command.add_argument(
        "--domains", nargs="+", default=[], metavar="DOMAIN", help="of e-mail addresses that may enter"
    )
    help_ = "TOML file with the provider's [auth] section (default: .streamlit/secrets.toml)"
    command.add_argument("--secrets", type=Path, default=Path(".streamlit/secrets.toml"), help=help_)
    help_ = "the provider is one organisation's own and does not say whether it has verified an address"
    command.add_argument("--trust-provider", action="store_true", help=help_)
    command.add_argument("--hours", type=float, default=12, help="after which one has to log in again (default: 12)")
    help_ = "whoever reaches the proxy may enter: it has a login of its own, or the room is small"
    command.add_argument("--without-login", action="store_true", help=help_)
    command.add_argument("--port", type=int, default=8501, help="on 127.0.0.1 (default: 8501)")
    command.add_argument("--upload-mb", type=int, default=64, metavar="N", help="most a film may have (default: 64)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become the server, or say why not."""
    command, environment = prepared(args)
    if os.name == "posix":
        os.execve(command[0], command, os.environ | environment)  # one process, so that systemd watches the right one
    import subprocess

    return subprocess.call(command, env=os.environ | environment)


def prepared(args: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """The server's command line, and what it finds in its environment.

    Raises:
        ServeError: something that would leave it open, or a login that cannot work.
    """
    if not DASHBOARD.is_file():
        raise ServeError("there is no dashboard.py beside the package", "a clone of the repository", "Start it there")
    origin = urlsplit(args.origin)
    if origin.scheme != "https" or not origin.hostname or origin.path.strip("/") or origin.query:
        expected = "https:// and a host, as visitors type it"
        raise ServeError(f'the origin "{args.origin}"', expected, "Put a proxy with TLS in front: docs/deploy.md")
    if not 0 < args.hours <= 24 * 30:
        raise ServeError(f"--hours {args.hours:g}", "more than 0 and at most 720")
    told = f"{origin.scheme}://{origin.netloc}"
    options = {
        "server.address": "127.0.0.1",
        "server.port": args.port,
        "server.headless": "true",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.corsAllowedOrigins": told,
        "server.maxUploadSize": args.upload_mb,
        "browser.serverAddress": origin.hostname,
        "browser.serverPort": origin.port or 443,
    }
    environment = {"HILUM_LOGIN": "none"}
    if not args.without_login:
        domains = [_domain(word) for word in args.domains]
        if not domains:
            came, expected = "no --domains came", "the domains of the e-mail addresses that may enter"
            raise ServeError(came, expected, "Or say --without-login, if the proxy has a login of its own")
        check_secrets(args.secrets, told)
        options["secrets.files"] = args.secrets.absolute()
        environment = {"HILUM_LOGIN": " ".join(domains), "HILUM_LOGIN_HOURS": f"{args.hours:g}"}
        environment["HILUM_LOGIN_VERIFIED"] = "assumed" if args.trust_provider else "said"
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(DASHBOARD), *flags], environment


def check_secrets(path: Path, origin: str) -> None:
    """A file that only its owner reads, with a provider, a way back to this origin and a long cookie secret.

    Raises:
        ServeError: it is none.
    """
    if not path.is_file():
        raise ServeError(f'there is no "{path}"', _TOML, "docs/deploy.md has an example")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ServeError(f'others can read "{path}"', "mode 600", f"Say chmod 600 {path}")
    try:
        auth = tomllib.loads(path.read_text(encoding="utf-8")).get("auth", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ServeError(f'"{path}" is no TOML ({error})', _TOML) from error
    if missing := [name for name in _WANTED if not isinstance(auth, dict) or not auth.get(name)]:
        raise ServeError(f'"{path}" has no {", no ".join(missing)}', _TOML, "docs/deploy.md has an example")
    if auth["redirect_uri"] != origin + CALLBACK:
        raise ServeError(f'redirect_uri is "{auth["redirect_uri"]}"', f"{origin}{CALLBACK}, as --origin says")
    if len(str(auth["cookie_secret"])) < LEAST_SECRET:
        remedy = "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        raise ServeError("cookie_secret is short", f"{LEAST_SECRET} random characters at least", remedy)
    provider = urlsplit(str(auth["server_metadata_url"]))
    if provider.scheme != "https" and provider.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ServeError(f'server_metadata_url is "{auth["server_metadata_url"]}"', "an https:// address")


def _domain(word: str) -> str:
    name = word.strip().lower().removeprefix("@")
    labels = name.split(".")
    if len(labels) < 2 or not all(part and part.replace("-", "").isalnum() for part in labels):
        raise ServeError(f'"{word}" came as a domain', "one like example.org, which allows its addresses and no others")
    return name
