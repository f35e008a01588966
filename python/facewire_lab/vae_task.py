"""Training of a beta-VAE: how well faces are told by few numbers, against how far these are from plain noise.

I. Higgins et al., beta-VAE, ICLR 2017; the picture's variance is the best one for what is reconstructed, not a guess
(O. Rybkin et al., Simple and effective VAE training with calibrated decoders, ICML 2021).
"""

from __future__ import annotations

import copy
import math
from typing import Final

import torch

from facewire_lab.augmentation import vary
from facewire_lab.likeness import psnr
from facewire_lab.planes import as_planes, sheet_of_rows
from facewire_lab.recipes import VaeRecipe
from facewire_lab.task import SCORE, Batch, Parts, falling_rate, follow, take_step
from facewire_lab.vae import SIDE, Decoder, Encoder, draw, kl_of_units

ACTIVE_NATS: Final = 0.02  # a unit that tells less than this of a face, in the mean, tells nothing
_SMALLEST_VARIANCE: Final = 1e-4
_BATCH: Final = 64
_SHOWN: Final = 8
_SHOWN_SEED: Final = 7


class VaeTask(Parts):
    """What the training loop works on.

    Args:
        recipe: sizes, rates.
        device: where the networks live.
    """

    def __init__(self, recipe: VaeRecipe, device: torch.device) -> None:
        self._recipe = recipe
        self._device = device
        torch.manual_seed(recipe.seed)
        self._encoder = Encoder(recipe.latent, recipe.width).to(device)
        self._decoder = Decoder(recipe.latent, recipe.width).to(device)
        self.encoder, self.decoder = copy.deepcopy(self._encoder), copy.deepcopy(self._decoder)
        weights = [*self._encoder.parameters(), *self._decoder.parameters()]
        self._optimiser = torch.optim.Adam(weights, lr=recipe.learning_rate)
        super().__init__(
            {
                "encoder": self._encoder,
                "decoder": self._decoder,
                "average_encoder": self.encoder,
                "average_decoder": self.decoder,
                "optimiser": self._optimiser,
            }
        )

    def step(self, batch: Batch) -> dict[str, float]:
        """One step down the negative evidence lower bound, its KL term weighted by beta."""
        recipe = self._recipe
        pictures = vary(as_planes(batch.chips, SIDE, self._device), recipe.augment)
        mean, log_variance = self._encoder(pictures)
        error = (self._decoder(draw(mean, log_variance)) - pictures).square().mean()
        kl = kl_of_units(mean, log_variance).sum(dim=1).mean()
        beta = recipe.beta * min(1.0, self.steps / recipe.beta_steps)
        # -log p(x | z) of normal pixels, their variance the mean square error, but for a constant.
        reconstruction = pictures[0].numel() / 2 * error.clamp(min=_SMALLEST_VARIANCE).log()
        take_step(reconstruction + beta * kl, self._optimiser, falling_rate(recipe, self.steps))
        self.steps += 1
        follow(self.encoder, self._encoder, recipe.ema, self.steps)
        follow(self.decoder, self._decoder, recipe.ema, self.steps)
        return {"loss_reconstruction": reconstruction.item(), "loss_kl": kl.item(), "beta": beta, "mse": error.item()}

    @torch.no_grad()
    def validate(self, held: Batch) -> dict[str, float]:
        """Of faces not trained on: PSNR of what the averaged networks make of them, KL, units that tell anything."""
        errors, kls, psnrs = [], [], []
        for chips in held.chips.split(_BATCH):
            pictures = as_planes(chips, SIDE, self._device)
            mean, log_variance = self.encoder(pictures)
            made = self.decoder(mean).clamp(-1, 1)
            errors.append((made - pictures).square().mean(dim=(1, 2, 3)))
            psnrs.append(psnr(made, pictures))
            kls.append(kl_of_units(mean, log_variance))
        units = torch.cat(kls).mean(dim=0)
        beta = self._recipe.beta
        variance = max(torch.cat(errors).mean().item(), _SMALLEST_VARIANCE)
        bound = -(3 * SIDE**2) / 2 * math.log(variance) - beta * units.sum().item()
        return {
            SCORE: bound,
            "psnr_db": torch.cat(psnrs).mean().item(),
            "kl_nats": units.sum().item(),
            "active_units": float((units > ACTIVE_NATS).sum().item()),
            "collapsed_units": float((units <= ACTIVE_NATS).sum().item()),
        }

    @torch.no_grad()
    def sample(self, held: Batch | None) -> bytes:
        """Faces not trained on, above what is reconstructed of them; then faces of nobody."""
        rows = []
        if held is not None:
            pictures = as_planes(held.chips[:_SHOWN], SIDE, self._device)
            rows = [pictures, self.decoder(self.encoder(pictures)[0])]
        numbers = torch.Generator().manual_seed(_SHOWN_SEED)
        z = torch.randn(_SHOWN, self._recipe.latent, generator=numbers).to(self._device)
        shown = len(rows[0]) if rows else _SHOWN
        return sheet_of_rows([*rows, self.decoder(z[:shown])])
