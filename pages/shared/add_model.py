"""Add a model: a file of weights becomes a checkpoint, tried on the film of the sidebar before it is kept.

Only at the machine itself: whoever may add a model writes to the server's disk. Nothing in a file is run.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import HilumError
from pages.shared import access, resources, widgets
from pages.shared.case import current
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.model.adopt.adopted import Wishes
    from core.model.checkpoint import Checkpoint

FOUND = "recognised from the file"
OUTPUTS = {"softmax": "exclusive: one class is true", "sigmoid": "findings that occur together"}
FITS = {"squash": "squashed to a square", "crop": "cropped round the centre", "pad": "padded with black"}
_TRIED = "_adopted"  # in the session: the checkpoint tried last


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
            file = st.file_uploader("Weights", type=["pth", "pt", "ckpt", "bin", "safetensors"], help="A state dict.")
            classes = st.text_area("Classes, one a line", help="In the order of the network's outputs.", height=120)
            title = st.text_input("Title", max_chars=80)
        with right:
            wishes: dict[str, Any] = {"network": st.selectbox("Network", [FOUND, *_networks()], help="Type to search.")}
            wishes["output"] = st.selectbox("Outputs", list(OUTPUTS), format_func=OUTPUTS.__getitem__)
            wishes["size"] = st.number_input("Side of the picture, px (0 = the network's usual one)", 0, 2048, 0)
            wishes["range"] = st.selectbox("Pixels become", list(_ranges()), format_func=_ranges().__getitem__)
            wishes["fit"] = st.selectbox("An oblong film is", list(FITS), format_func=FITS.__getitem__)
        pressed = st.form_submit_button("Try it on this film", icon=":material/science:", type="primary")
    if pressed:
        st.session_state.pop(_TRIED, None)
        if file is None:
            st.warning("Choose a file of weights first.", icon=":material/upload_file:")
        else:
            _adopt(file.getvalue(), file.name, _wishes(classes, title, wishes))
    if refused := st.session_state.pop("_add_refused", ""):
        st.error(plain(refused, longest=400), icon=":material/block:")
    if tried := st.session_state.get(_TRIED):
        _show(tried)


def _wishes(classes: str, title: str, said: dict[str, Any]) -> "Wishes":
    from core.model.adopt.adopted import Wishes

    names = tuple(name.strip() for name in classes.splitlines() if name.strip())
    look = {"fit": said["fit"]} | ({"size": int(said["size"])} if said["size"] else {})
    network = "" if said["network"] == FOUND else said["network"]
    return Wishes(network, names, said["output"], look, said["range"], title)


def _adopt(content: bytes, name: str, wishes: "Wishes") -> None:
    """Read the upload through a file that is gone afterwards; what is wrong with it is said."""
    from core.model.adopt.adopted import folder_name, from_file

    with tempfile.TemporaryDirectory() as folder, st.spinner("Reading the weights"):
        path = Path(folder) / f"{folder_name(name)}{Path(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            st.session_state[_TRIED] = from_file(path, wishes, path.stem)
        except HilumError as error:
            st.error(plain(error, longest=600), icon=":material/block:")


def _show(tried: "Checkpoint") -> None:
    """What was understood of the model, its answer to the film, and where it looked."""
    from core.examine.examined import examine
    from core.model.adopt.adopted import told
    from core.model.classifier import Classifier
    from core.report import figures, overlay

    for line in told(tried):
        st.caption(plain(line, longest=400))
    model, film = Classifier(tried, "torch"), current().film
    with widgets.errors_said():
        case = examine(model, film)
        found = case.prediction
        called = model.classes[found.index]
        left, right = st.columns(2, gap="large")
        map_ = case.heatmaps("gradcam", [called])[called]
        left.image(overlay.overlay(case.picture, map_.values), caption=f"Grad-CAM of {plain(called)}", width=420)
        right.plotly_chart(
            figures.probability_bars(found.by_class, found.cut_offs), key="tried", config=widgets.CHART,
            alt="Uncalibrated probabilities of this film",
        )  # fmt: skip
        right.caption(f"{tried.card.caveat}. Whether films are shown to it as in training, labelled films tell: "
                      "python -m core adopt with --try COHORT or --calibrate COHORT.")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Keep it as", tried.card.name, max_chars=60, width=260)
        st.button("Keep this model", icon=":material/save:", on_click=_keep, args=(tried, name))


def _keep(tried: "Checkpoint", name: str) -> None:
    """Write the checkpoint where models are found by name, and show it in the sidebar."""
    from core.model.adopt.adopted import folder_name
    from core.model.checkpoint import rooms, save

    folder = rooms()[-1] / folder_name(name)
    if folder.exists():
        st.session_state["_add_refused"] = f"There is a model called {folder.name} already: choose another name."
        return
    try:
        save(tried, folder)
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


def _ranges() -> dict[str, str]:
    return {
        "imagenet": "ImageNet's mean and spread",
        "unit": "0 to 1",
        "symmetric": "-1 to 1",
        "bytes": "0 to 255",
        "caffe": "0 to 255 less Caffe's means",
        "xrv": "-1024 to 1024 (TorchXRayVision)",
    }
