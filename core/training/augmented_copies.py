"""Further pictures of a rare class, made once before training: what "242 new films by augmentation" means."""

from collections.abc import Mapping, Sequence

import torch

from core.training.films import Films
from core.transform.augment import Augment


def with_copies(films: Films, copies: Mapping[str, int], classes: Sequence[str], augment: Augment, seed: int) -> Films:
    """The films with augmented copies of some of them behind: of each class the number asked for, film after film.

    Args:
        films: training films, N of them.
        copies: class -> number of new pictures.
        classes: the names of the labels.
        augment: what makes a film another picture; each copy gets its own draw.
        seed: the same seed makes the same copies.

    Returns:
        N + sum(copies) films; a copy has the label and the source of its film.
    """
    generator = torch.Generator().manual_seed(seed * 100_003)  # of no epoch: those are numbered from 1
    chosen = [torch.arange(len(films))]
    for name, count in copies.items():
        of_class = torch.nonzero(films.labels == classes.index(name)).flatten()
        rounds = -(-count // len(of_class))
        order = [of_class[torch.randperm(len(of_class), generator=generator)] for _ in range(rounds)]
        chosen.append(torch.cat(order)[:count])
    rows = torch.cat(chosen)
    made = augment(films.pictures[rows[len(films) :]], generator)
    sources = None if films.sources is None else films.sources[rows]
    return Films(torch.cat([films.pictures, made]), films.labels[rows], sources)
