"""What was acknowledged survives a killed server; what was erased leaves no bytes behind."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

import facewire
from facewire_server.domain.errors import StorageFailure
from facewire_server.domain.face import Quality
from facewire_server.domain.gallery import EnrolledFace, Gallery, NewTemplate, Subject, WriteIntent
from facewire_server.gallery.opened import OpenedGallery, open_gallery
from tests.conftest import StartServer
from tests.pictures import read_bgr

DIM = 128
NOBODY = WriteIntent("test")
QUALITY = Quality(10, 100, 40, 0, 0, 0, 100, 0, 12)


def test_acknowledged_enrolments_survive_kill_9(start_server: StartServer, samples: Path, tmp_path: Path) -> None:
    """A writer enrols while the server is killed in mid-work; every answer it got holds after the restart."""
    database = tmp_path / "gallery.db"
    server = start_server(gallery_db=database)
    pixels = read_bgr(samples / "person_a_1.jpg")
    acknowledged: list[str] = []

    def enrol() -> None:
        with facewire.Client(server.target, retries=0) as client:
            client.create_gallery("g")
            for number in range(500):
                try:
                    enrolment = client.enrol("g", f"s-{number}", [pixels[number % 40 :, number // 40 :]])
                except facewire.ServerError:
                    return
                acknowledged.extend(o.enrolled.face_id for o in enrolment.outcomes if o.enrolled)

    writer = threading.Thread(target=enrol)
    writer.start()
    while len(acknowledged) < 10:
        assert writer.is_alive()
    server.process.send_signal(signal.SIGKILL)
    writer.join()
    again = start_server(gallery_db=database)
    with facewire.Client(again.target) as client:
        found = [face.face_id for face in client.list_faces("g")]
        assert set(acknowledged) <= set(found)
        assert len(found) - len(acknowledged) <= 1  # the one in flight
        probe = client.embed(samples / "person_a_1.jpg").faces[0].embedding
        assert client.identify("g", probe).faces[0].candidates[0].face_id in found


def test_a_second_server_on_the_same_gallery_is_refused(start_server: StartServer, tmp_path: Path) -> None:
    start_server(gallery_db=tmp_path / "gallery.db")
    with pytest.raises(AssertionError, match="another facewire server uses it"):
        start_server(gallery_db=tmp_path / "gallery.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageFailure, match="file is not a database"):
        open_gallery(path, 10)
    assert path.read_bytes().startswith(b"no database")


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageFailure, match="schema 99"):
        open_gallery(path, 10)


def enrol(opened: OpenedGallery, subject_id: str, vectors: list[np.ndarray], names: list[str]) -> list[str]:
    """Enrols vectors as they are; returns the face ids."""
    templates = [
        NewTemplate(v, QUALITY, f"{name}-{i}".ljust(64, "0"), name)
        for i, (v, name) in enumerate(zip(vectors, names, strict=True))
    ]
    result = opened.faces.enrol(
        "g", Subject(subject_id, subject_id, (), {}, 0, 0, 0), templates,
        create_subject=True, contract_id="c", intent=NOBODY, remember=lambda r: b"",
    )  # fmt: skip
    return [o.face_id for o in result.outcomes if isinstance(o, EnrolledFace)]


def opened_gallery(tmp_path: Path) -> OpenedGallery:
    opened = open_gallery(tmp_path / "gallery.db", 1000)
    opened.galleries.create(Gallery("g", "g", "c", 0, 0, 0), DIM, NOBODY, lambda g: b"")
    return opened


def unit_vector(rng: np.random.Generator) -> np.ndarray:
    vector = rng.normal(size=DIM).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_erased_templates_leave_no_bytes_in_any_file(tmp_path: Path, seed: int) -> None:
    """Enrols and erases at random, by face and by subject, then looks for every erased vector's bytes on disk."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    opened = opened_gallery(tmp_path)
    kept: dict[str, dict[str, np.ndarray]] = {}
    erased: list[np.ndarray] = []
    for step in range(250):
        action = chance.random()
        if action < 0.6 or not kept:
            subject = f"s-{chance.randrange(30)}"
            vectors = [unit_vector(rng) for _ in range(chance.randrange(1, 12))]
            ids = enrol(opened, subject, vectors, [f"{step}-{i}" for i in range(len(vectors))])
            kept.setdefault(subject, {}).update(zip(ids, vectors, strict=True))
        elif action < 0.85:
            subject = chance.choice(list(kept))
            opened.subjects.delete("g", subject, NOBODY, lambda n: b"")
            erased += kept.pop(subject).values()
        else:
            subject = chance.choice([s for s, faces in kept.items() if faces] or list(kept))
            if kept[subject]:
                face_id = chance.choice(list(kept[subject]))
                opened.faces.delete("g", face_id, NOBODY, lambda n: b"")
                erased.append(kept[subject].pop(face_id))
    # While the database is open: an acknowledged erasure must hold before the server stops.
    on_disk = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    survivors = [v for faces in kept.values() for v in faces.values()]
    assert len(erased) > 100
    assert all(any(v.tobytes() in data for data in on_disk.values()) for v in survivors), (
        "the search finds what is there"
    )
    for vector in erased:
        # A fragment of a moved cell would hold some of the vector; eight floats in a row are no accident.
        for start in range(0, DIM, 8):
            fragment = vector[start : start + 8].tobytes()
            for name, data in on_disk.items():
                assert fragment not in data, f"erased values {start}.. are still in {name}"
    opened.database.close()


def test_an_erased_gallery_leaves_no_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    opened = opened_gallery(tmp_path)
    vectors = [unit_vector(rng) for _ in range(50)]
    enrol(opened, "ada", vectors, [str(i) for i in range(50)])
    opened.galleries.delete("g", NOBODY, lambda counts: b"")
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(v[:8].tobytes() in data for v in vectors)
    opened.database.close()


def test_the_logs_are_append_only(tmp_path: Path) -> None:
    opened = opened_gallery(tmp_path)
    enrol(opened, "ada", [unit_vector(np.random.default_rng(1))], ["a"])
    opened.subjects.delete("g", "ada", NOBODY, lambda n: b"")
    kinds = [row[0] for row in opened.database.query("SELECT kind FROM change_log ORDER BY seq")]
    assert kinds == ["gallery created", "subject created", "face enrolled", "subject deleted"]
    actions = [row[0] for row in opened.database.query("SELECT action FROM audit ORDER BY seq")]
    assert actions == ["create gallery", "enrol", "delete subject"]
    for table in ("change_log", "audit"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at_ms = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                opened.database.query(statement)
    opened.database.close()


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(tmp_path: Path) -> None:
    opened = opened_gallery(tmp_path)
    rng = np.random.default_rng(2)
    enrol(opened, "ada", [unit_vector(rng)], ["a"])
    # SQLite's own limit on the file's pages behaves as a full disk does.
    pages = opened.database.query("PRAGMA page_count").fetchone()[0]
    opened.database.query(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for number in range(100):
            vectors = [unit_vector(rng) for _ in range(20)]
            enrol(opened, f"s-{number}", vectors, [f"{number}-{i}" for i in range(20)])

    with pytest.raises(StorageFailure, match="full"):
        fill()
    counted = opened.galleries.get("g").face_count
    assert counted == len(opened.live.gallery("g").index)
    opened.database.query("PRAGMA max_page_count = 1000000")
    enrol(opened, "later", [unit_vector(rng)], ["later"])
    assert opened.galleries.get("g").face_count == counted + 1
    opened.database.close()


def test_the_index_rebuilt_at_start_equals_the_one_that_grew(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    opened = opened_gallery(tmp_path)
    for number in range(40):
        enrol(opened, f"s-{number}", [unit_vector(rng) for _ in range(3)], [f"{number}-{i}" for i in range(3)])
    for number in range(0, 40, 3):
        opened.subjects.delete("g", f"s-{number}", NOBODY, lambda n: b"")
    queries = np.stack([unit_vector(rng) for _ in range(20)])
    before = opened.live.search("g", queries, "c", 5)
    opened.database.close()
    again = open_gallery(tmp_path / "gallery.db", 1000)
    assert again.live.search("g", queries, "c", 5) == before
    again.database.close()


def test_an_erasure_that_could_not_be_flushed_is_not_answered_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client repeats the call under the same key; its answer must not come from memory while bytes remain."""
    opened = opened_gallery(tmp_path)
    vector = unit_vector(np.random.default_rng(4))
    enrol(opened, "ada", [vector], ["a"])
    intent = WriteIntent("test", "key", "digest")

    def refuse() -> None:
        raise StorageFailure("the disk is busy")

    with monkeypatch.context() as patched:
        patched.setattr(opened.database, "flush_erasure", refuse)
        with pytest.raises(StorageFailure):
            opened.subjects.delete("g", "ada", intent, lambda n: b"gone")
        with pytest.raises(StorageFailure):
            opened.galleries.recall(intent)
    assert vector.tobytes() in b"".join(p.read_bytes() for p in tmp_path.iterdir()), "the bytes are still there"
    assert opened.galleries.recall(intent) == b"gone"
    assert vector[:8].tobytes() not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    opened.database.close()


def test_a_crash_between_erasure_and_flush_is_mended_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    opened = opened_gallery(before)
    vector = unit_vector(np.random.default_rng(5))
    enrol(opened, "ada", [vector], ["a"])
    # What is on disk when the flush begins is what a crash there leaves.
    monkeypatch.setattr(opened.database, "flush_erasure", lambda: shutil.copytree(before, after))
    opened.subjects.delete("g", "ada", NOBODY, lambda n: b"")
    assert vector.tobytes() in b"".join(p.read_bytes() for p in after.iterdir())
    again = open_gallery(after / "gallery.db", 10)
    assert vector[:8].tobytes() not in b"".join(p.read_bytes() for p in after.iterdir())
    again.database.close()
    opened.database.close()


def test_an_erased_persons_name_is_not_remembered(tmp_path: Path) -> None:
    opened = opened_gallery(tmp_path)
    subject = Subject("ada", "Ada Unmistakable", (), {}, 0, 0, 0)
    opened.subjects.create("g", subject, WriteIntent("t", "k1", "d"), lambda s: s.display_name.encode())
    opened.subjects.delete("g", "ada", WriteIntent("t", "k2", "d"), lambda n: b"")
    assert b"Unmistakable" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert opened.galleries.recall(WriteIntent("t", "k2", "d")) == b""
    opened.database.close()


def test_changes_never_hide_a_person_who_stays(tmp_path: Path) -> None:
    """While others come and go, a probe of someone enrolled finds that person first, in every search."""
    opened = opened_gallery(tmp_path)
    rng = np.random.default_rng(6)
    ada = unit_vector(rng)
    enrol(opened, "ada", [ada], ["ada"])
    enrol(opened, "crowd", [unit_vector(rng) for _ in range(900)], [f"c{i}" for i in range(900)])
    stop = threading.Event()
    wrong: list[str] = []
    searches = [0] * 3

    def search(number: int) -> None:
        while not stop.is_set():
            (candidates,) = opened.live.search("g", ada[np.newaxis], "c", 2)
            searches[number] += 1
            if not candidates or candidates[0].subject_id != "ada":
                wrong.append(str(candidates))

    threads = [threading.Thread(target=search, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for number in range(150):
        # The same face again, so that rows near the probe come and go.
        (face_id,) = enrol(opened, "ada", [ada], [f"again-{number}"])
        opened.faces.delete("g", face_id, NOBODY, lambda n: b"")
    stop.set()
    for thread in threads:
        thread.join()
    assert min(searches) > 20
    assert wrong == []
    opened.database.close()
