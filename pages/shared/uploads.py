"""How films of the visitor's own come in: files, a drop, a paste, the camera. They stay in this session's memory."""

import math
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from core.data.film import archive, opener
from core.data.film.radiograph import Radiograph
from core.errors import HilumError, NoRoomError
from core.model import matching
from pages.shared import pacs, resources
from pages.shared.case import matching_model, uploaded_films
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.model.domain import Status  # torch takes its time to import

_BEFORE = "_model_before_uploads"  # (the cohort's model, the one that took its place), see `choose_model`
_WHY = "_why_this_model"  # in a sentence; Streamlit runs a page twice after an upload, so it is no passing notice
_TAKEN, _LISTED = "_taken", "_listed"  # file id -> films read from it by what they are held under; ids on the list
# A pasted picture goes the way of a chosen file. Any page may hold this handler: without an uploader it does nothing.
PASTE = """<script>
  document.onpaste = (event) => {
    const input = document.querySelector('[data-testid="stFileUploader"] input[type="file"]');
    if (!input || !event.clipboardData.files.length) return;
    event.preventDefault();
    input.files = event.clipboardData.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
</script>"""


def uploader() -> None:
    """The ways in, and what was refused; without an upload the case is a film of the cohort, chosen in the sidebar."""
    turn = st.session_state.get("_uploader", 0)
    files, others = st.columns([5, 1], vertical_alignment="bottom")
    key = f"files {turn}"
    listed = files.file_uploader(
        "Upload, drop or paste (Ctrl+V) films: PNG, JPEG, TIFF, DICOM or a zip of them",
        accept_multiple_files=True,
        key=key,
        on_change=take_in,
        args=(key,),
        help="Also BMP and WebP, and files without an extension. They stay in the memory of this session: "
        "nothing is written to disk or logged. Without an upload the film is the cohort's, chosen in the sidebar.",
    )
    raw = st.session_state.get(key) or listed  # with those whose bytes are gone: their film was read
    st.session_state[_LISTED] = [file.file_id for file in raw]
    ways = others.container(horizontal=True)
    with ways, st.popover("Camera", icon=":material/photo_camera:", width="stretch"):
        shot = f"camera {turn}"
        st.camera_input("Photograph a film on a light box", key=shot, on_change=take_in, args=(shot,))
    ways.button(  # there from the start, so that the camera stays where it is
        "Remove all", icon=":material/delete:", on_click=forget, width="stretch", disabled=not uploaded_films(),
        help="Remove every film you added",
    )  # fmt: skip
    if told := _why_another():
        st.info(told, icon=":material/model_training:")
    for sentence in st.session_state.get("_refused", []):
        st.error(plain(sentence, longest=600), icon=":material/block:")


def listen_for_paste() -> None:
    """Let Ctrl+V anywhere on the page hand pictures to the uploader."""
    st.html(PASTE, unsafe_allow_javascript=True)


def take_in(key: str) -> None:
    """Read what was just added into this session's memory, and drop what was taken off the uploader's list.

    What cannot be read is refused in words.
    """
    session = st.session_state
    given = session[key] if isinstance(session[key], list) else [session[key]] if session[key] else []
    taken: dict[str, dict[str, Radiograph]] = session.setdefault(_TAKEN, {})
    gone = set(session.get(_LISTED, [])) - {file.file_id for file in given} if key.startswith("files") else set()
    for file_id in gone:
        for name, film in taken.get(file_id, {}).items():
            _drop(name, film)
        taken[file_id] = {}
    if not gone and all(file.file_id in taken for file in given):
        return  # Streamlit takes it for news that the bytes of a film are gone, which was read
    first, refused = None, []
    for file in given:
        if file.file_id in taken:
            continue
        taken[file.file_id] = {}
        if isinstance(file, DeletedFile):
            refused.append("A file was lost on its way to the server. Choose it again.")
            continue
        try:
            data = file.getvalue()
        finally:
            _let_go_of_bytes(file.file_id)
        before = len(uploaded_films())
        taken[file.file_id] = _films_of(file.file_id, file.name, data, refused)
        if len(uploaded_films()) > before:
            first = first or before + 1
    session["_refused"] = refused
    if first:
        session["upload"] = first
        choose_model(uploaded_films()[first - 1])


def _films_of(file_id: str, name: str, data: bytes, refused: list[str]) -> dict[str, Radiograph]:
    """Take in the film of a file, or those of a zip; gives them by what they are held under. Others are refused."""
    films: dict[str, Radiograph] = {}
    zipped = archive.is_zip(data)
    try:
        for number, (inside, content) in enumerate(archive.members(data, name) if zipped else [(name, data)]):
            held = f"{file_id} {number}" if zipped else file_id
            try:
                film, values = opener.read_with_values(content, inside, resources.check_upload)
                resources.hold_upload(held, film)
            except NoRoomError as error:
                refused.append(f"{inside}: {error}")
                break
            except HilumError as error:
                refused.append(str(error))
                continue
            films[held] = film
            uploaded_films().append(film)
            resources.keep_values(film, values)
    except HilumError as error:
        refused.append(str(error))
    return films


def keep_changed(film: Radiograph) -> None:
    """Take in a film that was inverted, turned or mirrored here, as an upload beside what it was made from.

    One that is there already, as an upload turned back, is shown; where there is no room it is refused in words.
    """
    held, session = uploaded_films(), st.session_state
    there = next((n for n, one in enumerate(held, 1) if np.array_equal(one.pixels, film.pixels)), None)
    if there is None:
        try:
            resources.hold_upload(film.sha256, film)
        except NoRoomError as error:
            session["_refused"] = [str(error)]
            return
        held.append(film)
    session["upload"] = there or len(held)
    choose_model(film)


def _let_go_of_bytes(file_id: str) -> None:
    """Have Streamlit forget the file as it was sent, which it would keep as long as the session; the film was read."""
    if (context := get_script_run_ctx()) is not None:
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)  # type: ignore[attr-defined]


def _drop(file_id: str, film: Radiograph) -> None:
    if film not in uploaded_films():
        return
    number = uploaded_films().index(film) + 1
    uploaded_films().remove(film)
    resources.let_go(file_id, film)
    shown = st.session_state["upload"]
    if shown is not None and shown >= number:
        st.session_state["upload"] = max(shown - 1, 1) if uploaded_films() else None
    if not uploaded_films():
        restore_model()


def choose_model(film: Radiograph) -> None:
    """Show the film to the model that answers for uploads, see `matching.for_upload`; the uploader says why."""
    session, cards = st.session_state, resources.cards()
    shown = session["model"]
    before, taken = session.get(_BEFORE, (shown, None))
    current = before if shown == taken else shown  # an earlier upload's model is nobody's choice
    by_hand = current != matching_model(session["cohort"])
    name = matching.for_upload(cards, lambda name: _status(name, film), current, by_hand)
    if name == shown:
        return
    was, now = (f'"{plain(cards[each].title)}"' for each in (current, name))
    if _status(current, film) == "in":
        told = f"{was} is the cohort's model, and this film may be from anywhere; {now} answers first."
    elif _status(name, film) == "out":
        told = f"No model here knows this picture; {now} is the one for films from anywhere."
    else:
        told = f"This film is outside what {was} knows; {now} answers instead."
    session.update({"model": name, _BEFORE: (current, name), _WHY: "" if name == current else told})


def _why_another() -> str:
    """Why another model than the cohort's answers, as long as it does."""
    session = st.session_state
    stays = session["upload"] and session.get(_BEFORE, ("", ""))[1] == session["model"] and session.get(_WHY)
    return f"{session[_WHY]} You can choose another model in the sidebar." if stays else ""


def _status(model: str, film: Radiograph) -> "Status":
    """By the model's in-domain gate; where it has none nothing speaks against the film."""
    verdict = resources.prediction(resources.classifier(model), film).domain
    return "in" if math.isnan(verdict.score) else verdict.status


def restore_model() -> None:
    """Without uploads the cohort's film is shown again: by the model it had, unless the visitor chose another since."""
    before, taken = st.session_state.pop(_BEFORE, (None, None))
    if before is not None and st.session_state["model"] == taken:
        st.session_state["model"] = before


def forget() -> None:
    """Drop every uploaded film from memory."""
    restore_model()
    uploaded_films().clear()
    resources.forget_uploads()
    pacs.forget()
    st.session_state.pop(_TAKEN, None)
    st.session_state.update(upload=None, _refused=[], _uploader=st.session_state.get("_uploader", 0) + 1)
