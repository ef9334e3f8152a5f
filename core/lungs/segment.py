"""Where the lung fields are on a chest film: a small U-Net trained here, shipped in ``weights/lungs``.

Notable choices:
- It lives in ``model`` and not in ``explain``, which is its main reader, because a classifier may want its input cut to
  the lungs (``Preprocess(region="lungs")``), and ``model`` may not look up into ``explain``.
- The film is squashed to a square before the network; the mask comes back in the film's own frame.
- A film without plausible lungs gives an empty mask and ``found=False`` with the reason, never a guess.
- The sources of masks disagree: Montgomery and Shenzhen masks stop at the heart's border, those of
  covid-chestxray-dataset go on behind heart and diaphragm. A network that learns both from one channel draws ragged
  compromises, so there is a channel for each extent. Which of them a film's source would draw is told by a logistic
  regression on its thumbnail and on the network's third channel, which learned to tell the same.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from core import device as devices
from core import identity
from core.data.film.radiograph import Radiograph
from core.errors import CheckpointError, FilmError
from core.lungs.unet import UNet

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "lungs"  # of the shipped finder
SIZE = 128  # pixels per side that the network sees; probabilities are enlarged, not masks, so that outlines stay smooth
CHANNELS = (16, 32, 64, 96, 128)
THUMBNAIL = 8  # pixels per side of what the regression sees
EXTENTS = ("visible", "whole")  # output channels; one more learned to tell which of them a film's source would draw

# The 997 masks it learned from cover 9 % to 62 % of their films; far outside of that it is not a frontal chest film.
SMALLEST_SHARE, LARGEST_SHARE = 0.04, 0.75
# Mean probability inside the mask: of 240 films of four classes the least had 0.92; photographs, noise and text stay
# below 0.8 where they fire at all.
LEAST_CONFIDENCE = 0.85
# The smaller lung is kept when it has at least this part of the larger one's area; less is a speck.
LEAST_PARTNER = 0.1


@dataclass(frozen=True, eq=False)
class Lungs:
    """The lung fields of one film, kept at the finder's size and drawn at the film's when asked for.

    Attributes:
        shape: of the film, (H, W).
        probabilities: of lung, float32 ``(2, SIZE, SIZE)`` in the squashed frame, tidied: to the extent that is seen,
            and to that which the film's source would draw. All zero when ``found`` is false.
        found: whether plausible lungs were seen.
        share: part of the film that the mask covers, 0 to 1.
        confidence: mean probability of the network inside what it took for lungs, 0 to 1.
        sentence: the finding in plain words.
    """

    shape: tuple[int, int]
    probabilities: np.ndarray
    found: bool
    share: float
    confidence: float
    sentence: str

    @property
    def mask(self) -> np.ndarray:
        """Bool ``(H, W)`` in the film's frame, to the extent that the film's source would draw."""
        return _enlarged(self.probabilities[1], self.shape)

    @property
    def visible(self) -> np.ndarray:
        """Bool ``(H, W)``, the lung seen beside heart and diaphragm whatever the source: equal for all films."""
        return _enlarged(self.probabilities[0], self.shape)


def network() -> nn.Module:
    """The untrained U-Net: float ``(B, 1, SIZE, SIZE)``, standardised, to logits ``(B, 3, SIZE, SIZE)``."""
    return UNet(1, len(EXTENTS) + 1, CHANNELS)


def squash(pixels: np.ndarray) -> np.ndarray:
    """A grey film ``(H, W)`` as the network's square ``(SIZE, SIZE)`` of the same type."""
    return cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def standardise(pictures: Tensor) -> Tensor:
    """Each picture of ``(B, 1, S, S)`` to mean 0 and deviation 1, so that exposure does not matter."""
    mean, deviation = pictures.mean((1, 2, 3), keepdim=True), pictures.std((1, 2, 3), keepdim=True)
    return (pictures - mean) / deviation.clamp_min(1e-3)


def habit_features(film: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """What tells a film's source, float32 ``(THUMBNAIL**2 + 1,)``: the film in small, and the third channel."""
    small = cv2.resize(film, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.append(small.ravel(), channel.mean()).astype(np.float32)


def tidy(probabilities: np.ndarray) -> np.ndarray:
    """Keep the one or two largest areas above a half of ``(S, S)`` probabilities and fill their holes."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((probabilities > 0.5).astype(np.uint8), connectivity=4)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    largest = np.argsort(areas)[::-1][:2]
    kept = np.isin(labels, [index + 1 for index in largest if areas[index] >= LEAST_PARTNER * areas.max()])
    contours, _ = cv2.findContours(kept.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(kept.shape, np.uint8), contours, -1, 1, cv2.FILLED).astype(bool)
    return np.where(filled & ~kept, 1.0, np.where(kept, probabilities, 0.0)).astype(np.float32)


class LungFinder:
    """The trained segmenter; safe to share between threads (it keeps no state between films)."""

    def __init__(self, folder: Path | None = None) -> None:
        """Load ``model.safetensors`` from a folder (default ``weights/lungs``).

        Raises:
            CheckpointError: it is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = folder or WEIGHTS
        path = folder / "model.safetensors"
        remedy = "Restore the folder from the repository, or train it with python -m core.lungs.train"
        if not path.is_file():
            raise CheckpointError("the lung finder's weights are missing", f"a file {path.name} in {folder}", remedy)
        self.sha256 = identity.of_file(path)
        self.network = network().eval().requires_grad_(False)
        try:
            state = {name: value.float() for name, value in load_file(path).items()}
            self.habit_weight, self.habit_bias = state.pop("habit.weight").numpy(), state.pop("habit.bias").item()
            self.network.load_state_dict(state)
            self.device = devices.serving()
            self.network.to(self.device)
            self.card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        except (SafetensorError, OSError, KeyError, RuntimeError, ValueError) as error:
            came = f"the lung finder in {folder} is damaged or incomplete ({error})"
            raise CheckpointError(came, f"{path.name} and card.json as training wrote them", remedy) from error

    def probabilities(self, pixels: np.ndarray) -> tuple[np.ndarray, int]:
        """Of one uint8 film ``(H, W)``: the probability of lung to each of ``EXTENTS``, float32 ``(2, SIZE, SIZE)`` in
        the squashed frame, and the index of the extent that its source would draw."""
        return self._probabilities([pixels])[0]

    def _probabilities(self, films: Sequence[np.ndarray]) -> list[tuple[np.ndarray, int]]:
        small = [squash(pixels) for pixels in films]
        batch = torch.from_numpy(np.stack(small).astype(np.float32))[:, None].to(self.device)
        with torch.no_grad():
            logits = self.network(standardise(batch)).cpu()
        found = []
        for film, seen in zip(small, logits, strict=True):
            evidence = self.habit_weight @ habit_features(film, seen[-1].numpy()) + self.habit_bias
            found.append((seen[:-1].sigmoid().numpy(), int(evidence > 0)))
        return found

    def find(self, film: Radiograph | np.ndarray) -> Lungs:
        """The lung fields of one film; FilmError when an array is not grey uint8 ``(H, W)``."""
        return self.find_together([film])[0]

    def find_together(self, films: Sequence[Radiograph | np.ndarray]) -> list[Lungs]:
        """The lung fields of several films, one at least, which pass the network as one batch; FilmError as `find`."""
        grey = [_grey(film) for film in films]
        found = self._probabilities(grey)
        return [self._lungs(pixels, *seen) for pixels, seen in zip(grey, found, strict=True)]

    def _lungs(self, pixels: np.ndarray, extents: np.ndarray, habit: int) -> Lungs:
        tidied = [tidy(probabilities) for probabilities in extents]
        inside = tidied[habit] > 0.5
        share, confidence = float(inside.mean()), float(tidied[habit][inside].mean()) if inside.any() else 0.0
        doubt = _doubt(share, confidence)
        if doubt:
            nothing = np.zeros((len(EXTENTS), SIZE, SIZE), np.float32)
            return Lungs(pixels.shape, nothing, False, 0.0, confidence, f"No lungs found: {doubt}.")
        share = float(_enlarged(tidied[habit], pixels.shape).mean())
        sentence = f"The lung fields cover {share:.0%} of the film."
        return Lungs(pixels.shape, np.stack([tidied[0], tidied[habit]]), True, share, confidence, sentence)


def _grey(film: Radiograph | np.ndarray) -> np.ndarray:
    pixels = film.pixels if isinstance(film, Radiograph) else np.asarray(film)
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
        raise FilmError(f"an array of {pixels.dtype} and shape {pixels.shape}", "grey uint8 (H, W)")
    return pixels


def _enlarged(probabilities: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Probabilities ``(SIZE, SIZE)`` as a mask, bool ``(H, W)``."""
    return cv2.resize(probabilities, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR) > 0.5


def _doubt(share: float, confidence: float) -> str:
    """Why an area of this share and confidence is not a pair of lungs; empty when it may be one."""
    if share == 0:
        return "no part of the picture looks like a lung"
    if not SMALLEST_SHARE <= share <= LARGEST_SHARE:
        return f"the only area that looks like lung covers {share:.1%} of the picture"
    if confidence < LEAST_CONFIDENCE:
        return f"the area that looks most like lung is doubtful (confidence {confidence:.2f})"
    return ""


@functools.cache
def weights_sha256() -> str:
    """SHA-256 hex of the shipped finder's weights; to know it takes no network.

    Raises:
        CheckpointError: they are missing.
    """
    path = WEIGHTS / "model.safetensors"
    if not path.is_file():
        raise CheckpointError("the lung finder's weights are missing", f"a file {path.name} in {WEIGHTS}")
    return identity.of_file(path)


@functools.cache
def default_finder() -> LungFinder:
    """The shipped finder, loaded once per process."""
    return LungFinder()


def find(film: Radiograph | np.ndarray) -> Lungs:
    """The lung fields of one film, by the shipped finder."""
    return default_finder().find(film)


def mask(film: Radiograph) -> np.ndarray | None:
    """Bool (H, W) of the lung fields by the shipped finder; None where it finds none."""
    found = find(film)
    return found.mask if found.found else None
