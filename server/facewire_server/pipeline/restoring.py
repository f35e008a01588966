"""Faces made readable, for people's eyes."""

from __future__ import annotations

from dataclasses import dataclass

from facewire import synthetic
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.generation import FaceRestorer
from facewire_server.pipeline.chips import cut_chips
from facewire_server.pipeline.recognizer import Call


@dataclass(frozen=True, slots=True, eq=False)
class RestoredFace:
    """A face before and after, uint8 (112, 112, 3), R, G, B; ``row`` says which of the detected ones it is."""

    row: int
    before: Pixels
    after: Pixels


class Restoration:
    """Restores faces, if a restorer is configured. Thread-safe.

    Args:
        restorer: None where it is off.
        tool: what files name as their maker.
    """

    def __init__(self, restorer: FaceRestorer | None, tool: str) -> None:
        self._restorer = restorer
        self._tool = tool

    @property
    def restorer(self) -> FaceRestorer:
        """The one that is configured; raises PreconditionFailed where none is."""
        if self._restorer is None:
            raise PreconditionFailed(
                "this server restores no faces: its operator may set generation.restorer", "NOT_CONFIGURED"
            )
        return self._restorer

    def restore(self, frame: Frame, faces: Faces, call: Call) -> list[RestoredFace]:
        """Those of the faces that can be aligned."""
        restorer = self.restorer
        with call.clock.stage("align"):
            rows, chips = cut_chips(frame, faces, restorer.view)
        restored = []
        for row, chip in zip(rows.tolist(), chips, strict=True):
            call.budget.check()
            restored.append(RestoredFace(row, chip, restorer.restore(chip, call.clock)))
        return restored

    def file_of(self, pixels: Pixels, *, visible_mark: bool) -> bytes:
        """A marked PNG."""
        return synthetic.marked_png(pixels, f"{self._tool} ({self.restorer.name})", visible=visible_mark)
