"""What the lung finder meets while it learns: films moved, shaded and hazed, and pictures that are not chest films.

Strong on purpose, because the finder meets films that no mask exists for: children, beds, photographs of screens. Haze
is laid over the lungs (white lungs must still be found); pictures without lungs have an empty mask, so that the network
can say no. Masks move along, which is why this is not ``core.transform.augment``. All random numbers come from the
generator handed in.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from core.lungs.segment import SIZE

TILES = 4  # shuffled tiles a side; divides SIZE


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def chance(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """``(count, 1, 1, 1)`` of zeros and ones."""
    return (torch.rand(count, 1, 1, 1, generator=generator) < probability).float()


def clouds(count: int, cells: int, generator: torch.Generator) -> Tensor:
    """Smooth random fields ``(count, 1, SIZE, SIZE)`` in [0, 1]."""
    return F.interpolate(torch.rand(count, 1, cells, cells, generator=generator), (SIZE, SIZE), mode="bicubic").clamp(
        0, 1
    )


def move(films: Tensor, masks: Tensor, strength: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rotate by 20 degrees, zoom 0.65 to 1.5, squeeze, shift, mirror; outside is black or the edge repeated.

    ``strength``: ``(B, 1, 1, 1)``, 0 to 1, scales every range.
    """
    count, scale = len(films), strength[:, :, 0, 0]
    angle = uniform((count,), -0.35, 0.35, generator) * scale[:, 0]
    zoom = ((uniform((count, 1), -0.4, 0.4, generator) + uniform((count, 2), -0.15, 0.15, generator)) * scale).exp()
    zoom[:, 0] *= 1 - 2 * chance(count, 0.1, generator)[:, 0, 0, 0]
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(count, 2, 2)
    shift = uniform((count, 2), -0.2, 0.2, generator) * scale
    theta = torch.cat([rotation / zoom[:, None, :], shift[:, :, None]], 2)
    grid = F.affine_grid(theta, [count, 1, SIZE, SIZE], align_corners=False)
    black = F.grid_sample(films, grid, padding_mode="zeros", align_corners=False)
    edge = F.grid_sample(films, grid, padding_mode="border", align_corners=False)
    films = torch.lerp(edge, black, chance(count, 0.5, generator))
    return films, F.grid_sample(masks, grid, padding_mode="zeros", align_corners=False)


def shade(films: Tensor, masks: Tensor, strength: Tensor, generator: torch.Generator) -> Tensor:
    """Haze over the lungs, uneven exposure, gamma, blur, noise and a patch like a marker, mixed in by ``strength``."""
    count, plain = len(films), films

    def each(low: float, high: float) -> Tensor:
        return uniform((count, 1, 1, 1), low, high, generator)

    haze = clouds(count, 5, generator) * F.avg_pool2d(masks, 9, 1, 4) * chance(count, 0.4, generator)
    films = torch.lerp(films, each(0.5, 0.9), haze * each(0, 1))
    films = films * (1 + (clouds(count, 3, generator) - 0.5) * each(0, 0.8))
    films = films.clamp(0, 1) ** each(-0.7, 0.7).exp()
    films = torch.lerp(films, F.avg_pool2d(films, 5, 1, 2), chance(count, 0.3, generator))
    films = films + torch.randn(films.shape, generator=generator) * each(0, 0.08)
    for film in films:
        if torch.rand((), generator=generator) < 0.3:
            top, left = torch.randint(0, SIZE - 40, (2,), generator=generator).tolist()
            high, wide = torch.randint(4, 40, (2,), generator=generator).tolist()
            film[:, top : top + high, left : left + wide] = torch.rand((), generator=generator)
    return torch.lerp(plain, films, strength).clamp(0, 1)


def no_chest(film: Tensor, generator: torch.Generator) -> Tensor:
    """A picture ``(1, S, S)`` that holds no lungs: a film's tiles shuffled, clouds, grain, or one even tone."""
    kind = int(torch.randint(0, 4, (), generator=generator))
    if kind == 0:
        tiles = (
            film.reshape(TILES, SIZE // TILES, TILES, SIZE // TILES)
            .permute(0, 2, 1, 3)
            .reshape(TILES**2, SIZE // TILES, SIZE // TILES)
        )
        tiles = tiles[torch.randperm(TILES**2, generator=generator)].reshape(TILES, TILES, SIZE // TILES, SIZE // TILES)
        return tiles.permute(0, 2, 1, 3).reshape(1, SIZE, SIZE)
    if kind == 1:
        return clouds(1, int(torch.randint(2, 40, (), generator=generator)), generator)[0]
    if kind == 2:
        return torch.rand(1, SIZE, SIZE, generator=generator)
    return torch.rand(1, 1, 1, generator=generator) + 0.02 * torch.randn(1, SIZE, SIZE, generator=generator)
