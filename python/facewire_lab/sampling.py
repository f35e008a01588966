"""What a run has learnt so far, as a picture, without a server."""

from __future__ import annotations

from pathlib import Path

import torch

from facewire_lab.errors import LabError
from facewire_lab.export import trained
from facewire_lab.gan_export import generator_of
from facewire_lab.planes import sheet_of
from facewire_lab.vae_export import networks_of


def sample_sheet(run: Path, count: int, seed: int) -> bytes:
    """A marked PNG: ``count`` new faces of a GAN or a VAE; of other families the run's last sheet.

    Raises:
        LabError: nothing is trained, or something else.
    """
    found = trained(run)
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        if found.family == "gan":
            generator = generator_of(found)
            return sheet_of(generator(torch.randn(count, generator.latent, 1, 1, generator=numbers)))
        if found.family == "vae":
            _, decoder = networks_of(found)
            return sheet_of(decoder(torch.randn(count, found.recipe["latent"], generator=numbers)))
    sheets = sorted((run / "samples").glob("step-*.png"))
    if not sheets:
        raise LabError(f"{run} has no sheet of samples yet: train it further")
    return sheets[-1].read_bytes()
