"""Every heatmap method in one table: what it costs, what it shows, and how it misleads.

The table is the only place that knows a method: pages build their menus from it, the command line its help, and
``core.explain.heatmap`` its checks and its maps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from core.errors import ExplainError
from core.explain import method_functions as run
from core.explain.method_functions import Function

if TYPE_CHECKING:
    from core.networks.network import Network

Cost = Literal["instant", "seconds", "slow"]
NEEDS = {  # what a method may ask of a network besides its answers -> what a network without it lacks, in words
    "maps": "a feature map",
    "gradients": "gradients",
    "attention": "attention weights of a vision transformer",
}


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: the key, as the command line and the address bar spell it.
        title: the name in the literature.
        cost: for all classes of one film on two cores: "instant" below 0.3 s, "seconds", or "slow" above about 5 s.
        function: what makes its maps.
        shows: one sentence.
        weakness: one sentence, known from the literature or from the arithmetic.
        paper: the source.
        signed: values may be negative (evidence against the class).
        needs: what it asks of a network besides answers, keys of ``NEEDS``.
        layered: looks at a layer's feature map; otherwise a chosen layer has no meaning.
        where: what it looks at if at no layer.
        options: keyword options of ``heatmaps`` that this method takes, with their defaults.
    """

    name: str
    title: str
    cost: Cost
    function: Function
    shows: str
    weakness: str
    paper: str
    signed: bool = False
    needs: frozenset[str] = frozenset(("maps", "gradients"))
    layered: bool = True
    where: str = "the film itself"
    options: Mapping[str, Any] = field(default_factory=dict)


METHODS: dict[str, Method] = {
    row.name: row
    for row in (
        Method(
            "gradcam",
            "Grad-CAM",
            "instant",
            run.library("GradCAM"),
            "Where channels that raise this class's score are active, each channel weighted by its mean gradient.",
            "Averaging the gradient over the film can light up places that did not count; coarse at the last layer.",
            "Selvaraju 2017, arXiv:1610.02391",
        ),
        Method(
            "gradcam++",
            "Grad-CAM++",
            "instant",
            run.library("GradCAMPlusPlus"),
            "Like Grad-CAM, with positive gradients weighted so that several separate lesions all show.",
            "Ignores evidence against the class, so the maps of different classes look alike.",
            "Chattopadhay 2018, arXiv:1710.11063",
        ),
        Method(
            "xgradcam",
            "XGrad-CAM",
            "instant",
            run.library("XGradCAM"),
            "Grad-CAM with each gradient weighted by how active the channel is at that place.",
            "Unstable for channels whose activations nearly cancel (layers without a ReLU).",
            "Fu 2020, arXiv:2008.02312",
        ),
        Method(
            "layercam",
            "Layer-CAM",
            "instant",
            run.library("LayerCAM"),
            "Positive gradient times activation at each place; the method of choice for fine, early layers.",
            "Drops negative gradients, so it shows what could count rather than what did.",
            "Jiang 2021, doi:10.1109/TIP.2021.3089943",
        ),
        Method(
            "hirescam",
            "HiRes-CAM",
            "instant",
            run.library("HiResCAM"),
            "Gradient times activation at each place: for a pooled linear head, each place's exact share of the score.",
            "The exactness is lost at earlier layers, where gradients are noisy.",
            "Draelos 2020, arXiv:2011.08891",
        ),
        Method(
            "gradcam_elementwise",
            "Element-wise Grad-CAM",
            "instant",
            run.library("GradCAMElementWise"),
            "Gradient times activation with negative products removed before the channels are added.",
            "Evidence against the class cannot cancel evidence for it, so maps are broader than the decision.",
            "Gildenblat 2021, grad-cam library",
        ),
        Method(
            "finercam",
            "FinerCAM",
            "instant",
            run.finer,
            "Why this class and not the next likeliest: Grad-CAM of the difference of their logits.",
            "What both classes have in common is left out, however much it counted for either.",
            "Zhang 2025, arXiv:2501.11309",
            options={"against": None, "strength": 1.0},
        ),
        Method(
            "eigencam",
            "Eigen-CAM",
            "instant",
            run.eigen(weighted=False),
            "The strongest pattern in the feature map, whatever the class: where the network sees structure at all.",
            "The same for every class, and the sign of a principal component is arbitrary: it may mark the background.",
            "Muhammad 2020, arXiv:2008.00299",
            needs=frozenset(("maps",)),
        ),
        Method(
            "eigengradcam",
            "EigenGrad-CAM",
            "instant",
            run.eigen(weighted=True),
            "The strongest pattern in gradient times activation: a cleaner map of one class.",
            "The sign of a principal component is arbitrary, so evidence for and against may swap.",
            "Muhammad 2020, grad-cam library",
        ),
        Method(
            "scorecam",
            "Score-CAM",
            "slow",
            run.score,
            "Channels weighted by the class's score when the film is seen only through that channel; no gradients.",
            "One pass of the whole network per channel, on films unlike any the network was trained on.",
            "Wang 2020, arXiv:1910.01279",
            needs=frozenset(("maps",)),
            options={"channels": None},
        ),
        Method(
            "ablationcam",
            "Ablation-CAM",
            "seconds",
            run.ablation,
            "Channels weighted by how far the class's score drops when the channel is switched off; no gradients.",
            "Channels that stand in for each other hide each other's importance.",
            "Desai 2020, doi:10.1109/WACV45572.2020.9093360",
            needs=frozenset(("maps",)),
        ),
        Method(
            "randomcam",
            "Random CAM (control)",
            "instant",
            run.random,
            "Channels weighted by chance: what a map looks like that knows nothing about the class.",
            "A control, not an explanation; a method that looks no better than this shows the network's texture only.",
            "Gildenblat 2021, grad-cam library",
            needs=frozenset(("maps",)),
            options={"seed": 0},
        ),
        Method(
            "occlusion",
            "Occlusion",
            "seconds",
            run.occlusion,
            "How far the class's score drops when a window of the film is hidden; negative where hiding raises it.",
            "Depends on the window's size and on what it is filled with; evidence seen twice is missed.",
            "Zeiler 2014, arXiv:1311.2901",
            signed=True,
            needs=frozenset(),
            layered=False,
            options={"window": None, "stride": None, "fill": "blur"},
        ),
        Method(
            "rise",
            "RISE",
            "slow",
            run.rise,
            "How the class's score goes with each place's being seen, through hundreds of random masks; no gradients.",
            "Grainy unless there are thousands of masks, on films unlike any the network was trained on.",
            "Petsiuk 2018, arXiv:1806.07421",
            signed=True,
            needs=frozenset(),
            layered=False,
            options={"masks": 400, "cells": 8, "visible": 0.5, "fill": "blur", "seed": 0},
        ),
        Method(
            "rollout",
            "Attention rollout",
            "instant",
            run.rollout,
            "How attention leads from the patches to the class token, multiplied through all blocks.",
            "The same for every class, and attention is no evidence: values and the layers between do not count.",
            "Abnar 2020, arXiv:2005.00928",
            needs=frozenset(("attention",)),
            layered=False,
            where="all blocks",
        ),
        Method(
            "legrad",
            "LeGrad",
            "instant",
            run.legrad,
            "Where more attention, in any block, would raise this class's score.",
            "Blocks below the last are read as if the head followed them at once, which it was not trained for.",
            "Bousselham 2024, arXiv:2404.03214",
            needs=frozenset(("gradients", "attention")),
            layered=False,
            where="all blocks",
        ),
        Method(
            "integrated_gradients",
            "Integrated gradients",
            "slow",
            run.integrated_gradients,
            "Each pixel's part of the score this film has above an empty one; the parts add up to that difference.",
            "Grainy, and relative to the empty film chosen: parts as dark as the baseline get nothing.",
            "Sundararajan 2017, arXiv:1703.01365",
            signed=True,
            needs=frozenset(("gradients",)),
            layered=False,
            options={"steps": 32, "baseline": "black"},
        ),
    )
}


def find(name: str) -> Method:
    """The row called ``name``; ExplainError lists the names that exist."""
    if name not in METHODS:
        raise ExplainError(f"there is no heatmap method {name!r}", f"one of {', '.join(METHODS)}")
    return METHODS[name]


def methods_for(network: "Network") -> dict[str, Method]:
    """The methods that a network bears, by name, in the table's order."""
    return {name: row for name, row in METHODS.items() if row.needs <= network.tells}


def usual(network: "Network") -> str:
    """The method shown unless another was chosen: Grad-CAM, or Occlusion of a network that is only a function."""
    return "gradcam" if METHODS["gradcam"].needs <= network.tells else "occlusion"


def usual_often(network: "Network", side: int) -> tuple[str, dict[str, Any]]:
    """The usual method where dozens of maps are made of one film (S, S): its name and options.

    Occlusion then moves its window by its whole side: a quarter of the passes.
    """
    window = max(side // 8, 1)
    name = usual(network)
    return name, {"window": window, "stride": window} if name == "occlusion" else {}


def borne(name: str, network: "Network") -> Method:
    """The row called ``name``, or of the usual method where that is "".

    Raises:
        ExplainError: there is none, or the network lacks what it needs.
    """
    row = find(name or usual(network))
    if lacking := [words for need, words in NEEDS.items() if need in row.needs - network.tells]:
        able = ", ".join(methods_for(network))
        raise ExplainError(
            f"{row.title} needs {' and '.join(lacking)}, which this model does not give", f"one of {able}"
        )
    return row
