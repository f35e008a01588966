"""The game of two networks: a generator that makes faces, a discriminator that tells them from real ones.

I. Goodfellow et al., Generative adversarial nets, NeurIPS 2014, with the hinge loss of J. Lim and J. Ye,
Geometric GAN, 2017.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from facewire_lab.augmentation import augment, vary
from facewire_lab.dcgan import SIDE, Discriminator, Generator, settled
from facewire_lab.planes import as_planes, sheet_of
from facewire_lab.recipes import GanRecipe
from facewire_lab.task import SCORE, Batch, Parts, follow, take_step

_BETAS = (0.5, 0.999)  # of Adam, as in the DCGAN paper
_SHOWN = 36  # faces of a sample sheet
_SHOWN_SEED = 7


class GanTask(Parts):
    """What the training loop works on.

    Args:
        recipe: sizes, rates.
        device: where the networks live.
    """

    def __init__(self, recipe: GanRecipe, device: torch.device) -> None:
        self._recipe = recipe
        self._device = device
        torch.manual_seed(recipe.seed)
        self._generator = Generator(recipe.latent, recipe.width).to(device)
        self._discriminator = Discriminator(recipe.width).to(device)
        self.average = copy.deepcopy(self._generator)
        self._for_generator = self._adam(self._generator)
        self._for_discriminator = self._adam(self._discriminator)
        super().__init__(
            {
                "generator": self._generator,
                "discriminator": self._discriminator,
                "average": self.average,
                "for_generator": self._for_generator,
                "for_discriminator": self._for_discriminator,
            }
        )

    def _adam(self, network: torch.nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), lr=self._recipe.learning_rate, betas=_BETAS)

    def step(self, batch: Batch) -> dict[str, float]:
        """One step of both networks; what the losses were."""
        real = vary(as_planes(batch.chips, SIDE, self._device), 0)
        made = self._generator(self._latents(len(real)))
        of_real = self._discriminator(augment(real, self._recipe.augment))
        of_made = self._discriminator(augment(made.detach(), self._recipe.augment))
        loss_discriminator = F.relu(1 - of_real).mean() + F.relu(1 + of_made).mean()
        take_step(loss_discriminator, self._for_discriminator, self._recipe.learning_rate)
        loss_generator = -self._discriminator(augment(made, self._recipe.augment)).mean()
        take_step(loss_generator, self._for_generator, self._recipe.learning_rate)
        self.steps += 1
        follow(self.average, self._generator, self._recipe.ema, self.steps)
        return {
            "loss_discriminator": loss_discriminator.item(),
            "loss_generator": loss_generator.item(),
            "real_told": (of_real > 0).float().mean().item(),
            "made_told": (of_made < 0).float().mean().item(),
        }

    def validate(self, held: Batch) -> dict[str, float]:
        """Its losses do not tell how good it is; its recipe holds nobody out."""
        return {SCORE: 0.0}

    def sample(self, held: Batch | None) -> bytes:
        """Faces of the averaged generator, always of the same random numbers."""
        numbers = torch.Generator().manual_seed(_SHOWN_SEED)
        z = torch.randn(_SHOWN, self._recipe.latent, 1, 1, generator=numbers).to(self._device)
        with torch.no_grad():
            return sheet_of(settled(self.average)(z))

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self._recipe.latent, 1, 1, device=self._device)
