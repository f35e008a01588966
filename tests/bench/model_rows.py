"""The networks inside our workers against OpenVINO's own benchmark_app on the same files, shapes and cores."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime

from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import CachedModel
from facewire_server.inference.runtime import CompiledShape
from facewire_server.inference.specs import DetectorModel, EmbedderModel, ModelSpec
from tests.bench.opencv_pipeline import weights
from tests.bench.our_pipeline import OurPipeline, configuration
from tests.bench.row import Row, alternate, faster
from tests.bench.scenes import ready_cache

SECONDS = 3.0


def rows(rounds: int) -> Iterator[Row]:
    """Detector at 640x384, embedder."""
    config = configuration()
    models = OurPipeline(10).models
    shapes = {
        "detector": next(c for s, c in models.detector.network.shapes.items() if s[2:] == (384, 640)),
        "embedder": next(iter(models.embedder.network.shapes.values())),
    }
    manifest = load_manifest()
    specs: dict[str, ModelSpec] = {
        "detector": manifest.of(config.models.detector, DetectorModel),
        "embedder": manifest.of(config.models.embedder, EmbedderModel),
    }
    precisions = {facts.task: facts.precision for facts in models.facts}
    for task, compiled in shapes.items():
        cached = ready_cache().verify(specs[task])
        xml = _file(cached, precisions[task])
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(seconds_an_inference(compiled))
            theirs.append(benchmark_app(xml, compiled))
        yield faster(
            f"{task} in our workers, {precisions[task]}",
            ("a network of one thread for each worker", ours),
            ("benchmark_app -hint throughput", theirs),
            0.9,
            unit="ms an inference",
            note="all cores",
        )
        if task == "embedder":  # the published detector is of one size, 640x640
            yield faster(
                f"{task} in our workers, {precisions[task]}, against onnxruntime",
                ("a network of one thread for each worker", ours),
                ("onnxruntime, float32, all cores inside an inference", _onnxruntime(compiled, rounds)),
                1.0,
                unit="ms an inference",
            )


def _onnxruntime(compiled: CompiledShape, rounds: int) -> list[float]:
    """Seconds an inference of the published embedder."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(weights()["embedder"]), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: np.zeros(compiled.shape, dtype=np.float32)}
    return alternate({"onnxruntime": lambda: session.run(None, inputs)}, rounds, seconds=1.0)["onnxruntime"]


def _file(cached: CachedModel, precision: str) -> Path:
    return cached.int8_xml if precision == "int8" and cached.int8_xml is not None else cached.xml


def seconds_an_inference(compiled: CompiledShape) -> float:
    """All workers at once, each with its own request."""
    cores = len(os.sched_getaffinity(0))
    done = [0] * cores
    start = time.perf_counter()

    def run(number: int) -> None:
        with compiled.borrow() as request:
            while time.perf_counter() < start + SECONDS:
                request.infer()
                done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(cores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / sum(done)


def benchmark_app(xml: Path, compiled: CompiledShape) -> float:
    """Seconds an inference, by its own account."""
    n, channels, height, width = compiled.shape
    shape = [n, height, width, channels] if compiled.takes_bytes else [n, channels, height, width]
    command = [
        Path(sys.executable).with_name("benchmark_app"), "-m", xml, "-shape", str(shape).replace(" ", ""),
        "-d", "CPU", "-t", str(int(SECONDS)), "-hint", "throughput", "-infer_precision", "f32",
    ]  # fmt: skip
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    found = re.search(r"Throughput:\s+([\d.]+) FPS", done.stdout)
    if found is None:
        raise SystemExit(f"benchmark_app said no throughput:\n{done.stdout[-2000:]}")
    return 1.0 / float(found[1])
