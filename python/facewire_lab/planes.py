"""From prepared faces to what networks take, and back to pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor

from facewire import synthetic

TOOL: Final = "facewire lab"


def as_planes(chips: Tensor, side: int, device: torch.device) -> Tensor:
    """uint8 (n, S, S, 3) as float (n, 3, side, side), -1..1."""
    planes = chips.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    if planes.shape[2] == side:
        return planes
    return F.interpolate(planes, size=(side, side), mode="bilinear", antialias=True)


def to_pixels(pictures: Tensor) -> Tensor:
    """Pictures (n, 3, S, S), -1..1, as uint8 (n, S, S, 3) on the processor."""
    return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu()


def sheet_of(pictures: Tensor) -> bytes:
    """A marked sheet of pictures (n, 3, S, S), -1..1."""
    return synthetic.contact_sheet([_png(each) for each in to_pixels(pictures)], TOOL)


def sheet_of_rows(rows: Sequence[Tensor]) -> bytes:
    """A marked sheet: a row for each of (n, 3, S, S), -1..1, all of one shape."""
    files = [_png(each) for row in rows for each in to_pixels(row)]
    return synthetic.contact_sheet(files, TOOL, columns=len(rows[0]))


def _png(pixels: Tensor) -> bytes:
    return synthetic.marked_png(pixels.numpy(), TOOL)
