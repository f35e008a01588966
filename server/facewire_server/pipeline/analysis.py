"""What faces look like: attributes, head pose, liveness, as far as the server has models for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from facewire_server.domain.attributes import AttributeFigures, Attributes, JudgedPerson, figures_of
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import Liveness
from facewire_server.domain.mesh import HeadPose
from facewire_server.domain.ports import AttributeEstimator, Embedder, MeshFitter
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.liveness import LivenessGuard

_NOTHING: Final = (
    "this server analyses nothing: set attributes.enabled, models.mesh or liveness.model in its configuration "
    "(docs/liveness.md, docs/attributes.md) and fetch the models with: facewire models fetch"
)


@dataclass(frozen=True, slots=True)
class AttributeRules:
    """Who may be told what.

    Attributes:
        per_person: attributes of single faces may be given out.
        min_people: figures are never made of fewer.
        same_person: cosine from which two faces are one person, who counts once.
    """

    per_person: bool
    min_people: int
    same_person: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found; each list is empty where there is no model for it, or it may not be told."""

    attributes: list[Attributes]
    poses: list[HeadPose]
    liveness: list[Liveness]
    figures: AttributeFigures | None


class FaceAnalyzer:
    """Analyses faces. Thread-safe."""

    def __init__(
        self,
        estimator: AttributeEstimator | None,
        embedder: Embedder,
        mesh: MeshFitter | None,
        guard: LivenessGuard,
        rules: AttributeRules,
    ) -> None:
        self._estimator = estimator
        self._embedder = embedder
        self._mesh = mesh
        self._guard = guard
        self.rules = rules

    def require(self, *, per_person: bool) -> None:
        """Whether there is anything to analyse, and it may be told.

        Raises:
            PreconditionFailed: no.
        """
        if self._estimator is None and self._mesh is None and not self._guard.configured:
            raise PreconditionFailed(_NOTHING, "NOT_CONFIGURED")
        if not per_person:
            return
        self.require_attributes()
        if not self.rules.per_person:
            raise PreconditionFailed(
                "this server gives out figures of crowds alone; its operator can allow attributes of single faces "
                "with attributes.per_person",
                "NOT_ALLOWED",
            )

    def require_attributes(self) -> None:
        """Whether there are models for age and gender; raises PreconditionFailed."""
        if self._estimator is None:
            raise PreconditionFailed(
                "age and gender are off on this server; set attributes.enabled and fetch the models with: "
                "facewire models fetch",
                "NOT_CONFIGURED",
            )

    def judge(self, frame: Frame, faces: Faces, clock: StageClock) -> list[JudgedPerson | None]:
        """Age and gender of each face; None where a face cannot be embedded, or there are no models."""
        if self._estimator is None or not len(faces):
            return [None] * len(faces)
        attributes = self._estimator.estimate(frame, faces, clock)
        encoded = self._embedder.encode(frame, faces, clock)
        if len(encoded.embeddings) != len(attributes):
            return [None] * len(faces)  # one that cannot be aligned, and no telling which
        return [JudgedPerson(*pair) for pair in zip(attributes, encoded.embeddings, strict=True)]

    def analyse(self, frame: Frame, faces: Faces, clock: StageClock, *, per_person: bool) -> Analysis:
        """Everything there is a model for."""
        judged = [each for each in self.judge(frame, faces, clock) if each is not None]
        return Analysis(
            attributes=[each.attributes for each in judged] if per_person else [],
            poses=[] if self._mesh is None else [mesh.pose for mesh in self._mesh.fit(frame, faces, clock)],
            liveness=self._guard.judge(frame, faces, clock) if self._guard.configured else [],
            figures=figures_of(judged, self.rules.min_people, self.rules.same_person),
        )
