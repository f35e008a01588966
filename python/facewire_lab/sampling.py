"""Faces by a run's generator, without a server."""

from __future__ import annotations

from pathlib import Path

import torch

from facewire import synthetic
from facewire_lab.dcgan import to_pixels
from facewire_lab.export import trained_generator

_TOOL = "facewire lab"


def sample_sheet(run: Path, count: int, seed: int) -> bytes:
    """A marked PNG of ``count`` faces; raises LabError where nothing is trained."""
    generator, _ = trained_generator(run)
    numbers = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        pictures = generator(torch.randn(count, generator.latent, 1, 1, generator=numbers))
    files = [synthetic.marked_png(each, _TOOL) for each in to_pixels(pictures).numpy()]
    return synthetic.contact_sheet(files, _TOOL)
