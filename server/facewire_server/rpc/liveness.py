"""LivenessService: a log-in by head turns."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from facewire.v1 import face_pb2, liveness_pb2_grpc, stream_pb2
from facewire.v1 import liveness_pb2 as pb
from facewire_server.domain.budget import Budget
from facewire_server.domain.challenge import TILTS, TURNS, Action, Challenge, Failure, choose_steps
from facewire_server.domain.decision import Decision
from facewire_server.domain.errors import DeadlineExpired, InvalidArgument, InvalidImage, NotReady, Overloaded
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import LivenessDecision
from facewire_server.domain.stages import StageClock
from facewire_server.domain.stream import RawLayout
from facewire_server.domain.templates import ComparedBy
from facewire_server.engine import Engine, EngineSlot
from facewire_server.pipeline.challenging import ChallengeWatch, Hint, Progress
from facewire_server.pipeline.decoding import comparable, decode_image, frame_from_raw
from facewire_server.pipeline.recognizer import Call, SideReport
from facewire_server.rpc import analysis_convert, convert
from facewire_server.rpc.attempts import AttemptLimit
from facewire_server.rpc.call import Context, host_of, on_worker
from facewire_server.rpc.recognition import gallery_of, side_of, side_report
from facewire_server.rpc.stream_convert import duration
from facewire_server.rpc.stream_settings import layout_of

log = logging.getLogger(__name__)
Requests = AsyncIterator[pb.VerifyLiveRequest]
_MOST_ACTIONS: Final = 10
_ACTIONS: Final = {
    Action.FACE_CAMERA: pb.CHALLENGE_ACTION_FACE_CAMERA,
    Action.TURN_LEFT: pb.CHALLENGE_ACTION_TURN_LEFT,
    Action.TURN_RIGHT: pb.CHALLENGE_ACTION_TURN_RIGHT,
    Action.LOOK_UP: pb.CHALLENGE_ACTION_LOOK_UP,
    Action.LOOK_DOWN: pb.CHALLENGE_ACTION_LOOK_DOWN,
}
_HINTS: Final = {
    None: pb.CHALLENGE_HINT_UNSPECIFIED,
    Hint.NO_FACE: pb.CHALLENGE_HINT_NO_FACE,
    Hint.SEVERAL_FACES: pb.CHALLENGE_HINT_SEVERAL_FACES,
    Hint.COME_CLOSER: pb.CHALLENGE_HINT_COME_CLOSER,
    Hint.BAD_FRAME: pb.CHALLENGE_HINT_BAD_FRAME,
    Hint.FACE_THE_CAMERA: pb.CHALLENGE_HINT_FACE_THE_CAMERA,
    Hint.KEEP_STILL: pb.CHALLENGE_HINT_KEEP_STILL,
}
_FAILURES: Final = {
    None: pb.CHALLENGE_FAILURE_UNSPECIFIED,
    Failure.TIMED_OUT: pb.CHALLENGE_FAILURE_TIMED_OUT,
    Failure.WRONG_ACTION: pb.CHALLENGE_FAILURE_WRONG_ACTION,
    Failure.TOO_SOON: pb.CHALLENGE_FAILURE_TOO_SOON,
    Failure.FACE_LOST: pb.CHALLENGE_FAILURE_FACE_LOST,
    Failure.FACE_CHANGED: pb.CHALLENGE_FAILURE_FACE_CHANGED,
    Failure.LOOKS_LIKE_A_PICTURE: pb.CHALLENGE_FAILURE_LOOKS_LIKE_A_PICTURE,
    Failure.FRAMES_ENDED: pb.CHALLENGE_FAILURE_FRAMES_ENDED,
}


@dataclass(frozen=True, slots=True)
class _Reference:
    """Whom it has to be: what that is compared by, what was seen in a picture, the threshold, its gallery."""

    side: ComparedBy
    report: SideReport
    threshold: float
    gallery_id: str


class _Newest:
    """The newest frame that came, when it came, and whether more will. For one event loop."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._frame: tuple[stream_pb2.StreamFrame, float] | None = None
        self._error: Exception | None = None
        self.ended = False

    def fail(self, error: Exception) -> None:
        """Raised where the frames are taken."""
        self._error = error
        self._news.set()

    async def fill(self, requests: Requests) -> None:
        """Takes frames in until the sender is done, or something is wrong."""
        try:
            async for request in requests:
                if request.WhichOneof("message") != "frame":
                    raise InvalidArgument("message", "must be a frame: settings come once, and first")
                self._frame = (request.frame, time.monotonic())
                self._news.set()
        except Exception as error:  # noqa: BLE001 - raised where the frames are taken
            self.fail(error)
        self.ended = True
        self._news.set()

    async def take(self, wait_s: float) -> tuple[stream_pb2.StreamFrame, float] | None:
        """The newest one and when it came; None where nothing came in time, or nothing will."""
        if self._frame is None and not self.ended:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait_s)
        self._news.clear()
        if self._error is not None:
            raise self._error
        frame, self._frame = self._frame, None
        return frame


class LivenessServicer(liveness_pb2_grpc.LivenessServiceServicer):
    """Proof that a living person is there now."""

    def __init__(self, slot: EngineSlot) -> None:
        self._slot = slot
        self._running: set[_Newest] = set()
        self._attempts = AttemptLimit()
        self._stopping = False

    def stop(self) -> None:
        """Challenges would go on for long: they end, and their clients begin anew at the next server."""
        self._stopping = True
        for newest in self._running:
            newest.fail(_stopping())

    async def VerifyLive(  # noqa: N802 - gRPC's name
        self, request_iterator: Requests, context: Context
    ) -> AsyncIterator[pb.VerifyLiveResponse]:
        """Prompts out, frames in, and the result."""
        engine = self._slot.engine
        host = host_of(context)
        settings = await _first_settings(engine, request_iterator)
        layout = layout_of(settings.encoding)
        self._attempts.require(host, engine.challenges.max_failures, time.monotonic())
        newest = self._place(engine.challenges.max_at_once, engine.challenges.action_s)
        reader: asyncio.Task[None] | None = None
        try:
            reference = await _reference_of(settings, engine, context)
            watch = ChallengeWatch(
                engine.watchers,
                _challenge_of(settings, engine),
                engine.challenges.same_person,
                mirrored=settings.mirrored,
            )
            reader = asyncio.create_task(newest.fill(request_iterator))
            async for response in _carry_out(engine, watch, newest, layout):
                yield response
            result = _result(engine, watch, reference)
            if result.liveness == face_pb2.LIVENESS_DECISION_SPOOF:
                log.warning("a log-in from %s failed: %s", host, watch.challenge.failure)
                self._attempts.failed(host, time.monotonic())
            yield pb.VerifyLiveResponse(result=result)
        finally:
            self._running.discard(newest)
            if reader is not None:
                reader.cancel()
                with suppress(asyncio.CancelledError):
                    await reader

    def _place(self, places: int, retry_after_s: float) -> _Newest:
        if self._stopping:
            raise _stopping()
        if len(self._running) >= places:
            raise Overloaded(f"all {places} places for challenges are taken", retry_after_s)
        newest = _Newest()
        self._running.add(newest)
        return newest


def _stopping() -> NotReady:
    return NotReady("the server is stopping")


async def _first_settings(engine: Engine, requests: Requests) -> pb.VerifyLiveSettings:
    wait_s = engine.streams.limits.first_message_s
    missing = InvalidArgument("settings", "is missing: the first message must hold the settings")
    try:
        first = await asyncio.wait_for(anext(requests), wait_s)
    except asyncio.TimeoutError:
        raise DeadlineExpired(f"no settings came within {wait_s:.0f} s; the first message must hold them") from None
    except StopAsyncIteration:
        raise missing from None
    if first.WhichOneof("message") != "settings":
        raise missing
    if first.settings.actions > _MOST_ACTIONS:
        raise InvalidArgument("settings.actions", f"must be at most {_MOST_ACTIONS}")
    return first.settings


async def _reference_of(settings: pb.VerifyLiveSettings, engine: Engine, context: Context) -> _Reference | None:
    if not settings.HasField("reference"):
        return None
    threshold = convert.min_similarity_of(settings, "settings.min_similarity")
    options = engine.enrolment_options()

    def work(call: Call) -> _Reference:
        side = side_of(settings.reference, "settings.reference", engine, call)
        compared, report = engine.recognizer.side(side, options, call)
        limit = engine.recognizer.verify_threshold(side) if threshold is None else threshold
        return _Reference(compared, report, limit, gallery_of(settings.reference))

    reference, _ = await on_worker(engine, context, work)
    return reference


def _challenge_of(settings: pb.VerifyLiveSettings, engine: Engine) -> Challenge:
    """Tilts are told apart from the mesh alone: the five landmarks hardly show them."""
    kinds = TURNS if engine.watchers.mesh is None else (*TURNS, *TILTS)
    count = max(settings.actions, engine.challenges.actions)  # a caller may ask for more, not for less
    steps = choose_steps(kinds, count, random.SystemRandom())
    return Challenge(steps, engine.challenges.action_s, time.monotonic())


async def _carry_out(
    engine: Engine, watch: ChallengeWatch, newest: _Newest, layout: RawLayout | None
) -> AsyncIterator[pb.VerifyLiveResponse]:
    challenge = watch.challenge
    asked: tuple[Action, int] | None = None
    while not challenge.over:
        if asked != (challenge.action, challenge.done):
            asked = (challenge.action, challenge.done)
            yield pb.VerifyLiveResponse(prompt=_prompt(challenge))
        arrived = await newest.take(challenge.left_s(time.monotonic()))
        if arrived is None:
            if newest.ended:
                challenge.fail(Failure.FRAMES_ENDED)
            challenge.miss(time.monotonic())
            continue
        frame, at_s = arrived
        progress = await _look(engine, watch, frame, layout, at_s)
        if progress is None:
            challenge.wait(time.monotonic())
        else:
            yield pb.VerifyLiveResponse(progress=_progress(frame.sequence, progress))


async def _look(
    engine: Engine, watch: ChallengeWatch, frame: stream_pb2.StreamFrame, layout: RawLayout | None, at_s: float
) -> Progress | None:
    """What the frame shows; None where the server is too busy to look, and the next one has its chance."""
    clock = StageClock()
    data = frame.data

    def work() -> Progress:
        try:
            with clock.stage("decode"):
                picture = _read(data, layout, engine.limits.max_image_pixels)
        except InvalidImage:
            return watch.bad_frame(at_s)
        return watch.look(picture, at_s, clock)

    try:
        return await engine.workers.run(work, Budget(engine.limits.max_call_s), clock)
    except Overloaded:
        return None


def _read(data: bytes, raw: RawLayout | None, max_pixels: int) -> Frame:
    if raw is None:
        return comparable(decode_image(data, max_pixels, "frame.data"), "frame.data")
    return frame_from_raw(data, raw.format, raw.width, raw.height, raw.stride_bytes, max_pixels, "frame")


def _prompt(challenge: Challenge) -> pb.ChallengePrompt:
    return pb.ChallengePrompt(
        action=_ACTIONS[challenge.action],
        done=challenge.done,
        wanted=len(challenge.steps),
        time_left=duration(challenge.left_s(time.monotonic())),
    )


def _progress(sequence: int, progress: Progress) -> pb.ChallengeProgress:
    face = None if progress.face is None else convert.encoded_messages(progress.face)[0]
    pose = None if progress.turned is None else analysis_convert.pose_message(progress.turned)
    return pb.ChallengeProgress(
        sequence=sequence, face=face, head_pose=pose, share=progress.share, hint=_HINTS[progress.hint]
    )


def _result(engine: Engine, watch: ChallengeWatch, reference: _Reference | None) -> pb.VerifyLiveResult:
    challenge, passive = watch.challenge, watch.passive
    failure = challenge.failure
    decision = LivenessDecision.LIVE if failure is None else failure.decision
    result = pb.VerifyLiveResult(
        liveness=analysis_convert.DECISIONS[decision],
        failure=_FAILURES[failure],
        passive=None if passive is None or not passive.looks else analysis_convert.liveness_message(passive),
    )
    if reference is not None:
        result.min_similarity = reference.threshold
        result.reference.CopyFrom(side_report(reference.report))
        _compare(engine, watch.seen if failure is None else None, reference, result)
    return result


def _compare(engine: Engine, seen: ComparedBy | None, reference: _Reference, result: pb.VerifyLiveResult) -> None:
    if seen is None or not len(reference.side):
        result.decision = convert.decision_message(Decision.UNKNOWN)
        return
    similarity = seen.similarity(reference.side)
    matches = similarity >= reference.threshold and not seen.refuted_by(reference.side)
    result.decision = convert.decision_message(Decision.MATCH if matches else Decision.NON_MATCH)
    result.similarity = similarity
    calibration = engine.recognizer.calibration(reference.gallery_id)
    if calibration is not None:
        result.estimated_fmr = calibration.fmr(similarity)
