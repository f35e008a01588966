"""The main job: enrolled people are recognised in other photographs, strangers are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import facewire
import facewire.aio
from tests.conftest import RunningServer
from tests.pictures import blurred, read_bgr


def test_enrolled_people_are_recognised_and_strangers_are_unknown(
    client: facewire.Client, door: str, samples: Path
) -> None:
    expected = {
        "person_a_2.jpg": "Person A",
        "person_b_2.jpg": "Person B",
        "impostor_1.jpg": None,
        "impostor_2.jpg": None,
    }
    for picture, name in expected.items():
        (face,) = client.identify(door, samples / picture).faces
        assert (face.match.display_name if face.match else None) == name
        wanted = facewire.Decision.MATCH if name else facewire.Decision.UNKNOWN
        assert face.decision is wanted


def test_verification_of_pictures_embeddings_and_subjects_agrees(
    client: facewire.Client, door: str, samples: Path
) -> None:
    probe = samples / "person_a_2.jpg"
    looked_at, enrolled = (client.embed(samples / "person_a_1.jpg", looks=looks).faces[0].embedding for looks in (2, 3))
    for first, second in (
        (samples / "person_a_1.jpg", looked_at),
        (enrolled, facewire.SubjectReference(door, "person-a")),  # enrolment looks at the mirror image, too
    ):
        answers = [client.verify(probe, first), client.verify(probe, second)]
        assert all(answer.decision is facewire.Decision.MATCH for answer in answers)
        similarities = [answer.similarity for answer in answers]
        assert np.ptp(np.array(similarities, dtype=np.float64)) < 1e-5
    stranger = client.verify(probe, samples / "impostor_1.jpg")
    assert stranger.decision is facewire.Decision.NON_MATCH


def test_a_picture_without_a_face_is_a_result_with_a_reason(client: facewire.Client, door: str) -> None:
    grey = np.full((480, 640, 3), 127, dtype=np.uint8)
    none = facewire.NoFaceReason.NONE_DETECTED
    assert client.detect(grey).no_face_reason is none
    assert client.identify(door, grey).no_face_reason is none
    verification = client.verify(grey, facewire.SubjectReference(door, "person-a"))
    assert verification.decision is facewire.Decision.UNKNOWN
    assert verification.similarity is None
    assert verification.probe.no_face_reason is none


def test_small_faces_are_left_out_with_a_reason(client: facewire.Client, samples: Path) -> None:
    answer = client.detect(samples / "person_a_1.jpg", min_face_px=200)
    assert answer.faces == ()
    assert answer.no_face_reason is facewire.NoFaceReason.TOO_SMALL


def test_one_subject_appears_once_in_a_picture(client: facewire.Client, door: str, samples: Path) -> None:
    one = read_bgr(samples / "person_b_2.jpg")
    twice = np.ascontiguousarray(np.hstack([one, blurred(one, sigma=1.5)]))
    answer = client.identify(door, twice)
    assert len(answer.faces) == 2
    assert [face.match is not None for face in answer.faces].count(True) == 1


def test_identify_by_embedding_equals_identify_by_picture(client: facewire.Client, door: str, samples: Path) -> None:
    picture = samples / "person_b_2.jpg"
    by_picture = client.identify(door, picture).faces[0]
    by_embedding = client.identify(door, client.embed(picture, looks=1).faces[0].embedding).faces[0]
    assert by_embedding.match is not None
    assert by_picture.match is not None
    assert by_embedding.match.subject_id == by_picture.match.subject_id
    assert by_embedding.match.similarity == pytest.approx(by_picture.match.similarity, abs=1e-5)


def test_the_asyncio_client_gives_the_same_answers(
    server: RunningServer, client: facewire.Client, door: str, samples: Path
) -> None:
    async def ask() -> tuple[facewire.Identifications, list[str], bool]:
        async with facewire.aio.Client(server.target) as aio_client:
            answer = await aio_client.identify(door, samples / "person_a_2.jpg")
            subjects = [s.subject_id async for s in aio_client.list_subjects(door)]
            return answer, subjects, await aio_client.is_serving()

    answer, subjects, serving = asyncio.run(ask())
    same = client.identify(door, samples / "person_a_2.jpg")
    assert answer.faces == same.faces
    assert subjects == ["person-a", "person-b"]
    assert serving


def test_the_asyncio_client_writes_and_transfers(server: RunningServer, samples: Path, tmp_path: Path) -> None:
    async def work() -> None:
        async with facewire.aio.Client(server.target) as client:
            await client.create_gallery("aio")
            try:
                items = [facewire.EnrolItem(f"person-{x}", [samples / f"person_{x}_1.jpg"]) for x in "ab"]
                answers = [answer async for answer in client.batch_enrol("aio", items)]
                assert [a.enrolment is not None for a in answers] == [True, True]
                await client.export_gallery("aio", tmp_path / "aio.fwg")
                await client.delete_gallery("aio")
                again = await client.import_gallery(tmp_path / "aio.fwg")
                assert (again.gallery_id, again.face_count) == ("aio", 2)
                assert len([face async for face in client.list_faces("aio")]) == 2
                with pytest.raises(facewire.NotFoundError):
                    await client.get_subject("aio", "nobody")
            finally:
                await client.delete_gallery("aio")

    asyncio.run(work())
