"""The command line as a script uses it: output, JSON, exit codes, messages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire.cli.enrol import _portions
from tests.conftest import RunningServer

FACEWIRE = Path(sys.executable).with_name("facewire")


def run(*arguments: str | Path, server: RunningServer | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"FACEWIRE_SERVER": server.target} if server else {})}
    command = [str(FACEWIRE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def people(samples: Path, tmp_path: Path) -> Path:
    """A folder of people: two named folders, one bad picture."""
    folder = tmp_path / "people"
    for person, picture in (("Élodie A.", "person_a_1.jpg"), ("Person B", "person_b_1.jpg")):
        (folder / person).mkdir(parents=True)
        shutil.copy(samples / picture, folder / person)
    (folder / "Person B" / "broken.jpg").write_text("no picture")
    (folder / "Person B" / "notes.txt").write_text("left alone")
    return folder


def test_enrol_then_identify(server: RunningServer, gallery_id: str, people: Path, samples: Path) -> None:
    enrolled = run("enrol", people, "--gallery", gallery_id, server=server)
    assert enrolled.returncode == 1, "a picture was refused"
    assert "2 of 3 pictures of 2 people enrolled" in enrolled.stdout
    assert "BAD_IMAGE" in enrolled.stdout
    assert "\x1b" not in enrolled.stdout, "colours in a pipe"
    assert enrolled.stderr == "", "a progress bar in a pipe"
    found = run("identify", samples / "person_a_2.jpg", "-g", gallery_id, "--json", server=server)
    (answer,) = lines(found)
    assert found.returncode == 0
    assert answer["faces"][0]["decision"] == "MATCH"
    assert answer["faces"][0]["match"]["subject_id"] == "elodie-a"
    assert answer["faces"][0]["match"]["display_name"] == "Élodie A."
    stranger = run("identify", samples / "impostor_1.jpg", "-g", gallery_id, server=server)
    assert stranger.returncode == 1
    assert "UNKNOWN" in stranger.stdout


def test_enrol_makes_the_gallery_and_json_tells_each_picture(
    server: RunningServer, client: facewire.Client, people: Path
) -> None:
    done = run("enrol", people, "-g", "made-by-enrol", "--json", server=server)
    client.delete_gallery("made-by-enrol")
    assert "gallery 'made-by-enrol' made" in done.stderr
    refusals = {Path(line["picture"]).name: line["refusal"] for line in lines(done)}
    assert refusals == {"person_a_1.jpg": "", "person_b_1.jpg": "", "broken.jpg": "BAD_IMAGE"}


def test_detect_and_embed(server: RunningServer, samples: Path, tmp_path: Path) -> None:
    picture = samples / "person_b_1.jpg"
    assert "0.95" in run("detect", picture, server=server).stdout
    drawn = tmp_path / "drawn.png"
    assert run("detect", picture, "--save", drawn, server=server).returncode == 0
    with Image.open(drawn) as made, Image.open(picture) as given:
        assert made.size == given.size
    saved = tmp_path / "e.npz"
    assert run("embed", picture, samples / "person_b_2.jpg", "--save", saved, server=server).returncode == 0
    with np.load(saved) as content:
        embeddings = content["embeddings"]
    assert embeddings.shape == (2, 128)
    assert float(embeddings[0] @ embeddings[1]) > 0.6
    grey = tmp_path / "grey.png"
    Image.new("RGB", (200, 200), "grey").save(grey)
    nothing = run("detect", grey, server=server)
    assert nothing.returncode == 1
    assert "none detected" in nothing.stdout


def test_verify(server: RunningServer, door: str, samples: Path) -> None:
    probe = samples / "person_a_2.jpg"
    same = run("verify", probe, samples / "person_a_1.jpg", server=server)
    assert (same.returncode, "MATCH" in same.stdout) == (0, True)
    enrolled = run("verify", probe, f"{door}/person-a", "--json", server=server)
    assert lines(enrolled)[0]["decision"] == "MATCH"
    other = run("verify", probe, samples / "impostor_1.jpg", server=server)
    assert (other.returncode, "NON_MATCH" in other.stdout) == (1, True)


def test_galleries_are_managed(server: RunningServer, door: str, tmp_path: Path) -> None:
    assert door in run("gallery", "list", server=server).stdout
    changed = run("gallery", "set-subject", door, "person-a", "--label", "staff", "--name", "Ada", server=server)
    assert "Ada" in changed.stdout
    (subject,) = lines(run("gallery", "subjects", door, "--label", "staff", "--json", server=server))
    assert subject["display_name"] == "Ada"
    file = tmp_path / "door.fwg"
    assert run("gallery", "export", door, file, server=server).returncode == 0
    copied = run("gallery", "import", file, "--as", f"{door}-2", server=server)
    assert "2 subjects, 2 faces" in copied.stdout
    assert run("gallery", "delete", f"{door}-2", "--yes", server=server).returncode == 0
    (face, _) = lines(run("gallery", "faces", door, "--json", server=server))
    assert run("gallery", "remove-face", door, face["face_id"], server=server).returncode == 0
    assert run("gallery", "remove-subject", door, "person-b", server=server).returncode == 0
    assert [s["subject_id"] for s in lines(run("gallery", "subjects", door, "--json", server=server))] == ["person-a"]


def test_info_and_health(server: RunningServer) -> None:
    assert "yunet-2023mar" in run("info", server=server).stdout
    assert run("health", server=server).stdout == "serving\n"
    dead = run("health", "--server", "127.0.0.1:1", "--json")
    assert dead.returncode == 1
    assert lines(dead) == [{"server": "127.0.0.1:1", "serving": False}]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("identify", "missing.jpg", "-g", "g"), 5, "picture missing.jpg: No such file"),
        (("gallery", "subjects", "nowhere"), 4, "gallery 'nowhere' does not exist [NOT_FOUND]"),
        (("gallery", "create", "Bad Name"), 4, "must be 1 to 63 characters"),
        (("identify",), 2, "Missing argument"),
        (("nonsense",), 2, "No such command"),
        (("info", "--server", "127.0.0.1:1", "--timeout", "5"), 3, "no facewire server answers at 127.0.0.1:1"),
        (("serve", "--set", "server.port=99999"), 2, "server.port"),
        (("serve", "--config", "missing.toml"), 2, "missing.toml"),
    ],
)
def test_failures_have_a_message_and_an_exit_code(
    server: RunningServer, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(*arguments, server=server)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_every_verb_has_help_with_an_example() -> None:
    for verb in (
        "serve",
        "models",
        "demo",
        "detect",
        "embed",
        "verify",
        "identify",
        "enrol",
        "gallery",
        "info",
        "health",
    ):
        done = run(verb, "--help")
        assert done.returncode == 0
        assert "Example" in done.stdout, verb


def test_models_are_listed_and_verified() -> None:
    listed = {line["name"]: line for line in lines(run("models", "list", "--json"))}
    assert listed["sface-2021dec"]["licence"] == "Apache-2.0"
    assert run("models", "verify").stdout == "yunet-2023mar: ok\nsface-2021dec: ok\n"
    absent = run("models", "verify", "--set", "models.cache_dir=/nonexistent")
    assert absent.returncode == 1
    assert "facewire models fetch" in absent.stdout


def test_a_folder_without_people_is_explained(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "loose.jpg").write_bytes(b"x")
    done = run("enrol", tmp_path, "-g", "g", server=server)
    assert done.returncode == 2
    assert "put each person's pictures into" in done.stderr


def test_one_bad_picture_does_not_end_the_others(
    server: RunningServer, door: str, samples: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "notes[b].jpg"
    bad.write_text("no picture")
    done = run("identify", samples / "person_a_2.jpg", bad, samples / "person_b_2.jpg", "-g", door, server=server)
    assert done.returncode == 5
    assert "Person A" in done.stdout
    assert "Person B" in done.stdout
    assert "notes[b].jpg: image.encoded: is not a JPEG" in done.stderr


def test_names_are_shown_as_they_are(server: RunningServer, client: facewire.Client, door: str, samples: Path) -> None:
    client.update_subject(door, "person-a", display_name="[red]Ada [/b] Lovelace")
    done = run("identify", samples / "person_a_2.jpg", "-g", door, server=server)
    assert (done.returncode, "[red]Ada [/b] Lovelace" in done.stdout) == (0, True)


def test_a_second_enrolment_is_no_failure(
    server: RunningServer, gallery_id: str, samples: Path, tmp_path: Path
) -> None:
    person = tmp_path / "people" / "ada"
    person.mkdir(parents=True)
    shutil.copy(samples / "person_a_1.jpg", person)
    assert run("enrol", tmp_path / "people", "-g", gallery_id, server=server).returncode == 0
    again = run("enrol", tmp_path / "people", "-g", gallery_id, server=server)
    assert (again.returncode, "1 were already" in again.stdout) == (0, True)


def test_pictures_go_into_messages_that_fit(tmp_path: Path) -> None:
    pictures = []
    for number, size in enumerate((400, 400, 400, 2000, 100)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"x" * size)
        pictures.append(path)
    plan = _portions({"ada": ("Ada", pictures)}, max_pictures=32, max_message_bytes=1000)
    assert [[int(p.stem) for p in portion] for _, _, portion in plan] == [[0, 1], [2], [3], [4]]


def test_files_that_cannot_be_written_are_named(server: RunningServer, samples: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "missing" / "x.jpg", tmp_path / "out.xyz"):
        done = run("detect", samples / "person_a_1.jpg", "--save", target, server=server)
        assert done.returncode == 5
        assert "Traceback" not in done.stderr
        assert "facewire: " in done.stderr


def test_waiting_for_a_server(server: RunningServer) -> None:
    assert run("health", "--wait", "20", server=server).returncode == 0
    assert run("health", "--wait", "0.3", "--server", "127.0.0.1:1").returncode == 3
