"""Log-ins by head turns over a real server: photographs whose heads turn when asked, and what tries to pass without."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

import facewire
from facewire import ChallengeAction, ChallengeFailure, Decision, LivenessDecision, SubjectReference
from facewire.v1 import liveness_pb2, stream_pb2
from facewire_server.config import Config
from facewire_server.inference.model_cache import ModelCache
from facewire_server.loading import LoadedModels, load_models
from tests.conftest import RunningServer, running_server
from tests.pictures import Pixels, jpeg, read_bgr
from tests.turning_heads import Head, head_of

FRAME_S = 0.05
Views = dict[ChallengeAction, list[bytes]]
POSES = {
    ChallengeAction.FACE_CAMERA: (0, 0),
    ChallengeAction.TURN_LEFT: (34, 0),
    ChallengeAction.TURN_RIGHT: (-34, 0),
    ChallengeAction.LOOK_UP: (0, 24),
    ChallengeAction.LOOK_DOWN: (0, -24),
}
OPPOSITE = {
    ChallengeAction.TURN_LEFT: ChallengeAction.TURN_RIGHT,
    ChallengeAction.TURN_RIGHT: ChallengeAction.TURN_LEFT,
    ChallengeAction.LOOK_UP: ChallengeAction.LOOK_DOWN,
    ChallengeAction.LOOK_DOWN: ChallengeAction.LOOK_UP,
}


@pytest.fixture(scope="module")
def models(config: Config) -> LoadedModels:
    with_mesh = config.models.model_copy(update={"mesh": "mediapipe-mesh-468"})
    return load_models(config.model_copy(update={"models": with_mesh}))


def small(path: Path) -> Pixels:
    photo = read_bgr(path)
    scale = 480 / max(photo.shape)
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.fixture(scope="module")
def person_a(models: LoadedModels, samples: Path) -> Views:
    return views(head_of(small(samples / "person_a_2.jpg"), models))


@pytest.fixture(scope="module")
def person_b(models: LoadedModels, samples: Path) -> Views:
    return views(head_of(small(samples / "person_b_2.jpg"), models))


def views(head: Head) -> Views:
    """For each action the pictures on the way there."""
    return {
        action: [jpeg(head.turned(share * yaw, share * pitch)) for share in (0.0, 0.35, 0.7, 1.0)]
        for action, (yaw, pitch) in POSES.items()
    }


@pytest.fixture(scope="module")
def meshed(model_cache: ModelCache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a mesh, and not much patience."""
    folder = tmp_path_factory.mktemp("live")
    settings = ["--set", "models.mesh=mediapipe-mesh-468", "--set", "challenge.action_s=4"]
    settings += ["--set", "challenge.actions=1", "--set", "challenge.max_failures=1000"]
    with running_server(model_cache, folder / "gallery.db", *settings) as running:
        yield running


@pytest.fixture
def live(meshed: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(meshed.target) as client:
        yield client


@dataclass
class Person:
    """Does what it is asked to: frames of the way there, after a moment of thinking, and of the way back.

    ``obey`` says what is done instead of what was asked for, ``think_s`` how long it takes to begin.
    """

    looks: Views
    obey: Callable[[ChallengeAction], ChallengeAction] = lambda action: action
    think_s: float = 0.3
    asked: list[ChallengeAction] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)
    now: list[bytes] = field(default_factory=list)
    over: bool = False

    def hear(self, prompt: facewire.ChallengePrompt) -> None:
        if prompt.action is not ChallengeAction.FACE_CAMERA:
            self.asked.append(prompt.action)
        threading.Timer(self.think_s, self.begin, [self.obey(prompt.action)]).start()

    def begin(self, action: ChallengeAction) -> None:
        self.now = list(self.looks[action])

    def frames(self) -> Iterator[bytes]:
        self.begin(ChallengeAction.FACE_CAMERA)
        for _ in range(int(40 / FRAME_S)):
            if self.over:
                return
            frame = self.now.pop(0) if len(self.now) > 1 else self.now[0]
            self.shown.append(frame)
            yield frame
            time.sleep(FRAME_S)


def log_in(client: facewire.Client, person: Person, **options: object) -> facewire.LiveVerification:
    try:
        return client.verify_live(person.frames(), on_prompt=person.hear, **options)  # type: ignore[arg-type]
    finally:
        person.over = True


def test_whoever_does_what_is_asked_is_live_and_recognised(
    live: facewire.Client, person_a: Views, samples: Path
) -> None:
    live.create_gallery("login")
    live.enrol("login", "a", [samples / "person_a_1.jpg"])
    live.enrol("login", "b", [samples / "person_b_1.jpg"])
    person = Person(person_a)
    seen: list[facewire.ChallengeProgress] = []
    result = log_in(live, person, reference=SubjectReference("login", "a"), actions=4, on_progress=seen.append)
    assert (result.liveness, result.failure, result.decision) == (LivenessDecision.LIVE, None, Decision.MATCH)
    assert len(person.asked) == 4
    assert result.similarity is not None
    assert result.min_similarity is not None
    assert result.similarity > result.min_similarity
    assert result.passive is None
    assert max(abs(p.head_pose.yaw_deg) + abs(p.head_pose.pitch_deg) for p in seen if p.head_pose) > 12
    assert [p.sequence for p in seen] == sorted({p.sequence for p in seen})
    wrong = log_in(live, Person(person_a), reference=SubjectReference("login", "b"), actions=1)
    assert (wrong.liveness, wrong.decision) == (LivenessDecision.LIVE, Decision.NON_MATCH)
    nobody = log_in(live, Person(person_a), actions=1)
    assert (nobody.liveness, nobody.decision, nobody.similarity) == (LivenessDecision.LIVE, None, None)


def test_a_recording_of_an_earlier_log_in_fails(live: facewire.Client, person_a: Views) -> None:
    recorded = Person(person_a)
    assert log_in(live, recorded, actions=4).liveness is LivenessDecision.LIVE
    for _ in range(3):
        prompts: list[facewire.ChallengePrompt] = []
        result = live.verify_live(paced(recorded.shown), actions=4, on_prompt=prompts.append)
        if [p.action for p in prompts if p.action is not ChallengeAction.FACE_CAMERA] == recorded.asked:
            continue  # one in 256: the very same was asked for
        assert result.liveness is not LivenessDecision.LIVE
        assert result.failure is not None


def paced(frames: list[bytes]) -> Iterator[bytes]:
    for frame in frames:
        yield frame
        time.sleep(FRAME_S)


@pytest.mark.parametrize("action", ["still", "opposite"])
def test_a_still_picture_or_a_wrong_turn_fails(live: facewire.Client, person_a: Views, action: str) -> None:
    obey = OPPOSITE.get if action == "opposite" else lambda asked: ChallengeAction.FACE_CAMERA
    result = log_in(live, Person(person_a, lambda asked: obey(asked) or asked), actions=3)
    wanted = {
        "still": (LivenessDecision.UNSURE, ChallengeFailure.TIMED_OUT),
        "opposite": (LivenessDecision.SPOOF, ChallengeFailure.WRONG_ACTION),
    }
    assert (result.liveness, result.failure) == wanted[action]


def test_somebody_else_in_between_fails(live: facewire.Client, person_a: Views, person_b: Views) -> None:
    """Person A faces the camera, person B does the turns."""
    mixed = {**person_b, ChallengeAction.FACE_CAMERA: person_a[ChallengeAction.FACE_CAMERA]}
    result = log_in(live, Person(mixed))
    assert (result.liveness, result.failure) == (LivenessDecision.SPOOF, ChallengeFailure.FACE_CHANGED)


def test_a_victims_picture_first_and_the_attackers_turns_pass_for_nobody(
    live: facewire.Client, person_a: Views, person_b: Views, samples: Path
) -> None:
    """The picture is shown in bursts too short for a hold, then person B does what is asked."""
    live.create_gallery("victim")
    live.enrol("victim", "a", [samples / "person_a_2.jpg"])
    for burst in (3, 6, 12):
        person = Person(person_b)

        def frames(person: Person = person, burst: int = burst) -> Iterator[bytes]:
            still = jpeg(np.full((480, 360, 3), 90, np.uint8))
            for _ in range(3):
                for frame in [person_a[ChallengeAction.FACE_CAMERA][0]] * burst + [still]:
                    yield frame
                    time.sleep(FRAME_S)
            yield from person.frames()

        try:
            result = live.verify_live(
                frames(), on_prompt=person.hear, reference=SubjectReference("victim", "a"), actions=2
            )
        finally:
            person.over = True
        assert result.decision is not Decision.MATCH
    live.delete_gallery("victim")


def test_whoever_leaves_is_told(live: facewire.Client, person_a: Views) -> None:
    nothing = [jpeg(np.full((480, 360, 3), 90, np.uint8))]
    looks = {action: person_a[action] if action is ChallengeAction.FACE_CAMERA else nothing for action in POSES}
    hints = []
    result = log_in(live, Person(looks), on_progress=lambda p: hints.append(p.hint))
    assert (result.liveness, result.failure) == (LivenessDecision.UNSURE, ChallengeFailure.FACE_LOST)
    assert facewire.ChallengeHint.NO_FACE in hints


def test_frames_that_end_and_frames_that_are_none(live: facewire.Client, person_a: Views) -> None:
    ended = live.verify_live(iter(person_a[ChallengeAction.FACE_CAMERA]))
    assert (ended.liveness, ended.failure) == (LivenessDecision.UNSURE, ChallengeFailure.FRAMES_ENDED)
    hints = []
    broken = [b"\xff\xd8 no picture"] * 3
    live.verify_live(iter(broken), on_progress=lambda p: hints.append(p.hint))
    assert facewire.ChallengeHint.BAD_FRAME in hints

    def trouble() -> Iterator[bytes]:
        yield person_a[ChallengeAction.FACE_CAMERA][0]
        raise RuntimeError("the camera is gone")

    with pytest.raises(RuntimeError, match="camera is gone"):
        live.verify_live(trouble())
    with pytest.raises(facewire.ImageError, match="no frames"):
        live.verify_live(iter([]))
    with pytest.raises(facewire.ImageError, match="one after the other"):
        live.verify_live("photo.jpg")
    with pytest.raises(facewire.ImageError, match="another size or form"):
        live.verify_live(iter([person_a[ChallengeAction.FACE_CAMERA][0], np.zeros((9, 9, 3), np.uint8)]))


def test_what_is_wrong_with_the_settings_is_said(live: facewire.Client) -> None:
    frame = jpeg(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(facewire.NotFoundError, match="'nobody'"):
        live.verify_live(iter([frame]), reference=SubjectReference("nobody", "x"))
    with pytest.raises(facewire.InvalidArgumentError, match="actions"):
        live.verify_live(iter([frame]), actions=11)
    call = live._channel.stream_stream(
        "/facewire.v1.LivenessService/VerifyLive",
        request_serializer=liveness_pb2.VerifyLiveRequest.SerializeToString,
        response_deserializer=liveness_pb2.VerifyLiveResponse.FromString,
    )
    first = liveness_pb2.VerifyLiveRequest(frame=stream_pb2.StreamFrame(sequence=1, data=frame))
    with pytest.raises(Exception, match="first message must hold the settings"):
        list(call(iter([first])))


def test_a_mirrored_camera_turns_left_and_right_around(live: facewire.Client, person_a: Views) -> None:
    for mirrored, wanted in ((True, LivenessDecision.LIVE), (False, LivenessDecision.SPOOF)):
        turns: list[ChallengeAction] = []
        while not set(turns) & {ChallengeAction.TURN_LEFT, ChallengeAction.TURN_RIGHT}:
            person = Person(person_a, lambda asked: OPPOSITE[asked] if "TURN" in asked.name else asked)
            result = log_in(live, person, mirrored=mirrored, actions=2)
            turns = person.asked
        assert result.liveness is wanted


def test_hints_say_what_is_missing(live: facewire.Client, person_a: Views) -> None:
    hints = set()
    away = [person_a[ChallengeAction.TURN_LEFT][-1]] * 200
    result = live.verify_live(paced(away), on_progress=lambda p: hints.add(p.hint))
    assert result.failure is ChallengeFailure.TIMED_OUT
    assert hints == {facewire.ChallengeHint.FACE_THE_CAMERA}


def test_a_caller_may_ask_for_more_and_not_for_less(
    start_server: Callable[..., RunningServer], person_a: Views
) -> None:
    running = start_server("--set", "challenge.actions=2", "--set", "challenge.action_s=4")
    with facewire.Client(running.target) as client:
        for wanted, asked in ((1, 2), (0, 2), (3, 3)):
            prompts: list[facewire.ChallengePrompt] = []
            client.verify_live(iter(person_a[ChallengeAction.FACE_CAMERA]), actions=wanted, on_prompt=prompts.append)
            assert prompts[0].wanted == asked


def test_luck_is_not_tried_for_long(start_server: Callable[..., RunningServer], person_a: Views) -> None:
    running = start_server("--set", "challenge.max_failures=2", "--set", "challenge.actions=1",
                           "--set", "models.mesh=mediapipe-mesh-468")  # fmt: skip
    with facewire.Client(running.target, retries=0) as client:
        for _ in range(2):
            wrong = log_in(client, Person(person_a, lambda asked: OPPOSITE.get(asked, asked)))
            assert wrong.liveness is LivenessDecision.SPOOF
        with pytest.raises(facewire.OverloadedError, match="ten minutes") as caught:
            log_in(client, Person(person_a))
        assert 500 < (caught.value.retry_after_s or 0) <= 600


def test_without_a_mesh_heads_turn_left_and_right(client: facewire.Client, person_a: Views) -> None:
    person = Person(person_a)
    result = log_in(client, person)
    assert set(person.asked) <= {ChallengeAction.TURN_LEFT, ChallengeAction.TURN_RIGHT}
    assert len(person.asked) == 5
    assert result.liveness is LivenessDecision.LIVE


def test_asyncio_does_the_same(meshed: RunningServer, person_a: Views) -> None:
    async def run() -> facewire.LiveVerification:
        person = Person(person_a)
        ready: queue.Queue[bytes] = queue.Queue()

        def film() -> None:
            for frame in person.frames():
                ready.put(frame)

        threading.Thread(target=film, daemon=True).start()

        async def frames() -> object:
            while True:
                yield await asyncio.to_thread(ready.get)

        async with facewire.aio.Client(meshed.target) as client:
            try:
                return await client.verify_live(frames(), on_prompt=person.hear, actions=1)  # type: ignore[arg-type]
            finally:
                person.over = True
                ready.put(b"")

    assert asyncio.run(run()).liveness is LivenessDecision.LIVE


def test_a_stopping_server_ends_challenges_and_says_so(
    start_server: Callable[..., RunningServer], person_a: Views
) -> None:
    running = start_server("--set", "challenge.action_s=30")
    person = Person(person_a, lambda asked: ChallengeAction.FACE_CAMERA)
    prompted = threading.Event()

    def stop() -> None:
        prompted.wait(10)
        running.process.terminate()

    threading.Thread(target=stop, daemon=True).start()
    begun = time.monotonic()
    with (
        facewire.Client(running.target, retries=0) as client,
        pytest.raises(facewire.UnavailableError, match="stopping"),
    ):
        client.verify_live(person.frames(), on_prompt=lambda prompt: prompted.set())
    person.over = True
    assert time.monotonic() - begun < 8
    assert running.process.wait(20) == 0


def test_places_are_bounded(start_server: Callable[..., RunningServer]) -> None:
    running = start_server("--set", "challenge.max_at_once=1")
    frame = jpeg(np.zeros((64, 64, 3), np.uint8))
    waiting = threading.Event()

    def slow() -> Iterator[bytes]:
        yield frame
        waiting.wait(10)

    with facewire.Client(running.target, retries=0) as first, facewire.Client(running.target, retries=0) as second:
        prompted = threading.Event()
        thread = threading.Thread(target=lambda: first.verify_live(slow(), on_prompt=lambda p: prompted.set()))
        thread.start()
        assert prompted.wait(5)
        with pytest.raises(facewire.OverloadedError, match="challenges"):
            second.verify_live(iter([frame]))
        waiting.set()
        thread.join(15)
        assert not thread.is_alive()
        assert second.verify_live(iter([frame])).failure is ChallengeFailure.FRAMES_ENDED
