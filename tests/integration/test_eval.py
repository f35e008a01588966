"""``facewire eval pairs, identities, detect`` as a user runs them, on the sample photographs."""

from __future__ import annotations

import ast
import gc
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire_server.evaluation.corruption import Corruption
from facewire_server.evaluation.faces import FaceReader
from facewire_server.evaluation.identities import Plan, search, splits
from tests.conftest import RunningServer
from tests.integration.test_cli import run

PEOPLE = {"A": ("person_a_1", "person_a_2"), "B": ("person_b_1", "person_b_2"), "C": ("impostor_1",),
          "D": ("impostor_2",)}  # fmt: skip
PAIRS = """2\t2
A\t1\t2
B\t1\t2
A\t1\tB\t1
A\t2\tC\t1
A\t2\t1
B\t2\t1
B\t2\tD\t1
C\t1\tD\t1
"""


@pytest.fixture(scope="module")
def lfw(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample photographs under names as LFW has them, and pairs of them."""
    folder = tmp_path_factory.mktemp("lfw")
    for person, pictures in PEOPLE.items():
        (folder / person).mkdir()
        for number, picture in enumerate(pictures, start=1):
            shutil.copy(samples / f"{picture}.jpg", folder / person / f"{person}_{number:04d}.jpg")
    (folder / "pairs.txt").write_text(PAIRS)
    return folder


def evaluate(*arguments: str | Path, server: RunningServer) -> subprocess.CompletedProcess[str]:
    return run("eval", *arguments, "--server", server.target)


def result_of(*arguments: str | Path, folder: Path, server: RunningServer) -> dict[str, Any]:
    out = folder / "result.json"
    done = evaluate(*arguments, "--json", out, server=server)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout, "no colours in a pipe"
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def test_pairs(server: RunningServer, lfw: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = result_of("pairs", "--images", lfw, "--pairs", lfw / "pairs.txt", "--report", report, "--pictures",
                       folder=tmp_path, server=server)  # fmt: skip
    assert result["accuracy"] == {"mean": 1.0, "std": 0.0}
    assert result["tar_at_far"] == {}, "four impostor pairs support no rate of 1 in 10"
    assert result["failed_to_acquire"] == 0
    assert (result["pairs"], result["folds"], result["pictures"]) == (8, 2, 6)
    page = report.read_text()
    assert page.count("<svg") == 3
    assert page.count("<img") == 16
    assert not re.search(r"(src|href)=.https?:", page), "the page needs nothing else"


def test_a_run_goes_on_where_it_was_broken_off(client: facewire.Client, lfw: Path, tmp_path: Path) -> None:
    paths = sorted(lfw.rglob("*.jpg"))
    first = FaceReader(client, tmp_path / "kept", "s", None, 0).read_all(paths[:4], lambda: None)
    kept = sorted((tmp_path / "kept").rglob("*.npz"))
    assert len(kept) == 4
    kept[0].write_bytes(b"cut short")

    class NoServer:
        asked = 0

        def embed(self, image: bytes, looks: int) -> facewire.Embeddings:
            self.asked += 1
            return client.embed(image, looks=looks)

    counting = NoServer()
    again = FaceReader(counting, tmp_path / "kept", "s", None, 0).read_all(paths, lambda: None)  # type: ignore[arg-type]
    assert counting.asked == 3, "two were never read, one was damaged"
    for path, faces in first.items():
        np.testing.assert_array_equal(faces.embeddings, again[path].embeddings)
    other = FaceReader(counting, tmp_path / "kept", "another model", None, 0)  # type: ignore[arg-type]
    other.read(paths[0])
    assert counting.asked == 4, "answers of other models are not taken"


def test_kept_answers_are_parsed_by_one_thread_at_a_time(client: facewire.Client, lfw: Path, tmp_path: Path) -> None:
    """CPython 3.11 cannot have two threads in ast.parse, where NumPy takes them for every array's header."""
    paths = sorted(lfw.rglob("*.jpg"))
    reader = FaceReader(client, tmp_path / "kept", "s", None, 0)
    reader.read_all(paths, lambda: None)
    parsing: list[int] = []

    def parses(frame: FrameType | None) -> bool:
        return frame is not None and (frame.f_code is ast.parse.__code__ or parses(frame.f_back))

    def look(phase: str, _: object) -> None:
        if phase == "start" and parses(sys._getframe()):
            time.sleep(1e-3)  # a collection may let other threads go on
            parsing.append(sum(parses(frame) for frame in sys._current_frames().values()))

    usual = gc.get_threshold()
    gc.callbacks.append(look)
    gc.set_threshold(1)
    try:
        reader.read_all(paths, lambda: None)
    finally:
        gc.set_threshold(*usual)
        gc.callbacks.remove(look)
    assert set(parsing) <= {1}  # from 3.12 on no collection comes in there


def test_identities_from_folders_and_from_a_csv(server: RunningServer, lfw: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    pictures = sorted(path.relative_to(lfw) for path in lfw.rglob("*_000*.jpg") if path.parent.name in {"A", "B"})
    labels.write_text("image,identity\n" + "".join(f"{path},{path.parent}\n" for path in pictures))
    arguments = ("identities", "--images", lfw, "--labels", labels, "--enrol", "1", "--splits", "4")
    result = result_of(*arguments, folder=tmp_path, server=server)
    assert (result["rank1"], result["enrolled"], result["strangers"]) == (1.0, 1, 1)
    page = tmp_path / "people.html"
    again = result_of(*arguments, "--report", page, "--pictures", folder=tmp_path, server=server)
    assert again == result
    shown = page.read_text()
    assert shown.count("<img") == 2 * 6, "two pairs of one person, four of two"
    assert "person_a" not in shown
    assert page.stat().st_mode & 0o077 == 0, "people's faces are for the owner's eyes"
    done = evaluate("identities", "--images", lfw, "--enrol", "2", server=server)
    assert done.returncode != 0
    assert "pictures with a face, 2 are needed" in done.stderr


def test_offline_searches_are_the_servers_own(
    client: facewire.Client, gallery_id: str, lfw: Path, samples: Path
) -> None:
    people = {"A": sorted((lfw / "A").iterdir()), "B": sorted((lfw / "B").iterdir())}
    reader = FaceReader(client, None, "", None, 0)
    seen = reader.read_all([path for paths in people.values() for path in paths], lambda: None)
    vectors = {path: faces.embeddings[0] for path, faces in seen.items()}
    (split,) = splits(people, vectors, Plan(1, 0.5, 1, 0))
    enrolled = next(path for path, vector in vectors.items() if (vector == split.templates[0]).all())
    client.enrol(gallery_id, "someone", [enrolled], use_largest_face=True)
    probe = next(path for path, vector in vectors.items() if (vector == split.probes[0]).all())
    (face,) = client.identify(gallery_id, probe).faces
    assert face.candidates[0].similarity == pytest.approx(search(split).mated[0], abs=0.05)


def test_detection_on_a_list_and_on_json_with_stretched_pictures(
    server: RunningServer, samples: Path, tmp_path: Path
) -> None:
    with facewire.Client(server.target) as client:
        found = {name: client.detect(samples / name) for name in ("person_a_1.jpg", "impostor_1.jpg")}
    truth, lines = {}, []
    for name, detections in found.items():
        size = tuple(detections.image_size)
        Image.open(samples / name).convert("RGB").resize((416, 416)).save(tmp_path / name, quality=95)
        boxes = [list(face.box) for face in detections.faces]
        truth[name] = {"boxes_xywh_orig": boxes, "orig_wh": size, "easy_idx": [0]}
        lines += [name, str(len(boxes)), *(" ".join(f"{v:.0f}" for v in box) + " 0 0 0 0 0 0" for box in boxes)]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    result = result_of("detect", "--images", tmp_path, "--truth", tmp_path / "truth.json", folder=tmp_path,
                       server=server)  # fmt: skip
    assert result["ap"]["easy"] == 1.0
    assert result["ap"]["all"] > 0.95
    (tmp_path / "truth.txt").write_text("\n".join(lines) + "\n")
    shown = result_of("detect", "--images", samples, "--truth", tmp_path / "truth.txt", folder=tmp_path, server=server)
    assert shown["ap"].keys() == {"all"}
    assert shown["ap"]["all"] > 0.95


def test_degraded_pictures_are_seeded_and_worse(client: facewire.Client, lfw: Path) -> None:
    path = lfw / "A" / "A_0001.jpg"
    good = FaceReader(client, None, "", None, 0).read(path)
    dark = FaceReader(client, None, "", Corruption("dark", 0.1), 1).read(path)
    again = FaceReader(client, None, "", Corruption("dark", 0.1), 1).read(path)
    np.testing.assert_array_equal(dark.embeddings, again.embeddings)
    assert dark.quality[0][1] < 0.5 * good.quality[0][1], "brightness"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--pairs", "{bad}"), "line 1: expected the number of folds"),
        (("--pairs", "{missing}"), "there is no Nobody_0001.jpg"),
        (("--pairs", "{good}", "--degrade", "fog=1"), "no NAME=LEVEL with a name of dark"),
        (("--pairs", "{good}", "--json", "/nowhere/x.json"), "there is no folder /nowhere"),
        (("--pairs", "{good}", "--set", "models.precision=f32"), "for a server of the command's own"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    server: RunningServer, lfw: Path, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "bad").write_text("no pairs\n")
    (tmp_path / "missing").write_text("1\nNobody\t1\t2\nA\t1\tB\t1\n")
    names = {"bad": tmp_path / "bad", "missing": tmp_path / "missing", "good": lfw / "pairs.txt"}
    done = evaluate("pairs", "--images", lfw, *(a.format(**names) for a in arguments), server=server)
    assert done.returncode in {2, 5}
    assert problem in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
