"""Faces made by a model: results of :meth:`facewire.Client.generate`."""

from __future__ import annotations

from dataclasses import dataclass

from facewire.results import ImageSize, StageTimes


@dataclass(frozen=True, slots=True)
class SyntheticImage:
    """A picture that a model made; its file says so as well.

    Attributes:
        encoded: a PNG file.
        image_size: pixels.
        digital_source_type: what it is, in IPTC's words.
    """

    encoded: bytes
    image_size: ImageSize
    digital_source_type: str


@dataclass(frozen=True, slots=True)
class GeneratedFaces:
    """Faces of nobody.

    Attributes:
        images: as many as were asked for.
        seed: makes the same again, on the same installation of the server.
        model: its name in the server's manifest.
        times: in the server.
    """

    images: tuple[SyntheticImage, ...]
    seed: int
    model: str
    times: StageTimes
