"""Frames of bad light, made clearer before anything else looks at them.

What darkness costs is noise: brightening a dark face alone changes nothing or harms, smoothing gives most of the lost
recognition back (docs/evaluation.md). Good frames are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from facewire import kernels
from facewire_server.domain.frame import Frame


@dataclass(frozen=True, slots=True)
class Clearing:
    """When a frame is too noisy.

    Attributes:
        noisy_from: standard deviation of the noise, grey levels; 0: never.
    """

    noisy_from: float

    def clear(self, frame: Frame) -> Frame:
        """The frame, or one with less noise."""
        if self.noisy_from <= 0 or kernels.estimate_noise(frame.pixels, frame.format) < self.noisy_from:
            return frame
        return Frame(kernels.smooth_frame(frame.pixels, frame.format), frame.format)
