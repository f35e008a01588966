"""Liveness and attributes over a real server: what is told, who is named, what is off, and how one is told so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

import facewire
from facewire import (
    Decision,
    Event,
    EventKind,
    FrameAnswer,
    LivenessDecision,
    StreamOptions,
    SubjectReference,
    TrackState,
)
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.oip import open_inference_pb2, open_inference_pb2_grpc
from tests.conftest import RunningServer, StartServer, running_server
from tests.integration.test_cli import run
from tests.liveness_model import write_liveness_model
from tests.pictures import Pixels, jpeg, read_bgr, walking
from tests.streaming import START_S, stream_all

LIVE, SPOOF = LivenessDecision.LIVE, LivenessDecision.SPOOF


@pytest.fixture(scope="module")
def checking(model_cache: ModelCache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with everything on: bright pictures are living people's."""
    folder = tmp_path_factory.mktemp("checking")
    with running_server(model_cache, folder / "gallery.db", *with_liveness(folder, model_cache),
                        "--set", "attributes.enabled=true", "--set", "attributes.min_people=3",
                        "--set", "models.mesh=mediapipe-mesh-468") as running:  # fmt: skip
        yield running


def with_liveness(folder: Path, cache: ModelCache) -> list[str]:
    manifest = write_liveness_model(folder)
    fetch_model(cache, load_manifest(manifest).get("bright-is-live"), None, lambda done, total: None)
    return ["--set", f"models.manifest={manifest}", "--set", "liveness.model=bright-is-live"]


@pytest.fixture(scope="module")
def checked(checking: RunningServer, samples: Path) -> Iterator[facewire.Client]:
    """A client of that server, with people A and B enrolled."""
    with facewire.Client(checking.target) as client:
        client.create_gallery("door")
        for person in "ab":
            client.enrol("door", person, [samples / f"person_{person}_1.jpg"])
        yield client


def dark(bgr: Pixels) -> Pixels:
    """What the network takes for a picture of somebody, and the embedder for the same person."""
    return np.asarray(bgr * 0.35, dtype=np.uint8)


@pytest.fixture(scope="module")
def person(samples: Path) -> Pixels:
    return read_bgr(samples / "person_a_2.jpg")


# --- pictures -------------------------------------------------------------------------------------------


def test_identify_tells_and_requires(checked: facewire.Client, person: Pixels) -> None:
    for picture, wanted in ((person, LIVE), (dark(person), SPOOF)):
        plain, told, required = (
            checked.identify("door", jpeg(picture), liveness=check).faces[0] for check in (None, "report", "require")
        )
        assert plain.liveness is not None, "the server's own setting is to report"
        assert told.liveness is not None
        assert told.liveness.decision is wanted
        assert told.liveness.looks == 1
        assert told.match is not None
        assert told.match.subject_id == "a"
        assert required.decision is (Decision.MATCH if wanted is LIVE else Decision.UNKNOWN)
        assert (required.match is None) == (wanted is SPOOF)
        assert required.candidates[0].subject_id == "a"


def test_verify_tells_and_requires(checked: facewire.Client, person: Pixels, samples: Path) -> None:
    reference = SubjectReference("door", "a")
    live = checked.verify(jpeg(person), reference, liveness="require")
    assert live.decision is Decision.MATCH
    assert live.probe.liveness is not None
    assert live.probe.liveness.decision is LIVE
    fake = checked.verify(jpeg(dark(person)), reference, liveness="require")
    assert fake.decision is Decision.UNKNOWN
    assert fake.similarity is not None
    assert fake.similarity > fake.min_similarity
    assert checked.verify(jpeg(dark(person)), reference, liveness="report").decision is Decision.MATCH
    with pytest.raises(facewire.InvalidArgumentError, match="must be a picture"):
        checked.verify(reference, samples / "person_a_1.jpg", liveness="require")
    for wrong in (
        lambda: checked.verify(jpeg(person), reference, liveness="perhaps"),  # type: ignore[arg-type]
        lambda: StreamOptions(liveness="perhaps"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match="report or require"):
            wrong()
    with pytest.raises(TypeError, match="ignore_labels must be a list"):
        StreamOptions(ignore_labels="staff")


def test_a_server_that_requires_liveness_does_so_whoever_asks_for_less(
    start_server: StartServer, model_cache: ModelCache, tmp_path: Path, person: Pixels, samples: Path
) -> None:
    running = start_server(*with_liveness(tmp_path, model_cache), "--set", "liveness.check=require")
    with facewire.Client(running.target) as client:
        client.create_gallery("door")
        client.enrol("door", "a", [samples / "person_a_1.jpg"])
        assert client.identify("door", jpeg(dark(person))).faces[0].decision is Decision.UNKNOWN
        assert client.identify("door", jpeg(person), liveness="report").faces[0].decision is Decision.MATCH
        embedding = client.embed(jpeg(person)).faces[0].embedding
        with pytest.raises(facewire.InvalidArgumentError, match="must be a picture"):
            client.identify("door", embedding)


def test_without_a_model_asking_is_refused_with_how_to_get_one(
    client: facewire.Client, door: str, samples: Path
) -> None:
    picture = samples / "person_a_2.jpg"
    for ask in (
        lambda: client.identify(door, picture, liveness="report"),
        lambda: client.verify(picture, picture, liveness="require"),
        lambda: stream_all(client, StreamOptions(door, liveness="report"), []),
    ):
        with pytest.raises(facewire.PreconditionError, match="docs/liveness.md") as caught:
            ask()
        assert caught.value.reason == "NOT_CONFIGURED"
    assert client.identify(door, picture).faces[0].liveness is None


def test_a_model_that_is_not_here_is_told_at_the_start(model_cache: ModelCache, tmp_path: Path) -> None:
    manifest = write_liveness_model(tmp_path)
    done = run("serve", "--port", "0", "--gallery-db", tmp_path / "g.db", "--set", f"models.manifest={manifest}",
               "--set", "liveness.model=bright-is-live", "--set", f"models.cache_dir={tmp_path / 'empty'}")  # fmt: skip
    assert done.returncode != 0
    assert "facewire models fetch" in done.stderr


# --- streams --------------------------------------------------------------------------------------------


def verdicts(answers: list[FrameAnswer]) -> list[tuple[TrackState, LivenessDecision | None]]:
    return [(t.state, t.liveness.decision if t.liveness else None) for a in answers for t in a.tracks]


def test_a_stream_names_the_living_alone(checked: facewire.Client, samples: Path) -> None:
    walk = walking(samples / "person_a_2.jpg", 30)
    options = StreamOptions("door", liveness="require")
    living = verdicts(stream_all(checked, options, walk))
    assert living[-1] == (TrackState.KNOWN, LIVE)
    assert all(decision is LIVE for state, decision in living if state is TrackState.KNOWN)
    after = checked.last_event_id()
    fake = verdicts(stream_all(checked, StreamOptions("door", "fake", liveness="require"), [dark(f) for f in walk]))
    assert fake[-1] == (TrackState.UNKNOWN, SPOOF)
    assert TrackState.KNOWN not in [state for state, _ in fake]
    spoofs = []
    for event in checked.watch_events(stream_id="fake", after_event_id=after):
        assert isinstance(event, Event)
        spoofs += [event] if event.kind is EventKind.SPOOF else []
        if event.kind is EventKind.LEFT:
            break
    assert len(spoofs) == 1
    assert not spoofs[0].subject_id
    told = verdicts(stream_all(checked, StreamOptions("door", liveness="report"), [dark(f) for f in walk]))
    assert told[-1] == (TrackState.KNOWN, SPOOF)


def test_a_picture_held_before_the_camera_after_the_person_loses_the_name(
    checked: facewire.Client, samples: Path
) -> None:
    frames = walking(samples / "person_a_2.jpg", 120, speed=1)
    pictures = [jpeg(frame if number < 30 else dark(frame)) for number, frame in enumerate(frames)]
    timed = ((picture, START_S + number / 20) for number, picture in enumerate(pictures))
    with checked.stream(StreamOptions("door", liveness="require", lossless=True)) as stream:
        found = verdicts(list(stream.recognize(timed)))
    assert (TrackState.KNOWN, LIVE) in found[:30]
    assert found[-1][0] is not TrackState.KNOWN
    assert found[-1][1] is not LIVE


def test_nobody_is_named_by_anothers_liveness(checked: facewire.Client, samples: Path) -> None:
    """A living stranger holds a picture of person A before the own face, from one frame to the next."""
    stranger = walking(samples / "impostor_1.jpg", 40, speed=1)
    picture = [dark(frame) for frame in walking(samples / "person_a_2.jpg", 60, speed=1)]
    pictures = [jpeg(frame) for frame in [*stranger, *picture]]
    timed = ((each, START_S + number / 20) for number, each in enumerate(pictures))
    with checked.stream(StreamOptions("door", liveness="require", lossless=True)) as stream:
        found = verdicts(list(stream.recognize(timed)))
    assert (TrackState.UNKNOWN, LIVE) in found[:40]
    assert TrackState.KNOWN not in [state for state, _ in found]
    assert found[-1] == (TrackState.UNKNOWN, SPOOF)


# --- attributes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd(samples: Path) -> Pixels:
    """Four of the sample photographs side by side."""
    photos = []
    for name in ("person_a_1", "person_b_1", "impostor_1", "impostor_2"):
        photo = read_bgr(samples / f"{name}.jpg")
        photos.append(walking(samples / f"{name}.jpg", 1, face_px=240)[0][100:400, :260])
        assert photo.size
    return np.hstack(photos)


def test_a_crowd_has_figures_and_a_person_has_none(checked: facewire.Client, crowd: Pixels, samples: Path) -> None:
    answer = checked.analyze(jpeg(crowd))
    assert len(answer.faces) == 4
    assert answer.figures is not None
    assert answer.figures.people == 4
    assert sum(group.people for group in answer.figures.age_groups) == 4
    assert 10 < answer.figures.mean_age < 80
    assert answer.figures.female_share == 0.25, "one woman and three men"
    assert answer.figures.mean_age == round(answer.figures.mean_age)
    assert all(face.attributes is None and face.head_pose and face.liveness for face in answer.faces)
    alone = checked.analyze(samples / "person_a_1.jpg")
    assert alone.figures is None
    one = walking(samples / "person_a_2.jpg", 1, face_px=240)[0][100:400, :260]
    copies = checked.analyze(jpeg(np.hstack([one] * 4)))
    assert len(copies.faces) == 4
    assert copies.figures is None, "four pictures of one person are that person's"
    assert abs(alone.faces[0].head_pose.yaw_deg) < 15  # type: ignore[union-attr]
    with pytest.raises(facewire.PreconditionError, match=r"attributes\.per_person") as caught:
        checked.analyze(samples / "person_a_1.jpg", per_person=True)
    assert caught.value.reason == "NOT_ALLOWED"
    nothing = checked.analyze(jpeg(np.full((240, 320, 3), 90, np.uint8)))
    assert nothing.no_face_reason is facewire.NoFaceReason.NONE_DETECTED
    assert nothing.figures is None


def test_per_person_where_the_operator_allows_it(start_server: StartServer, crowd: Pixels) -> None:
    running = start_server("--set", "attributes.enabled=true", "--set", "attributes.per_person=true")
    with facewire.Client(running.target) as client:
        answer = client.analyze(jpeg(crowd), per_person=True)
        assert answer.figures is None, "four people are fewer than five"
        shares = [face.attributes.female_probability for face in answer.faces if face.attributes]
        assert len(shares) == 4
        assert sorted(share > 0.5 for share in shares) == [False, False, False, True], "one woman and three men"
        assert all(face.head_pose is None and face.liveness is None for face in answer.faces)


def test_the_raw_networks_of_attributes_are_run_for_nobody_where_attributes_are_not_told(
    checking: RunningServer, start_server: StartServer
) -> None:
    def listed(target: str) -> list[bool]:
        with grpc.insecure_channel(target) as channel:
            stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
            found = []
            for name in ("yunet-2023mar", "dlib-age-v1", "dlib-gender-v1"):
                try:
                    found.append(stub.ModelReady(open_inference_pb2.ModelReadyRequest(name=name)).ready)
                except grpc.RpcError:
                    found.append(False)
            return found

    assert listed(checking.target) == [True, False, False]
    public = start_server("--set", "attributes.enabled=true", "--set", "attributes.per_person=true")
    assert listed(public.target) == [True, True, True]


def test_without_models_there_is_nothing_to_analyse(client: facewire.Client, samples: Path) -> None:
    with pytest.raises(facewire.PreconditionError, match=r"attributes\.enabled"):
        client.analyze(samples / "person_a_1.jpg")
    with pytest.raises(facewire.PreconditionError, match=r"attributes\.enabled"):
        stream_all(client, StreamOptions(count_attributes=True), [])


def test_a_stream_counts_ages_where_it_is_asked_to(checked: facewire.Client, crowd: Pixels) -> None:
    frames = [crowd] * 20
    for wanted in (False, True):
        name = f"ages-{wanted}".lower()
        after = checked.last_event_id()
        stream_all(checked, StreamOptions("", name, count_attributes=wanted, count_interval_s=0.9), frames)
        counts = []
        for event in checked.watch_events(stream_id=name, after_event_id=after):
            assert isinstance(event, Event)
            counts += [event.crowd] if event.kind is EventKind.COUNT else []
            if event.kind is EventKind.LEFT:
                break
        assert counts
        assert counts[0] is not None
        assert counts[0].unique_people == 4
        assert (counts[0].attributes is not None) == wanted
        if wanted and counts[0].attributes:
            assert counts[0].attributes.people == 4


# --- the command line -----------------------------------------------------------------------------------


def test_eval_liveness(checking: RunningServer, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "attack" / "print").mkdir(parents=True)
    for number in (1, 2):
        photo = read_bgr(samples / f"person_a_{number}.jpg")
        (tmp_path / "live" / f"{number}.jpg").write_bytes(jpeg(photo))
        (tmp_path / "attack" / "print" / f"{number}.jpg").write_bytes(jpeg(dark(photo)))
    (tmp_path / "attack" / "none.jpg").write_bytes(jpeg(np.full((200, 200, 3), 128, np.uint8)))
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    done = run("eval", "liveness", "--live", tmp_path / "live", "--attack", tmp_path / "attack",
               "--json", out, "--report", page, "--server", checking.target)  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert (result["bpcer"], result["apcer"], result["eer"]) == (0.0, {"print": 0.0}, 0.0)
    assert result["failed_pictures"] == ["none.jpg"]
    assert result["apcer_at_bpcer"] == {}, "two pictures show no rate of a hundredth"
    assert "too few live faces for a curve" in done.stdout
    assert "<svg" in page.read_text()
    kept = tmp_path / "kept"
    again = ("eval", "liveness", "--live", tmp_path / "live", "--attack", tmp_path / "attack", "--keep", kept,
             "--server", checking.target)  # fmt: skip
    assert run(*again).stdout == run(*again).stdout
    assert len(list(kept.rglob("*.json"))) == 5
    swapped = run("eval", "liveness", "--live", tmp_path / "attack", "--attack", tmp_path / "live",
                  "--json", out, "--server", checking.target)  # fmt: skip
    assert swapped.returncode == 0, swapped.stderr
    assert json.loads(out.read_text())["apcer"] == {"attack": 1.0}
    shutil.rmtree(tmp_path / "attack" / "print")
    nobody = run("eval", "liveness", "--live", tmp_path / "live", "--attack", tmp_path / "attack",
                 "--server", checking.target)  # fmt: skip
    assert nobody.returncode == 5
    assert "attacks in which a face is found" in nobody.stderr


def test_the_verbs(checking: RunningServer, checked: facewire.Client, person: Pixels, tmp_path: Path) -> None:
    fake = tmp_path / "fake.jpg"
    fake.write_bytes(jpeg(dark(person)))
    plain = run("identify", fake, "-g", "door", "--server", checking.target)
    assert "SPOOF" in plain.stdout, "this server reports whoever asks"
    told = run("identify", fake, "-g", "door", "--liveness", "require", "--server", checking.target)
    assert told.returncode == 1
    assert "SPOOF" in told.stdout
    assert "UNKNOWN" in told.stdout
    verified = run("verify", fake, "door/a", "--liveness", "report", "--json", "--server", checking.target)
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["probe"]["liveness"]["decision"] == "SPOOF"
    analyzed = run("analyze", fake, "--server", checking.target)
    assert analyzed.returncode == 0
    assert "SPOOF" in analyzed.stdout
    refused = run("analyze", fake, "--per-person", "--server", checking.target)
    assert refused.returncode == 4
    assert "NOT_ALLOWED" in refused.stderr


@pytest.mark.skipif("FACEWIRE_DATA" not in os.environ, reason="FACEWIRE_DATA names no folder of measuring data")
def test_minifasnet_tells_a_living_face_from_pictures(
    start_server: StartServer, model_cache: ModelCache, tmp_path: Path
) -> None:
    data = Path(os.environ["FACEWIRE_DATA"]).resolve()
    manifest = write_liveness_model(tmp_path)
    weights = data / "models" / "2.7_80x80_MiniFASNetV2.onnx"
    text = manifest.read_text().replace(str(tmp_path / "bright.onnx"), str(weights))
    lines = [line for line in text.splitlines() if not line.startswith("sha256")]
    digest = "432a17e5dcac49031e35dee367674629696c62d94a24e073fe774eac738121fc"
    manifest.write_text("\n".join([*lines, f'sha256 = "{digest}"']).replace("bright-is-live", "minifasnet-v2"))
    fetch_model(model_cache, load_manifest(manifest).get("minifasnet-v2"), None, lambda done, total: None)
    running = start_server("--set", f"models.manifest={manifest}", "--set", "liveness.model=minifasnet-v2")
    with facewire.Client(running.target) as client:
        for name, wanted in (("image_T1", LIVE), ("image_F1", SPOOF), ("image_F2", SPOOF)):
            liveness = client.analyze(data / "antispoof" / f"{name}.jpg").faces[0].liveness
            assert liveness is not None
            assert liveness.decision is wanted
