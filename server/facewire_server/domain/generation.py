"""The seams to models that make faces, and tell them."""

from __future__ import annotations

from typing import Protocol

from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Pixels
from facewire_server.domain.latent import FaceKnowledge, Latent
from facewire_server.domain.stages import StageClock


class FaceGenerator(Protocol):
    """Makes faces of nobody. Thread-safe."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        ...

    @property
    def latent(self) -> int:
        """How many numbers a face is made of."""
        ...

    @property
    def size(self) -> int:
        """Side of a picture, pixels."""
        ...

    def generate(self, latent: FloatArray, clock: StageClock) -> Pixels:
        """The face made of (latent,) normally distributed numbers: uint8 (S, S, 3), R, G, B."""
        ...


class FaceEncoder(Protocol):
    """Tells faces by few numbers each. Thread-safe."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        ...

    @property
    def view(self) -> float:
        """Of the chips it takes, see ``pipeline.chips``."""
        ...

    @property
    def size(self) -> int:
        """Side of a face, pixels."""
        ...

    @property
    def knowledge(self) -> FaceKnowledge:
        """What it knows of faces as such."""
        ...

    def encode(self, face: Pixels, clock: StageClock) -> Latent:
        """What stands for an upright face, uint8 (size, size, 3), R, G, B."""
        ...


class FaceRestorer(Protocol):
    """Makes faces readable. Thread-safe."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        ...

    @property
    def view(self) -> float:
        """Of the chips it takes, see ``pipeline.chips``."""
        ...

    def restore(self, chip: Pixels, clock: StageClock) -> Pixels:
        """An upright face restored; both uint8 (112, 112, 3), R, G, B."""
        ...
