"""What networks trained here take: R, G, B from -1 to 1, as the manifest says it."""

from __future__ import annotations

from typing import Final

from facewire_server.inference.specs import InputSpec

PICTURE: Final = InputSpec(colour="rgb", mean=(127.5, 127.5, 127.5), scale=(1 / 127.5, 1 / 127.5, 1 / 127.5))
PICTURE_TOML: Final = (
    'input = { colour = "rgb", mean = [127.5, 127.5, 127.5], scale = [0.00784313725490196, 0.00784313725490196, '
    "0.00784313725490196] }"
)
