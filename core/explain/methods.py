"""Every heatmap method in one table: what it costs, what it shows, and how it misleads.

The table is the only place that knows a method: pages build their menus from it, the command line its help, and
``core.explain.heatmap`` its checks and its maps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import ExplainError
from core.explain import method_functions as run
from core.explain.method_functions import Function

Cost = Literal["instant", "seconds", "slow"]


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
        layered: looks at a layer's feature map; otherwise at the picture itself, and a chosen layer has no meaning.
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
    layered: bool = True
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
        ),
        Method(
            "randomcam",
            "Random CAM (control)",
            "instant",
            run.random,
            "Channels weighted by chance: what a map looks like that knows nothing about the class.",
            "A control, not an explanation; a method that looks no better than this shows the network's texture only.",
            "Gildenblat 2021, grad-cam library",
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
            layered=False,
            options={"window": None, "stride": None, "fill": "blur"},
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
