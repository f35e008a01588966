"""Whether a generator's pictures are faces, of how many people, and whether of people it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.generation import FaceGenerator
from facewire_server.domain.ports import Detector, Embedder
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.recognizer import largest_face

Vectors = npt.NDArray[np.float64]

_FEWEST: Final = 300  # of fewer a covariance of 128 numbers says nothing
_MOST_FACES: Final = 10


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of made faces beside real ones, both as pictures of the generator's size.

    Attributes:
        made, real: how many pictures were looked at.
        faces_made, faces_real: share in which the detector finds a face.
        mean_cosine_made, mean_cosine_real: of all pairs of different pictures; 1: always the same face.
        nearest_training: cosine of a made face with the nearest real one: median, largest.
        nearest_real: the same of a real face with the nearest other: what is normal.
        frechet: Fréchet distance of the embeddings of made and real faces; 0: the same distribution.
        frechet_real: of two halves of the real ones: as near as it gets with so many.
    """

    made: int
    real: int
    faces_made: float
    faces_real: float
    mean_cosine_made: float
    mean_cosine_real: float
    nearest_training: tuple[float, float]
    nearest_real: tuple[float, float]
    frechet: float
    frechet_real: float


class Judge:
    """Looks at pictures as the product does.

    Args:
        detector, embedder: the server's.
        on_picture: called after each.
    """

    def __init__(self, detector: Detector, embedder: Embedder, on_picture: Callable[[], object]) -> None:
        self._detector = detector
        self._embedder = embedder
        self._on_picture = on_picture

    def judge(self, generator: FaceGenerator, faces: PreparedFaces, count: int, seed: int) -> Judgement:
        """Compares ``count`` made faces with all real ones.

        Raises:
            LabError: too few faces of either kind.
        """
        made = self._vectors(_made(generator, count, seed), "made faces")
        real = self._vectors(_real(faces, generator.size), "real faces")
        halves = np.random.default_rng(seed).permutation(len(real))
        first, second = real[halves[::2]], real[halves[1::2]]
        among_real = real @ real.T
        np.fill_diagonal(among_real, -1)
        return Judgement(
            made=count,
            real=len(faces),
            faces_made=len(made) / count,
            faces_real=len(real) / len(faces),
            mean_cosine_made=mean_cosine(made),
            mean_cosine_real=mean_cosine(real),
            nearest_training=_median_and_largest((made @ real.T).max(axis=1)),
            nearest_real=_median_and_largest(among_real.max(axis=1)),
            frechet=frechet_distance(made, real),
            frechet_real=frechet_distance(first, second),
        )

    def _vectors(self, pictures: Iterable[Pixels], what: str) -> Vectors:
        """Unit embeddings of the pictures in which a face is found, (n, dim)."""
        found = []
        for pixels in pictures:
            frame = Frame(pixels, "rgb")
            face = largest_face(self._detector.detect(frame, None, _MOST_FACES))
            if len(face):
                found.append(self._embedder.encode(frame, face, StageClock()).embeddings)
            self._on_picture()
        vectors = np.concatenate(found).astype(np.float64) if found else np.empty((0, 1))
        if len(vectors) < _FEWEST:
            raise LabError(f"a face is found in {len(vectors)} {what} only; {_FEWEST} are needed to compare")
        return vectors


def mean_cosine(vectors: Vectors) -> float:
    """Of all pairs of different rows of unit length."""
    n = len(vectors)
    # The sum over all pairs is the square of the sum; each row with itself is 1.
    return float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1)))


def frechet_distance(a: Vectors, b: Vectors) -> float:
    """|mean a - mean b|^2 + trace(A + B - 2 (A B)^(1/2)), A and B the covariances.

    D. Dowson, B. Landau, The Fréchet distance between multivariate normal distributions, 1982; M. Heusel et al.,
    NeurIPS 2017, take it of Inception's features, this of whatever is given.
    """
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The eigenvalues of the product of two such matrices are real and not negative, but for rounding.
    roots = np.sqrt(np.linalg.eigvals(covariance_a @ covariance_b).real.clip(0))
    means = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(means + np.trace(covariance_a) + np.trace(covariance_b) - 2 * roots.sum())


def _made(generator: FaceGenerator, count: int, seed: int) -> Iterator[Pixels]:
    normal = np.random.default_rng(seed)
    for _ in range(count):
        yield generator.generate(normal.standard_normal(generator.latent, dtype=np.float32), StageClock())


def _real(faces: PreparedFaces, size: int) -> Iterator[Pixels]:
    for chip in faces.chips:
        small = Image.fromarray(np.asarray(chip)).resize((size, size), Image.Resampling.BILINEAR)
        yield np.ascontiguousarray(np.asarray(small))


def _median_and_largest(values: Vectors) -> tuple[float, float]:
    return float(np.median(values)), float(values.max())
