"""The seams: what the pipeline and the RPCs need, and inference and gallery provide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from facewire_server.domain.attributes import Attributes
from facewire_server.domain.contract import EmbeddingContract
from facewire_server.domain.decision import Candidate
from facewire_server.domain.event import Event, KeptEvents
from facewire_server.domain.face import EncodedFaces, Faces, FloatArray, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery import (
    EnrolledFace,
    Gallery,
    NewTemplate,
    Page,
    Refusal,
    Subject,
    SubjectChange,
    WriteIntent,
)
from facewire_server.domain.gallery_calibration import GalleryCalibration, GalleryFacts
from facewire_server.domain.mesh import Mesh
from facewire_server.domain.review import NamedTemplates
from facewire_server.domain.stages import StageClock
from facewire_server.domain.templates import ComparedBy

T = TypeVar("T")
Tensor = npt.NDArray[np.float32]
# Turns a write's result into the bytes that a repeated request will be answered with.
Remember = Callable[[T], bytes]


class Detector(Protocol):
    """Finds faces. Thread-safe."""

    def detect(self, frame: Frame, min_score: float | None, max_faces: int) -> Faces:
        """Faces by falling score; ``min_score`` None means the model's own threshold."""
        ...

    def look_again(self, frame: Frame, faces: Faces, check: Callable[[], None] = ...) -> Faces:
        """The same faces with landmarks of a close-up each; those that it does not show keep theirs.

        ``check`` is called before each; what it raises ends it.
        """
        ...


class Embedder(Protocol):
    """Aligns faces, measures their quality, embeds them. Thread-safe."""

    @property
    def contract(self) -> EmbeddingContract:
        """What its embeddings depend on."""
        ...

    def measure(self, frame: Frame, faces: Faces, clock: StageClock) -> tuple[Faces, list[Quality]]:
        """Those faces that can be aligned, with their quality."""
        ...

    def encode(self, frame: Frame, faces: Faces, clock: StageClock) -> EncodedFaces:
        """Those faces that can be aligned, with quality and embeddings."""
        ...

    def encode_many(self, shots: Sequence[tuple[Frame, Faces]], clock: StageClock) -> list[EncodedFaces]:
        """The same for faces of several frames, in common batches."""
        ...

    @property
    def best_batch(self) -> int:
        """The batch size that measured fastest for each face; 1 where batches gain nothing."""
        ...


class LivenessScorer(Protocol):
    """Tells living faces from pictures of faces. Thread-safe."""

    def scores(self, frame: Frame, faces: Faces, clock: StageClock) -> FloatArray:
        """How live each face looks, float32 (n,), 0..1."""
        ...


class AttributeEstimator(Protocol):
    """Estimates age and gender. Thread-safe."""

    def estimate(self, frame: Frame, faces: Faces, clock: StageClock) -> list[Attributes]:
        """What each face looks like."""
        ...


class MeshFitter(Protocol):
    """Fits meshes to faces. Thread-safe."""

    def fit(self, frame: Frame, faces: Faces, clock: StageClock) -> list[Mesh]:
        """The mesh of each face."""
        ...


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a model; -1 in the shape means any length."""

    name: str
    shape: tuple[int, ...]


class ModelRunner(Protocol):
    """Runs a raw model on raw tensors. Thread-safe."""

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        ...

    @property
    def inputs(self) -> Sequence[TensorInfo]:
        """Its inputs, all float32."""
        ...

    @property
    def outputs(self) -> Sequence[TensorInfo]:
        """Its outputs, all float32."""
        ...

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """The outputs for one input tensor.

        Raises:
            InvalidArgument: the shape is not one the model was compiled for.
        """
        ...


class TemplateSearch(Protocol):
    """The index: in memory, exact. Thread-safe."""

    def search(self, gallery_id: str, embeddings: FloatArray, contract_id: str, k: int) -> list[list[Candidate]]:
        """For each row of (n, dim) the k closest subjects.

        Raises:
            NotFound: no such gallery.
            ContractMismatch: the gallery is pinned to another contract.
        """
        ...

    def templates_of(self, gallery_id: str, subject_id: str, contract_id: str) -> ComparedBy:
        """What a subject is compared by; raises as above."""
        ...

    def facts(self, gallery_id: str) -> GalleryFacts:
        """How many comparisons a search makes, and the gallery's own error rates; raises NotFound."""
        ...

    def revision(self, gallery_id: str) -> int:
        """Rises whenever a template or a subject's name or labels change, see ``domain.revision``; raises NotFound."""
        ...

    def knows(self, gallery_id: str, subject_id: str) -> bool:
        """Whether there are such a gallery and such a subject."""
        ...


class TemplateReader(Protocol):
    """All templates of a gallery, out of memory. Thread-safe."""

    def all_of(self, gallery_id: str, contract_id: str) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Templates, float32 (n, dim), and a number for the subject of each, (n,); raises as ``search``."""
        ...

    def named_of(self, gallery_id: str, contract_id: str) -> NamedTemplates:
        """Templates with the ids of their subjects and faces; raises as ``search``."""
        ...


class GalleryBook(Protocol):
    """Galleries as a whole. Not thread-safe: called on the store's thread, like all ports below."""

    def create(self, gallery: Gallery, dim: int, intent: WriteIntent, remember: Remember[Gallery]) -> Gallery:
        """Makes an empty gallery."""
        ...

    def get(self, gallery_id: str) -> Gallery:
        """One gallery."""
        ...

    def list(self, page: Page) -> tuple[list[Gallery], str]:
        """A page of galleries by id, and the token of the next page."""
        ...

    def delete(self, gallery_id: str, intent: WriteIntent, remember: Remember[tuple[int, int]]) -> tuple[int, int]:
        """Erases it; returns how many subjects and faces went."""
        ...

    def recall(self, intent: WriteIntent) -> bytes | None:
        """The answer remembered under the intent's key, if any.

        Raises:
            IdempotencyConflict: the key belongs to another request.
        """
        ...


class SubjectBook(Protocol):
    """Subjects of a gallery."""

    def create(self, gallery_id: str, subject: Subject, intent: WriteIntent, remember: Remember[Subject]) -> Subject:
        """Makes a subject without templates."""
        ...

    def get(self, gallery_id: str, subject_id: str) -> Subject:
        """One subject."""
        ...

    def list(self, gallery_id: str, label: str, page: Page) -> tuple[list[Subject], str]:
        """A page of subjects by id, all or those with the label, and the next page's token."""
        ...

    def update(
        self,
        gallery_id: str,
        subject_id: str,
        change: SubjectChange,
        intent: WriteIntent,
        remember: Remember[Subject],
    ) -> Subject:
        """Changes a subject's own fields."""
        ...

    def delete(self, gallery_id: str, subject_id: str, intent: WriteIntent, remember: Remember[int]) -> int:
        """Erases a subject with its templates; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class EnrolResult:
    """What became of an enrolment: one outcome a template, in order, and the subject as it is now."""

    outcomes: list[EnrolledFace | Refusal]
    subject: Subject


class FaceBook(Protocol):
    """Templates of a gallery."""

    def enrol(
        self,
        gallery_id: str,
        subject: Subject,
        templates: Sequence[NewTemplate],
        *,
        create_subject: bool,
        contract_id: str,
        intent: WriteIntent,
        remember: Remember[EnrolResult],
    ) -> EnrolResult:
        """Adds templates to a subject, refusing duplicates and what exceeds the limit."""
        ...

    def list(self, gallery_id: str, subject_id: str, page: Page) -> tuple[list[EnrolledFace], str]:
        """A page of templates, of one subject or (empty id) of all."""
        ...

    def delete(self, gallery_id: str, face_id: str, intent: WriteIntent, remember: Remember[None]) -> None:
        """Erases one template."""
        ...


class GalleryTransfer(Protocol):
    """Galleries as portable files."""

    def export(self, gallery_id: str, actor: str) -> Iterator[bytes]:
        """The file in pieces, each read when asked for.

        Raises:
            GalleryChanged: between two pieces.
        """
        ...

    def import_file(
        self,
        file: BinaryIO,
        gallery_id: str,
        contract_id: str,
        dim: int,
        intent: WriteIntent,
        remember: Remember[Gallery],
    ) -> Gallery:
        """Makes a gallery from a file, whole or not at all.

        Raises:
            DamagedFile: the file is not what an export wrote.
            ContractMismatch: it is of another contract than this server's.
        """
        ...


class CalibrationBook(Protocol):
    """Galleries' own error rates."""

    def put(
        self,
        gallery_id: str,
        calibration: GalleryCalibration,
        intent: WriteIntent,
        remember: Remember[GalleryCalibration],
    ) -> GalleryCalibration:
        """Decides by them from now on."""
        ...

    def delete(self, gallery_id: str, intent: WriteIntent, remember: Remember[None]) -> None:
        """Back to the embedder's own."""
        ...


class EventSink(Protocol):
    """Where streams report what happened. Thread-safe, and never waits."""

    def report(self, events: Sequence[Event]) -> None:
        """Keeps them soon."""
        ...


class EventRing(Protocol):
    """The latest events, on disk. Thread-safe; reads wait for the disk."""

    def read(self, after_id: int, limit: int) -> KeptEvents:
        """The first ``limit`` events after this number."""
        ...

    def forget(self, gallery_id: str, subject_id: str) -> None:
        """Erases a subject (or with an empty subject_id all of the gallery's) from the events; on disk when it returns.

        Events that are still on their way and were judged before now are stripped too.

        Raises:
            StorageFailure: the disk refused.
        """
        ...

    def watch(self, notify: Callable[[], object]) -> Callable[[], None]:
        """Calls ``notify`` whenever events were kept; returns what ends that."""
        ...
