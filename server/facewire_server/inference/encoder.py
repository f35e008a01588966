"""A network that tells a face by few numbers."""

from __future__ import annotations

from facewire_server.domain.frame import Pixels
from facewire_server.domain.latent import FaceKnowledge, KSame, Latent
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.pictures import lay_picture
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import EncoderModel


class NetworkEncoder(CropNetwork):
    """An encoder described by the manifest. Thread-safe."""

    def __init__(self, spec: EncoderModel, network: Network) -> None:
        super().__init__(spec, network)
        for output in (spec.mean, spec.log_variance, spec.core, spec.donors, spec.identity):
            network.require_output(output, (spec.latent,))
        self._model = spec
        fixed = self.judge(lambda planes: planes.fill(0.0))
        self.knowledge = FaceKnowledge(
            KSame(fixed[spec.donors], fixed[spec.identity]), spec.likeness.scores, spec.likeness.rates
        )

    @property
    def view(self) -> float:
        """Of the chips it takes, see ``pipeline.chips``."""
        return self._model.view

    @property
    def size(self) -> int:
        """Side of a face, pixels."""
        return self._model.size

    def encode(self, face: Pixels, clock: StageClock) -> Latent:
        """What stands for an upright face, uint8 (size, size, 3), R, G, B."""
        with clock.stage("generate"):
            outputs = self.judge(lambda planes: lay_picture(face, self._model.input, planes[0]))
            model = self._model
            mean, log_variance, core = (outputs[name][0] for name in (model.mean, model.log_variance, model.core))
            return Latent(mean, log_variance, core, self.name)
