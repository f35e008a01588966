"""A network that makes faces readable."""

from __future__ import annotations

from typing import Final

from facewire_server.domain.frame import Pixels
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.pictures import lay_picture, picture_of
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import RestorerModel

RESTORER_SIDE: Final = 112


class NetworkRestorer(CropNetwork):
    """A restorer described by the manifest. Thread-safe."""

    def __init__(self, spec: RestorerModel, network: Network) -> None:
        super().__init__(spec, network)
        network.require_output(spec.output, (3, RESTORER_SIDE, RESTORER_SIDE))
        self._model = spec

    @property
    def view(self) -> float:
        """Of the chips it takes, see ``pipeline.chips``."""
        return self._model.view

    def restore(self, chip: Pixels, clock: StageClock) -> Pixels:
        """An upright face restored; both uint8 (112, 112, 3), R, G, B."""
        with clock.stage("generate"):
            outputs = self.judge(lambda planes: lay_picture(chip, self._model.input, planes[0]))
            return picture_of(outputs[self._model.output][0], self._model.input.colour)
