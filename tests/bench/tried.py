"""What was tried for speed, kept or not: the alternatives beside what is used, measured alternately.

python -m tests.bench.tried
"""

from __future__ import annotations

import ctypes
import functools
import io
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
import simplejpeg
from PIL import Image
from rich.console import Console
from rich.table import Table

from facewire import kernels
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.quiet_openvino import ov
from facewire_server.inference.specs import DetectorModel, EmbedderModel
from tests.bench.our_pipeline import configuration
from tests.bench.row import alternate
from tests.bench.scenes import jpegs, ready_cache, scene
from tests.pictures import to_nv12

ROUNDS = 9
_PR_SET_THP_DISABLE = 41


def decoders() -> dict[str, float]:
    """A 720p JPEG with a face, one thread."""
    data = jpegs(1)[0]
    cv2.setNumThreads(1)
    plain = {"colorspace": "RGB"}
    half = {**plain, "min_width": 640, "min_height": 360, "min_factor": 1}
    return _medians(
        {
            "simplejpeg (used)": lambda: simplejpeg.decode_jpeg(data, **plain),
            "cv2.imdecode": lambda: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR),
            "Pillow": lambda: np.asarray(Image.open(io.BytesIO(data))),
            "simplejpeg, merged upsampling": lambda: simplejpeg.decode_jpeg(data, fastupsample=True, **plain),
            "simplejpeg, fast DCT": lambda: simplejpeg.decode_jpeg(data, fastdct=True, **plain),
            "simplejpeg to half size": lambda: simplejpeg.decode_jpeg(data, **half),
        }
    )


def letterboxes() -> dict[str, float]:
    """A frame to 640x384 bytes, one thread."""
    tensor, floats = np.zeros((384, 640, 3), np.uint8), np.zeros((3, 384, 640), np.float32)
    hd, full = scene(2), scene(2, 1920, 1080)
    nv12 = to_nv12(hd)
    return _medians(
        {
            "720p BGR to bytes (used)": lambda: kernels.letterbox(hd, "bgr", tensor),
            "720p BGR to floats": lambda: kernels.letterbox(hd, "bgr", floats),
            "720p NV12 to bytes": lambda: kernels.letterbox(nv12, "nv12", tensor),
            "1080p BGR to bytes": lambda: kernels.letterbox(full, "bgr", tensor),
        }
    )


def networks() -> dict[str, float]:
    """Both cores busy, by form of the network."""
    manifest, config = load_manifest(), configuration()
    core = ov.Core()
    each: dict[str, float] = {}
    for task, spec, shape in (
        ("detector 640x384", manifest.of(config.models.detector, DetectorModel), (384, 640)),
        ("embedder", manifest.of(config.models.embedder, EmbedderModel), (112, 112)),
    ):
        cached = ready_cache().verify(spec)
        for form, xml, precision in (
            ("int8", cached.int8_xml, "f32"), ("f32", cached.xml, "f32"), ("bf16", cached.xml, "bf16"),
        ):  # fmt: skip
            for threads in ("a network a worker", "one network, two streams"):
                model = core.read_model(xml)
                takes_bytes = model.inputs[0].get_element_type() == ov.Type.u8
                model.reshape([1, *shape, 3] if takes_bytes else [1, 3, *shape])
                requests = _requests(core, model, precision, threads)
                each[f"{task}, {form}, {threads}"] = _both_cores_ms(functools.partial(_infer, requests))
    return each


def _infer(requests: list[ov.InferRequest], number: int) -> None:
    requests[number].infer()


def _requests(core: ov.Core, model: ov.Model, precision: str, threads: str) -> list[ov.InferRequest]:
    options: dict[str, object] = {"INFERENCE_PRECISION_HINT": precision}
    if threads == "a network a worker":
        options |= {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        return [core.compile_model(model, "CPU", options).create_infer_request() for _ in range(2)]
    options |= {"NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2}
    compiled = core.compile_model(model, "CPU", options)
    return [compiled.create_infer_request() for _ in range(2)]


def _both_cores_ms(work: Callable[[int], object]) -> float:
    """Milliseconds a call, two threads calling without a pause; the median of several rounds."""
    rounds = []
    for _ in range(5):
        done, end = [0, 0], time.perf_counter() + 0.5

        def run(number: int, done: list[int] = done, end: float = end) -> None:
            while time.perf_counter() < end:
                work(number)
                done[number] += 1

        start = time.perf_counter()
        workers = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        rounds.append((time.perf_counter() - start) / sum(done) * 1e3)
    return statistics.median(rounds)


def whole_frames() -> dict[str, float]:
    """Decode, detector and embedder of a frame, both cores: threads of OpenVINO's own have to be woken each time."""
    core, manifest, config = ov.Core(), load_manifest(), configuration()
    data = jpegs(1)[0]
    each: dict[str, float] = {}
    for threads in ("a network a worker", "one network, two streams"):
        steps = []
        for spec, shape in (
            (manifest.of(config.models.detector, DetectorModel), (384, 640)),
            (manifest.of(config.models.embedder, EmbedderModel), (112, 112)),
        ):
            cached = ready_cache().verify(spec)
            model = core.read_model(cached.int8_xml or cached.xml)
            takes_bytes = model.inputs[0].get_element_type() == ov.Type.u8
            model.reshape([1, *shape, 3] if takes_bytes else [1, 3, *shape])
            steps.append(_requests(core, model, "f32", threads))

        def frame(number: int, steps: list[list[ov.InferRequest]] = steps) -> None:
            simplejpeg.decode_jpeg(data)
            for requests in steps:
                requests[number].infer()

        each[threads] = _both_cores_ms(frame)
    return each


def batches() -> dict[str, float]:
    """Embedder, milliseconds a face, one thread."""
    core = ov.Core()
    manifest, config = load_manifest(), configuration()
    cached = ready_cache().verify(manifest.of(config.models.embedder, EmbedderModel))
    works: dict[str, Callable[[], object]] = {}
    for batch in (1, 2, 4, 8):
        model = core.read_model(cached.int8_xml or cached.xml)
        model.reshape([batch, 3, 112, 112])
        options = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1,
                   "ENABLE_CPU_PINNING": False}  # fmt: skip
        works[str(batch)] = core.compile_model(model, "CPU", options).create_infer_request().infer
    return {f"batch {name}": ms / int(name) for name, ms in _medians(works).items()}


def pages() -> dict[str, float]:
    """A search of 300,000 templates with and without huge pages, each in a process of its own."""
    each: dict[str, float] = {}
    for name, disable in (("huge pages (used)", "0"), ("pages of 4 kB", "1")):
        command = [sys.executable, "-m", "tests.bench.tried", "--scan", disable]
        codes, floats = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        each[f"codes, {name}"], each[f"floats, {name}"] = float(codes), float(floats)
    return each


def _scan(disable_huge_pages: bool) -> None:
    if disable_huge_pages:
        ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    random = np.random.default_rng(1)
    index = kernels.GalleryIndex(128)
    index.add(random.standard_normal((300_000, 128), dtype=np.float32), np.arange(300_000))
    query = random.standard_normal((1, 128), dtype=np.float32)
    found = _medians(
        {"codes": lambda: index.search(query, 5), "floats": lambda: index.search(query, 5, compressed=False)}
    )
    print(found["codes"], found["floats"])


def _medians(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    return {name: statistics.median(took) * 1e3 for name, took in alternate(works, ROUNDS, seconds=0.08).items()}


def main() -> None:
    if "--scan" in sys.argv:
        _scan(sys.argv[-1] == "1")
        return
    console = Console(width=100)
    for title, measure in (
        ("decode a 720p JPEG", decoders),
        ("letterbox", letterboxes),
        ("networks, both cores", networks),
        ("decode and networks, both cores, a frame", whole_frames),
        ("embedder batches, a face", batches),
        ("pages", pages),
    ):
        table = Table(title, "ms")
        for name, ms in measure().items():
            table.add_row(name, f"{ms:.3f}")
        console.print(table)


if __name__ == "__main__":
    main()
