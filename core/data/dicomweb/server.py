"""Which DICOMweb server, and how one logs in: ``HILUM_DICOMWEB``, or ``[dicomweb]`` of Streamlit's secrets."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import PacsError

VARIABLE = "HILUM_DICOMWEB"
TABLE = "dicomweb"
SECRETS = (Path(".streamlit/secrets.toml"), Path("~/.streamlit/secrets.toml"))
_WHERE = f"an address in {VARIABLE}, or a table [{TABLE}] in .streamlit/secrets.toml"
_REMEDY = "See docs/pacs.md"


@dataclass(frozen=True)
class Server:
    """One DICOMweb server, as its owner described it.

    Args:
        url: where its services begin ("https://pacs.example.org/dicom-web").
        name: what it is called on pages and in logs; never its address.
        user, password: HTTP basic authentication; both or neither.
        token: bearer token; not together with user and password.
        ca: file of the certificates that are trusted instead of the usual ones; "" for the usual ones.
        plain_http: whether user, password, token and films may go to another machine unencrypted.
        connect_seconds: how long a connection may take to come about.
        seconds: how long the server may stay silent; a whole answer may take ten times as long.
        show_patient: whether lists show names and numbers of patients.
        send: whether the dashboard offers to send answers to it.
        log: file that each sending is appended to: when, who, which objects; "" for none.
        secret: what hashes of films are made with, so that nobody can tell from a link which film it names.
        user_header: header in which a proxy in front says who is logged in; "" where there is none.
        open_to_all: whether visitors from elsewhere who are not logged in may search it.

    Raises:
        PacsError: a setting that is none, or two that contradict each other.
    """

    url: str
    name: str = "PACS"
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: str = ""
    plain_http: bool = False
    connect_seconds: float = 5.0
    seconds: float = 30.0
    show_patient: bool = False
    send: bool = False
    log: str = ""
    secret: str = field(default="", repr=False)
    user_header: str = ""
    open_to_all: bool = False

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
        except ValueError:
            raise PacsError("the DICOMweb address cannot be read", "an address with http or https", _REMEDY) from None
        if parts.scheme not in ("http", "https") or not host:
            raise PacsError("the DICOMweb address has no http:// or https:// and host", "such an address", _REMEDY)
        if parts.username or parts.password or parts.query or parts.fragment:
            came = "the DICOMweb address holds a user, a password or a query"
            raise PacsError(came, "the bare address", "Give user and password as settings of their own")
        if bool(self.user) != bool(self.password) or (self.user and self.token):
            came = "the DICOMweb login is half given, or given twice"
            raise PacsError(came, "user and password, or a token, or neither", _REMEDY)
        if (self.user or self.token) and parts.scheme == "http" and not self.plain_http and not _is_loopback(host):
            came = f"{self.name} would be told its password over plain http"
            raise PacsError(came, "https", "Set plain_http = true only where the network between is yours alone")
        if self.ca and not Path(self.ca).expanduser().is_file():
            raise PacsError(f"there is no file of certificates {self.ca}", "the path of a PEM file in ca", _REMEDY)
        if self.send and not self.log:
            raise PacsError("send is true, but log is not set", "the file that each sending is written into", _REMEDY)
        for limit in ("connect_seconds", "seconds"):
            if not 0 < getattr(self, limit) <= 3600:
                raise PacsError(f"{limit} is {getattr(self, limit):g}", "more than 0, at most 3600 seconds", _REMEDY)
        object.__setattr__(self, "url", self.url.rstrip("/"))


def configured(environment: Mapping[str, str] | None = None) -> Server | None:
    """The server that this machine's owner named, or None.

    ``HILUM_DICOMWEB`` holds an address, or the path of a TOML file with the settings of `Server`; without it the table
    ``[dicomweb]`` of Streamlit's secrets counts. ``HILUM_DICOMWEB_USER``, ``_PASSWORD`` and ``_TOKEN`` overrule both;
    in a file ``password_env``, ``password_file``, ``token_env``, ``token_file`` and ``secret_file`` name where a value
    stands instead.

    Raises:
        PacsError: settings that cannot be read.
    """
    given = os.environ if environment is None else environment
    named = given.get(VARIABLE, "").strip()
    if named.startswith(("http://", "https://")):
        table: dict[str, Any] = {"url": named}
    elif named:
        table = _table(Path(named).expanduser())
    else:
        files = [path.expanduser() for path in SECRETS if path.expanduser().is_file()]
        table = next((found for path in files if (found := _table(path, optional=True))), {})
        if not table:
            return None
    for setting in ("user", "password", "token"):
        if value := given.get(f"{VARIABLE}_{setting.upper()}"):
            table[setting] = value
    return from_table(table, given)


def from_table(table: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Server:
    """The server of a table of settings.

    Raises:
        PacsError: a setting that is unknown, of another type, or whose variable or file is missing.
    """
    given = os.environ if environment is None else environment
    values = dict(table)
    for setting in ("password", "token", "secret"):
        if (variable := values.pop(f"{setting}_env", None)) is not None:
            if not given.get(str(variable)):
                raise PacsError(f"the environment has no {variable}", f"the {setting} of the PACS in it", _REMEDY)
            values[setting] = given[str(variable)]
        if (file := values.pop(f"{setting}_file", None)) is not None:
            values[setting] = _read(Path(str(file)).expanduser(), setting)
    kinds = {one.name: one.type for one in fields(Server)}
    for name, value in values.items():
        if name not in kinds:
            raise PacsError(f"there is no DICOMweb setting {name!r}", f"some of {', '.join(kinds)}", _REMEDY)
        kind: Any = kinds[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            values[name] = float(value)
        elif not isinstance(value, kind):
            raise PacsError(f"the DICOMweb setting {name} is {type(value).__name__}", f"{kind.__name__}", _REMEDY)
    if not values.get("url"):
        raise PacsError("the DICOMweb settings have no url", _WHERE, _REMEDY)
    return Server(**values)


def _table(path: Path, optional: bool = False) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PacsError(f"{path.name} cannot be read ({error.strerror})", _WHERE, _REMEDY) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise PacsError(f"{path.name} is no TOML", _WHERE, _REMEDY) from None
    table = content.get(TABLE, {} if optional else content)
    if not isinstance(table, dict):
        raise PacsError(f"{TABLE} in {path.name} is not a table", _WHERE, _REMEDY)
    return dict(table)


def _read(path: Path, setting: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise PacsError(f"the file of the {setting} cannot be read", f"a text file at {path.name}", _REMEDY) from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
