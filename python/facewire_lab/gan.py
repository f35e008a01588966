"""The game of two networks: a generator that makes faces, a discriminator that tells them from real ones.

I. Goodfellow et al., Generative adversarial nets, NeurIPS 2014, with the hinge loss of J. Lim and J. Ye,
Geometric GAN, 2017.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from facewire_lab.augmentation import augment
from facewire_lab.dcgan import SIDE, Discriminator, Generator, follow, settled, to_pixels
from facewire_lab.recipe import GanRecipe

_BETAS = (0.5, 0.999)  # of Adam, as in the DCGAN paper
_SHOWN = 36  # faces of a sample sheet
_SHOWN_SEED = 7


class GanTask:
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
        self._steps = 0
        self._for_generator = self._adam(self._generator)
        self._for_discriminator = self._adam(self._discriminator)

    def _adam(self, network: torch.nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), lr=self._recipe.learning_rate, betas=_BETAS)

    def step(self, chips: Tensor) -> dict[str, float]:
        """One step of both networks on uint8 (n, 112, 112, 3) faces; what the losses were."""
        real = self._pictures(chips)
        made = self._generator(self._latents(len(real)))
        of_real = self._discriminator(augment(real, self._recipe.augment))
        of_made = self._discriminator(augment(made.detach(), self._recipe.augment))
        loss_discriminator = F.relu(1 - of_real).mean() + F.relu(1 + of_made).mean()
        self._for_discriminator.zero_grad(set_to_none=True)
        loss_discriminator.backward()
        self._for_discriminator.step()
        loss_generator = -self._discriminator(augment(made, self._recipe.augment)).mean()
        self._for_generator.zero_grad(set_to_none=True)
        loss_generator.backward()
        self._for_generator.step()
        self._steps += 1
        # At first the average follows quickly: the weights it began with are noise.
        follow(self.average, self._generator, min(self._recipe.ema, self._steps / (self._steps + 9)))
        return {
            "loss_discriminator": loss_discriminator.item(),
            "loss_generator": loss_generator.item(),
            "real_told": (of_real > 0).float().mean().item(),
            "made_told": (of_made < 0).float().mean().item(),
        }

    def sample(self) -> Tensor:
        """Faces of the averaged generator, always of the same random numbers: uint8 (n, 64, 64, 3)."""
        numbers = torch.Generator().manual_seed(_SHOWN_SEED)
        z = torch.randn(_SHOWN, self._recipe.latent, 1, 1, generator=numbers).to(self._device)
        with torch.no_grad():
            pictures = settled(self.average)(z)
        return to_pixels(pictures)

    def state(self) -> dict[str, Any]:
        """All that training goes on from."""
        return {"steps": self._steps, **{name: part.state_dict() for name, part in self._parts().items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state; raises LookupError, RuntimeError or ValueError where it is of something else."""
        self._steps = int(state["steps"])
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self._generator,
            "discriminator": self._discriminator,
            "average": self.average,
            "for_generator": self._for_generator,
            "for_discriminator": self._for_discriminator,
        }

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self._recipe.latent, 1, 1, device=self._device)

    def _pictures(self, chips: Tensor) -> Tensor:
        planes = chips.to(self._device).permute(0, 3, 1, 2).float() / 127.5 - 1
        small = F.interpolate(planes, size=(SIDE, SIDE), mode="bilinear", antialias=True)
        mirrored = torch.rand(len(small), 1, 1, 1, device=self._device) < 0.5
        return torch.where(mirrored, small.flip(3), small)
