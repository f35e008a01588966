"""How like two pictures are: SSIM, PSNR."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor

_SIDE, _SIGMA = 11, 1.5
_C1: Final = (0.01 * 2) ** 2  # of a range of 2
_C2: Final = (0.03 * 2) ** 2


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of pictures (n, 3, S, S), -1..1: (n,), dB."""
    return 10 * torch.log10(4 / (a - b).square().mean(dim=(1, 2, 3)).clamp(min=1e-10))


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity of pictures (n, 3, S, S), -1..1: (n,), 1 where they are the same.

    Z. Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE TIP 2004: a Gaussian
    window of 11 x 11, sigma 1.5, the mean over places and colours.
    """
    mean_a, mean_b = _smooth(a), _smooth(b)
    variance_a = _smooth(a * a) - mean_a.square()
    variance_b = _smooth(b * b) - mean_b.square()
    covariance = _smooth(a * b) - mean_a * mean_b
    same = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    whole = (mean_a.square() + mean_b.square() + _C1) * (variance_a + variance_b + _C2)
    return (same / whole).mean(dim=(1, 2, 3))


def _smooth(pictures: Tensor) -> Tensor:
    places = torch.arange(_SIDE, device=pictures.device) - _SIDE // 2
    weights = torch.exp(-places.float().square() / (2 * _SIGMA**2))
    weights = (weights / weights.sum()).expand(pictures.shape[1], 1, _SIDE)
    planes = pictures.shape[1]
    rows = F.conv2d(pictures, weights[:, :, None], groups=planes)
    return F.conv2d(rows, weights[:, :, :, None], groups=planes)
