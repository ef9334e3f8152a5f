"""The films of a training run: decoded once to uint8 pictures in memory, divided, and served in augmented batches."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.data.cohort import Cohort
from core.data.split import split
from core.errors import CohortError
from core.model.checkpoint import replacing
from core.model.recipe import Recipe, TrainingConfig
from core.transform.augment import Augment
from core.transform.preprocess import Preprocess

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
Batch = tuple[torch.Tensor, ...]  # uint8 pictures (B, S, S), int64 labels (B,), uint8 outlines (B, S, S) if known


def quiet(what: str, done: int, total: int) -> None:
    """A ``Progress`` that says nothing."""


@dataclass(frozen=True, eq=False)
class Films:
    """Pictures as the network sees them: uint8 (N, S, S), with labels int64 (N,).

    Where asked for, also the number of each film's source, int64 (N,), and outlines of findings, uint8 (N, S, S).
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    sources: torch.Tensor | None = None
    outlines: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: np.ndarray) -> "Films":
        """Those for which a mask, bool (N,), is true; a copy in memory."""
        rows = torch.from_numpy(np.flatnonzero(mask))
        return Films(self.pictures[rows], self.labels[rows], None if self.sources is None else self.sources[rows])


def prepare(cohort: Cohort, recipe: Recipe) -> Cohort:
    """The cohort under the recipe's classes and division.

    Raises:
        CohortError: a class has no film, or no training or validation film.
    """
    chosen = cohort.relabel(recipe.labels, recipe.classes)
    if absent := [name for name in recipe.classes if name not in set(chosen.samples["label"])]:
        came = f"{cohort.name} has no film of {', '.join(absent)} (its labels: {', '.join(cohort.classes)})"
        raise CohortError(came, f"the labels {', '.join(recipe.labels)}", "Add a cohort with another --data")
    s = recipe.split
    divided = split(chosen, s.validation, s.test, s.seed, s.per_split or None, s.use_source)
    counts = divided.counts().reindex(columns=["train", "validation"], fill_value=0)
    if (short := counts[(counts == 0).any(axis=1)]).size:
        came = f"{short.index[0]} has {int(counts.loc[short.index[0]].sum())} films outside the test split"
        raise CohortError(came, "at least one training and one validation film in each class", "Add films")
    return divided


def films_of(cohort: Cohort, preprocess: Preprocess, path: Path, progress: Progress = quiet) -> Films:
    """The decoded films, kept in the file ``path`` (.npy) so that a resumed run need not read them again."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, decode(cohort, preprocess, progress).pictures.numpy())
    pictures, sources = np.load(path, mmap_mode="c"), pd.factorize(cohort.samples["source"])[0]
    return Films(torch.from_numpy(pictures), torch.tensor(cohort.labels()), torch.from_numpy(sources))


def decode(cohort: Cohort, preprocess: Preprocess, progress: Progress = quiet) -> Films:
    """Read every film once, in parallel, as the picture that serving would make of it."""
    from core.model import lungs

    pictures = np.empty((len(cohort), preprocess.size, preprocess.size), np.uint8)

    def read(i: int) -> None:
        film = cohort.film(i)
        pictures[i] = preprocess.picture(film, lungs.mask(film) if preprocess.region == "lungs" else None)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(read, range(len(cohort))), start=1):
            progress("decoding films", done, len(cohort))
    return Films(torch.from_numpy(pictures), torch.tensor(cohort.labels()))


def batches(films: Films, config: TrainingConfig, augment: Augment, epoch: int) -> Iterator[Batch]:
    """One epoch of training batches. Order and augmentation follow from the seed and the epoch's number alone.

    The next batch is drawn while the network learns from this one.
    """
    generator = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
    groups = _order(films, config, generator).split(config.batch)
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups = groups[:-1]  # batch norm cannot learn from one film

    def make(indices: torch.Tensor) -> Batch:
        again = torch.Generator().set_state(generator.get_state())
        batch = augment(films.pictures[indices], generator), films.labels[indices]
        return batch if films.outlines is None else (*batch, augment(films.outlines[indices], again))

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(make, groups[0])
        for following in groups[1:]:
            ready, ahead = ahead.result(), pool.submit(make, following)
            yield ready
        yield ahead.result()


def _order(films: Films, config: TrainingConfig, generator: torch.Generator) -> torch.Tensor:
    labels = films.labels
    if config.sampling == "uniform":
        return torch.randperm(len(labels), generator=generator)
    weights = torch.ones(len(labels))
    if config.sampling == "sources" and films.sources is not None:
        cell = labels * (films.sources.max() + 1) + films.sources
        weights = torch.bincount(cell)[cell].rsqrt()  # many small hospitals teach more than one large one
    weights = weights / torch.bincount(labels, weights)[labels]
    return torch.multinomial(weights, len(labels), replacement=True, generator=generator)
