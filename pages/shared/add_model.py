"""Add a model: a file of weights becomes a checkpoint, tried on the film of the sidebar before it is kept.

Only at the machine itself: whoever may add a model writes to the server's disk. Nothing in a file is run.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import CheckpointError, HilumError
from pages.shared import access, resources, widgets
from pages.shared.case import current, current_cohort
from pages.shared.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.model.adopt.adopted import Wishes
    from core.model.checkpoint import Checkpoint

FOUND = "recognised from the file"
KINDS = ["pth", "pt", "ckpt", "bin", "safetensors", "onnx", "data", "zip", "pt2"]
ABOUT = (
    "A state dict; an ONNX file, with its .onnx.data where it has one; a zip of these, or of a folder that "
    "save_pretrained wrote."
)
OUTPUTS = {
    "": "as the file says, else exclusive",
    "softmax": "exclusive: one class is true",
    "sigmoid": "findings that occur together",
}
FITS = {
    "": "as the file says, else squashed",
    "squash": "squashed to a square",
    "crop": "cropped round the centre",
    "pad": "padded with black",
}
RANGES = {
    "": "as the file says, else ImageNet's mean and spread (programs: 0 to 1)",
    "imagenet": "ImageNet's mean and spread",
    "unit": "0 to 1",
    "symmetric": "-1 to 1",
    "bytes": "0 to 255",
    "caffe": "0 to 255 less Caffe's means",
    "imagenet_bgr": "ImageNet's, blue first",
    "caffe_rgb": "0 to 255 less Caffe's means, red first",
    "xrv": "-1024 to 1024 (TorchXRayVision)",
}
_TRIED = "_adopted"  # in the session: the checkpoint tried last, and the rows that judge it once it is calibrated


def view() -> None:
    """The form, what was understood, and the try-out."""
    if not access.at_this_machine():
        st.info(
            "Models are added at the machine where this server runs: there, here or with python -m core adopt.",
            icon=":material/lock:",
        )
        return
    with st.form("add model", border=False):
        left, right = st.columns(2, gap="large")
        with left:
            files = st.file_uploader("Weights", type=KINDS, accept_multiple_files=True, help=ABOUT)
            folder = st.text_input("or a path on this machine", help="A file, or a folder that save_pretrained wrote.")
            classes = st.text_area("Classes, one a line", help="In the order of the network's outputs.", height=120)
            title = st.text_input("Title", max_chars=80)
        with right:
            wishes: dict[str, Any] = {"network": st.selectbox("Network", [FOUND, *_networks()], help="Type to search.")}
            wishes["output"] = st.selectbox("Outputs", list(OUTPUTS), format_func=OUTPUTS.__getitem__)
            wishes["size"] = st.number_input("Side of the picture, px (0 = the network's usual one)", 0, 2048, 0)
            wishes["range"] = st.selectbox("Pixels become", list(RANGES), format_func=RANGES.__getitem__)
            wishes["fit"] = st.selectbox("An oblong film is", list(FITS), format_func=FITS.__getitem__)
        pressed = st.form_submit_button("Try it on this film", icon=":material/science:", type="primary")
    if pressed:
        st.session_state.pop(_TRIED, None)
        if not files and not folder.strip():
            st.warning("Choose a file of weights first.", icon=":material/upload_file:")
        else:
            _adopt(files, folder.strip(), _wishes(classes, title, wishes))
    if refused := st.session_state.pop("_add_refused", ""):
        st.error(plain(refused, longest=400), icon=":material/block:")
    if tried := st.session_state.get(_TRIED):
        _show(tried)


def _wishes(classes: str, title: str, said: dict[str, Any]) -> "Wishes":
    """What the form says; what it leaves to the file is not in it."""
    from core.model.adopt.adopted import Wishes

    names = tuple(name.strip() for name in classes.splitlines() if name.strip())
    look = ({"fit": said["fit"]} if said["fit"] else {}) | ({"size": int(said["size"])} if said["size"] else {})
    network = "" if said["network"] == FOUND else said["network"]
    return Wishes(network, names, said["output"], look, said["range"], title)


def _adopt(files: "Sequence[UploadedFile]", place: str, wishes: "Wishes") -> None:
    """Read uploads through files that are gone afterwards, or what lies at a path; what is wrong is said."""
    from core.model.adopt.adopted import FILES, PROGRAMS, folder_name, from_path

    with tempfile.TemporaryDirectory() as folder, st.spinner("Reading the model"):
        for file in files:  # the data of an ONNX file must keep the name that the file knows it by
            (Path(folder) / Path(file.name).name).write_bytes(file.getvalue())
        main = [path for path in Path(folder).iterdir() if path.suffix.lower() in (*FILES, *PROGRAMS)]
        try:
            if files and len(main) != 1:
                raise CheckpointError(f"{len(main)} files of weights came", "one, and the data that an ONNX file names")
            path = main[0] if files else Path(place).expanduser()
            if not path.exists():
                raise CheckpointError(f"there is nothing at {place}", "a file or a folder")
            st.session_state[_TRIED] = from_path(path, wishes, folder_name(path.name)), None
        except HilumError as error:
            st.error(plain(error, longest=600), icon=":material/block:")


def _show(made: "tuple[Checkpoint, DataFrame | None]") -> None:
    """What was understood of the model, its answer to the film, and where it looked."""
    from core.examine.examined import examine
    from core.explain.methods import METHODS
    from core.model.adopt.adopted import told
    from core.model.classifier import Classifier
    from core.report import figures, overlay

    tried, judged = made
    for line in told(tried):
        st.caption(plain(line, longest=400))
    model, film = Classifier(tried, "torch"), current().film
    with widgets.errors_said():
        case = examine(model, film)
        found = case.prediction
        called = model.classes[found.index]
        left, right = st.columns(2, gap="large")
        map_ = case.heatmaps(classes=[called])[called]
        left.image(
            overlay.overlay(case.picture, map_.values),
            caption=f"{METHODS[map_.method].title} of {plain(called)}",
            width=420,
        )
        right.plotly_chart(
            figures.probability_bars(found.by_class, found.operating_points), key="tried", config=widgets.CHART,
            alt="Probabilities of this film",
        )  # fmt: skip
        right.caption(_standing(tried, judged))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Keep it as", tried.card.name, max_chars=60, width=260)
        st.button("Keep this model", icon=":material/save:", on_click=_keep, args=(tried, judged, name))
        if judged is None and st.button("Calibrate it on the sidebar's films", icon=":material/balance:"):
            _calibrate(tried)


def _standing(tried: "Checkpoint", judged: "DataFrame | None") -> str:
    if judged is not None:
        return f"Calibrated on {plain(tried.card.origin['calibrated_on'])}: half of its films fitted, half judged."
    return (
        f"{tried.card.caveat}. Whether films are shown to it as in training, labelled films tell: "
        "python -m core adopt with --try COHORT."
    )


def _calibrate(tried: "Checkpoint") -> None:
    """Calibration, operating points and in-domain check from the labelled films of the sidebar's cohort."""
    from core.evaluate.scoring import labelled
    from core.model.classifier import Classifier
    from core.training.calibrate import calibrate

    try:
        known = labelled(Classifier(tried, "torch"), current_cohort())
        with widgets.progress("Calibrating", lambda: None) as report:
            made = calibrate(tried, known, lambda _, done, of: report(done / max(of, 1)))
    except HilumError as error:
        st.error(plain(error, longest=600), icon=":material/block:")
        return
    st.session_state[_TRIED] = made
    st.rerun()


def _keep(tried: "Checkpoint", judged: "DataFrame | None", name: str) -> None:
    """Write the checkpoint where models are found by name, and show it in the sidebar."""
    from core.model.adopt.adopted import folder_name
    from core.model.checkpoint import rooms, save
    from core.training.calibrate import store

    folder = rooms()[-1] / folder_name(name)
    if folder.exists():
        st.session_state["_add_refused"] = f"There is a model called {folder.name} already: choose another name."
        return
    try:
        folder.mkdir(parents=True)
        if judged is None:
            save(tried, folder)
        else:
            store(tried, judged, folder)
    except OSError as error:
        st.session_state["_add_refused"] = f"{folder} cannot be written ({error.strerror})."
        return
    del st.session_state[_TRIED]
    st.session_state["model"] = folder.name


def _networks() -> list[str]:
    from core.identity import key
    from core.networks import sources

    found: list[str] = resources.kept(key("networks"), lambda: list(sources.names()), "Looking up networks")
    return found
