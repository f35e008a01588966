"""Ours, in this process: the same parts as the server, called by threads instead of by gRPC."""

from __future__ import annotations

import numpy as np

from facewire_server.app import make_policy
from facewire_server.config import Config, load_config
from facewire_server.domain.budget import Budget
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import LivenessCheck
from facewire_server.domain.stages import StageClock
from facewire_server.gallery.live_index import LiveGallery, LiveIndex
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.clearing import Clearing
from facewire_server.pipeline.decoding import decode_image
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.pipeline.recognizer import Call, DetectionOptions, IdentifiedFaces, Recognizer
from tests.bench.scenes import ENROLLED, photograph, ready_cache

GALLERY = "bench"
MAX_PIXELS = 50_000_000


def configuration(**models: object) -> Config:
    """The defaults, on the models that are here."""
    return load_config(None, {"models": {"cache_dir": ready_cache().folder, **models}})


class OurPipeline:
    """Decode, detect, align, embed, search. Thread-safe."""

    def __init__(self, gallery: int, config: Config | None = None, models: LoadedModels | None = None) -> None:
        config = config or configuration()
        self.models = models or load_models(config)
        self.live = LiveIndex()
        self.recognizer = Recognizer(
            self.models.detector,
            self.models.embedder,
            self.live,
            make_policy(config),
            config.pipeline.look_again_within,
            Clearing(config.pipeline.noisy_from),
            LivenessGuard(None, self.models.liveness_limits, LivenessCheck.OFF),
        )
        self.live.put(self._enrol(gallery))

    def _enrol(self, size: int) -> LiveGallery:
        contract = self.models.contract
        gallery = LiveGallery(GALLERY, contract.contract_id, contract.dim)
        vectors = []
        for photo in ENROLLED.values():
            picture = np.ascontiguousarray(np.asarray(photograph(photo)))
            vectors.append(self.recognizer.embed(Frame(picture, "rgb"), options(), call()).encoded.embeddings[0])
        random = np.random.default_rng(7)
        strangers = random.standard_normal((size - len(vectors), contract.dim), dtype=np.float32)
        names = [*ENROLLED, *(f"stranger-{i}" for i in range(len(strangers)))]
        for key, name in enumerate(names):
            gallery.put_subject(key, name, name, ())
        gallery.add(range(len(names)), names, np.vstack([*vectors, strangers]))
        return gallery

    def identify(self, data: bytes) -> list[str]:
        """A name for each face, "" where nobody is close enough."""
        found = self.answer(data)
        return ["" if each.match is None else each.match.subject_id for each in found.identifications]

    def answer(self, data: bytes) -> IdentifiedFaces:
        """All there is to know of a picture."""
        return self.recognizer.identify(decode_image(data, MAX_PIXELS), GALLERY, options(), 5, None, call())


def options() -> DetectionOptions:
    """As the server's defaults."""
    return DetectionOptions(None, 20.0, 100)


def call() -> Call:
    """Without a deadline."""
    return Call(Budget(), StageClock())
