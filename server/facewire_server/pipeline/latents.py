"""Faces as latents: told by few numbers, made again, mixed, replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from facewire import synthetic
from facewire_server.domain.errors import InvalidArgument, PreconditionFailed
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.generation import FaceEncoder, FaceGenerator
from facewire_server.domain.latent import Latent, between
from facewire_server.domain.likeness import likeness
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.chips import cut_chips, shrink
from facewire_server.pipeline.recognizer import Call

_PEAK: Final = 255.0
_SMALLEST_ERROR: Final = 1e-2
_FARTHEST: Final = 100.0  # of a number whose spread is 1


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """An encoder and the generator that belongs to it."""

    encoder: FaceEncoder
    generator: FaceGenerator


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFace:
    """An upright face and what stands for it; ``row`` says which of the detected ones it is."""

    row: int
    face: Pixels
    latent: Latent


@dataclass(frozen=True, slots=True, eq=False)
class ReconstructedFace:
    """A face, what is made of its latent, and how near that comes.

    Attributes:
        encoded: the face.
        made: of the same shape.
        psnr_db: peak signal-to-noise ratio.
        face_likeness: share of real faces that look less like one, 0..1.
    """

    encoded: EncodedFace
    made: Pixels
    psnr_db: float
    face_likeness: float


class FaceCoder:
    """Encodes and makes faces, if an autoencoder is configured. Thread-safe.

    Args:
        autoencoder: None where it is off.
        tool: what files name as their maker.
    """

    def __init__(self, autoencoder: Autoencoder | None, tool: str) -> None:
        self._autoencoder = autoencoder
        self._tool = tool

    @property
    def autoencoder(self) -> Autoencoder:
        """The one that is configured; raises PreconditionFailed where none is."""
        if self._autoencoder is None:
            raise PreconditionFailed(
                "this server has no encoder of faces: its operator may set generation.encoder", "NOT_CONFIGURED"
            )
        return self._autoencoder

    def encode(self, frame: Frame, faces: Faces, call: Call) -> list[EncodedFace]:
        """Those of the faces that can be aligned."""
        encoder = self.autoencoder.encoder
        with call.clock.stage("align"):
            rows, chips = cut_chips(frame, faces, encoder.view)
            small = [shrink(chip, encoder.size) for chip in chips]
        found = []
        for row, face in zip(rows.tolist(), small, strict=True):
            call.budget.check()
            found.append(EncodedFace(row, face, encoder.encode(face, call.clock)))
        return found

    def reconstruct(self, frame: Frame, faces: Faces, call: Call) -> list[ReconstructedFace]:
        """Each made again of its latent's mean."""
        made = []
        for encoded in self.encode(frame, faces, call):
            call.budget.check()
            made.append(self._reconstructed(encoded, call.clock))
        return made

    def _reconstructed(self, encoded: EncodedFace, clock: StageClock) -> ReconstructedFace:
        made = self.make(encoded.latent.mean, clock)
        return ReconstructedFace(encoded, made, psnr_db(made, encoded.face), self.likeness_of(encoded, clock))

    def likeness_of(self, encoded: EncodedFace, clock: StageClock) -> float:
        """Share of real faces that look less like one, 0..1."""
        encoder = self.autoencoder.encoder
        score = likeness(encoded.face, self.make(encoded.latent.core, clock))
        return encoder.knowledge.share_below(score)

    def make(self, latent: FloatArray, clock: StageClock) -> Pixels:
        """The face that a latent stands for, uint8 (S, S, 3), R, G, B."""
        return self.autoencoder.generator.generate(latent, clock)

    def require(self, latent: FloatArray, model: str, field: str) -> None:
        """Whether a latent that a caller sent is one of this autoencoder's.

        Raises:
            InvalidArgument: it is of another model, of another length, or not finite.
        """
        encoder, generator = self.autoencoder.encoder, self.autoencoder.generator
        if model != encoder.name:
            raise InvalidArgument(f"{field}.model", f"is '{model}', this server's encoder is '{encoder.name}'")
        if len(latent) != generator.latent:
            raise InvalidArgument(f"{field}.mean", f"must have {generator.latent} numbers, not {len(latent)}")
        if not (np.abs(latent) <= _FARTHEST).all():
            raise InvalidArgument(f"{field}.mean", f"must be finite, at most {_FARTHEST:g} either way")

    def way(self, first: FloatArray, last: FloatArray, count: int, call: Call) -> list[Pixels]:
        """So many faces from one latent to another, both ends among them."""
        made = []
        for share in np.linspace(0, 1, count):
            call.budget.check()
            made.append(self.make(between(first, last, float(share)), call.clock))
        return made

    def file_of(self, pixels: Pixels, *, visible_mark: bool) -> bytes:
        """A marked PNG."""
        tool = f"{self._tool} ({self.autoencoder.generator.name})"
        return synthetic.marked_png(pixels, tool, visible=visible_mark)


def psnr_db(made: Pixels, face: Pixels) -> float:
    """Peak signal-to-noise ratio of two pictures of one shape."""
    error = np.square(made.astype(np.float32) - face).mean(dtype=np.float64)
    return float(10 * np.log10(_PEAK**2 / max(error, _SMALLEST_ERROR)))
