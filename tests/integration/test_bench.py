"""``facewire bench`` against a real server."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from facewire.cli.main import run
from tests.conftest import RunningServer, StartServer


@pytest.fixture
def at_server(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWIRE_SERVER", server.target)


@pytest.mark.usefixtures("at_server")
def test_calls_are_counted_and_timed(door: str, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = str(samples / "person_a_2.jpg")
    assert run(["bench", "calls", picture, "--gallery", door, "--callers", "2", "--seconds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["calls"] > 5
    assert found["faces"] == found["calls"]
    assert found["templates"] == 2
    assert found["errors"] == {}
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"] <= found["worst_ms"]
    assert found["calls_per_s"] == pytest.approx(found["calls"] / found["seconds"], rel=0.01)
    assert 0 < sum(found["stages_ms"].values()) < found["p95_ms"]


@pytest.mark.usefixtures("at_server")
def test_streams_are_counted_and_timed(door: str, samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "streams", str(samples / "person_a_2.jpg"), "--gallery", door, "--streams", "2", "--fps", "10"]
    assert run([*command, "--detect-every", "2", "--seconds", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sent"] == 40
    assert found["answered"] + found["dropped"] == 40
    assert found["detected"] <= 0.6 * found["answered"]
    assert found["embedded"] >= 2
    assert found["detect_every"] >= 2
    assert 0 < found["p50_ms"] <= found["worst_ms"]


@pytest.mark.usefixtures("at_server")
def test_people_get_a_table(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "calls", str(samples / "person_a_2.jpg"), "--seconds", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "detect" in out
    assert "yunet-2023mar" in out


@pytest.mark.usefixtures("at_server")
def test_mistakes_are_told_before_the_load(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = str(samples / "person_a_2.jpg")
    assert run(["bench", "calls", picture, "--gallery", "nowhere"]) == 4
    assert "nowhere" in capsys.readouterr().err
    assert run(["bench", "calls", str(tmp_path / "missing.jpg")]) == 2
    assert run(["bench", "streams", picture, "--seconds", "6000"]) == 2
    no_picture = tmp_path / "text.jpg"
    no_picture.write_text("no picture")
    for verb in ("calls", "streams"):
        assert run(["bench", verb, picture, str(no_picture), "--seconds", "0.5"]) == 5
        assert "text.jpg: image.encoded: is not a JPEG" in capsys.readouterr().err
    monkeypatch.setenv("FACEWIRE_SERVER", "127.0.0.1:1")
    assert run(["bench", "calls", picture, "--timeout", "1"]) == 3


@pytest.mark.parametrize("verb", ["calls", "streams"])
def test_a_lost_server_ends_the_measurement(
    start_server: StartServer,
    samples: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
) -> None:
    running = start_server()
    monkeypatch.setenv("FACEWIRE_SERVER", running.target)
    killer = threading.Timer(2.5, running.process.kill)
    killer.start()
    begun = time.monotonic()
    try:
        assert run(["bench", verb, str(samples / "person_a_2.jpg"), "--seconds", "5", "--json"]) == 3
    finally:
        killer.cancel()
    assert time.monotonic() - begun < 12
    found = json.loads(capsys.readouterr().out)
    assert found["server_lost"]
    assert found["first_error"]
    assert 0.5 < found["seconds"] < 3, "time without a server is not measured"
    if verb == "streams":
        assert found["detected"] > 0, "what was counted before it was lost"
