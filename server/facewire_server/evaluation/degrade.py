"""Worse video than was recorded: fewer frames, lost frames, smaller, harder compressed. Seeded."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

from facewire.images import ImageLike
from facewire.video import VideoFrame
from facewire_server.evaluation.corruption import Corruption


@dataclass(frozen=True, slots=True)
class Degradation:
    """What is done to each clip.

    Attributes:
        fps: frames a second, None: as recorded.
        drop: share of frames left out at random, 0..1.
        scale: of width and height.
        quality: of JPEG, None: raw pixels.
        seed: of the dropping.
        corruption: of each picture.
    """

    fps: float | None = None
    drop: float = 0.0
    scale: float = 1.0
    quality: int | None = None
    seed: int = 0
    corruption: Corruption | None = None

    def apply(self, frames: Iterable[VideoFrame], clip: str) -> Iterator[tuple[ImageLike, float]]:
        """The frames that are left, with their times."""
        lots = random.Random(f"{self.seed} {clip}")  # noqa: S311 - not for secrets
        for frame in frames:
            if lots.random() >= self.drop:
                yield self._picture(frame, f"{self.seed} {clip} {frame.time_s:.3f}"), frame.time_s

    def _picture(self, frame: VideoFrame, lot: str) -> ImageLike:
        if self.scale == 1.0 and self.quality is None and self.corruption is None:
            return frame.image
        picture = Image.fromarray(frame.rgb())
        if self.corruption is not None:
            picture = self.corruption.apply(picture, None, lot)
        if self.scale != 1.0:
            size = (max(1, round(picture.width * self.scale)), max(1, round(picture.height * self.scale)))
            picture = picture.resize(size, Image.Resampling.BOX if self.scale < 1 else Image.Resampling.BICUBIC)
        out = io.BytesIO()
        if self.quality is None:
            picture.save(out, "PNG", compress_level=1)
        else:
            picture.save(out, "JPEG", quality=self.quality)
        return out.getvalue()
