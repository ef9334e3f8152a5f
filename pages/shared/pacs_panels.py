"""What the PACS looks like on a page: the third way in, and the way back for the answer."""

import base64
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.data.dicomweb.query import MODALITIES, Found, Query
from core.errors import HilumError, PacsError
from core.report.dicom.sending import TITLES, send
from pages.shared import pacs, uploads, widgets
from pages.shared.case import Case, uploaded_films
from pages.shared.text import plain

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LISTED, PAGE = 200, 20  # films that a search lists, and on a page
VIEWS = ("any view", "PA", "AP", "LL", "RL")
_FOUND, _SMALL, _SAID, _SENT = "_pacs_found", "_pacs_thumbnails", "_pacs_said", "_pacs_sent"


def search_panel() -> None:
    """Search, list, open."""
    session = st.session_state
    searched = _FOUND in session or _SAID in session  # what was asked for must not be folded away by its own answer
    with st.expander("From the PACS", icon=":material/dns:", expanded=searched):
        try:
            place = pacs.archive()
        except PacsError as error:
            st.error(plain(str(error), longest=600))
            return
        if place is None:
            st.caption(_why_not())
            return
        _form(place)
        if _SAID in session:
            st.error(plain(session[_SAID], longest=600), icon=":material/block:")
        if session.get(_FOUND):
            _list(place, session[_FOUND])
        elif _FOUND in session:
            st.caption("No film matches.")


def _why_not() -> str:
    from core.data.dicomweb.server import configured

    if configured() is None:
        return "Not configured. Name a DICOMweb server in `HILUM_DICOMWEB` or `.streamlit/secrets.toml` (docs/pacs.md)."
    return "Log in to search the PACS."


def _form(place: pacs.Archive) -> None:
    with st.form("pacs search", border=False):
        first, second, third = st.columns(3)
        first.date_input("From", None, key="pacs since", format="YYYY-MM-DD")
        second.date_input("To", None, key="pacs until", format="YYYY-MM-DD")
        third.selectbox("View", VIEWS, key="pacs view")
        first.multiselect("Modality", MODALITIES, default=["DX", "CR"], key="pacs modalities")
        second.text_input("Body part", key="pacs part", placeholder="CHEST", max_chars=16)
        third.text_input("Accession number", key="pacs accession", max_chars=16)
        first.text_input(
            "Patient number", key="pacs patient", max_chars=64, help="Sent to the PACS only; never part of a link."
        )
        st.form_submit_button("Search", icon=":material/search:", on_click=_search, args=(place,))


def _search(place: pacs.Archive) -> None:
    session = st.session_state
    for key in (_FOUND, _SAID, "pacs page"):
        session.pop(key, None)
    try:
        query = Query(
            since=_digits(session["pacs since"]),
            until=_digits(session["pacs until"]),
            modalities=tuple(session["pacs modalities"]),
            body_part=session["pacs part"].strip().upper(),
            view="" if session["pacs view"] == VIEWS[0] else session["pacs view"],
            accession=session["pacs accession"].strip(),
            patient=session["pacs patient"].strip(),
        )
        found = list(islice(place.pacs.search(query), LISTED + 1))
        pacs.remember(place, found)
        session[_FOUND] = found
    except HilumError as error:
        session[_SAID] = str(error)


def _digits(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


def _list(place: pacs.Archive, found: list[Found]) -> None:
    more = len(found) > LISTED
    found = found[:LISTED]
    pages = -(-len(found) // PAGE)
    many = (
        f"The first {LISTED} films; narrow the search for others."
        if more
        else ("1 film." if len(found) == 1 else f"{len(found)} films.")
    )
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.caption(f"{many} Tick one to open it.")
    page = right.number_input("Page", 1, pages, key="pacs page") if pages > 1 else 1
    shown = found[(page - 1) * PAGE : page * PAGE]
    small = _thumbnails(place, shown)
    rows = [{"film": small[one.uid], **_row(place, one)} for one in shown]
    widgets.table(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=52,
        key="pacs table",
        selection_mode="single-row",
        on_select=lambda: _open(place, shown),
        column_config={"film": st.column_config.ImageColumn(width=60)},
    )


def _row(place: pacs.Archive, one: Found) -> dict[str, Any]:
    day = f"{one.date[:4]}-{one.date[4:6]}-{one.date[6:]}" if one.date else ""
    size = f"{one.columns} x {one.rows}" if one.rows and one.columns else ""
    told = {"date": day, "modality": one.modality, "view": one.view, "body part": one.body_part, "size": size}
    if place.server.show_patient:
        told |= {"patient": one.patient_name, "number": one.patient_id}
    return told | {"id": place.token(one)[:8]}


def _thumbnails(place: pacs.Archive, shown: list[Found]) -> dict[str, str | None]:
    """Of the films on a page, as data addresses; fetched once per session."""
    kept: dict[str, str | None] = st.session_state.setdefault(_SMALL, {})
    missing = [one for one in shown if one.uid not in kept]

    def fetch(one: Found) -> str | None:
        image = place.pacs.thumbnail(one.study, one.series, one.uid)
        return None if image is None else "data:image/png;base64," + base64.b64encode(image).decode()

    if missing:
        with st.spinner("Fetching thumbnails"), ThreadPoolExecutor(4) as pool:
            kept |= dict(zip((one.uid for one in missing), pool.map(fetch, missing), strict=True))
    for uid in list(kept)[: max(len(kept) - LISTED, 0)]:
        kept.pop(uid)
    return {one.uid: kept.get(one.uid) for one in shown}


def _open(place: pacs.Archive, shown: list[Found]) -> None:
    session = st.session_state
    rows = session["pacs table"]["selection"]["rows"]
    session.pop(_SAID, None)
    if not rows:
        return
    try:
        pacs.open_film(place, shown[rows[0]])
        uploads.choose_model(uploaded_films()[session["upload"] - 1])
    except HilumError as error:
        session[_SAID] = str(error)


def way_back(case: Case) -> None:
    """The answer as DICOM objects: a zip, and, where the owner allows it, back into the PACS."""
    found = pacs.origin(case.film)
    try:
        place = pacs.archive() if found else None
    except PacsError:
        place = None
    if found is None or place is None:
        return
    with st.expander("The answer as DICOM objects", icon=":material/send:"):
        try:
            from core.report.dicom.from_examined import ASKED, KINDS
        except ImportError as error:
            st.caption(f"DICOM objects need {error.name}, which is not installed: requirements-pacs.txt.")
            return
        refused = case.prediction.refused
        if refused:
            st.caption("The model may not judge this film: only a text that says so can be made.")
        with st.container(horizontal=True):
            kinds = [kind for kind in KINDS if _ticked(kind, refused)]
        with st.popover(
            "For archives", icon=":material/inventory_2:", help="Most viewers open none of these but the PDF."
        ):
            kinds += [kind for kind in ASKED if _ticked(kind, refused)]
        left, right = st.columns(2)
        if left.button("Make a zip", icon=":material/folder_zip:", disabled=not kinds, width="stretch"):
            _zip(place, found, case, kinds)
        if place.server.send:
            name = plain(place.server.name)
            right.button(
                f"Send to {name}",
                icon=":material/send:",
                disabled=not kinds,
                width="stretch",
                on_click=_send,
                args=(place, found, case, kinds),
            )
            st.caption(
                f"Sending stores {' and '.join(TITLES[k] for k in kinds) or 'nothing'} in the film's study on {name}, "
                f"marked as unverified research output, and notes it in the log as done by {plain(place.visitor)}."
            )
        else:
            right.caption("Sending is off: its owner has not set `send = true`.")
        if told := st.session_state.pop(_SENT, None):
            (st.success if told[0] else st.error)(plain(told[1], longest=600))


def _ticked(kind: str, refused: bool) -> bool:
    """A tick box; a film that the model may not judge has words only."""
    off = refused and kind != "sr"
    chosen = st.checkbox(TITLES[kind].capitalize(), value=kind in ("sc", "sr"), key=f"pacs kind {kind}", disabled=off)
    return chosen and not off


def _made(place: pacs.Archive, found: Found, case: Case, kinds: list[str]) -> "dict[str, Dataset]":
    """The objects; the film's header is fetched again, for nothing of a patient is kept."""
    from core.report.dicom.from_examined import answer_of, header, objects

    label, method = case.prediction.label, widgets.method_of(case.model)
    map_ = case.examined.heatmaps(method, [label])[label]
    data = place.pacs.retrieve(found.study, found.series, found.uid)
    return objects(header(data, case.film.name), answer_of(case.examined, map_), kinds)


def _zip(place: pacs.Archive, found: Found, case: Case, kinds: list[str]) -> None:
    try:
        made = _made(place, found, case, kinds)
    except HilumError as error:
        st.error(plain(str(error), longest=600))
        return
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for kind, one in made.items():
            content = io.BytesIO()
            one.save_as(content, enforce_file_format=True)
            file.writestr(f"{kind}.dcm", content.getvalue())
    st.download_button(
        "Download", archive.getvalue(), f"answer-{place.token(found)[:8]}.zip", "application/zip", on_click="ignore"
    )
    st.caption("The objects carry the patient's name and number from the film, as they must to join its study.")


def _send(place: pacs.Archive, found: Found, case: Case, kinds: list[str]) -> None:
    try:
        sent = send(place.pacs, _made(place, found, case, kinds), place.visitor, place.server.log)
    except HilumError as error:
        st.session_state[_SENT] = (False, str(error))
        return
    done = ", ".join(TITLES[kind] for kind in sent.kept) or "nothing"
    failed = "".join(f" Not taken: {TITLES[kind]} ({reason})." for kind, reason in sent.refused.items())
    st.session_state[_SENT] = (not sent.refused, f"Stored in {place.server.name}: {done}.{failed}")
