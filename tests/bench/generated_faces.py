"""Whether a generator's pictures are faces, and of how many people: detector, embeddings, time.

python -m tests.bench.generated_faces --count 1024
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.progress import track

from facewire_server.config import load_config
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.loading import load_models
from facewire_server.pipeline.recognizer import largest_face
from tests.bench.scenes import ready_cache


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="dcgan-faces-64")
    parser.add_argument("--count", type=int, default=1024)
    arguments = parser.parse_args()
    cache = ready_cache()
    fetch_model(cache, load_manifest(None).get(arguments.model), None, lambda done, total: None)
    models = load_models(
        load_config(None, {"models": {"cache_dir": cache.folder}, "generation": {"model": arguments.model}})
    )
    assert models.generator is not None
    normal = np.random.default_rng(0)
    embeddings, times = [], []
    for _ in track(range(arguments.count), "faces"):
        clock = StageClock()
        latent = normal.standard_normal(models.generator.latent, dtype=np.float32)
        frame = Frame(models.generator.generate(latent, clock), "rgb")
        times.append(clock.ms["generate"])
        face = largest_face(models.detector.detect(frame, None, 10))
        if len(face):
            embeddings.append(models.embedder.encode(frame, face, clock).embeddings)
    vectors = np.concatenate(embeddings)
    cosines = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    print(f"a face is found in {len(vectors) / arguments.count:.1%} of {arguments.count} pictures")
    print(f"cosine of two: mean {cosines.mean():.3f}, 99.9 % below {np.quantile(cosines, 0.999):.3f}")
    print(f"a face takes {np.median(times):.2f} ms")


if __name__ == "__main__":
    main()
