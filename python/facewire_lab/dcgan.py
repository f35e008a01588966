"""A DCGAN at 64 x 64 pixels.

A. Radford, L. Metz, S. Chintala, Unsupervised representation learning with deep convolutional generative adversarial
networks, ICLR 2016, with a discriminator of spectral norm (T. Miyato et al., ICLR 2018) instead of batch normalisation.
"""

from __future__ import annotations

import copy
from typing import Final

import torch
from torch import Tensor, nn

SIDE: Final = 64
_PLANES: Final = 3
_SETTLING_SEED, _SETTLING_BATCHES, _SETTLING_BATCH = 5, 8, 64
_SIGMA: Final = 0.02  # of the first weights, as in the paper


class Generator(nn.Module):
    """(n, latent, 1, 1), normally distributed, to R, G, B pictures (n, 3, 64, 64), -1..1.

    ``main`` is numbered as in PyTorch's tutorial, so that the server reads these weights as it reads those.
    """

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = latent
        for number, factor in enumerate((8, 4, 2, 1)):
            stride, padding = (1, 0) if number == 0 else (2, 1)
            layers += [
                nn.ConvTranspose2d(before, width * factor, 4, stride, padding, bias=False),
                nn.BatchNorm2d(width * factor),
                nn.ReLU(inplace=True),
            ]
            before = width * factor
        layers += [nn.ConvTranspose2d(before, _PLANES, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.latent = latent
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, _SIGMA)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, _SIGMA)

    def forward(self, z: Tensor) -> Tensor:
        """The pictures."""
        picture: Tensor = self.main(z)
        return picture


class Discriminator(nn.Module):
    """Pictures (n, 3, 64, 64), -1..1, to (n,): above 0 real, below made."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = _PLANES
        for factor in (1, 2, 4, 8):
            convolution = nn.Conv2d(before, width * factor, 4, 2, 1)
            layers += [nn.utils.parametrizations.spectral_norm(convolution), nn.LeakyReLU(0.2, inplace=True)]
            before = width * factor
        layers.append(nn.utils.parametrizations.spectral_norm(nn.Conv2d(before, 1, 4)))
        self.main = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """The verdicts."""
        verdicts: Tensor = self.main(pictures).flatten()
        return verdicts


@torch.no_grad()
def settled(generator: Generator) -> Generator:
    """A copy with batch-norm statistics of the averaged weights, which never ran in training, computed anew."""
    copied = copy.deepcopy(generator).train()
    for module in copied.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches
    device = next(copied.parameters()).device
    numbers = torch.Generator().manual_seed(_SETTLING_SEED)
    for _ in range(_SETTLING_BATCHES):
        copied(torch.randn(_SETTLING_BATCH, generator.latent, 1, 1, generator=numbers).to(device))
    return copied.eval()
