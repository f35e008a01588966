"""The map of rooms: imports go one way, libraries stay where they belong, files and functions stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import facewire

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server" / "facewire_server"
CLIENT = ROOT / "python" / "facewire"
LAB = ROOT / "python" / "facewire_lab"

# Who may import whom, within the server.
MAY_IMPORT = {
    "domain": {"domain"},
    "pipeline": {"pipeline", "domain"},
    "inference": {"inference", "domain"},
    "gallery": {"gallery", "domain"},
    "telemetry": {"telemetry", "domain"},
    "streaming": {"streaming", "pipeline", "domain"},
    "events": {"events", "domain"},
    "rpc": {"rpc", "engine", "streaming", "pipeline", "domain", "oip"},
    "evaluation": {"evaluation", "pipeline", "domain"},
    "oip": {"oip"},
}
# Which library may be known where; "server/x" is the server's package x.
AT_HOME = {
    "openvino": {"server/inference"},
    "onnx": {"server/inference"},
    "sqlite3": {"server/gallery", "server/events"},
    "google": {"server/rpc", "server/oip", "client"},
    "grpc": {"server/rpc", "server/oip", "client"},
    "pydantic": {"server/inference", "server/config.py", "lab"},
    "torch": {"lab"},
    "av": {"client"},
    "cv2": set(),
}


def is_generated(path: Path) -> bool:
    return "_pb2" in path.name


def sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if not is_generated(path)]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def room_of(path: Path) -> str:
    if path.is_relative_to(CLIENT):
        return "client"
    if path.is_relative_to(LAB):
        return "lab"
    return "server/" + path.relative_to(SERVER).parts[0]


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_imports_go_one_way(room: str) -> None:
    for path in sources(SERVER / room):
        for module in imports_of(path):
            if module.startswith("facewire_server."):
                assert module.split(".")[1] in MAY_IMPORT[room], f"{path.relative_to(ROOT)} imports {module}"


def test_the_client_never_imports_the_server() -> None:
    for path in sources(CLIENT):
        assert not [m for m in imports_of(path) if m.startswith("facewire_server")], path


def test_nobody_needs_the_workshop() -> None:
    for path in [*sources(CLIENT), *sources(SERVER)]:
        assert not [m for m in imports_of(path) if m.startswith("facewire_lab")], path


def test_the_workshop_touches_the_server_through_few_of_its_rooms() -> None:
    """Its detector through a port, its manifest, its conversion; not its streams, galleries or services."""
    allowed = {"domain", "pipeline", "inference", "evaluation", "loading", "cli", "config"}
    for path in sources(LAB):
        touched = {m.split(".")[1] for m in imports_of(path) if m.startswith("facewire_server.")}
        assert touched <= allowed, path


def test_every_room_has_its_rule() -> None:
    rooms = {path.name for path in SERVER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms - {"cli"} == set(MAY_IMPORT)


def test_libraries_stay_at_home() -> None:
    for path in [*sources(SERVER), *sources(CLIENT), *sources(LAB)]:
        for module in imports_of(path):
            allowed = AT_HOME.get(module.split(".")[0])
            assert allowed is None or room_of(path) in allowed, f"{path.relative_to(ROOT)} imports {module}"


def test_ports_are_small() -> None:
    files = [SERVER / "domain" / name for name in ("ports.py", "generation.py")]
    nodes = [node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body]
    ports = [
        n for n in nodes if isinstance(n, ast.ClassDef) and ast.unparse(n.bases[0] if n.bases else n) == "Protocol"
    ]
    assert len(ports) >= 7
    for port in ports:
        methods = [node for node in port.body if isinstance(node, ast.FunctionDef)]
        assert len(methods) <= 5, port.name


def test_files_and_functions_stay_small() -> None:
    for path in [*sources(SERVER), *sources(CLIENT), *sources(LAB)]:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 70, f"{path}: {node.name} has {length} lines"


def test_native_files_stay_small() -> None:
    for path in [p for p in (ROOT / "csrc").rglob("*") if p.suffix in (".cpp", ".hpp", ".inl")]:
        assert path.read_text(encoding="utf-8").count("\n") <= 400, path


def test_instruction_set_files_include_nothing_but_intrinsics() -> None:
    """Anything inline they shared with baseline files could put an AVX-512 body into an old processor's hands."""
    x86 = "<immintrin.h>"
    for name, intrinsics in (("avx2", x86), ("avx512", x86), ("avx512vnni", x86), ("neon", "<arm_neon.h>")):
        lines = (ROOT / "csrc" / "kernels" / f"{name}.cpp").read_text(encoding="utf-8").splitlines()
        included = {line.split()[1] for line in lines if line.startswith("#include")}
        assert included - {'"simd.inl"'} == {intrinsics, '"kernels.hpp"'}


def test_the_public_names_are_those_listed() -> None:
    assert sorted(facewire.__all__) == facewire.__all__
    public = {name for name in vars(facewire) if not name.startswith("_")}
    streams = {
        "aio_stream",
        "analysis",
        "generation",
        "live",
        "calibration",
        "liveness",
        "review",
        "server_info",
        "stream",
        "stream_options",
        "stream_results",
        "synthetic",
        "video",
        "video_writer",
    }
    submodules = {
        "aio",
        "annotate",
        "calibration",
        "cli",
        "client",
        "errors",
        "images",
        "kernels",
        "results",
        "v1",
    } | streams
    assert public - submodules == set(facewire.__all__)  # submodules are there once somebody has imported them


def test_serving_needs_no_model_conversion() -> None:
    """Fetching needs onnx; the container leaves it out."""
    code = "import sys, facewire_server.app, facewire_server.cli.serve; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
