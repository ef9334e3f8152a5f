"""Who may enter, where the owner asks for a login (`python -m core serve`): OpenID Connect, and a list of domains.

Nothing else of the dashboard runs before `passed` says so. A token counts for some hours, because Streamlit's cookie
outlives it; an address counts where the provider says that it has verified it.
"""

import os
import re
import time
from collections.abc import Mapping

import streamlit as st

from pages.shared.text import plain

HOURS = 12.0
_AHEAD = 300  # seconds by which the provider's clock may be ahead


def passed() -> bool:
    """Whether this visitor may go on; else the way in, or the reason why not, is on the page."""
    domains = os.environ.get("HILUM_LOGIN", "none").lower().split()
    if domains == ["none"]:
        return True
    if not getattr(st.user, "is_logged_in", False):
        _ask("Log in to open the dashboard.")
        return False
    told = st.user.to_dict()
    reason = refused(told, domains, time.time())
    if not reason:
        return True
    if reason is TOO_OLD:
        _ask(TOO_OLD)
    else:
        _title()
        st.error(plain(reason, longest=400), icon=":material/block:")
        st.button("Log out", on_click=st.logout)
    return False


TOO_OLD = "Your login is no longer valid. Log in again."


def refused(user: Mapping[str, object], domains: list[str], now: float) -> str:
    """Why a visitor whom the provider knows may not enter; "" where he may.

    Args:
        user: what the provider says of him (claims of the ID token).
        domains: of addresses that may enter; each allows itself and no part of it.
        now: seconds since 1970.
    """
    address = str(user.get("email") or "").strip().lower()
    name, sign, domain = address.rpartition("@")
    if not (sign and re.fullmatch(r"[^\s@,;<>]+", name) and domain in domains):
        return (
            f"{address or 'An account without an e-mail address'} may not enter here. Ask whoever runs this dashboard."
        )
    verified = str(user.get("email_verified", "")).lower() == "true"
    if not verified and (os.environ.get("HILUM_LOGIN_VERIFIED") != "assumed" or "email_verified" in user):
        return f"Your provider does not say that {address} is yours. Verify the address there, and log in again."
    try:
        issued = float(str(user.get("iat")))
        hours = float(os.environ.get("HILUM_LOGIN_HOURS", HOURS))
    except ValueError:
        return TOO_OLD
    return "" if -_AHEAD <= now - issued <= hours * 3600 else TOO_OLD


def _ask(sentence: str) -> None:
    _title()
    st.write(sentence)
    st.button("Log in", on_click=st.login, type="primary", icon=":material/login:")


def _title() -> None:
    st.title("Hilum", anchor=False)
