"""Integrated gradients: each pixel's part of the difference between a film's logit and an empty film's."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from core.errors import ExplainError
from core.explain.hide import Progress

POINTS_AT_ONCE = 4


def integrated_gradients(
    network: nn.Module,
    tensor: torch.Tensor,
    baseline: torch.Tensor,
    indices: Sequence[int],
    steps: int,
    progress: Progress | None = None,
) -> tuple[np.ndarray, torch.Tensor]:
    """Gradients summed along the straight path from ``baseline`` to ``tensor``, by Gauss-Legendre quadrature.

    Args:
        network: images (B, 3, S, S) -> logits (B, n), in evaluation mode. Its parameters' ``grad`` stays untouched.
        tensor: the film, float32 (1, 3, S, S); ``baseline`` likewise.
        indices: the C classes asked for. A point of the path is passed forward once for all of them.
        steps: points on the path; more is closer.

    Returns:
        Attributions in logits, float32 (C, S, S), summed over the three channels: for each class they add up to
        logit(film) - logit(baseline), up to the quadrature's error. And the film's logits (n,).
    """
    if steps < 1:
        raise ExplainError(f"integrated gradients were given {steps} steps", "1 or more")
    nodes, weights = (torch.from_numpy(v).to(tensor) for v in np.polynomial.legendre.leggauss(steps))
    shares, weights = (nodes + 1).view(-1, 1, 1, 1) / 2, weights.view(-1, 1, 1, 1) / 2
    with torch.inference_mode(False), torch.enable_grad():
        tensor, baseline = tensor.clone(), baseline.clone()
        total = torch.zeros(len(indices), *tensor.shape[1:], device=tensor.device)
        for start in range(0, steps, POINTS_AT_ONCE):
            chunk = slice(start, start + POINTS_AT_ONCE)
            points = (baseline + shares[chunk] * (tensor - baseline)).requires_grad_()
            logits = network(points)
            for row, index in enumerate(indices):
                last = row == len(indices) - 1
                (slopes,) = torch.autograd.grad(logits[:, index].sum(), points, retain_graph=not last)
                total[row] += (weights[chunk] * slopes).sum(dim=0)
            if progress:
                progress(min(1.0, (start + POINTS_AT_ONCE) / steps))
    with torch.no_grad():
        return (total * (tensor - baseline)).sum(dim=1).numpy(force=True), network(tensor)[0]
