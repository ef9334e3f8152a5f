"""Which cohorts a visitor may open: at the machine itself any path, from elsewhere only those that the owner lists.

A link is never followed to somewhere new without asking: it may come from anybody. The owner's list is every cohort
below ``HILUM_DATA`` and the folders and tables named in ``HILUM_COHORTS`` (separated as in ``PATH``).
"""

import os
from ipaddress import ip_address
from pathlib import Path

import streamlit as st

from pages.shared import resources

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")  # what a proxy adds
_OPENED = "_opened_here"


def offered() -> dict[str, str]:
    """What every visitor may open: spec -> title."""
    listed = [path for path in os.environ.get("HILUM_COHORTS", "").split(os.pathsep) if path.strip()]
    return resources.known_cohorts() | {path: Path(path).stem.replace("_", " ") for path in listed}


def at_this_machine() -> bool:
    """Whether the visitor sits where the server runs: it listens on loopback only, is called by a loopback name (which
    a page of somebody else's that points its own name here is not), and no proxy stands between."""
    headers = st.context.headers
    called = headers.get("Host", "localhost")
    names = [st.get_option("server.address") or "", called.rsplit(":", 1)[0] if "]" not in called[-1:] else called]
    return all(map(_is_loopback, names)) and not any(name in headers for name in _FORWARDED)


def is_owner() -> bool:
    """Whether the visitor may see what the server holds: who sits at it, or everybody where its owner says so."""
    return at_this_machine() or os.environ.get("HILUM_SERVER_PAGE") == "1"


def may_open(spec: str) -> bool:
    """Whether this visitor may open a cohort without being asked."""
    known = offered()
    if spec in known or spec.partition(":")[0] == "phantom" or spec in st.session_state.get(_OPENED, set()):
        return True
    return _resolved(spec) in {_resolved(path) for path in known if not path.startswith("phantom")}


def allow(spec: str) -> None:
    """The visitor, at this machine, has typed this path or said yes to a link."""
    if at_this_machine():
        st.session_state.setdefault(_OPENED, set()).add(spec)


def _is_loopback(name: str) -> bool:
    name = name.strip("[]").lower()
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _resolved(spec: str) -> str:
    from core.data.readers import split_layout

    try:
        return str(Path(split_layout(spec)[0]).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):  # a name too long, a user that does not exist, a NUL
        return spec
