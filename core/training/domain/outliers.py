"""Pictures that are not upright frontal chest films, drawn or made from films, for the in-domain check to learn from.

No photograph, page or hand is among them: patterns with the statistics of natural scenes (dead leaves, 1/f noise) stand
in, so that those remain honest tests of the check.
"""

from collections.abc import Callable

import numpy as np

from core.model.domain import KINDS

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # a film's picture uint8 (S, S) -> another uint8 (S, S)


def draw(pictures: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """From films' pictures uint8 (N, S, S): `count` outliers uint8 (count, S, S) and their index in KINDS, int64."""
    generator = np.random.default_rng(seed)
    made, kinds = [], []
    for i in range(count):
        kind, make = MAKERS[i % len(MAKERS)]
        made.append(make(pictures[generator.integers(len(pictures))], generator))
        kinds.append(KINDS.index(kind))
    return np.ascontiguousarray(np.stack(made)), np.array(kinds, np.int64)


def inverted(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return 255 - picture


def upside_down(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return picture[::-1]


def sideways(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return np.rot90(picture, int(generator.choice([1, 3])))


def inverted_and_turned(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return 255 - np.rot90(picture, int(generator.integers(1, 4)))


def shuffled(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Cut into 2 x 2 to 7 x 7 tiles and put together anew."""
    n = int(generator.choice([2, 4, 7]))
    side = len(picture) // n
    tiles = [picture[i * side : (i + 1) * side, j * side : (j + 1) * side] for i in range(n) for j in range(n)]
    mixed = [tiles[i] for i in generator.permutation(n * n)]
    return _enlarge(np.vstack([np.hstack(mixed[i * n : (i + 1) * n]) for i in range(n)]), len(picture))


def close_up(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A ninth of the film."""
    side = len(picture) // 3
    top, left = generator.integers(0, len(picture) - side, 2)
    return _enlarge(picture[top : top + side, left : left + side], len(picture))


def clouds(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Noise whose power falls with frequency, as in photographs."""
    size = len(picture)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1
    real, imaginary = generator.standard_normal((2, *frequency.shape))
    wave = np.fft.irfft2((real + 1j * imaginary) / frequency ** generator.uniform(0.5, 2.2), s=(size, size))
    low, high = np.quantile(wave, (0.02, 0.98))
    grey: np.ndarray = np.clip((wave - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return grey


def leaves(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Overlapping ellipses and boxes of all sizes: edges and occlusion as in photographs."""
    import cv2

    size = len(picture)
    canvas = np.full((size, size), generator.integers(256), np.uint8)
    radii = np.minimum(generator.pareto(1.2, int(generator.integers(5, 150))) * size / 40 + 3, size * 0.7)
    for radius in sorted(radii.tolist(), reverse=True):
        centre, grey = generator.uniform(0, size, 2), int(generator.integers(256))
        across, angle = radius * generator.uniform(0.2, 1), generator.uniform(0, 180)
        shape = (tuple(centre.tolist()), (2 * radius, 2 * across), angle)
        if generator.random() < 0.5:
            cv2.ellipse(canvas, shape, grey, cv2.FILLED)
        else:
            cv2.fillConvexPoly(canvas, cv2.boxPoints(shape).astype(np.int32), grey)
    soft = cv2.GaussianBlur(canvas, (0, 0), generator.uniform(0.1, 4))
    haze = generator.choice([0.0, 0.3])
    return np.asarray(cv2.addWeighted(soft, 1 - haze, clouds(picture, generator), haze, 0))


def scribble(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Rows of short strokes on a light or dark ground, as on a page."""
    import cv2

    size = len(picture)
    page = np.full((size, size), generator.integers(220, 256), np.uint8)
    height, y = int(generator.integers(5, 14)), int(generator.integers(5, 30))
    end = int(generator.integers(size // 4, size))
    while y < end:
        for x in range(size // 20, int(size * generator.uniform(0.6, 0.95)), max(2, height // 3)):
            if generator.random() < 0.8:
                foot = (x + int(generator.integers(-2, 3)), y + int(height * generator.uniform(0.3, 0.8)))
                cv2.line(page, (x, y), foot, int(generator.integers(90)), 1)
        y += int(height * 1.5)
    return 255 - page if generator.random() < 0.3 else page


def grain(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """White noise of any strength round any grey."""
    noise = generator.standard_normal(picture.shape) * generator.uniform(1, 70)
    return np.clip(generator.integers(256) + noise, 0, 255).astype(np.uint8)


MAKERS: tuple[tuple[str, Draw], ...] = (
    ("inverted", inverted),
    ("inverted", inverted_and_turned),
    ("turned", upside_down),
    ("turned", sideways),
    ("no chest film", shuffled),
    ("no chest film", close_up),
    ("no chest film", clouds),
    ("no chest film", leaves),
    ("no chest film", scribble),
    ("no chest film", grain),
)


def _enlarge(picture: np.ndarray, size: int) -> np.ndarray:
    import cv2

    return cv2.resize(np.ascontiguousarray(picture), (size, size), interpolation=cv2.INTER_LINEAR)
