"""``facewire watch`` and ``facewire eval clips`` as a user runs them: files, folders, cameras, bad days."""

from __future__ import annotations

import csv
import http.server
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pytest

import facewire
from facewire.errors import ImageError
from facewire.video import VideoSource
from facewire.video_writer import VideoWriter
from tests.conftest import RunningServer
from tests.integration.test_cli import FACEWIRE, lines, run
from tests.pictures import Pixels, jpeg, walking

RTSP_SERVER = Path(__file__).parents[1] / "rtsp_server.py"
FPS = 20


def write_clip(path: Path, frames: list[Pixels]) -> Path:
    with VideoWriter(path) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame[:, :, ::-1], number / FPS)
    return path


@pytest.fixture(scope="module")
def clip(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Person A walks for two seconds."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", walking(samples / "person_a_2.jpg", 40))


# --- reading and writing --------------------------------------------------------------------------------


def test_a_written_video_reads_back_with_its_times(clip: Path) -> None:
    frames = list(VideoSource(str(clip)).frames(100.0))
    assert len(frames) == 40
    assert frames[-1].time_s == pytest.approx(100.0 + 39 / FPS, abs=1e-3)
    assert frames[0].rgb().shape == (480, 640, 3)
    assert len(list(VideoSource(str(clip), fps=5).frames())) in (10, 11)


def test_nv12_keeps_the_colours(tmp_path: Path) -> None:
    colours = np.zeros((64, 96, 3), dtype=np.uint8)
    colours[:, :32], colours[:, 32:64], colours[:, 64:] = (200, 40, 40), (40, 200, 40), (40, 40, 200)
    path = write_clip(tmp_path / "c.mp4", [colours[:, :, ::-1]] * 5)
    seen = next(iter(VideoSource(str(path)).frames())).rgb()
    for x in (16, 48, 80):
        assert np.abs(seen[32, x].astype(int) - colours[32, x].astype(int)).max() < 12


def test_a_folder_of_pictures_in_order(samples: Path, tmp_path: Path) -> None:
    for number, frame in enumerate(walking(samples / "person_a_2.jpg", 5)):
        (tmp_path / f"{number:03}.jpg").write_bytes(jpeg(frame))
    (tmp_path / "notes.txt").write_text("left alone")
    frames = list(VideoSource(str(tmp_path), fps=4).frames(0.0))
    assert [f.time_s for f in frames] == [0, 0.25, 0.5, 0.75, 1.0]
    assert isinstance(frames[0].image, bytes)


@pytest.mark.parametrize("source", ["/dev/video99", "77", "rtsp://user:secret@127.0.0.1:9/cam", "http://127.0.0.1:9/x"])
def test_a_camera_that_is_not_there_says_so_without_its_password(source: str) -> None:
    with pytest.raises(ImageError, match="cannot be opened") as caught:
        next(VideoSource(source).frames())
    assert "secret" not in str(caught.value)


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video at all")
    with pytest.raises(ImageError, match="cannot be opened"):
        next(VideoSource(str(text)).frames())
    with pytest.raises(ImageError, match="no such file"):
        VideoSource(str(tmp_path / "missing.mp4"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no JPEG"):
        next(VideoSource(str(tmp_path / "empty")).frames())


# --- watching files -------------------------------------------------------------------------------------


def test_watching_a_file(server: RunningServer, door: str, clip: Path, tmp_path: Path) -> None:
    video, events = tmp_path / "out" / "annotated.mp4", tmp_path / "events.jsonl"
    done = run("watch", clip, "-g", door, "--save", video, "--events", events, "--name", "watch-file", server=server)
    assert done.returncode == 0, done.stderr
    assert "KNOWN" not in done.stdout
    assert "track 1 Person A" in done.stdout
    assert "40 frames answered" in done.stdout
    assert "0 dropped" in done.stdout
    assert "\x1b" not in done.stdout
    kinds = [json.loads(line)["kind"] for line in events.read_text().splitlines()]
    assert kinds == ["APPEARED", "IDENTIFIED", "LEFT"]
    drawn = list(VideoSource(str(video)).frames())
    plain = list(VideoSource(str(clip)).frames())
    assert len(drawn) == 40
    changed = np.abs(drawn[30].rgb().astype(int) - plain[30].rgb().astype(int)).max(axis=2) > 60
    assert 500 < changed.sum() < 30_000, "a box and a name are drawn"


def test_watching_as_json(server: RunningServer, door: str, clip: Path) -> None:
    done = run("watch", clip, "-g", door, "--json", "--jpeg", server=server)
    answers = lines(done)
    assert len(answers) == 40
    assert answers[-1]["tracks"][0]["subject"]["display_name"] == "Person A"
    assert answers[-1]["counters"]["processed"] == 40


def test_a_terminal_shows_a_live_table(server: RunningServer, door: str, clip: Path) -> None:
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "FACEWIRE_SERVER": server.target}
    process = subprocess.Popen(
        [str(FACEWIRE), "watch", str(clip), "-g", door, "--realtime"], stdout=terminal, env=environment
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert process.wait(30) == 0
    assert b"Person A" in shown
    assert b"frames/s" in shown
    assert b"\x1b[" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.mp4"], 5, "no such file"),
        (["{clip}", "-g", "no-such-gallery"], 4, "does not exist"),
        (["{clip}", "--save", "/proc/nowhere/x.mp4"], 5, "cannot be"),
        (["{clip}", "--save", "{clip}"], 2, "is the source"),
        (["{clip}", "--save", "out.txt"], 2, "must end in .mp4"),
        (["{clip}", "--line", "door=1,2"], 2, "NAME=x1,y1,x2,y2"),
        (["{clip}", "--events", "/proc/nowhere"], 5, "cannot be"),
        (["{clip}", "--detect-every", "0"], 2, "detect-every"),
    ],
)
def test_mistakes_have_messages(
    server: RunningServer, clip: Path, arguments: list[str], code: int, message: str
) -> None:
    done = run("watch", *[a.replace("{clip}", str(clip)) for a in arguments], server=server)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_no_server_is_said_soon(clip: Path) -> None:
    begun = time.monotonic()
    done = run("watch", clip, "--server", "127.0.0.1:9")
    assert done.returncode == 3
    assert "no facewire server answers" in done.stderr
    assert time.monotonic() - begun < 20


# --- cameras on the network -----------------------------------------------------------------------------


@contextmanager
def rtsp_camera(clip: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(RTSP_SERVER), str(clip), "--loop", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def watch_in_background(
    server: RunningServer, *arguments: str | Path
) -> tuple[subprocess.Popen[str], list[str], list[str]]:
    process = subprocess.Popen(
        [str(FACEWIRE), "watch", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "FACEWIRE_SERVER": server.target, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    out: list[str] = []
    err: list[str] = []
    for stream, into in ((process.stdout, out), (process.stderr, err)):
        assert stream is not None
        threading.Thread(target=_read_lines, args=(stream, into), daemon=True).start()
    return process, out, err


def _read_lines(stream: IO[str], into: list[str]) -> None:
    with stream:
        into.extend(stream)


def until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_rtsp_camera_that_is_lost_and_comes_back(server: RunningServer, door: str, clip: Path) -> None:
    with rtsp_camera(clip) as (camera, url):
        port = int(url.split(":")[2].split("/")[0])
        process, out, err = watch_in_background(server, url, "-g", door, "--name", "rtsp", "--json")
        until(lambda: any("Person A" in line for line in out))
        camera.kill()
        camera.wait()
        until(lambda: any("is lost" in line for line in err))
    with rtsp_camera(clip, port):
        until(lambda: any("is back" in line for line in err))
        seen = len(out)
        until(lambda: len(out) > seen + 10)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
    assert not [line for line in err if "Traceback" in line], err
    sequences = [json.loads(line)["sequence"] for line in out if line.startswith("{") and line.endswith("}\n")]
    assert sequences == sorted(set(sequences)), "one stream, before and after"


def test_an_http_camera(server: RunningServer, door: str, samples: Path) -> None:
    pictures = [jpeg(frame) for frame in walking(samples / "person_a_2.jpg", 20)]

    class Camera(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for number in range(10_000):
                    data = pictures[number % len(pictures)]
                    self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data))
                    self.wfile.write(data + b"\r\n")
                    time.sleep(0.05)
            except OSError:
                pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera) as web:
        web.daemon_threads = True
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{web.server_address[1]}/video"
            done = run("watch", url, "-g", door, "--seconds", "2", server=server)
        finally:
            web.shutdown()
            thread.join()
    assert done.returncode == 0, done.stderr
    assert "Person A" in done.stdout


def test_watching_survives_a_server_that_is_killed(
    start_server: Callable[..., RunningServer], samples: Path, clip: Path
) -> None:
    server = start_server()
    with facewire.Client(server.target) as client:
        client.create_gallery("door")
        client.enrol("door", "person-a", [samples / "person_a_1.jpg"], display_name="Person A")
    long_clip = write_clip(clip.with_name("long.mp4"), walking(samples / "person_a_2.jpg", 160))
    process, out, err = watch_in_background(server, long_clip, "-g", "door", "--json", "--realtime", "--lossless")
    until(lambda: len(out) > 20)
    server.process.kill()
    server.process.wait()
    start_server("--port", server.target.split(":")[1], gallery_db=server.gallery_db)
    assert process.wait(60) == 0, err
    until(lambda: len(out) >= 158, 5)
    answers = [json.loads(line) for line in out]
    assert [a["sequence"] for a in answers] == sorted({a["sequence"] for a in answers})
    assert len(answers) >= 158, "no frame is lost with a lossless stream, at most an answer under way"
    assert answers[-1]["tracks"][0]["subject"]["display_name"] == "Person A"


# --- evaluation -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clips(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips made of the sample photographs: two people twice, one once."""
    folder = tmp_path_factory.mktemp("clips")
    made = {
        "a1.mp4": ("person_a_1.jpg", "A"), "a2.mp4": ("person_a_2.jpg", "A"),
        "b1.mp4": ("person_b_1.jpg", "B"), "b2.mp4": ("person_b_2.jpg", "B"), "c1.mp4": ("impostor_1.jpg", "C"),
    }  # fmt: skip
    for name, (picture, _) in made.items():
        write_clip(folder / name, walking(samples / picture, 24))
    with (folder / "persons.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "person"])
        writer.writerows((name, person) for name, (_, person) in made.items())
    return folder


KEYS = {
    "clips", "right", "wrong_known_frames", "id_switches", "median_seconds_to_name", "embedder_calls", "face_frames",
}  # fmt: skip


def evaluate(clips: Path, *arguments: str, server: RunningServer) -> dict[str, object]:
    result = clips / "result.json"
    done = run("eval", "clips", "--clips", clips, "--persons", clips / "persons.csv", "--json", result,
               "--server", server.target, *arguments)  # fmt: skip
    assert done.returncode == 0, done.stderr
    value: dict[str, object] = json.loads(result.read_text())
    assert value.keys() >= KEYS
    return value


def test_clips_of_known_people_get_their_names(server: RunningServer, clips: Path) -> None:
    result = evaluate(clips, server=server)
    assert (result["clips"], result["right"], result["wrong_known_frames"]) == (2, 2, 0)
    assert result["median_seconds_to_name"] <= 0.5  # type: ignore[operator]
    assert result["face_frames"] > 5 * result["embedder_calls"]  # type: ignore[operator]


def test_people_left_out_stay_without_a_name(server: RunningServer, clips: Path) -> None:
    result = evaluate(clips, "--leave-out", server=server)
    assert (result["clips"], result["right"], result["wrong_known_frames"]) == (5, 5, 0)
    assert result["median_seconds_to_name"] is None


def test_degraded_clips_are_seeded(server: RunningServer, clips: Path) -> None:
    arguments = ("--drop", "0.3", "--fps", "10", "--scale", "0.5", "--quality", "40")
    first, again = (evaluate(clips, *arguments, "--seed", "7", server=server) for _ in range(2))
    assert first["face_frames"] == again["face_frames"]
    assert first["wrong_known_frames"] == 0
    other = evaluate(clips, *arguments, "--seed", "8", server=server)
    assert [d["frames"] for d in other["details"]] != [d["frames"] for d in first["details"]]  # type: ignore[attr-defined]


def test_evaluation_says_what_is_wrong_with_its_input(server: RunningServer, clips: Path, tmp_path: Path) -> None:
    bad = tmp_path / "persons.csv"
    for content, message in (("clip,person\nmissing.mp4,A\n", "not in"), ("a,b\n1,2\n", "columns clip and person")):
        bad.write_text(content)
        done = run("eval", "clips", "--clips", clips, "--persons", bad, "--server", server.target)
        assert done.returncode == 5
        assert message in done.stderr
