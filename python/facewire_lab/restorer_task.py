"""Training of a restorer: near the clean face in pixels, in structure and in whom the embedder sees, and real-looking.

The parts of C. Ledig et al. (SRGAN, CVPR 2017), with the server's own embedder for the features: what is restored shall
stay the same person.
"""

from __future__ import annotations

import copy
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor

from facewire_lab.degradation import FAR, any_degradation
from facewire_lab.frozen import FrozenEmbedder
from facewire_lab.likeness import psnr, ssim
from facewire_lab.planes import as_planes, sheet_of_rows
from facewire_lab.recipes import RestorerRecipe
from facewire_lab.restorer import SIDE, PatchDiscriminator, Restorer
from facewire_lab.task import SCORE, Batch, Parts, falling_rate, follow, take_step

_BATCH: Final = 32
_SHOWN: Final = 8
_EMBEDDED_SHARE: Final = 8  # one of so many faces is embedded a step: it takes longer than restoring them
_JUDGE_WIDTH: Final = 24
_MOST_LIGHT: Final = 2.0
_STEEPEST: Final = 0.1  # one odd face would else throw the network off


class RestorerTask(Parts):
    """What the training loop works on.

    Args:
        recipe: sizes, rates, weights.
        device: where the networks live.
        embedder: the server's, frozen; None where the recipe's identity is 0.
    """

    def __init__(self, recipe: RestorerRecipe, device: torch.device, embedder: FrozenEmbedder | None) -> None:
        self._recipe = recipe
        self._device = device
        self._embedder = None if embedder is None else embedder.to(device)
        torch.manual_seed(recipe.seed)
        self._restorer = Restorer(recipe.width, recipe.blocks).to(device)
        self._judge = PatchDiscriminator(_JUDGE_WIDTH).to(device)
        self.restorer = copy.deepcopy(self._restorer)
        self._optimiser = torch.optim.Adam(self._restorer.parameters(), lr=recipe.learning_rate)
        self._for_judge = torch.optim.Adam(self._judge.parameters(), lr=recipe.learning_rate, betas=(0.5, 0.999))
        super().__init__(
            {
                "restorer": self._restorer,
                "judge": self._judge,
                "average": self.restorer,
                "optimiser": self._optimiser,
                "for_judge": self._for_judge,
            }
        )

    def step(self, batch: Batch) -> dict[str, float]:
        """One step on faces that are spoilt anew each time."""
        recipe = self._recipe
        random = np.random.default_rng(int(torch.randint(2**31, (1,)).item()))
        chips = [chip[:, ::-1] if random.random() < 0.5 else chip for chip in batch.chips.numpy()]
        ways = [any_degradation(random) for _ in chips]
        spoilt = np.stack([way.apply(chip, random) for way, chip in zip(ways, chips, strict=True)])
        clean = as_planes(torch.from_numpy(np.stack(chips)), SIDE, self._device)
        dark = torch.tensor([way.light < 1 for way in ways], device=self._device)
        rate = falling_rate(recipe, self.steps)
        restored = self._restorer(as_planes(torch.from_numpy(spoilt), SIDE, self._device))
        clean = torch.where(dark.view(-1, 1, 1, 1), _as_bright(clean, restored), clean)
        losses = {
            "loss_pixel": (restored - clean).abs().mean(),
            "loss_structure": 1 - ssim(restored, clean).mean(),
            "loss_identity": torch.zeros((), device=self._device),
            "loss_adversarial": torch.zeros((), device=self._device),
        }
        if self.steps >= recipe.refine_after * recipe.steps:
            losses["loss_identity"] = self._unlike(restored, clean)
            if recipe.adversarial > 0:
                self._train_judge(restored.detach(), clean, rate)
                losses["loss_adversarial"] = -self._judge(restored).mean()
        weights = (recipe.pixel, recipe.structure, recipe.identity, recipe.adversarial)
        total = torch.stack([weight * loss for weight, loss in zip(weights, losses.values(), strict=True)]).sum()
        take_step(total, self._optimiser, rate, _STEEPEST)
        self.steps += 1
        follow(self.restorer, self._restorer, recipe.ema, self.steps)
        return {"loss": total.item(), **{name: loss.item() for name, loss in losses.items()}}

    def _unlike(self, restored: Tensor, clean: Tensor) -> Tensor:
        """1 - cosine of the embeddings, of some of the faces."""
        if self._embedder is None or self._recipe.identity == 0:
            return torch.zeros((), device=self._device)
        # A batch is in the order of the faces' rows, that is, of their people: the first ones are not just any.
        some = torch.randperm(len(clean))[: max(1, len(clean) // _EMBEDDED_SHARE)].to(self._device)
        with torch.no_grad():
            wanted = self._embedder(clean[some])
        return 1 - (self._embedder(restored[some]) * wanted).sum(dim=1).mean()

    def _train_judge(self, restored: Tensor, clean: Tensor, rate: float) -> None:
        loss = F.relu(1 - self._judge(clean)).mean() + F.relu(1 + self._judge(restored)).mean()
        take_step(loss, self._for_judge, rate)

    @torch.no_grad()
    def validate(self, held: Batch) -> dict[str, float]:
        """The averaged network beside bicubic on far faces of people not trained on."""
        rows: list[Tensor] = []
        for chips, spoilt in zip(held.chips.split(_BATCH), far(held.chips).split(_BATCH), strict=True):
            clean = as_planes(chips, SIDE, self._device)
            bicubic = as_planes(spoilt, SIDE, self._device)
            restored = self.restorer(bicubic).clamp(-1, 1)
            rows.append(torch.stack([*self._likeness(bicubic, clean), *self._likeness(restored, clean)], dim=1))
        means = torch.cat(rows).mean(dim=0).tolist()
        names = ("bicubic_psnr_db", "bicubic_ssim", "bicubic_cosine", "psnr_db", "ssim", "cosine")
        numbers = dict(zip(names, means, strict=True))
        # A decibel counts as much as 0.02 of the cosine.
        return {SCORE: numbers["psnr_db"] + 50 * numbers["cosine"], **numbers}

    def _likeness(self, faces: Tensor, clean: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self._embedder is None:
            cosine = torch.zeros(len(faces), device=self._device)
        else:
            cosine = (self._embedder(faces) * self._embedder(clean)).sum(dim=1)
        return psnr(faces, clean), ssim(faces, clean), cosine

    @torch.no_grad()
    def sample(self, held: Batch | None) -> bytes:
        """Far faces not trained on, restored, clean; nothing but grey where nobody is held out."""
        if held is None:
            return sheet_of_rows([torch.zeros(1, 3, SIDE, SIDE)])
        chips = held.chips[:_SHOWN]
        bicubic = as_planes(far(chips), SIDE, self._device)
        return sheet_of_rows([bicubic, self.restorer(bicubic), as_planes(chips, SIDE, self._device)])


def _as_bright(clean: Tensor, restored: Tensor) -> Tensor:
    """The clean faces scaled to the restored ones' brightness: the true one of a face in the dark is unknown."""
    wanted, found = (((faces + 1) / 2).mean(dim=(1, 2, 3), keepdim=True) for faces in (restored.detach(), clean))
    return ((clean + 1) * (wanted / found.clamp(min=1e-3)).clamp(1 / _MOST_LIGHT, _MOST_LIGHT) - 1).clamp(max=1)


def far(chips: Tensor) -> Tensor:
    """Faces uint8 (n, 112, 112, 3) as they look from far away; each always the same."""
    return torch.from_numpy(
        np.stack([FAR.apply(chip, np.random.default_rng(row)) for row, chip in enumerate(chips.numpy())])
    )
