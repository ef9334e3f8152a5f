"""The films of a training run: divided, decoded once to uint8 pictures on disk, and served in augmented batches."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import torch

from core.atomic import replacing
from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.data.progress import Progress, quiet
from core.data.signatures import signatures
from core.data.split import split
from core.data.table import named
from core.errors import CohortError
from core.model.output import KINDS
from core.training import kept_films
from core.training.processes import ALONE, Processes
from core.training.recipe import Recipe
from core.training.settings import TrainingConfig
from core.training.started_from import without_met
from core.transform.augment import Augment
from core.transform.preprocess import Preprocess

Batch = tuple[torch.Tensor, ...]  # uint8 pictures (B, S, S), labels (B,) or (B, C), `Films.masks`, `Films.said`


@dataclass(frozen=True, eq=False)
class Films:
    """Pictures as the network sees them: uint8 (N, S, S), with labels int64 (N,), or findings float32 (N, C).

    Where asked for, also the number of each film's source, int64 (N,), and the places where evidence belongs, uint8
    (N, S, S), 255 inside: ``outlines`` of findings, and the ``lungs``. ``contents`` (N,): SHA-256 of the files.
    ``said``, float32 (N, C): where teachers teach films without a label (-1; `core.training.teachers`), what they say
    of those, and of the others their label.
    """

    pictures: torch.Tensor
    labels: torch.Tensor
    sources: torch.Tensor | None = None
    outlines: torch.Tensor | None = None
    lungs: torch.Tensor | None = None
    contents: tuple[str, ...] = ()
    said: torch.Tensor | None = None

    @property
    def masks(self) -> tuple[torch.Tensor, ...]:
        """Outlines and lungs, as far as they are known, in this order."""
        return tuple(mask for mask in (self.outlines, self.lungs) if mask is not None)

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: np.ndarray) -> "Films":
        """Those for which a mask, bool (N,), is true; a copy in memory."""
        chosen = np.flatnonzero(mask)
        rows = torch.from_numpy(chosen)
        sources, outlines, lungs, said = (
            None if part is None else part[rows] for part in (self.sources, self.outlines, self.lungs, self.said)
        )
        contents = tuple(self.contents[row] for row in chosen) if self.contents else ()
        return Films(self.pictures[rows], self.labels[rows], sources, outlines, lungs, contents, said)


def prepare(cohort: Cohort, recipe: Recipe, progress: Progress = quiet, teachers: Sequence[str | Path] = ()) -> Cohort:
    """The cohort under the recipe's classes and division, less what a starting checkpoint has met (`started_from`).

    Args:
        teachers: checkpoints that have met films as well, whose answers will be learned from.

    Raises:
        CohortError: a class has no film, or no training or validation film, or the films may not be kept on disk.
    """
    refuse_remote(cohort)
    chosen = readable(_meant(cohort, recipe), progress)
    s = recipe.split
    divided = split(chosen, s.validation, s.test, s.seed, s.per_split or None, s.use_source, progress)
    for checkpoint in (recipe.network.weights, *teachers):
        divided = without_met(divided, str(checkpoint))
    if divided.findings:
        return _with_both_kinds(divided)
    counts = divided.counts().reindex(columns=["train", "validation"], fill_value=0)
    if (short := counts[(counts == 0).any(axis=1)]).size:
        lacking, (training, validation) = short.index[0], short.iloc[0]
        came = f"{lacking} has {training} training films and {validation} validation films"
        raise CohortError(came, "at least one training and one validation film in each class", "Add films")
    return divided


def readable(cohort: Cohort, progress: Progress) -> Cohort:
    """The films that can be read; the others are named in a note."""
    if broken := signatures(cohort, progress).errors:
        names = [f"{cohort.samples[FILM_ID].iat[row]} ({error})" for row, error in broken.items()]
        return cohort.without(broken, f"{len(broken)} films left out that cannot be read: {named(names)}")
    return cohort


def refuse_remote(cohort: Cohort) -> None:
    """CohortError where the films lie in a PACS, which must leave nothing on this machine's disk."""
    if cohort.fetch is not None:
        came = f"{cohort.name} holds films of a PACS, and training keeps decoded films on disk"
        raise CohortError(came, "films that are files on this machine", "Export them, de-identified, into a folder")


def _meant(cohort: Cohort, recipe: Recipe) -> Cohort:
    """The films under the recipe's classes, or with what is known of its findings."""
    if KINDS[recipe.output].exclusive:
        chosen = cohort.relabel(recipe.labels, recipe.classes)
        absent = [name for name in recipe.classes if name not in set(chosen.samples["label"])]
        words = cohort.classes
    else:
        chosen = cohort.with_findings(recipe.labels, recipe.classes)
        there = (chosen.present() == 1).any(axis=0) if len(chosen) else [False] * len(recipe.classes)
        absent = [name for name, found in zip(recipe.classes, there, strict=True) if not found]
        words = cohort.findings or cohort.classes
    if absent:
        came = f"{cohort.name} has no film of {', '.join(absent)} (its labels: {named(words)})"
        raise CohortError(came, f"the labels {', '.join(recipe.labels)}", "Add a cohort with another --data")
    return chosen


def _with_both_kinds(divided: Cohort) -> Cohort:
    """The division, once each finding has training films with and without it, and some film judges it."""
    place, present = divided.samples["split"].to_numpy(), divided.present()
    for split_name in ("train", "validation"):
        if not (place == split_name).any():
            raise CohortError(f"{divided.name} has no {split_name} film", "one at least", "Add films")
    taught = present[place == "train"]
    notes = []
    for name, column, judged in zip(divided.findings, taught.T, present[place == "validation"].T, strict=True):
        yes, no = int((column == 1).sum()), int((column == 0).sum())
        if not yes or not no:
            came = f"{name} is present in {yes} training films and absent in {no}"
            raise CohortError(came, "at least one of each", "Add films, or leave the finding out of the recipe")
        if not (judged == 1).any() or not (judged == 0).any():
            notes.append(f"{name} is not calibrated: no validation film shows it, or none lacks it")
    return replace(divided, notes=(*divided.notes, *notes))


def films_of(
    cohort: Cohort,
    preprocess: Preprocess,
    path: Path,
    progress: Progress = quiet,
    lungs: bool = False,
    begun: bool = False,
) -> Films:
    """The decoded films, kept in the file ``path`` (.npy) so that a resumed run need not read them again.

    Beside it (.json) is what they were made from. Films that have changed since are all decoded again.

    Args:
        lungs: with the lung fields that the shipped finder sees; where it finds none, every place counts as lung, for
            nothing is known there.
        begun: the run has learned from these films before.

    Raises:
        CohortError: a film has changed since the run began to learn from it.
    """
    changed = kept_films.changed(cohort, path)
    if changed and begun:
        came = f"{len(changed)} films have changed since this run began, the first being {changed[0]}"
        remedy = "Put the films back, or delete state.pt in the run's folder to start it again"
        raise CohortError(came, "the films that its first epochs learned from", remedy)
    whole = kept_films.made_by(cohort, preprocess, path)
    if changed or not whole or (lungs and np.load(path, mmap_mode="r").ndim < 4):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            contents = _decode(cohort, preprocess, file, progress, lungs)
        kept_films.record(cohort, preprocess, path, contents)
    stored = torch.from_numpy(np.load(path, mmap_mode="c"))  # (N, S, S), or with lungs (N, 2, S, S)
    pictures, inside = stored.unbind(1) if stored.ndim == 4 else (stored, None)
    sources = torch.from_numpy(pd.factorize(cohort.samples["source"])[0])
    labels = torch.tensor(cohort.present() if cohort.findings else cohort.labels())
    return Films(pictures, labels, sources, lungs=inside, contents=kept_films.contents(cohort, path))


def _decode(
    cohort: Cohort, preprocess: Preprocess, file: BinaryIO, progress: Progress, lungs: bool
) -> list[tuple[str, str]]:
    """Read every film once, in parallel, and write the picture that serving would make of it, with ``lungs`` its mask.

    Written as they come: no more than a few films are in memory, however many there are.

    Returns:
        each film's stamp, as it was before it was read, and its SHA-256.
    """
    from core.lungs import segment as finder

    size = preprocess.size

    def see(i: int) -> tuple[np.ndarray, tuple[str, str]]:
        stamp = cohort.stamp(i)
        film = cohort.film(i)
        mask = finder.mask(film) if lungs or preprocess.region == "lungs" else None
        picture = preprocess.picture(film, mask)
        known = stamp, film.sha256
        if not lungs:
            return picture, known
        inside = np.full_like(picture, 255) if mask is None else 255 * preprocess.to_picture(mask, mask)
        return np.stack([picture, inside.astype(np.uint8)]), known

    shape = (len(cohort), 2, size, size) if lungs else (len(cohort), size, size)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    contents = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (seen, known) in enumerate(pool.map(see, range(len(cohort))), start=1):
            file.write(seen.tobytes())
            contents.append(known)
            progress("decoding films", done, len(cohort))
    return contents


def batches(
    films: Films, config: TrainingConfig, augment: Augment, epoch: int, processes: Processes = ALONE
) -> Iterator[Batch]:
    """One epoch of training batches. Order and augmentation follow from the seed and the epoch's number alone.

    The next batch is drawn while the network learns from this one.

    Args:
        processes: this one among those that train together: it gets its part of each batch, as it is in the whole one.
    """
    generator = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
    groups = _order(films, config, generator).split(config.batch)
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups = groups[:-1]  # batch norm cannot learn from one film

    def make(indices: torch.Tensor) -> Batch:
        part = processes.part(len(indices))
        own = indices[part]
        for _ in range(part.start):  # what the films of other processes draw
            augment.draw(generator)
        again = generator.clone_state()
        batch = augment(films.pictures[own], generator), films.labels[own]
        for _ in range(len(indices) - part.stop):
            augment.draw(generator)
        masks = (_follow(mask[own], augment, again.clone_state()) for mask in films.masks)
        return (*batch, *masks, *(() if films.said is None else (films.said[own],)))

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(make, groups[0])
        for following in groups[1:]:
            ready, ahead = ahead.result(), pool.submit(make, following)
            yield ready
        yield ahead.result()


def _follow(masks: torch.Tensor, augment: Augment, generator: torch.Generator) -> torch.Tensor:
    """Masks uint8 (B, S, S) moved as their pictures are, and empty where those are erased; no grey of theirs changes.

    Args:
        generator: in the state from which the pictures were augmented.
    """
    followed = []
    for mask in masks.numpy():
        drawn = [d for d in augment.draw(generator) if d.step.moves or d.step.name in ("elastic", "erase")]
        blank = [replace(d, values={**d.values, "grey": 0.0}) if d.step.name == "erase" else d for d in drawn]
        followed.append(augment.replay(mask, blank))
    return torch.from_numpy(np.stack(followed)) if followed else masks


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
