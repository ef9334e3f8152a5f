"""Copies of real films, planted and found: the part of `benchmarks.audit` that measures what the search misses.

Recall is asked of the whole search (hashes, words, keypoints) among films of other patients, one alteration at a time.
What is wrongly called one picture is asked of films whose patients are known: one film for each patient, and the
several exposures of one.
"""

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from core.data.cohort import Cohort, concatenate
from core.data.copies import find_copies
from core.data.copies.verify import COPY
from core.data.readers import open_cohort
from core.data.table import samples
from core.intervals import wilson

Alter = Callable[[np.ndarray, np.random.Generator], np.ndarray]
PROMISED = 0.95  # recall of every alteration but the hard ones
EXPOSED = ("covid-chestxray-dataset", "Coronahack-Chest-XRay-Dataset", "nih-chestxray14")
MOST_EXPOSED = 800  # films of a cohort whose patients have several
STRANGERS = ("Coronahack-Chest-XRay-Dataset", "montgomery-shenzhen", "nih-chestxray14")


def crop(film: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """The middle, this share of each side."""
    top, left = (round(side * (1 - share) / 2) for side in film.shape)
    return film[top : film.shape[0] - top, left : film.shape[1] - left]


def corner(film: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """A corner, this share of each side."""
    height, width = (round(side * share) for side in film.shape)
    top, left = (rng.integers(0, 2) * (side - kept) for side, kept in zip(film.shape, (height, width), strict=True))
    return film[top : top + height, left : left + width]


def shift(film: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Moved by this share of its width and height; what it leaves is black."""
    height, width = film.shape
    move = np.array([[1, 0, rng.choice([-1, 1]) * share * width], [0, 1, rng.choice([-1, 1]) * share * height]])
    return cv2.warpAffine(film, move, (width, height))


def frame(film: np.ndarray, rng: np.random.Generator, share: float, grey: int) -> np.ndarray:
    """A frame round it, this share of its longer side wide."""
    return np.pad(film, round(share * max(film.shape)), constant_values=grey)


def turn(film: np.ndarray, rng: np.random.Generator, degrees: float) -> np.ndarray:
    """Turned about its middle, one way or the other; right angles exactly."""
    if degrees % 90 == 0:
        return np.rot90(film, round(degrees / 90) * rng.choice([-1, 1]))
    size = (film.shape[1], film.shape[0])
    middle = (size[0] / 2, size[1] / 2)
    return cv2.warpAffine(film, cv2.getRotationMatrix2D(middle, float(degrees * rng.choice([-1, 1])), 1), size)


def rescale(film: np.ndarray, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Each side by a factor of its own."""
    across, down = rng.uniform(low, high, 2)
    return np.asarray(Image.fromarray(film).resize((round(film.shape[1] * across), round(film.shape[0] * down))))


def longest(film: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    """So many pixels on its longest side."""
    factor = side / max(film.shape)
    return np.asarray(Image.fromarray(film).resize((round(film.shape[1] * factor), round(film.shape[0] * factor))))


def jpeg(film: np.ndarray, rng: np.random.Generator, low: int = 25, high: int = 80) -> np.ndarray:
    """Compressed, at a quality between the two."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(film)).save(file, "JPEG", quality=int(rng.integers(low, high)))
    return np.asarray(Image.open(file))


def expose(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure (gamma 0.7 to 1.4), contrast and window, which may clip."""
    light = ((film / 255) ** rng.uniform(0.7, 1.4) - 0.5) * rng.uniform(0.75, 1.25) + 0.5 + rng.uniform(-0.05, 0.05)
    return (np.clip(light, 0, 1) * 255).astype(np.uint8)


def clahe(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Contrast made even, tile by tile."""
    return cv2.createCLAHE(3.0, (8, 8)).apply(np.ascontiguousarray(film))


def label(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A white label with letters in an upper corner."""
    film = np.ascontiguousarray(film).copy()
    height, width = film.shape
    left = int(rng.integers(0, 2) * width * 0.7)
    film[: height // 8, left : left + int(width * 0.3)] = 235
    cv2.putText(film, "PORTABLE", (left + 4, height // 10), cv2.FONT_HERSHEY_SIMPLEX, width / 700, 10, 2)
    return film


def mirror(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Left for right."""
    return film[:, ::-1]


def invert(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White for black."""
    return 255 - film


def one_after_another(*steps: Alter) -> Alter:
    """Several alterations as one."""

    def alter(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for step in steps:
            film = np.ascontiguousarray(step(film, rng))
        return film

    return alter


HARD: dict[str, Alter] = {
    "crop 95 % + CLAHE + JPEG": one_after_another(partial(crop, share=0.95), clahe, jpeg),
    "mirrored + corner 90 % + JPEG": one_after_another(mirror, partial(corner, share=0.9), jpeg),
    "frame 6 % + stretched + 160 px + JPEG": one_after_another(
        partial(frame, share=0.06, grey=0), partial(rescale, low=0.8, high=1.25), partial(longest, side=160), jpeg
    ),
}
ALTERATIONS: dict[str, Alter] = {
    **{f"crop to {share:.0%}": partial(crop, share=share) for share in (0.95, 0.9, 0.8)},
    **{f"corner of {share:.0%}": partial(corner, share=share) for share in (0.95, 0.9)},
    **{f"shift by {share:.0%}": partial(shift, share=share) for share in (0.03, 0.06)},
    **{
        f"{name} frame of {share:.0%}": partial(frame, share=share, grey=grey)
        for name, grey in (("black", 0), ("white", 255))
        for share in (0.04, 0.1)
    },
    "mirrored": mirror,
    "inverted": invert,
    "mirrored and inverted": one_after_another(mirror, invert),
    **{f"turned by {degrees} degrees": partial(turn, degrees=degrees) for degrees in (3, 5, 12, 90, 180)},
    "each side by 0.8 to 1.25": partial(rescale, low=0.8, high=1.25),
    "half the size": one_after_another(lambda film, rng: longest(film, rng, max(film.shape) // 2)),
    "JPEG quality 25 to 80": jpeg,
    "another exposure": expose,
    "CLAHE": clahe,
    "equalised": lambda film, rng: cv2.equalizeHist(np.ascontiguousarray(film)),
    "a label in a corner": label,
    "turned + exposure + JPEG": one_after_another(partial(turn, degrees=5), expose, jpeg),
    **HARD,
}


def recall(cohort: Cohort, planted: int) -> bool:
    """Print, for each alteration, how many planted copies are called copies; whether all is as promised.

    Args:
        cohort: the films among which copies are looked for.
        planted: of how many of them a copy is planted, at a time.
    """
    print(f"\ncopies of {planted} films planted among {len(cohort):,}, one alteration at a time")
    print(f"{'altered':40}{'called copies':>16}{'95 %':>16}{'copy or possible':>18}")
    chosen = np.random.default_rng(2).permutation(len(cohort))[:planted]
    films = [cohort.film(int(i)).pixels for i in chosen]
    kept = True
    with tempfile.TemporaryDirectory() as folder:
        for name, alter in ALTERATIONS.items():
            found = find_copies(_with_copies(cohort, films, alter, Path(folder)))
            place = {len(cohort) + k: int(i) for k, i in enumerate(chosen)}
            ours = found[[place.get(b) == a for a, b in zip(found["first"], found["second"], strict=True)]]
            sure, any_ = int((ours["level"] == COPY).sum()), len(ours)
            low, high = wilson(sure, planted)
            below = sure / planted < PROMISED
            kept &= not below or name in HARD
            mark = "  hard, not promised" if name in HARD else f"  BELOW {PROMISED:g}" if below else ""
            share, interval = f"{sure / planted:.3f}", f"[{low:.3f}, {high:.3f}]"
            print(f"{name:40}{share:>16}{interval:>16}{any_ / planted:18.3f}{mark}", flush=True)
    return kept


def wrongly_called(strangers: Cohort, exposed: Cohort) -> None:
    """Print how many pairs of different patients, and of two exposures of one, are called one picture, and which.

    Args:
        strangers: films of different patients, see `strangers`.
        exposed: several films of each patient, see `exposures`.
    """
    found = find_copies(strangers)
    sure = found[found["level"] == COPY]
    pairs = len(strangers) * (len(strangers) - 1) // 2
    patients = ", ".join(f"{n:,} of {name}" for name, n in strangers.samples["from"].value_counts().items())
    print(f"\none film of each of {len(strangers):,} patients ({patients}): {pairs:,} pairs")
    # Possible copies between two known patients are left out by `find_copies` itself.
    print(f"called copies: {len(sure)}; look at them, they may be one film indeed")
    print(f"if none of them is wrong, fewer than {3 / pairs:.2g} of all pairs are (95 %, rule of three)")
    _name(strangers, found)
    found = find_copies(exposed)
    patient = exposed.samples["patient"].to_numpy()
    ours = found[patient[found["first"]] == patient[found["second"]]]
    sizes = exposed.samples.groupby("patient").size()
    pairs = int((sizes * (sizes - 1) // 2).sum())
    sure = ours[ours["level"] == COPY]
    print(f"\n{pairs:,} pairs of two exposures of one patient ({len(exposed):,} films)")
    print(f"called copies: {len(sure)}; possible: {len(ours) - len(sure)}")
    _name(exposed, ours)


def strangers(root: Path, most: int) -> Cohort:
    """One film of each patient of the cohorts that name patients, at most this many; a column says where from."""
    cohorts = [_known(open_cohort(root / name)) for name in STRANGERS]
    whole = concatenate("strangers", [cohort.where(~cohort.samples["patient"].duplicated()) for cohort in cohorts])
    return whole.take(np.sort(np.random.default_rng(3).permutation(len(whole))[:most]))


def exposures(root: Path) -> Cohort:
    """The frontal films of patients with several: of covid-chestxray those of different days, as its table has them."""
    return concatenate("exposures", [*_exposed(root)])


def _exposed(root: Path) -> Iterator[Cohort]:
    for name in EXPOSED:
        cohort = _known(open_cohort(root / name))
        cohort = cohort.where(~cohort.samples["view"].isin(["L", "LATERAL", "LL"]))
        if (table := root / name / "metadata.csv").is_file():
            day = pd.read_csv(table).drop_duplicates("filename").set_index("filename")["offset"]
            days = cohort.samples["path"].map(lambda path, day=day: day.get(Path(path).name, np.nan))
            cohort = cohort.where(days.notna() & ~days.to_frame("d").assign(p=cohort.samples["patient"]).duplicated())
        cohort = cohort.where(cohort.samples.groupby("patient")["path"].transform("size") > 1)
        turn = cohort.samples["patient"].map(lambda patient: sha256(patient.encode()).hexdigest())
        whole_patients = turn.rank(method="max") <= MOST_EXPOSED
        yield cohort.where(whole_patients)


def _known(cohort: Cohort) -> Cohort:
    """The films whose patients are known; the column ``from`` says which cohort they are of."""
    known = cohort.where(cohort.samples["patient"] != "")
    table = known.samples.copy()
    table["from"], table["patient"] = cohort.name, cohort.name + "/" + table["patient"]
    return Cohort(cohort.name, table, cohort.classes)


def _with_copies(cohort: Cohort, films: list[np.ndarray], alter: Alter, folder: Path) -> Cohort:
    """The cohort, and altered copies of some of its films behind it; nothing but the pictures says which."""
    rows = []
    for k, film in enumerate(films):
        path = folder / f"{k}.png"
        altered = np.ascontiguousarray(alter(film, np.random.default_rng(k)))
        Image.fromarray(altered).save(path, compress_level=1)
        rows.append({"path": path, "label": cohort.samples["label"].iat[0]})
    both = pd.concat([cohort.samples[["path", "label"]], pd.DataFrame(rows)], ignore_index=True)
    return Cohort("planted", samples(both)[0], cohort.classes)


def _name(cohort: Cohort, found: pd.DataFrame) -> None:
    """Each pair, for the eye to judge."""
    ids = cohort.samples["film_id"]
    for row in found.sort_values("level").to_dict("records"):
        how = f"{row['level']}, {row['inliers']} keypoints, {row['similarity']:.2f} {row['flip']}"
        print(f"  {ids.iat[row['first']]} | {ids.iat[row['second']]} | {how}")
