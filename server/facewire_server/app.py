"""Wires everything; the only file that knows all parts. Starts the server, waits for a signal, stops it."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from facewire import kernels
from facewire_server.config import ChallengeSection, Config, StreamsSection
from facewire_server.domain.decision import DecisionPolicy
from facewire_server.domain.liveness import LivenessCheck
from facewire_server.domain.ports import Detector
from facewire_server.engine import (
    Analyses,
    ChallengeLimits,
    Engine,
    EngineSlot,
    Limits,
    ServerFacts,
    StoreThread,
    StreamDefaults,
)
from facewire_server.events.ring import SqliteEventRing
from facewire_server.gallery.database import now_ms
from facewire_server.gallery.opened import OpenedGallery, open_gallery
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.specs import EmbedderModel
from facewire_server.loading import LoadedModels, load_models, quality_limits
from facewire_server.memory import settle
from facewire_server.pipeline.analysis import AttributeRules, FaceAnalyzer
from facewire_server.pipeline.anonymising import Anonymiser
from facewire_server.pipeline.challenging import Watchers
from facewire_server.pipeline.clearing import Clearing
from facewire_server.pipeline.enrolment import Enroller, EnrolmentGate
from facewire_server.pipeline.generating import FaceStudio
from facewire_server.pipeline.latents import FaceCoder
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.pipeline.recognizer import Recognizer
from facewire_server.pipeline.restoring import Restoration
from facewire_server.pipeline.turning import TurningDetector
from facewire_server.pipeline.warm_up import warm_up
from facewire_server.pipeline.workers import WorkerPool
from facewire_server.rpc.server import RpcServer, ServerOptions
from facewire_server.streaming.overload import Overload
from facewire_server.streaming.record import EmbedPlan
from facewire_server.streaming.registry import StreamLimits, Streams
from facewire_server.streaming.session import SessionParts

log = logging.getLogger(__name__)
_WAITING_ANALYSES = 3
OnStage = Callable[[str, float], None]  # what was done, seconds it took


def make_policy(config: Config) -> DecisionPolicy:
    """How sure is sure enough, for the configured embedder."""
    spec = load_manifest(config.models.manifest).of(config.models.embedder, EmbedderModel)
    return DecisionPolicy(
        calibration=None if spec.calibration is None else spec.calibration.curve(),
        fixed_threshold=1.0 if spec.threshold is None else spec.threshold,
        target_fpir=config.decision.target_fpir,
        max_fmr=config.decision.max_fmr,
        verify_fmr=config.decision.verify_fmr,
        margin=config.decision.margin,
        stream_fmr=config.decision.stream_fmr,
    )


def _limits(config: Config) -> Limits:
    return Limits(
        max_message_bytes=config.server.max_message_mib << 20,
        max_image_pixels=int(config.pipeline.max_image_mpx * 1e6),
        max_faces=config.pipeline.max_faces,
        max_images_per_enrol=config.enrolment.max_images_per_call,
        max_templates_per_subject=config.gallery.max_templates_per_subject,
        max_pending_calls=config.pipeline.max_pending,
        max_import_bytes=config.gallery.max_import_mib << 20,
        spool_dir=config.gallery.path.parent,
        min_face_px=config.pipeline.min_face_px,
        max_call_s=config.server.max_call_s,
        stream_defaults=StreamDefaults(
            track_ttl_s=config.streams.track_ttl_s,
            unknown_linger_s=config.streams.unknown_linger_s,
            count_interval_s=config.streams.count_interval_s,
        ),
        max_watchers=config.events.max_watchers,
        max_made_faces=config.generation.max_faces,
    )


def _stream_limits(section: StreamsSection) -> StreamLimits:
    return StreamLimits(
        max_streams=section.max_streams,
        max_streams_per_client=section.max_streams_per_client,
        first_message_s=section.first_message_s,
        idle_s=section.idle_s,
        remember_people_s=section.remember_people_s,
        same_person=section.same_person,
        plan=EmbedPlan(
            first_interval_s=section.embed_interval_s,
            max_interval_s=section.max_embed_interval_s,
            min_score=section.min_shot_score,
            per_turn=section.max_embeddings_per_frame,
        ),
    )


def _challenge_limits(section: ChallengeSection, *, has_mesh: bool) -> ChallengeLimits:
    return ChallengeLimits(
        actions=section.actions or (3 if has_mesh else 5),
        action_s=section.action_s,
        same_person=section.same_person,
        max_at_once=section.max_at_once,
        max_failures=section.max_failures,
    )


def _gate(config: Config) -> EnrolmentGate:
    section = config.enrolment
    return EnrolmentGate(
        limits=quality_limits(section),
        min_quality=section.min_quality,
        min_likeness=section.min_likeness if config.generation.encoder else 0.0,
        dominance=section.dominance,
        refuse_look_alikes=section.refuse_look_alikes,
    )


class Server:
    """A running facewire server. For one event loop."""

    def __init__(self, config: Config, on_stage: OnStage = lambda what, seconds: None) -> None:
        self._config = config
        self._on_stage = on_stage
        self._slot = EngineSlot()
        self._store = StoreThread(config.pipeline.max_pending)
        self._analyses = Analyses(_WAITING_ANALYSES, config.server.max_call_s)
        self._workers = WorkerPool("worker", config.workers, config.pipeline.max_pending, config.pipeline.call_share)
        self._gallery: OpenedGallery | None = None
        self._events: SqliteEventRing | None = None
        self._streams: Streams | None = None
        self._rpc = RpcServer(
            self._slot,
            ServerOptions(
                host=config.server.host,
                port=config.server.port,
                max_message_bytes=config.server.max_message_mib << 20,
                max_connection_age_s=config.server.max_connection_age_s,
                version=version("facewire"),
            ),
            now_ms,
        )
        self.port = 0

    async def start(self) -> None:
        """Listens at once, then loads; afterwards health says SERVING.

        Raises:
            PortTaken, StorageFailure, ManifestError, ModelMissing, PrecisionUnknown, RuntimeProblem: each says
                what to do.
        """
        self.port = await self._rpc.start()
        self._gallery = await self._timed(
            "open gallery and build index",
            self._store.run(
                lambda: open_gallery(self._config.gallery.path, self._config.gallery.max_templates_per_subject)
            ),
        )
        self._events = await asyncio.to_thread(
            SqliteEventRing, self._config.events_path, self._config.events.max_events, self._config.events.flush_s
        )
        await asyncio.to_thread(self._events.forget_missing, self._gallery.live.knows)
        models = await self._timed("load, warm and test models", asyncio.to_thread(load_models, self._config))
        contract_id = models.contract.contract_id
        for gallery_id in self._gallery.live.of_other_contracts(contract_id):
            log.warning(
                "gallery '%s' was enrolled with other models or on another device than these (contract %s): nobody in "
                "it can be recognised until it is enrolled anew, or the former models are configured again",
                gallery_id,
                contract_id,
            )
        engine = self._engine(models, self._gallery, self._events)
        await self._timed("warm up workers", warm_up(self._workers, models.detector, models.embedder))
        settle()
        self._slot.put(engine)
        await self._rpc.serving()

    async def stop(self) -> None:
        """Stops taking calls, finishes those under way within the grace, then closes the store.

        Streams would go on for ever: they end at once, and their clients come back to the next server.
        """
        if self._streams is not None:
            self._streams.close_all()
        await asyncio.to_thread(self._analyses.close)
        await self._rpc.stop(self._config.server.shutdown_grace_s)
        await asyncio.to_thread(self._workers.close)
        if self._events is not None:
            await asyncio.to_thread(self._events.close)
        if self._gallery is not None:
            await self._store.run(self._gallery.database.close)
        self._store.close()

    async def _timed(self, what: str, work: Any) -> Any:
        start = time.perf_counter()
        result = await work
        self._on_stage(what, time.perf_counter() - start)
        return result

    def _engine(self, models: LoadedModels, gallery: OpenedGallery, events: SqliteEventRing) -> Engine:
        policy = make_policy(self._config)
        limits = _limits(self._config)
        clearing = Clearing(self._config.pipeline.noisy_from)
        detector: Detector = models.detector
        least = LivenessCheck[self._config.liveness.check.upper()]
        guard = LivenessGuard(models.liveness, models.liveness_limits, least)
        if self._config.pipeline.any_orientation:
            detector = TurningDetector(detector)
        recognizer = Recognizer(
            detector, models.embedder, gallery.live, policy, self._config.pipeline.look_again_within, clearing, guard
        )
        rules = AttributeRules(
            self._config.attributes.per_person,
            self._config.attributes.min_people,
            self._config.streams.same_person,
        )
        analyzer = FaceAnalyzer(models.attributes, models.embedder, models.mesh, guard, rules)
        self._streams = Streams(
            SessionParts(
                detector, models.embedder, events, limits.max_image_pixels, Overload(), clearing, guard, analyzer
            ),
            gallery.live,
            policy,
            self._workers,
            _stream_limits(self._config.streams),
            now_ms,
        )
        tool = f"facewire {version('facewire')}"
        coder = FaceCoder(models.autoencoder, tool)
        return Engine(
            recognizer=recognizer,
            enroller=Enroller(recognizer, _gate(self._config), coder, mirror=self._config.enrolment.mirror),
            studio=FaceStudio(models.generator, limits.max_made_faces, limits.max_message_bytes, tool),
            coder=coder,
            restoration=Restoration(models.restorer, tool),
            anonymiser=Anonymiser(recognizer, coder, tool),
            workers=self._workers,
            store=self._store,
            galleries=gallery.galleries,
            subjects=gallery.subjects,
            faces=gallery.faces,
            transfer=gallery.transfer,
            analyzer=analyzer,
            watchers=Watchers(detector, models.embedder, models.mesh, guard),
            challenges=_challenge_limits(self._config.challenge, has_mesh=models.mesh is not None),
            models={model.name: model for model in models.runners},
            calibrations=gallery.calibrations,
            live=gallery.live,
            templates=gallery.live,
            analyses=self._analyses,
            streams=self._streams,
            events=events,
            limits=limits,
            facts=ServerFacts(
                version=version("facewire"),
                openvino_version=models.runtime.version,
                isa=kernels.isa(),
                started_ms=now_ms(),
                models=models.facts,
                devices=models.runtime.devices(),
            ),
        )


async def serve_until_signal(config: Config, on_stage: OnStage, on_ready: Callable[[Server], None]) -> None:
    """Runs a server until SIGTERM or SIGINT; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()

    def note(number: int) -> None:
        log.info("%s received, stopping", signal.Signals(number).name)
        loop.remove_signal_handler(number)
        signalled.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, note, number)
    server = Server(config, on_stage)
    starting = asyncio.ensure_future(server.start())
    waiting = asyncio.ensure_future(signalled.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            on_ready(server)
            await waiting
    finally:
        starting.cancel()
        waiting.cancel()
        await server.stop()
