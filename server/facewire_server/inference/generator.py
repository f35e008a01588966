"""A network that makes faces."""

from __future__ import annotations

from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Pixels
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.pictures import picture_of
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import GeneratorModel


class NetworkGenerator(CropNetwork):
    """A generator described by the manifest. Thread-safe."""

    def __init__(self, spec: GeneratorModel, network: Network) -> None:
        super().__init__(spec, network)
        network.require_output(spec.output, (3, spec.size, spec.size))
        self._model = spec

    @property
    def latent(self) -> int:
        """How many numbers a face is made of."""
        return self._model.latent

    @property
    def size(self) -> int:
        """Side of a picture, pixels."""
        return self._model.size

    def generate(self, latent: FloatArray, clock: StageClock) -> Pixels:
        """The face made of (latent,) numbers: uint8 (S, S, 3), R, G, B."""

        def draw(z: FloatArray) -> None:
            z[...] = latent.reshape(z.shape)

        with clock.stage("generate"):
            return picture_of(self.judge(draw)[self._model.output][0], self._model.input.colour)
