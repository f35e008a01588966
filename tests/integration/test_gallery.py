"""Galleries, subjects and faces over gRPC: lists, updates, refusals, repetitions, files."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

import facewire
import facewire.aio
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from tests.conftest import RunningServer, StartServer
from tests.pictures import blurred, read_bgr


def test_a_subject_keeps_labels_and_attributes(client: facewire.Client, gallery_id: str) -> None:
    made = client.create_subject(
        gallery_id, "ada", display_name="Ada Lovelace", labels=["staff", "vip", "staff"], attributes={"room": "12"}
    )
    assert made.labels == ("staff", "vip")
    assert client.get_subject(gallery_id, "ada") == made
    changed = client.update_subject(gallery_id, "ada", labels=["guest"])
    assert (changed.display_name, changed.labels, changed.attributes) == ("Ada Lovelace", ("guest",), {"room": "12"})
    assert changed.updated_at >= made.updated_at
    assert client.update_subject(gallery_id, "ada", attributes={}).attributes == {}
    assert [s.subject_id for s in client.list_subjects(gallery_id, label="guest")] == ["ada"]
    assert list(client.list_subjects(gallery_id, label="staff")) == []


def test_lists_come_in_pages_without_gaps(client: facewire.Client, server: RunningServer, gallery_id: str) -> None:
    names = [f"s-{i:03}" for i in range(23)]
    for name in names:
        client.create_subject(gallery_id, name)
    found: list[str] = []
    token, pages = "", 0
    with grpc.insecure_channel(server.target) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        while pages == 0 or token:
            request = gallery_pb2.ListSubjectsRequest(gallery_id=gallery_id, page_size=5, page_token=token)
            page = stub.ListSubjects(request)
            found += [subject.subject_id for subject in page.subjects]
            token, pages = page.next_page_token, pages + 1
        assert (found, pages) == (names, 5)
        for bad in ("nonsense", "e30", "MQ"):
            request = gallery_pb2.ListSubjectsRequest(gallery_id=gallery_id, page_token=bad)
            with pytest.raises(grpc.RpcError, match="page_token") as caught:
                stub.ListSubjects(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_same_picture_is_enrolled_once(client: facewire.Client, gallery_id: str, samples: Path) -> None:
    picture = samples / "person_a_1.jpg"
    first, second = client.enrol(gallery_id, "ada", [picture, picture]).outcomes
    assert first.enrolled is not None
    assert second.refusal is facewire.EnrolRefusal.DUPLICATE
    (other,) = client.enrol(gallery_id, "ben", [picture]).outcomes
    assert other.refusal is facewire.EnrolRefusal.DUPLICATE
    assert "'ada'" in other.detail


def test_a_subject_holds_as_many_templates_as_configured(start_server: StartServer, samples: Path) -> None:
    server = start_server("--set", "gallery.max_templates_per_subject=2")
    with facewire.Client(server.target) as client:
        client.create_gallery("g")
        pixels = read_bgr(samples / "person_a_2.jpg")
        images = [np.ascontiguousarray(pixels[i:]) for i in range(3)]
        outcomes = client.enrol("g", "ada", images).outcomes
    assert [o.refusal for o in outcomes] == [None, None, facewire.EnrolRefusal.TEMPLATE_LIMIT]


def test_bad_pictures_are_refused_each_with_its_reason(client: facewire.Client, gallery_id: str, samples: Path) -> None:
    face = read_bgr(samples / "person_b_1.jpg")
    two = np.ascontiguousarray(np.hstack([face, face]))
    images: list[facewire.ImageLike] = [
        samples / "person_b_1.jpg",
        b"no picture",
        np.full((300, 300, 3), 200, dtype=np.uint8),
        two,
        blurred(face, sigma=14),
        (face * 0.12).astype(np.uint8),
        np.ascontiguousarray(face[::10, ::10]),
    ]
    outcomes = client.enrol(gallery_id, "ada", images).outcomes
    reasons = [o.refusal.value if o.refusal else "" for o in outcomes]
    assert reasons == ["", "BAD_IMAGE", "NO_FACE", "SEVERAL_FACES", "BLURRED", "TOO_DARK", "TOO_SMALL"]
    assert all(o.detail for o in outcomes if o.refusal)
    (largest,) = client.enrol(gallery_id, "ada", [two], use_largest_face=True).outcomes
    assert largest.enrolled is not None


def test_a_repeated_write_has_one_effect_and_the_same_answer(
    server: RunningServer, client: facewire.Client, gallery_id: str, samples: Path
) -> None:
    image = gallery_pb2.EnrolImage()
    image.image.encoded = (samples / "person_a_1.jpg").read_bytes()
    enrol = gallery_pb2.EnrolFacesRequest(
        gallery_id=gallery_id, subject_id="ada", images=[image], create_subject=True, idempotency_key=f"k-{gallery_id}"
    )
    with grpc.insecure_channel(server.target) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        first = stub.EnrolFaces(enrol)
        assert stub.EnrolFaces(enrol) == first
        assert len(list(client.list_faces(gallery_id))) == 1
        enrol.subject_id = "ben"
        with pytest.raises(grpc.RpcError, match="used before for a different request") as caught:
            stub.EnrolFaces(enrol)
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        delete = gallery_pb2.DeleteSubjectRequest(
            gallery_id=gallery_id, subject_id="ada", idempotency_key=f"d-{gallery_id}"
        )
        assert stub.DeleteSubject(delete) == stub.DeleteSubject(delete)


def test_nobody_is_made_whose_pictures_are_all_refused(client: facewire.Client, gallery_id: str, samples: Path) -> None:
    wall = np.full((200, 200, 3), 90, np.uint8)
    answer = client.enrol(gallery_id, "ghost", [wall])
    assert [outcome.refusal for outcome in answer.outcomes] == [facewire.EnrolRefusal.NO_FACE]
    with pytest.raises(facewire.NotFoundError):
        client.get_subject(gallery_id, "ghost")
    assert client.enrol(gallery_id, "ada", [wall, samples / "person_a_1.jpg"]).subject.face_count == 1
    # A picture that is another subject's is refused by the store, not by the gate.
    answer = client.enrol(gallery_id, "ghost", [samples / "person_a_1.jpg"])
    assert [outcome.refusal for outcome in answer.outcomes] == [facewire.EnrolRefusal.DUPLICATE]
    assert [subject.subject_id for subject in client.list_subjects(gallery_id)] == ["ada"]
    assert client.get_gallery(gallery_id).subject_count == 1
    client.enrol(gallery_id, "ada", [wall])
    assert client.get_subject(gallery_id, "ada").face_count == 1, "who was there stays"


def test_deleted_people_are_not_found_again(client: facewire.Client, door: str, samples: Path) -> None:
    probe = client.embed(samples / "person_a_2.jpg").faces[0].embedding
    assert client.identify(door, probe).faces[0].match is not None
    assert client.delete_subject(door, "person-a") == 1
    after = client.identify(door, probe).faces[0]
    assert after.decision is facewire.Decision.UNKNOWN
    assert "person-a" not in [c.subject_id for c in after.candidates]
    (face,) = client.list_faces(door)
    client.delete_face(door, face.face_id)
    assert client.identify(door, probe).faces[0].candidates == ()
    assert client.get_subject(door, "person-b").face_count == 0


def test_a_renamed_subject_is_identified_under_the_new_name(client: facewire.Client, door: str, samples: Path) -> None:
    client.update_subject(door, "person-a", display_name="Renamed", labels=["watchlist"])
    match = client.identify(door, samples / "person_a_2.jpg").faces[0].match
    assert match is not None
    assert (match.display_name, match.labels) == ("Renamed", ("watchlist",))


def test_batch_enrolment_answers_in_order_and_survives_refusals(
    client: facewire.Client, gallery_id: str, samples: Path
) -> None:
    def items() -> Iterator[facewire.EnrolItem]:
        yield facewire.EnrolItem("ada", [samples / "person_a_1.jpg"])
        yield facewire.EnrolItem("Not A Name", [samples / "person_a_2.jpg"])
        yield facewire.EnrolItem("ben", [samples / "person_b_1.jpg", b"junk"])

    first, second, third = client.batch_enrol(gallery_id, items())
    assert [first.index, second.index, third.index] == [0, 1, 2]
    assert first.enrolment is not None
    assert second.error is not None
    assert second.error.startswith("INVALID_ARGUMENT: subject_id")
    assert third.enrolment is not None
    assert [o.refusal is None for o in third.enrolment.outcomes] == [True, False]


def test_an_exported_gallery_is_imported_with_everything(
    client: facewire.Client, door: str, samples: Path, tmp_path: Path
) -> None:
    client.update_subject(door, "person-a", labels=["staff"], attributes={"room": "12"})
    file = tmp_path / "door.fwg"
    size = client.export_gallery(door, file)
    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    copy = client.import_gallery(file, gallery_id=f"{door}-copy")
    try:
        assert (copy.subject_count, copy.face_count) == (2, 2)
        same = client.get_subject(copy.gallery_id, "person-a")
        assert (same.labels, same.attributes) == (("staff",), {"room": "12"})
        probe = client.embed(samples / "person_a_2.jpg").faces[0].embedding
        there, here = (client.identify(g, probe).faces[0].match for g in (copy.gallery_id, door))
        assert there is not None
        assert here is not None
        assert (there.subject_id, there.similarity) == (here.subject_id, here.similarity)
    finally:
        client.delete_gallery(copy.gallery_id)
    with pytest.raises(facewire.AlreadyExistsError):
        client.import_gallery(file)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "magic", "tail"])
def test_a_damaged_gallery_file_is_refused_whole(
    client: facewire.Client, door: str, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "door.fwg"
    client.export_gallery(door, file)
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    elif damage == "magic":
        data[0] ^= 1
    elif damage == "tail":
        data += b"more"
    else:
        del data[0 if damage == "empty" else len(data) // 2 :]
    file.write_bytes(data)
    with pytest.raises(facewire.InvalidArgumentError) as caught:
        client.import_gallery(file, gallery_id="damaged")
    assert caught.value.reason == "DAMAGED_FILE"
    with pytest.raises(facewire.NotFoundError):
        client.get_gallery("damaged")


def test_concurrent_writers_and_readers_see_whole_people(
    client: facewire.Client, gallery_id: str, samples: Path
) -> None:
    probe = client.embed(samples / "person_a_2.jpg").faces[0].embedding
    picture = samples / "person_a_1.jpg"

    def come_and_go(number: int) -> None:
        for _ in range(4):
            client.enrol(gallery_id, f"s-{number}", [read_bgr(picture)[number:]])
            client.delete_subject(gallery_id, f"s-{number}")

    def look(_: int) -> None:
        for _ in range(30):
            for candidate in client.identify(gallery_id, probe).faces[0].candidates:
                assert candidate.subject_id.startswith("s-")
                assert candidate.face_id

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(come_and_go, i) for i in range(3)] + [pool.submit(look, i) for i in range(3)]:
            future.result()
    assert client.get_gallery(gallery_id).face_count == 0


def gallery_file(records: list[dict[str, Any] | bytes]) -> bytes:
    """A gallery file with a right digest around whatever records."""
    content = b"facewire-gallery-1\n"
    for record in records:
        data = record if isinstance(record, bytes) else json.dumps(record).encode()
        content += struct.pack("<I", len(data)) + data
    content += struct.pack("<I", 0)
    return content + hashlib.sha256(content).digest()


def test_a_well_formed_file_with_impossible_content_is_refused_and_the_server_restarts(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    vector = base64.b64encode(np.full(128, 128**-0.5, dtype="<f4").tobytes()).decode()
    quality = dict.fromkeys(
        ("sharpness", "brightness", "contrast", "yaw_deg", "pitch_deg", "roll_deg", "size_px", "outside_share"), 1.0
    )
    with facewire.Client(server.target) as client:
        header: dict[str, Any] = {
            "gallery_id": "bad", "display_name": "Bad", "contract_id": client.server_info().contract_id,
            "dim": 128, "subjects": 1, "faces": 1,
        }  # fmt: skip
        subject: dict[str, Any] = {
            "subject_id": "ada", "display_name": "Ada", "labels": [], "attributes": {}, "created_ms": 1, "updated_ms": 1
        }  # fmt: skip
        face: dict[str, Any] = {
            "vector": vector, "quality": quality, "source_digest": "d", "source_name": "n", "created_ms": 1
        }  # fmt: skip
        # A measure that a newer server knows is no damage.
        good = gallery_file([header, subject, {**face, "quality": {**quality, "extra": 1}}])
        bad: list[list[dict[str, Any] | bytes]] = [
            [{**header, "dim": 0}, subject, face],
            [{**header, "dim": 64}, subject, face],
            [{**header, "faces": 2}, subject, face, face],
            [{**header, "subjects": 2}, subject, subject, face],
            [header, {**subject, "created_ms": 2**70}, face],
            [header, {**subject, "created_ms": float("inf")}, face],
            [header, {**subject, "display_name": ["x"]}, face],
            [header, {**subject, "display_name": "\ud800"}, face],
            [header, {**subject, "labels": "staff"}, face],
            [header, {**subject, "attributes": {"k": [1]}}, face],
            [header, subject, {**face, "quality": {**quality, "sharpness": float("nan")}}],
            [header, subject, {**face, "quality": {"sharpness": 1.0}}],
            [header, subject, {**face, "vector": vector[:-8]}],
            [header, face],
            [header, subject, b"[" * 100_000],
            [b"7"],
        ]
        file = tmp_path / "bad.fwg"
        for records in bad:
            file.write_bytes(gallery_file(records))
            with pytest.raises(facewire.InvalidArgumentError) as caught:
                client.import_gallery(file)
            assert caught.value.reason == "DAMAGED_FILE"
        file.write_bytes(good)
        assert client.import_gallery(file).face_count == 1
    assert server.stop() == 0
    with facewire.Client(start_server().target) as client:
        assert client.get_gallery("bad").face_count == 1


def test_a_batch_with_an_unreadable_picture_says_so(client: facewire.Client, gallery_id: str, samples: Path) -> None:
    items = [
        facewire.EnrolItem("ada", [samples / "person_a_1.jpg"]),
        facewire.EnrolItem("ben", [samples / "missing.jpg"]),
    ]
    answers = client.batch_enrol(gallery_id, items)
    assert next(answers).enrolment is not None
    with pytest.raises(facewire.ImageError, match="missing.jpg"):
        next(answers)

    async def same() -> list[facewire.BatchEnrolment]:
        async with facewire.aio.Client(client.target) as asynchronous:
            return [answer async for answer in asynchronous.batch_enrol(gallery_id, items)]

    with pytest.raises(facewire.ImageError, match="missing.jpg"):
        asyncio.run(same())


def test_a_single_picture_or_label_is_not_taken_for_a_list(client: facewire.Client, gallery_id: str) -> None:
    with pytest.raises(facewire.ImageError, match="must be a list"):
        client.enrol(gallery_id, "ada", "x.jpg")
    with pytest.raises(TypeError, match="labels must be a list"):
        client.create_subject(gallery_id, "ada", labels="staff")


def test_an_export_follows_links_and_spares_devices(client: facewire.Client, door: str, tmp_path: Path) -> None:
    real, link = tmp_path / "real.fwg", tmp_path / "link.fwg"
    real.touch()
    link.symlink_to(real)
    client.export_gallery(door, link)
    assert link.is_symlink()
    assert real.stat().st_size > 1000
    for device in ("/dev/null", "/dev/stdout"):
        with pytest.raises(OSError, match="no regular file"):
            client.export_gallery(door, device)
    assert Path("/dev/null").is_char_device()
