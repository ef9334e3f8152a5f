"""`python -m benchmarks.domain CHECKPOINT`: what the in-domain check refuses, by kind.

The real films are those of HILUM_DATA that the checkpoint did not train on; photographs are cut from the sample
pictures of scikit-learn and Matplotlib, pages are set with Pillow, hands are drawn. HILUM_DATA holds no lateral film:
those are drawn too, and roughly, so what the check does with real ones is not known. `--write` keeps the result in the
checkpoint's card under domain.measured.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph, from_pixels
from core.data.readers import data_root, open_cohorts
from core.errors import FilmError
from core.model.checkpoint import EVALUATION, Checkpoint, load, save
from core.model.classifier import Classifier
from core.training.domain.fit import measure

WORDS = [
    "the",
    "film",
    "was",
    "taken",
    "in",
    "inspiration",
    "with",
    "patient",
    "erect",
    "and",
    "both",
    "lungs",
    "clear",
]
FINGERS = ((-50, 130), (-22, 200), (-4, 225), (14, 205), (32, 160))  # degrees from upright, length in pixels
BONES = ((-0.25, 0.28), (0.33, 0.58), (0.63, 0.8), (0.84, 0.95))  # along a finger


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("checkpoint", help="name or folder")
    options.add_argument("--films", type=int, default=200, help="of each kind")
    options.add_argument("--write", action="store_true", help="keep the result in the checkpoint's card")
    args = options.parse_args()
    checkpoint = load(args.checkpoint)
    classifier = Classifier(checkpoint)
    measured = {}
    print(f"{'kind':44} {'films':>6} {'refused':>8} {'warned':>8}")
    for kind, films in kinds(checkpoint, args.films):
        found = measured[kind] = measure(classifier, films)
        print(f"{kind:44} {found['films']:6d} {found['refused']:8.1%} {found['warned']:8.1%}", flush=True)
    if args.write and checkpoint.path:
        card = replace(checkpoint.card, domain={**checkpoint.card.domain, "measured": measured})
        save(Checkpoint(card, checkpoint.state), checkpoint.path)


def kinds(checkpoint: Checkpoint, count: int) -> Iterator[tuple[str, list[Radiograph]]]:
    """Kinds with their films: the real ones by cohort, then the altered, then the rest."""
    generator = np.random.default_rng(0)
    real: list[Radiograph] = []
    for cohort in open_cohorts([data_root()]):
        films = list(_films(_unseen(cohort, checkpoint.path), count, generator))
        real += films
        yield f"frontal films: {cohort.name}", films
    chosen = [real[i] for i in generator.permutation(len(real))[:count]]
    yield "inverted", [film.with_pixels(255 - film.pixels, "inverted") for film in chosen]
    yield "upside down", [film.with_pixels(film.pixels[::-1], "turned") for film in chosen]
    yield "on its side", [film.with_pixels(np.rot90(film.pixels), "turned") for film in chosen]
    yield "left half", [film.with_pixels(film.pixels[:, : film.shape[1] // 2], "cut") for film in chosen]
    for kind, draw in DRAWN.items():
        yield kind, [from_pixels(draw(generator), f"{kind} {i}") for i in range(count)]


def photograph(generator: np.random.Generator) -> np.ndarray:
    """A cut of a sample picture, in grey: colour alone would give it away."""
    import matplotlib
    from sklearn.datasets import load_sample_images

    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    pictures = [*map(Image.fromarray, load_sample_images().images), Image.open(portrait)]
    picture = pictures[generator.integers(len(pictures))].convert("L")
    width, height = (int(side * generator.uniform(0.35, 1)) for side in picture.size)
    left = int(generator.integers(picture.width - width + 1))
    top = int(generator.integers(picture.height - height + 1))
    return np.asarray(picture.crop((left, top, left + width, top + height)))


def page(generator: np.random.Generator) -> np.ndarray:
    """A page of words, in one case of three white on black."""
    picture = Image.new("L", (620, 800), int(generator.integers(230, 256)))
    size = int(generator.integers(10, 26))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for y in range(40, int(generator.integers(450, 770)), int(size * 1.4)):
        pen.text((40, y), " ".join(generator.choice(WORDS, 110 // size + 3)), int(generator.integers(60)), font)
    grey = np.asarray(picture)
    return 255 - grey if generator.random() < 1 / 3 else grey


def hand(generator: np.random.Generator) -> np.ndarray:
    """A radiograph of a hand: flesh, wrist and finger bones."""
    picture = Image.new("L", (448, 448), int(generator.integers(5, 30)))
    pen, flesh, bone = ImageDraw.Draw(picture), int(generator.integers(70, 110)), int(generator.integers(150, 230))
    x, y = 224 + int(generator.integers(-30, 30)), 330 + int(generator.integers(-30, 20))
    pen.ellipse((x - 80, y - 90, x + 80, y + 90), flesh)
    pen.rectangle((x - 50, y, x + 50, 447), flesh)
    spread = generator.uniform(0.8, 1.2)
    for angle, length in FINGERS:
        way = np.array([np.sin(np.radians(angle * spread)), -np.cos(np.radians(angle * spread))])
        root = np.array([x, y]) + 60 * way
        pen.line([*map(float, root), *map(float, root + length * way)], flesh, 34)
        for start, stop in BONES:
            pen.line([*map(float, root + start * length * way), *map(float, root + stop * length * way)], bone, 13)
    for shift in (-22, 22):
        pen.line([x + shift, y + 80, x + shift, 447], bone, 24)
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(3)))
    return np.clip(soft + generator.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)


def lateral(generator: np.random.Generator) -> np.ndarray:
    """A rough lateral film: spine behind, sternum before, heart and diaphragm below, slanting ribs."""
    picture = Image.new("L", (448, 448), int(generator.integers(5, 30)))
    pen, flesh, lung = ImageDraw.Draw(picture), int(generator.integers(110, 150)), int(generator.integers(45, 85))
    depth, floor = int(generator.integers(-15, 30)), 330 + int(generator.integers(-30, 30))
    pen.ellipse((60 - depth, 60, 390 + depth, 760), flesh)
    pen.polygon([(190, 0), (290, 0), (400 + depth, 120), (330, 200), (120, 140)], flesh + 25)  # neck and shoulder
    pen.ellipse((105 - depth, 70, 345 + depth, floor + 190), lung)
    pen.ellipse((60 - depth, floor - 25, 390 + depth, floor + 300), flesh + 35)  # the abdomen under its dome
    pen.ellipse((120, floor - 130, 250 + depth // 2, floor + 20), flesh + 25)  # the heart
    pen.line([(235, 20), (225, 170)], lung - 15, 22)  # the trachea
    pen.line([(110 - depth, 120), (95 - depth, floor - 40)], flesh + 80, 9)  # the sternum
    bones = Image.new("L", picture.size)
    bone = ImageDraw.Draw(bones)
    for y in range(70, 448, 34):
        back = 320 + depth + 25 * np.sin(y / 130)
        bone.rectangle((back - 20, y, back + 20, y + 25), 70)
        if y < floor:
            bone.arc((105 - depth, y - 40, 2 * back - 105, y + 160), 95, 185, 32, 8)  # from the spine, down and forward
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(5)), np.float32)
    film = soft + np.asarray(bones.filter(ImageFilter.GaussianBlur(2))) + generator.normal(0, 4, soft.shape)
    film = np.clip(film * generator.uniform(0.85, 1.1), 0, 255).astype(np.uint8)
    return film[:, ::-1] if generator.random() < 0.5 else film


def noise(generator: np.random.Generator) -> np.ndarray:
    """White noise, from fine to coarse."""
    side = int(generator.choice([10, 40, 120, 300]))
    return np.asarray(Image.fromarray(generator.integers(0, 256, (side, side), np.uint8)).resize((300, 300)))


def shading(generator: np.random.Generator) -> np.ndarray:
    """A smooth ramp from one edge to another."""
    rows, columns = np.mgrid[:300, :300] / 150 - 1
    angle = generator.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * rows + np.sin(angle) * columns
    return (255 * (ramp - ramp.min()) / np.ptp(ramp)).astype(np.uint8)


def _unseen(cohort: Cohort, folder: Path | None) -> Cohort:
    """Without the films that the checkpoint learned from."""
    if folder is None or not (folder / EVALUATION).is_file():
        return cohort
    table = pd.read_parquet(folder / EVALUATION, columns=["path", "split"])
    learned = set(table.loc[table["split"] == "train", "path"])
    return cohort.where(~cohort.samples["path"].map(lambda path: Path(path).name).isin(learned))


def _films(cohort: Cohort, count: int, generator: np.random.Generator) -> Iterator[Radiograph]:
    for i in generator.permutation(len(cohort))[:count]:
        try:
            yield cohort.film(int(i))
        except FilmError:
            continue


DRAWN = {
    "photograph": photograph,
    "page of text": page,
    "hand (drawn)": hand,
    "lateral film (drawn)": lateral,
    "noise": noise,
    "shading": shading,
}


if __name__ == "__main__":
    main()
