"""`python -m benchmarks.heatmaps`: all classes' Grad-CAM beside a bare pass and three libraries, and the trust card.

All contestants explain the same drawn film with the same network at batch 1, 224 px, on the same threads, and take
turns within each round; figures are medians over the rounds. With ``--batch 32`` they explain as many films at a time
instead, each library with its whole batch in one call a class, and films a second are told. Each library is used as its
manual shows, its extractor built once and its map brought to the size of the film; for all classes it is asked once per
class. Without a checkpoint the weights are random, on which no time here depends: of a ResNet-18, a DenseNet-121 and a
ViT-S/16, one table each. Of a ViT only the `grad-cam` library knows that its tokens lie on a grid.
"""

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchcam.methods import GradCAM as TorchcamGradCAM

from core.data.phantom import CLASSES, Acquisition, Finding, Patient, draw
from core.device import describe
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.heatmap.cache import keep_together, kept_on
from core.explain.trust import assess
from core.model.card import Card
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier, open_classifier
from core.networks.network import MAP
from core.networks.zoo import build
from core.shelf import Shelf
from core.transform.preprocess import Preprocess

NETWORKS = ("resnet18", "densenet121", "timm:vit_small_patch16_224")
FORWARD, NEW, SEEN = "bare forward pass", "Hilum, film not seen before", "Hilum, film seen before"


def main() -> None:
    """Print the table and the trust card's time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", help="name or folder, instead of networks with random weights")
    parser.add_argument(
        "--networks", nargs="+", default=NETWORKS, metavar="NAME", help=f"default: {' '.join(NETWORKS)}"
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="films at a time")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"{describe(torch.device('cpu'))}; load {os.getloadavg()[0]:.1f}\n")
    if args.checkpoint:
        _compare(open_classifier(args.checkpoint), args)
    else:
        for name in args.networks:
            _compare(_random(name), args)


def _compare(classifier: Classifier, args: argparse.Namespace) -> None:
    """The tables of one network."""
    classes, size = len(classifier.classes), classifier.preprocess.size
    film = draw(Patient(seed=0), Finding(), Acquisition(), size)
    print(f"{classifier.card.network}, {classes} classes, {size} px, {args.threads} threads, {args.rounds} rounds\n")
    if args.batch > 1:
        patients = [draw(Patient(seed=seed), Finding(), Acquisition(), size).pixels for seed in range(args.batch)]
        _compare_batches(classifier, np.stack(patients), args.rounds)
        return
    runs = _hilum(classifier, film.pixels) | _libraries(classifier, film.pixels)
    _show(_medians(runs, args.rounds))
    heatmap = max(heatmaps(classifier, film.pixels).values(), key=lambda found: float(found.values.max()))
    card: Runs = {("trust card", 1): lambda: _trust_card(classifier, film.pixels, heatmap, film.lungs)}
    print(f"\ntrust card of one heatmap: {_medians(card, max(args.rounds // 8, 3))['trust card', 1]:.2f} s\n")


def _trust_card(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap, lungs: np.ndarray) -> None:
    """As an examination makes it of a film that nobody has seen: its maps share the passes through the network."""
    with kept_on(Shelf()):
        assess(classifier, picture, heatmap, lungs)


Runs = dict[tuple[str, int], Callable[[], object]]
"""(who, for how many classes) -> one request"""


def _hilum(classifier: Classifier, picture: np.ndarray) -> Runs:
    tensor, classes, seen = classifier.tensor(picture[None]), len(classifier.classes), Shelf()

    def forward() -> None:
        with torch.no_grad():
            classifier.network(tensor)

    def explain(shelf: Shelf, wanted: int) -> None:
        with kept_on(shelf):
            heatmaps(classifier, picture, classes=classifier.classes[:wanted])

    runs: Runs = {(FORWARD, classes): forward}
    for wanted in (1, classes):
        runs[NEW, wanted] = lambda wanted=wanted: explain(Shelf(), wanted)  # type: ignore[misc]
        runs[SEEN, wanted] = lambda wanted=wanted: explain(seen, wanted)  # type: ignore[misc]
    return runs


def _libraries(classifier: Classifier, pictures: np.ndarray) -> Runs:
    """Each on its own copy of the network, whose parameters ask for gradients as a freshly loaded network's do.

    Args:
        pictures: of one film, uint8 (S, S), or of several, uint8 (B, S, S), which go through it together.
    """
    tensor, size = classifier.tensor(np.atleast_3d(pictures.T).T), pictures.shape[-2:]
    networks = [copy.deepcopy(classifier.network).requires_grad_(True) for _ in range(3)]
    stages = [network.features.get_submodule(network.usual_layer) for network in networks]
    layout = classifier.network.layout
    grad_cam = GradCAM(networks[0], [stages[0]], reshape_transform=None if layout == MAP else layout.map_of)
    torchcam = TorchcamGradCAM(networks[1], stages[1])
    captum = LayerGradCam(networks[2], stages[2])

    def by_grad_cam(index: int) -> None:
        grad_cam(tensor, [ClassifierOutputTarget(index)] * len(tensor))

    def by_torchcam(index: int) -> None:
        (found,) = torchcam([index] * len(tensor), networks[1](tensor))
        nn.functional.interpolate(found[:, None], size, mode="bilinear")

    def by_captum(index: int) -> None:
        found = captum.attribute(tensor, target=index, relu_attributions=True)
        LayerAttribution.interpolate(found, size, "bilinear")

    contestants = {"grad-cam library": by_grad_cam}
    if layout == MAP:
        contestants |= {"torchcam": by_torchcam, "Captum": by_captum}
    return {
        (name, wanted): lambda explain=explain, wanted=wanted: [explain(index) for index in range(wanted)]  # type: ignore[misc]
        for name, explain in contestants.items()
        for wanted in (1, len(classifier.classes))
    }


def _compare_batches(classifier: Classifier, pictures: np.ndarray, rounds: int) -> None:
    """Films a second with the heatmaps of all classes, of pictures uint8 (B, S, S) that nobody has seen before."""
    runs: dict[tuple[str, int], Callable[[], object]] = {
        (NEW, len(classifier.classes)): lambda: _together(classifier, pictures)
    }
    runs |= {key: run for key, run in _libraries(classifier, pictures).items() if key[1] == len(classifier.classes)}
    took = _medians(runs, rounds)
    print(f"{'Grad-CAM of all classes':32}{'films/s':>9}")
    speeds = {name: len(pictures) / seconds for (name, _), seconds in took.items()}
    for name, speed in speeds.items():
        print(f"{name:32}{speed:9.1f}")
    best = max((name for name in speeds if name != NEW), key=speeds.__getitem__)
    print(f"\nHilum / {best}: {speeds[NEW] / speeds[best]:.2f}\n")


def _together(classifier: Classifier, pictures: np.ndarray) -> list[dict[str, Heatmap]]:
    """As `core explain --cohort --of all` makes them: one pass for the feature maps, then each film's head."""
    layer = classifier.network.usual_layer
    films = [(Shelf(), picture) for picture in pictures]
    keep_together(classifier, films, layer, classifier.network.cut(layer)[0])
    found = []
    for shelf, picture in films:
        with kept_on(shelf):
            found.append(heatmaps(classifier, picture))
    return found


def _medians(runs: Runs, rounds: int) -> dict[tuple[str, int], float]:
    """Median seconds of each, after one round that does not count."""
    seconds: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    for _ in range(rounds + 1):
        for key, run in runs.items():
            started = time.perf_counter()
            run()
            seconds[key].append(time.perf_counter() - started)
    return {key: statistics.median(values[1:]) for key, values in seconds.items()}


def _show(took: dict[tuple[str, int], float]) -> None:
    ours = ((FORWARD, NEW, SEEN), max(wanted for _, wanted in took))
    forward = took[FORWARD, ours[1]]
    print(f"{'Grad-CAM':32}{'classes':>8}{'ms':>9}{'/ forward':>11}")
    for (name, wanted), seconds in took.items():
        print(f"{name:32}{wanted:8}{1000 * seconds:9.1f}{seconds / forward:11.2f}")
    rivals = {key: seconds for key, seconds in took.items() if key[0] not in ours[0]}
    fastest = min((key for key in rivals if key[1] == 1), key=rivals.__getitem__)
    print(f"\nfastest library for one class ({fastest[0]}) / Hilum for all {ours[1]}:", end=" ")
    print(", ".join(f"{name.split(', ')[1]} {rivals[fastest] / took[name, ours[1]]:.2f}" for name in (NEW, SEEN)))


def _random(network: str) -> Classifier:
    torch.manual_seed(0)
    card = Card("random", "Random weights", CLASSES, network, Preprocess(), {}, 0, "")
    return Classifier(Checkpoint(card, build(network, len(CLASSES)).state_dict()))


if __name__ == "__main__":
    main()
