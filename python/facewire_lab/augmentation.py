"""Pictures changed at random, in ways that gradients pass.

Before a discriminator sees them, real and made ones alike; and where there are few.

S. Zhao et al., Differentiable augmentation for data-efficient GAN training, NeurIPS 2020: with few pictures a
discriminator learns them by heart; changed ones it cannot, and the generator does not learn the changes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor


def augment(pictures: Tensor, amount: float) -> Tensor:
    """Colours, place and a hole, each at random for each picture.

    Args:
        pictures: (n, 3, S, S), -1..1.
        amount: 0: unchanged; 1: brightness by up to a half, saturation from none to double, contrast by half as much
            again or less, shifts of an eighth, holes of half a side.
    """
    if amount == 0:
        return pictures
    return _cover(_shift(_recolour(pictures, amount), amount), amount)


def vary(pictures: Tensor, amount: float) -> Tensor:
    """As if the same face had been taken a little differently: mirrored or not, turned, nearer, in other light.

    Args:
        pictures: (n, 3, S, S), -1..1.
        amount: 0: mirrored only; 1: turned by up to 12 degrees, shifted by a sixteenth of the side, larger or smaller
            by an eighth, light and colours as :func:`augment` at 0.4.
    """
    faces = _mirrored(pictures)
    if amount == 0:
        return faces
    n = len(faces)
    angle, scale, right, down = (amount * _uniform(n, faces).flatten() for _ in range(4))
    turn, size = torch.deg2rad(12 * angle), 1 + scale / 8
    cos, sin = turn.cos() * size, turn.sin() * size
    maps = torch.stack([torch.stack([cos, -sin, right / 8], 1), torch.stack([sin, cos, down / 8], 1)], 1)
    grid = F.affine_grid(maps, list(faces.shape), align_corners=False)
    moved = F.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return _recolour(moved, 0.4 * amount).clamp(-1, 1)


def _mirrored(pictures: Tensor) -> Tensor:
    """Half of them."""
    chosen = torch.rand(len(pictures), 1, 1, 1, device=pictures.device) < 0.5
    return torch.where(chosen, pictures.flip(3), pictures)


def _uniform(n: int, like: Tensor) -> Tensor:
    return torch.rand(n, 1, 1, 1, device=like.device) * 2 - 1


def _recolour(pictures: Tensor, amount: float) -> Tensor:
    n = len(pictures)
    brighter = pictures + 0.5 * amount * _uniform(n, pictures)
    grey = brighter.mean(dim=1, keepdim=True)
    saturated = (brighter - grey) * (1 + amount * _uniform(n, pictures)) + grey
    mean = saturated.mean(dim=(1, 2, 3), keepdim=True)
    return (saturated - mean) * (1 + 0.5 * amount * _uniform(n, pictures)) + mean


def _shift(pictures: Tensor, amount: float) -> Tensor:
    n, _, height, width = pictures.shape
    reach = int(width * amount / 8)
    padded = F.pad(pictures, [reach] * 4)
    y = (
        torch.randint(0, 2 * reach + 1, (n, 1, 1), device=pictures.device)
        + torch.arange(height, device=pictures.device)[:, None]
    )
    x = torch.randint(0, 2 * reach + 1, (n, 1, 1), device=pictures.device) + torch.arange(width, device=pictures.device)
    rows = torch.arange(n, device=pictures.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[rows, y, x].permute(0, 3, 1, 2)


def _cover(pictures: Tensor, amount: float) -> Tensor:
    n, _, height, width = pictures.shape
    half = int(width * amount / 4)
    y = torch.randint(0, height, (n, 1, 1), device=pictures.device)
    x = torch.randint(0, width, (n, 1, 1), device=pictures.device)
    far_y = (torch.arange(height, device=pictures.device)[:, None] - y).abs() >= half
    far_x = (torch.arange(width, device=pictures.device) - x).abs() >= half
    return pictures * (far_y | far_x).unsqueeze(1).to(pictures.dtype)
