"""Calibration through a real server: in force at once, kept, stale when it should be, gone with its gallery."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

import facewire
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc
from facewire_server.domain.face import Quality
from facewire_server.domain.gallery import Gallery, NewTemplate, Page, Subject, WriteIntent
from facewire_server.gallery.database import _SCHEMA, Database, now_ms
from facewire_server.gallery.galleries import insert_gallery
from facewire_server.gallery.opened import open_gallery
from tests.conftest import RunningServer, StartServer
from tests.integration.test_cli import run
from tests.pictures import encoded

SUBJECTS, EACH = 24, 3


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Of 24 people, three each; as similar to each other as faces are."""
    random = np.random.default_rng(0)
    noisy = np.repeat(random.normal(size=(SUBJECTS, 128)), EACH, axis=0) + 0.6 * random.normal(size=(72, 128))
    return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def database(vectors: np.ndarray, server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of them, as a server left it."""
    path = tmp_path_factory.mktemp("calibration") / "gallery.db"
    with facewire.Client(server.target) as client:
        contract = client.server_info().contract_id
    opened = open_gallery(path, 32)
    intent = WriteIntent("test")
    opened.galleries.create(Gallery("people", "People", contract, now_ms(), 0, 0), 128, intent, lambda _: b"")
    quality = Quality(20, 120, 40, 0, 0, 0, 100, 0, 12)
    for i in range(SUBJECTS):
        templates = [NewTemplate(vectors[EACH * i + j], quality, f"{i}-{j}", "") for j in range(EACH)]
        subject = Subject(f"p{i}", f"P {i}", (), {}, now_ms(), now_ms(), 0)
        opened.faces.enrol("people", subject, templates, create_subject=True, contract_id=contract, intent=intent,
                           remember=lambda _: b"")  # fmt: skip
    opened.database.close()
    return path


@pytest.fixture
def calibrated(start_server: StartServer, database: Path, tmp_path: Path) -> tuple[RunningServer, Path]:
    copy = tmp_path / "gallery.db"
    copy.write_bytes(database.read_bytes())
    return start_server("--gallery-db", str(copy)), copy


def test_the_threshold_is_in_force_at_once_and_survives_a_restart(
    calibrated: tuple[RunningServer, Path], start_server: StartServer, vectors: np.ndarray
) -> None:
    running, path = calibrated
    with facewire.Client(running.target) as client:
        contract = client.server_info().contract_id
        before = client.get_gallery("people")
        assert before.calibration is None
        tried = client.calibrate("people", fpir=0.01, dry_run=True)
        assert client.get_gallery("people") == before, "a dry run changes nothing"
        made = client.calibrate("people", fpir=0.01)
        assert made.min_similarity == pytest.approx(tried.min_similarity)
        after = client.get_gallery("people")
        assert after.min_similarity == pytest.approx(made.min_similarity, abs=1e-4)
        assert after.min_similarity != pytest.approx(before.min_similarity, abs=1e-3)
        assert (made.subjects, made.templates, made.sufficient, made.target) == (24, 72, True, "fpir")
        assert made.miss_rate is not None
        probe = facewire.Embedding(vectors[0], contract)
        answer = client.identify("people", probe)
        assert answer.min_similarity == pytest.approx(made.min_similarity, abs=1e-4)
        verified = client.verify(probe, facewire.SubjectReference("people", "p3"))
        assert verified.min_similarity != pytest.approx(client.verify(probe, probe).min_similarity, abs=1e-3)
        strict = client.calibrate("people", fmr=1e-6)
        assert client.get_gallery("people").min_similarity > made.min_similarity
        assert strict.target == "fmr"
    running.stop()
    again = start_server("--gallery-db", str(path))
    with facewire.Client(again.target) as client:
        kept = client.get_gallery("people")
        assert kept.calibration == strict
        client.delete_calibration("people")
        assert client.get_gallery("people") == before
        client.delete_gallery("people")
    again.stop()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM calibration").fetchone() == (0,)


def test_rates_at_a_score_are_the_gallerys_own(calibrated: tuple[RunningServer, Path], vectors: np.ndarray) -> None:
    running, _ = calibrated
    with facewire.Client(running.target) as client:
        probe = facewire.Embedding(vectors[0], client.server_info().contract_id)
        before = client.identify("people", probe, max_candidates=5).faces[0].candidates
        client.calibrate("people", fpir=0.05)
        after = client.identify("people", probe, max_candidates=5).faces[0].candidates
    assert [c.similarity for c in before] == [c.similarity for c in after]
    assert before[1].estimated_fmr != after[1].estimated_fmr
    rates = [c.estimated_fmr for c in after]
    assert rates == sorted(rates)  # type: ignore[type-var]


def test_a_cohort_counts_and_a_gallery_that_shrinks_is_stale(
    calibrated: tuple[RunningServer, Path], vectors: np.ndarray
) -> None:
    running, _ = calibrated
    with facewire.Client(running.target) as client:
        contract = client.server_info().contract_id
        strangers = [facewire.Embedding(-v, contract) for v in vectors[:5]]
        assert client.calibrate("people", cohort=strangers).cohort == 5
        client.create_gallery("others")
        assert client.calibrate("people", cohort_gallery_id="others").cohort == 0
        assert not client.get_gallery("people").calibration.stale  # type: ignore[union-attr]
        for i in range(8):
            client.delete_subject("people", f"p{i}")
        assert client.get_gallery("people").calibration.stale  # type: ignore[union-attr]
        fewer = client.calibrate("people")
        assert not fewer.sufficient
        assert "16 subjects are enrolled, at least 20" in fewer.shortage


def test_bad_requests_are_refused_with_the_field(calibrated: tuple[RunningServer, Path]) -> None:
    running, _ = calibrated
    with grpc.insecure_channel(running.target) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        for request, code, text in (
            (gallery_pb2.CalibrateRequest(gallery_id="people", fpir=0.9), grpc.StatusCode.INVALID_ARGUMENT, "fpir"),
            (gallery_pb2.CalibrateRequest(gallery_id="people", fmr=float("nan")), grpc.StatusCode.INVALID_ARGUMENT,
             "fmr"),
            (gallery_pb2.CalibrateRequest(gallery_id="people", cohort_gallery_id="people"),
             grpc.StatusCode.INVALID_ARGUMENT, "cohort_gallery_id"),
            (gallery_pb2.CalibrateRequest(
                gallery_id="people", cohort=[face_pb2.Embedding(values=[1.0] * 128, contract_id="fw1-another")]),
             grpc.StatusCode.FAILED_PRECONDITION, "cohort[0]"),
            (gallery_pb2.CalibrateRequest(gallery_id="nobody"), grpc.StatusCode.NOT_FOUND, "nobody"),
        ):  # fmt: skip
            with pytest.raises(grpc.RpcError) as error:
                stub.Calibrate(request)
            assert error.value.code() is code
            assert text in (error.value.details() or "")
    with facewire.Client(running.target) as client:
        client.create_gallery("empty")
        with pytest.raises(facewire.FacewireError, match="templates of 0 subjects"):
            client.calibrate("empty")
        with pytest.raises(ValueError, match="either fpir or fmr"):
            client.calibrate("people", fpir=0.1, fmr=0.1)


def test_the_command(calibrated: tuple[RunningServer, Path], samples: Path) -> None:
    running, _ = calibrated
    done = run("calibrate", "people", "--fpir", "0.01", "--cohort", samples, server=running)
    assert done.returncode == 0, done.stderr
    assert "24 subjects, 72 templates, 6 strangers beside" in done.stdout
    assert "in force" in done.stdout
    shown = json.loads(run("calibrate", "people", "--dry-run", "--json", server=running).stdout)
    assert shown["rate"]["value"] == 0.01
    assert run("calibrate", "people", "--reset", server=running).returncode == 0
    assert run("calibrate", "people", "--fpir", "0.1", "--fmr", "0.1", server=running).returncode == 2
    listed = json.loads(run("gallery", "list", "--json", server=running).stdout)
    assert listed["calibration"] is None


def test_a_database_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{_SCHEMA} PRAGMA user_version = 1;")
    database = Database(path)
    with database.write():
        insert_gallery(database, Gallery("g", "G", "c", 1, 0, 0), 4)
    assert database.query("SELECT count(*) FROM calibration").fetchone() == (0,)
    assert database.query("PRAGMA user_version").fetchone() == (3,)
    database.close()


# --- means ----------------------------------------------------------------------------------------------


def test_several_templates_are_searched_by_their_mean_too(
    client: facewire.Client, vectors: np.ndarray, database: Path
) -> None:
    opened = open_gallery(database, 32)
    try:
        live = opened.live.gallery("people")
        assert live.comparisons == SUBJECTS * (EACH + 1)
        own = vectors[:EACH]
        mean = own.sum(axis=0) / np.linalg.norm(own.sum(axis=0))
        probe = (mean + 0.1 * vectors[EACH]).astype(np.float32)[np.newaxis]
        (found,) = live.search(probe / np.linalg.norm(probe), 2)
        assert found[0].subject_id == "p0"
        assert found[0].similarity == pytest.approx(float(probe[0] @ mean) / np.linalg.norm(probe), abs=1e-5)
        assert found[0].face_id, "a template of that subject"
        live.remove_face(1, opened.faces.list("people", "p0", Page(100, ""))[0][0].face_id)
        rest = own[1:].sum(axis=0) / np.linalg.norm(own[1:].sum(axis=0))
        np.testing.assert_allclose(live.templates_of("p0").templates[-1], rest, atol=1e-6)
        live.remove_face(1, opened.faces.list("people", "p0", Page(100, ""))[0][1].face_id)
        assert len(live.templates_of("p0")) == 1, "one template has no mean"
        live.remove_subject(2)
        assert live.comparisons == SUBJECTS * (EACH + 1) - 3 - (EACH + 1)
    finally:
        opened.database.close()


# --- review -----------------------------------------------------------------------------------------------


def test_a_person_enrolled_twice_is_flagged_and_found(
    server: RunningServer, client: facewire.Client, gallery_id: str, samples: Path, tmp_path: Path
) -> None:
    client.enrol(gallery_id, "ada", [samples / "person_a_1.jpg"])
    assert client.review_gallery(gallery_id) == ()
    (outcome,) = client.enrol(gallery_id, "lovelace", [samples / "person_a_2.jpg"]).outcomes
    assert outcome.enrolled is not None
    assert outcome.look_alike is not None
    assert outcome.look_alike[0] == "ada"
    kinds = {finding.kind for finding in client.review_gallery(gallery_id)}
    assert facewire.FindingKind.SAME_PERSON in kinds
    folder = tmp_path / "Countess"
    folder.mkdir()
    (folder / "c.jpg").write_bytes(encoded(Image.open(samples / "person_a_2.jpg").convert("RGB"), "PNG"))
    told = run("enrol", tmp_path, "-g", gallery_id, server=server)
    assert told.returncode == 0
    assert "the same person under two names?" in " ".join(told.stdout.split())
    (fine,) = client.enrol(gallery_id, "grace", [samples / "person_b_1.jpg"]).outcomes
    assert fine.look_alike is None


def test_look_alikes_are_refused_if_the_server_is_told_so(start_server: StartServer, samples: Path) -> None:
    running = start_server("--set", "enrolment.refuse_look_alikes=true")
    with facewire.Client(running.target) as client:
        client.create_gallery("g")
        client.enrol("g", "ada", [samples / "person_a_1.jpg"])
        (outcome,) = client.enrol("g", "lovelace", [samples / "person_a_2.jpg"]).outcomes
        assert outcome.refusal is facewire.EnrolRefusal.LOOKS_LIKE_ANOTHER
        assert "'ada'" in outcome.detail
    assert run("gallery", "review", "g", server=running).returncode == 0
    assert "nothing to object to" in run("gallery", "review", "g", server=running).stdout


def test_a_repeated_request_is_answered_by_the_first(calibrated: tuple[RunningServer, Path]) -> None:
    running, _ = calibrated
    request = gallery_pb2.CalibrateRequest(gallery_id="people", fpir=0.02, idempotency_key="once")
    with grpc.insecure_channel(running.target) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        calls = [stub.Calibrate.future(request) for _ in range(3)]  # at once
        answers = [call.result() for call in calls]
    assert answers[0] == answers[1] == answers[2]
