"""The PACS behind the pages: who may search it, which film a link means, and what of it this session holds.

Films lie among this session's uploads: in memory, and gone with it. A link names a film by a hash of its SOP instance
UID that only this server can make; what the hash stands for is known from searches since the server started, and shown
to nobody who may not search.
"""

import getpass
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core import identity
from core.data.dicomweb.query import Found
from core.data.dicomweb.server import Server, configured
from core.data.film import opener
from core.data.film.radiograph import Radiograph
from core.errors import HilumError, PacsError
from pages.shared import access, resources, state
from pages.shared.case import uploaded_films

if TYPE_CHECKING:
    from core.data.dicomweb.client import Pacs

_HELD = "_pacs_films"  # in the session: hash of a film's bytes -> where it came from


@dataclass(frozen=True, eq=False)
class Archive:
    """A PACS, for one visitor who may search it."""

    pacs: "Pacs"
    visitor: str  # for the log of what was sent

    @property
    def server(self) -> Server:
        return self.pacs.server

    def token(self, found: Found) -> str:
        """What links and lists call a film."""
        return found.token(self.server.secret or _own_secret())


def archive() -> Archive | None:
    """The PACS, if there is one and this visitor may search it.

    Raises:
        PacsError: settings that cannot be used.
    """
    server = configured()
    who = visitor(server) if server else None
    if server is None or who is None:
        return None
    from core.data.dicomweb.client import Pacs  # with requests and what that loads: only where there is a PACS

    key = identity.key("pacs", settings=repr(server), login=[server.user, server.password, server.token])
    return Archive(resources.kept(key, lambda: Pacs(server)), who)


def visitor(server: Server) -> str | None:
    """Who searches: somebody at this machine, or who is logged in; None for anyone else."""
    if access.at_this_machine():
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            return "this machine"
    if server.user_header and (name := st.context.headers.get(server.user_header)):
        return str(name)
    if st.user.get("is_logged_in"):
        return str(st.user.get("email") or st.user.get("sub") or "logged in")
    return "not logged in" if server.open_to_all else None


def remember(place: Archive, found: list[Found]) -> None:
    """Let links mean these films; whose they are is not kept where all visitors' results lie."""
    for one in found:
        resources.shelf().put(_key(place.token(one)), one.nameless())


def open_film(place: Archive, found: Found) -> None:
    """Fetch a film into this session and make it the case.

    Raises:
        HilumError: it is unavailable, or is not a readable film.
    """
    held = origins()
    there = next(
        (n for n, film in enumerate(uploaded_films(), 1) if getattr(held.get(film.sha256), "uid", "") == found.uid),
        None,
    )
    if there is None:
        data = place.pacs.retrieve(found.study, found.series, found.uid)
        film, values = opener.read_with_values(data, _title(place, found), resources.check_upload)
        resources.hold_upload(f"pacs {place.token(found)}", film)
        uploaded_films().append(film)
        resources.keep_values(film, values)
        held[film.sha256] = found.nameless()
        there = len(uploaded_films())
    st.session_state["upload"] = there
    st.session_state["pacs"] = place.token(found)


def origins() -> dict[str, Found]:
    """Hash of each film of this session that came from the PACS -> where it came from."""
    held: dict[str, Found] = st.session_state.setdefault(_HELD, {})
    return held


def forget() -> None:
    """Films were dropped: where they came from goes with them."""
    st.session_state.pop(_HELD, None)


def origin(film: Radiograph) -> Found | None:
    """Where a film of this session came from; None for one that did not come from the PACS."""
    if not any(film is one for one in uploaded_films()):
        return None
    return origins().get(film.sha256)


def follow_link() -> None:
    """Open the film that a link names, if this visitor may see it; called before the case is chosen."""
    session = st.session_state
    token = session.get("pacs")
    if not state.from_link("pacs") or not token:
        return
    session.update(pacs=None, upload=None)
    try:
        place = archive()
        found: Found | None = resources.shelf().get(_key(token)) if place else None
        if place is None or found is None:
            state.notice("The link names a film of a PACS that cannot be shown here. Search for it on Live prediction.")
            return
        open_film(place, found)
    except HilumError as error:
        state.notice(str(error))


def note_case() -> None:
    """Let the address name the film that is shown; called after the case was chosen."""
    session = st.session_state
    upload, films = session.get("upload"), uploaded_films()
    found = origin(films[upload - 1]) if upload and upload <= len(films) else None
    place = _quiet_archive() if found else None
    session["pacs"] = place.token(found) if place and found else None


def _quiet_archive() -> Archive | None:
    try:
        return archive()
    except PacsError:
        return None


def _title(place: Archive, found: Found) -> str:
    """What the film is called: nothing that tells whose it is."""
    return f"{found.modality or 'film'} {place.token(found)[:8]}"


def _own_secret() -> str:
    """One that lasts as long as this server runs, for owners who set none."""
    return resources.kept(identity.key("secret of links"), lambda: secrets.token_hex(32))


def _key(token: str) -> str:
    return identity.key("film of the pacs", token=token)
