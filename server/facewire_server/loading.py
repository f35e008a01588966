"""Loads the configured models: read, compiled, warmed, tested."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from facewire_server.config import Config, EnrolmentSection
from facewire_server.domain.contract import EmbeddingContract
from facewire_server.domain.liveness import LivenessLimits
from facewire_server.domain.ports import ModelRunner
from facewire_server.domain.quality import QualityJudge, QualityLimits
from facewire_server.engine import ModelFacts
from facewire_server.inference.attributes import AttributeNetwork, NetworkAttributes
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.detector import NetworkDetector
from facewire_server.inference.embedder import NetworkEmbedder, contract_of
from facewire_server.inference.encoder import NetworkEncoder
from facewire_server.inference.generator import NetworkGenerator
from facewire_server.inference.liveness import NetworkLiveness
from facewire_server.inference.manifest import Manifest, ManifestError, load_manifest
from facewire_server.inference.mesh import NetworkMesh
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.precision import choose
from facewire_server.inference.restorer import RESTORER_SIDE, NetworkRestorer
from facewire_server.inference.runtime import Network, Placement, Runtime, Shape
from facewire_server.inference.specs import (
    AttributeModel,
    DetectorModel,
    EmbedderModel,
    EncoderModel,
    GeneratorModel,
    LivenessModel,
    MeshModel,
    ModelSpec,
    RestorerModel,
)
from facewire_server.pipeline.latents import Autoencoder

log = logging.getLogger(__name__)
_NO_LIMITS = {"max_images_per_call", "min_quality", "min_likeness", "mirror", "dominance", "refuse_look_alikes"}


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """What is configured, ready to answer. The optional models are None where they are off.

    Those that make faces are not among those that may be run raw: their pictures would not be marked.
    """

    runtime: Runtime
    detector: NetworkDetector
    embedder: NetworkEmbedder
    contract: EmbeddingContract
    liveness: NetworkLiveness | None
    liveness_limits: LivenessLimits
    attributes: NetworkAttributes | None
    mesh: NetworkMesh | None
    generator: NetworkGenerator | None
    autoencoder: Autoencoder | None
    restorer: NetworkRestorer | None
    crops: tuple[CropNetwork, ...]
    attributes_are_public: bool
    facts: tuple[ModelFacts, ...]

    @property
    def runners(self) -> list[ModelRunner]:
        """The networks that anybody may run raw; not those of attributes where these are not told of single faces."""
        private = () if self.attributes_are_public else ("age", "gender")
        return [self.detector, self.embedder, *(crop for crop in self.crops if crop.task not in private)]


def configured_models(config: Config, manifest: Manifest) -> list[ModelSpec]:
    """The models that a server of this configuration works with.

    Raises:
        ManifestError: one is unknown, or for another task.
    """
    wanted: list[tuple[str, type[ModelSpec]]] = [
        (config.models.detector, DetectorModel),
        (config.models.embedder, EmbedderModel),
    ]
    if config.liveness.model:
        wanted.append((config.liveness.model, LivenessModel))
    if config.attributes.enabled:
        wanted += [(config.attributes.age, AttributeModel), (config.attributes.gender, AttributeModel)]
    if config.models.mesh:
        wanted.append((config.models.mesh, MeshModel))
    if config.generation.model:
        wanted.append((config.generation.model, GeneratorModel))
    if config.generation.encoder:
        encoder = manifest.of(config.generation.encoder, EncoderModel)
        wanted += [(encoder.name, EncoderModel), (encoder.generator, GeneratorModel)]
    if config.generation.restorer:
        wanted.append((config.generation.restorer, RestorerModel))
    return [manifest.of(name, kind) for name, kind in wanted]


def load_models(config: Config) -> LoadedModels:
    """Reads, compiles, warms and tests the configured models.

    Raises:
        ManifestError, ModelMissing, PrecisionUnknown, RuntimeProblem: each says what to do.
    """
    return _Loading(config).load()


class _Loading:
    """One loading of all models."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._manifest = load_manifest(config.models.manifest)
        self._cache = ModelCache(config.models.cache_dir)
        self._runtime = Runtime(self._cache.compiled_dir, config.workers)
        self._facts: list[ModelFacts] = []
        self._generators: dict[str, NetworkGenerator] = {}

    def load(self) -> LoadedModels:
        """All of them."""
        config = self._config
        for spec in configured_models(config, self._manifest):  # a missing one is told before any is compiled
            self._cache.verify(spec)
        detector, embedder = self._pair()
        liveness, limits = self._liveness()
        attributes = self._attributes()
        mesh = self._mesh()
        return LoadedModels(
            runtime=self._runtime,
            detector=detector,
            embedder=embedder,
            contract=embedder.contract,
            liveness=liveness,
            liveness_limits=limits,
            attributes=None if attributes is None else NetworkAttributes(*attributes),
            mesh=mesh,
            generator=self._generator(self._config.generation.model),
            autoencoder=self._autoencoder(),
            restorer=self._restorer(),
            crops=tuple(network for network in (liveness, *(attributes or ()), mesh) if network is not None),
            attributes_are_public=config.attributes.per_person,
            facts=tuple(self._facts),
        )

    def _network(self, spec: ModelSpec, device: str, shapes: list[Shape]) -> Network:
        wanted = self._config.models.precision
        if spec.int8 is None and wanted == "int8" and not isinstance(spec, DetectorModel | EmbedderModel):
            wanted = "auto"  # of the optional models there may be no 8-bit form
        variant = choose(wanted, self._cache.verify(spec), self._runtime.resolve(device))
        network = self._runtime.load(Placement(device, variant), shapes)
        self._facts.append(_facts(spec, network))
        return network

    def _crop_network(self, spec: LivenessModel | AttributeModel | MeshModel | EncoderModel, device: str) -> Network:
        return self._network(spec, device, [(1, 3, spec.size, spec.size)])

    def _pair(self) -> tuple[NetworkDetector, NetworkEmbedder]:
        section = self._config.models
        detector_spec = self._manifest.of(section.detector, DetectorModel)
        embedder_spec = self._manifest.of(section.embedder, EmbedderModel)
        sizes = [tuple(map(int, size.split("x"))) for size in section.detector_sizes]
        detector_net = self._network(
            detector_spec, section.detector_device, [(1, 3, height, width) for width, height in sizes]
        )
        side = embedder_spec.size
        embedder_net = self._network(
            embedder_spec, section.embedder_device, [(batch, 3, side, side) for batch in section.embedder_batches]
        )
        contract = contract_of(detector_spec, detector_net.precision, embedder_spec, embedder_net)
        judge = QualityJudge(quality_limits(self._config.enrolment), embedder_spec.clear_norm, embedder_spec.norm_step)
        return (
            NetworkDetector(detector_spec, detector_net, second_look=section.second_look),
            NetworkEmbedder(embedder_spec, embedder_net, contract, judge),
        )

    def _liveness(self) -> tuple[NetworkLiveness | None, LivenessLimits]:
        section = self._config.liveness
        if not section.model:
            return None, LivenessLimits(0.0, 0.0)
        spec = self._manifest.of(section.model, LivenessModel)
        smallest = min((rate for rate in spec.bpcer.rates if rate), default=1.0)
        if section.target_bpcer < smallest:
            log.warning(
                "liveness.target_bpcer is %g, but the curve of model '%s' was measured down to %g only: measure it on "
                "more live faces (facewire eval liveness)",
                section.target_bpcer,
                spec.name,
                smallest,
            )
        limits = LivenessLimits(spec.bpcer.score_at(section.target_bpcer), spec.bpcer.score_at(section.unsure_bpcer))
        return NetworkLiveness(spec, self._crop_network(spec, section.device)), limits

    def _attributes(self) -> tuple[AttributeNetwork, AttributeNetwork] | None:
        section = self._config.attributes
        if not section.enabled:
            return None
        age, gender = (self._attribute(name, task) for name, task in ((section.age, "age"), (section.gender, "gender")))
        return age, gender

    def _attribute(self, name: str, task: str) -> AttributeNetwork:
        spec = self._manifest.of(name, AttributeModel)
        if spec.task != task:
            raise ManifestError(f"attributes.{task}: model '{name}' is for {spec.task}")
        return AttributeNetwork(spec, self._crop_network(spec, self._config.attributes.device))

    def _mesh(self) -> NetworkMesh | None:
        section = self._config.models
        if not section.mesh:
            return None
        spec = self._manifest.of(section.mesh, MeshModel)
        return NetworkMesh(spec, self._crop_network(spec, section.mesh_device))

    def _generator(self, name: str) -> NetworkGenerator | None:
        if not name:
            return None
        if name not in self._generators:  # an encoder's may also be the one of generation.model
            spec = self._manifest.of(name, GeneratorModel)
            network = self._network(spec, self._config.generation.device, [(1, spec.latent, 1, 1)])
            self._generators[name] = NetworkGenerator(spec, network)
        return self._generators[name]

    def _autoencoder(self) -> Autoencoder | None:
        section = self._config.generation
        if not section.encoder:
            return None
        spec = self._manifest.of(section.encoder, EncoderModel)
        generator = self._generator(spec.generator)
        if generator is None or (generator.latent, generator.size) != (spec.latent, spec.size):
            raise ManifestError(f"model '{spec.name}': its generator '{spec.generator}' has another latent or size")
        return Autoencoder(NetworkEncoder(spec, self._crop_network(spec, section.device)), generator)

    def _restorer(self) -> NetworkRestorer | None:
        section = self._config.generation
        if not section.restorer:
            return None
        spec = self._manifest.of(section.restorer, RestorerModel)
        shapes = [(1, 3, RESTORER_SIDE, RESTORER_SIDE)]
        return NetworkRestorer(spec, self._network(spec, section.device, shapes))


def _facts(spec: ModelSpec, network: Network) -> ModelFacts:
    return ModelFacts(
        name=spec.name,
        task=spec.task,
        sha256=spec.sha256,
        licence=spec.licence,
        device_requested=network.device_requested,
        device=network.device,
        precision=network.precision,
        input_sizes=tuple(_size_text(shape) for shape in network.shapes),
    )


def _size_text(shape: tuple[int, ...]) -> str:
    batch, planes, height, width = shape
    if (height, width) == (1, 1):
        return f"{planes} numbers"
    return f"{width}x{height}" if batch == 1 else f"{batch}x{width}x{height}"


def quality_limits(section: EnrolmentSection) -> QualityLimits:
    """From where on something is wrong with a face."""
    return QualityLimits(**section.model_dump(exclude=_NO_LIMITS))
