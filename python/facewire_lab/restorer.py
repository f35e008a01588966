"""A network that makes faces readable, and one that judges it.

A U-Net (O. Ronneberger et al., MICCAI 2015) of residual blocks without normalisation (B. Lim et al., EDSR, 2017) that
works at a quarter of the side (W. Shi et al., sub-pixel convolution, CVPR 2016) and changes its input.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

SIDE: Final = 112
_FACTOR: Final = 4
_DARK, _USUAL = 0.1, 0.45  # mean level of a dark face, and of faces, of the range
_SHARPLY: Final = 150.0
_MOST_GAIN: Final = 10.0
_KEPT: Final = 0.5  # of a block's change, lest many blocks explode


class Restorer(nn.Module):
    """R, G, B faces (n, 3, 112, 112), -1..1, upright, landmarks at their places, to the same ones restored."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        quarter, eighth, sixteenth = width, 2 * width, 3 * width
        self.head = nn.Sequential(nn.PixelUnshuffle(_FACTOR), nn.Conv2d(3 * _FACTOR**2, quarter, 3, 1, 1))
        # Faces are upright: where a plane is tells what is there.
        self.place = nn.Parameter(torch.zeros(1, quarter, SIDE // _FACTOR, SIDE // _FACTOR))
        self.first = _blocks(quarter, blocks)
        self.down = nn.Conv2d(quarter, eighth, 4, 2, 1)
        self.second = _blocks(eighth, blocks)
        self.down_again = nn.Conv2d(eighth, sixteenth, 4, 2, 1)
        self.third = _blocks(sixteenth, max(1, blocks // 2))
        self.up_again = nn.Sequential(nn.Conv2d(sixteenth, 4 * eighth, 1), nn.PixelShuffle(2))
        self.fourth = _blocks(eighth, max(1, blocks // 2))
        self.up = nn.Sequential(nn.Conv2d(eighth, 4 * quarter, 1), nn.PixelShuffle(2))
        self.fifth = _blocks(quarter, blocks)
        last = nn.Conv2d(quarter, 3 * _FACTOR**2, 3, 1, 1)
        self.tail = nn.Sequential(last, nn.PixelShuffle(_FACTOR))
        # At first nothing is changed.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, faces: Tensor) -> Tensor:
        """The restored faces."""
        faces = _lit(faces)
        quarter = self.first(self.head(faces) + self.place)
        eighth = self.second(self.down(quarter))
        deepest = self.third(self.down_again(eighth))
        eighth = self.fourth(self.up_again(deepest) + eighth)
        quarter = self.fifth(self.up(eighth) + quarter)
        restored: Tensor = faces + self.tail(quarter)
        return restored


class PatchDiscriminator(nn.Module):
    """Faces (n, 3, 112, 112), -1..1, to verdicts on their parts (n, 1, 14, 14): above 0 real.

    P. Isola et al., Image-to-image translation with conditional adversarial networks, CVPR 2017.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for factor in (1, 2, 4):
            layers += [_spectral(nn.Conv2d(before, factor * width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            before = factor * width
        layers.append(_spectral(nn.Conv2d(before, 1, 3, 1, 1)))
        self.body = nn.Sequential(*layers)

    def forward(self, faces: Tensor) -> Tensor:
        """The verdicts."""
        verdicts: Tensor = self.body(faces)
        return verdicts


def _lit(faces: Tensor) -> Tensor:
    """Dark faces as bright as faces are in the mean, the others as they are; between both smoothly."""
    levels = (faces + 1) / 2
    mean = levels.mean(dim=(1, 2, 3), keepdim=True)
    dark = torch.sigmoid((_DARK - mean) * _SHARPLY)
    gain = 1 + dark * ((_USUAL / mean.clamp(min=_USUAL / _MOST_GAIN)).clamp(min=1) - 1)
    return levels * gain * 2 - 1


class _Block(nn.Module):
    def __init__(self, planes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(planes, planes, 3, 1, 1), nn.SiLU(), nn.Conv2d(planes, planes, 3, 1, 1))

    def forward(self, planes: Tensor) -> Tensor:
        changed: Tensor = planes + _KEPT * self.body(planes)
        return changed


def _blocks(planes: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[_Block(planes) for _ in range(count)])


def _spectral(layer: nn.Conv2d) -> nn.Module:
    return nn.utils.parametrizations.spectral_norm(layer)
