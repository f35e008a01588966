"""What the work costs as it grows: faces, frame size, gallery, streams.

python -m tests.bench.curves [--out bench-output] [--pictures docs/pictures]
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
import simplejpeg
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from rich.console import Console

from facewire.kernels import GalleryIndex
from facewire_server.pipeline.decoding import decode_image
from tests.bench import machine
from tests.bench.our_pipeline import GALLERY as BENCH_GALLERY
from tests.bench.our_pipeline import MAX_PIXELS, OurPipeline, call, options
from tests.bench.scenes import JPEG_QUALITY, jpegs, scene
from tests.bench.server_process import bench_server
from tests.bench.stream_rows import drive

Curve = dict[str, list[float]]
STAGES = ("decode", "detect", "align", "embed", "search")
SIZES = {"640x480": (640, 480), "1280x720": (1280, 720), "1920x1080": (1920, 1080), "2560x1440": (2560, 1440),
         "3840x2160": (3840, 2160)}  # fmt: skip
ROUNDS = 9


def _stages(ours: OurPipeline, data: bytes) -> dict[str, float]:
    """Milliseconds of each stage of a picture, one thread; medians."""
    measured: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for _ in range(ROUNDS):
        made = call()
        with made.clock.stage("decode"):
            frame = decode_image(data, MAX_PIXELS)
        ours.recognizer.identify(frame, BENCH_GALLERY, options(), 5, None, made)
        for stage in STAGES:
            measured[stage].append(made.clock.ms.get(stage, 0.0))  # type: ignore[call-overload]
    return {stage: statistics.median(values) for stage, values in measured.items()}


def by_faces(ours: OurPipeline) -> Curve:
    """720p frames with 1 to 64 faces."""
    counts = [1, 2, 4, 8, 16, 32, 64]
    curve: Curve = {name: [] for name in ("faces asked", "faces", *STAGES)}
    for count in counts:
        data = jpegs(count)[0]
        found = len(ours.answer(data).identifications)
        curve["faces asked"].append(count)
        curve["faces"].append(found)
        for stage, ms in _stages(ours, data).items():
            curve[stage].append(ms)
    return curve


def by_frame(ours: OurPipeline) -> Curve:
    """One face in frames from VGA to 4K."""
    curve: Curve = {name: [] for name in ("megapixels", *STAGES)}
    for width, height in SIZES.values():
        data = simplejpeg.encode_jpeg(scene(1, width, height), JPEG_QUALITY, "BGR", "420")
        curve["megapixels"].append(width * height / 1e6)
        for stage, ms in _stages(ours, data).items():
            curve[stage].append(ms)
    return curve


def by_gallery() -> Curve:
    """Top-5 of 1,000 to 2,000,000 templates, one thread."""
    random = np.random.default_rng(5)
    index = GalleryIndex(128)
    curve: Curve = {"templates": [], "codes ms": [], "floats ms": []}
    for size in (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000):
        more = size - len(index)
        index.add(random.standard_normal((more, 128), dtype=np.float32), np.arange(len(index), size))
        query = random.standard_normal((1, 128), dtype=np.float32)
        curve["templates"].append(size)
        for form in ("codes", "floats"):
            search = functools.partial(index.search, query, 5, compressed=form == "codes")
            curve[f"{form} ms"].append(_median_ms(search))
    return curve


def _median_ms(work: Callable[[], object]) -> float:
    took = []
    work()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took)


def by_streams() -> Curve:
    """1 to 64 cameras of 25 frames/s, 720p, two faces, detection in every frame asked for."""
    curve: Curve = {"streams": [], "answered": [], "detected": [], "server ms": []}
    with bench_server("--set", "streams.max_streams_per_client=64") as server:
        for count in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64):
            measured = drive(server, count, 1, seconds=8.0)
            curve["streams"].append(count)
            curve["answered"].append(1 - measured["dropped"] / measured["received"])
            curve["detected"].append(measured["detected"] / measured["received"])
            curve["server ms"].append(measured["server_ms"])
    return curve


def _stacked(axes: Axes, curve: Curve, across: str, labels: list[str]) -> None:
    places = range(len(curve[across]))
    below = np.zeros(len(curve[across]))
    for stage in STAGES:
        axes.bar(places, curve[stage], bottom=below, label=stage)
        below += np.array(curve[stage])
    axes.set_xticks(places, labels)
    axes.set_ylabel("ms a frame, one thread")
    axes.legend(frameon=False)


def plot(path: Path, curves: dict[str, Curve], facts: dict[str, object]) -> None:
    """Four panels."""
    figure, ((faces, frames), (gallery, streams)) = plt.subplots(2, 2, figsize=(12, 8.4), layout="constrained")
    _stacked(faces, curves["faces"], "faces", [f"{n:.0f}" for n in curves["faces"]["faces"]])
    faces.set_title("faces in a 720p frame")
    _stacked(frames, curves["frames"], "megapixels", list(SIZES))
    frames.set_title("frame size, one face")
    for form in ("codes", "floats"):
        gallery.loglog(curves["gallery"]["templates"], curves["gallery"][f"{form} ms"], marker="o", label=form)
    gallery.set_title("gallery: one search, one thread")
    gallery.set_xlabel("templates of 128 values")
    gallery.set_ylabel("ms")
    gallery.legend(frameon=False)
    gallery.grid(alpha=0.3)
    for kind in ("answered", "detected"):
        streams.plot(curves["streams"]["streams"], [100 * v for v in curves["streams"][kind]], marker="o", label=kind)
    streams.set_title("cameras of 25 frames/s, 720p, two faces")
    streams.set_xlabel("streams (the cameras' process on the same cores)")
    streams.set_ylabel("% of frames")
    streams.set_ylim(0, 105)
    streams.legend(frameon=False)
    streams.grid(alpha=0.3)
    for axes in (faces, frames, gallery, streams):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{facts['processor']}, {facts['cores']} cores, {facts['isa']}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, default=Path("bench-output"))
    arguments.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    chosen = arguments.parse_args()
    console = Console()
    ours = OurPipeline(1000)
    curves: dict[str, Curve] = {}
    for name, measure in (
        ("faces", lambda: by_faces(ours)),
        ("frames", lambda: by_frame(ours)),
        ("gallery", by_gallery),
        ("streams", by_streams),
    ):
        with console.status(f"measuring: {name} ..."):
            curves[name] = measure()
        console.log(name, curves[name])
    facts = machine.facts()
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "curves.json").write_text(json.dumps({"machine": facts, "curves": curves}, indent=1) + "\n")
    plot(chosen.pictures / "curves.png", curves, facts)


if __name__ == "__main__":
    main()
