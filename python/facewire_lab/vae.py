"""A convolutional variational autoencoder at 64 x 64 pixels.

D. Kingma, M. Welling, Auto-encoding variational Bayes, ICLR 2014.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

SIDE: Final = 64
_SMALLEST: Final = 4  # side of the narrowest picture
_GROUPS: Final = 4
_CHANGE: Final = 6.0  # largest and smallest logarithm of a variance


class Encoder(nn.Module):
    """R, G, B pictures (n, 3, 64, 64), -1..1, to the normal distributions of their latents."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.SiLU()]
        for factor in (1, 2, 4):
            layers += [_normal(width * factor), nn.Conv2d(width * factor, 2 * width * factor, 4, 2, 1), nn.SiLU()]
        narrow = 4 * width
        layers += [_Residual(8 * width), nn.Conv2d(8 * width, narrow, 1), nn.SiLU(), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(narrow * _SMALLEST**2, 2 * latent)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Means and logarithms of variances, (n, latent)."""
        mean, log_variance = self.head(self.body(pictures)).chunk(2, dim=1)
        return mean, _CHANGE * torch.tanh(log_variance / _CHANGE)


class Decoder(nn.Module):
    """Latents (n, latent) to R, G, B pictures (n, 3, 64, 64), about -1..1."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self._narrow = 4 * width
        self.foot = nn.Linear(latent, self._narrow * _SMALLEST**2)
        layers: list[nn.Module] = [nn.Conv2d(self._narrow, 8 * width, 1), nn.SiLU(), _Residual(8 * width)]
        for factor in (8, 4, 2):
            narrower = width * factor // 2
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(width * factor, narrower, 3, 1, 1),
                _normal(narrower),
                nn.SiLU(),
            ]
        layers += [nn.Conv2d(width, width, 3, 1, 1), nn.SiLU(), nn.Conv2d(width, 12, 3, 1, 1), nn.PixelShuffle(2)]
        self.body = nn.Sequential(*layers)

    def forward(self, latents: Tensor) -> Tensor:
        """The pictures."""
        small = self.foot(latents).unflatten(1, (self._narrow, _SMALLEST, _SMALLEST))
        pictures: Tensor = self.body(small)
        return pictures


class _Residual(nn.Module):
    def __init__(self, planes: int) -> None:
        super().__init__()
        half = planes // 2
        self.body = nn.Sequential(
            _normal(planes), nn.SiLU(), nn.Conv2d(planes, half, 3, 1, 1), nn.SiLU(), nn.Conv2d(half, planes, 3, 1, 1)
        )

    def forward(self, planes: Tensor) -> Tensor:
        changed: Tensor = planes + self.body(planes)
        return changed


def _normal(planes: int) -> nn.GroupNorm:
    return nn.GroupNorm(_GROUPS, planes)


def draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    """A latent of the distribution, through which gradients pass (the reparameterisation)."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def kl_of_units(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(n, latent): Kullback-Leibler divergence of each unit's distribution from the standard normal one, nats."""
    return (mean.square() + log_variance.exp() - log_variance - 1) / 2
