"""facewire: face recognition for the edge.

:class:`Client` (and :class:`facewire.aio.Client` for asyncio) speaks to a facewire server; :mod:`facewire.kernels`
holds the native kernels. The server itself is started with ``facewire serve``.
"""

import importlib as _importlib
import typing as _typing

from facewire._gallery_requests import EnrolItem
from facewire.analysis import AgeGroup, Analysis, AnalyzedFace, AttributeFigures, FaceAttributes, HeadPose
from facewire.calibration import Calibration, RateInterval
from facewire.client import Client
from facewire.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledCallError,
    DeadlineError,
    FacewireError,
    ImageError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    PreconditionError,
    ServerError,
    UnavailableError,
)
from facewire.generation import (
    AnonymisedImage,
    EncodedFace,
    EncodedFaces,
    GeneratedFaces,
    InterpolatedFaces,
    Latent,
    ReconstructedFace,
    ReconstructedFaces,
    RestoredFace,
    RestoredFaces,
    SyntheticImage,
)
from facewire.images import ImageLike, RawFrame
from facewire.live import (
    ChallengeAction,
    ChallengeFailure,
    ChallengeHint,
    ChallengeProgress,
    ChallengePrompt,
    LiveVerification,
)
from facewire.liveness import Liveness, LivenessDecision
from facewire.results import (
    BatchEnrolment,
    Box,
    Candidate,
    Decision,
    Detections,
    EmbeddedFace,
    Embedding,
    Embeddings,
    EnrolledFace,
    Enrolment,
    EnrolOutcome,
    EnrolRefusal,
    Face,
    Gallery,
    Identifications,
    IdentifiedFace,
    ImageSize,
    Landmarks,
    NoFaceReason,
    Point,
    Quality,
    QualityIssue,
    SideReport,
    StageTimes,
    Subject,
    SubjectReference,
    Verification,
)
from facewire.review import Finding, FindingKind
from facewire.server_info import ServerInfo
from facewire.stream import Stream
from facewire.stream_options import Line, StreamOptions, Zone
from facewire.stream_results import (
    BestShot,
    CrowdFigures,
    Event,
    EventKind,
    EventsLost,
    FrameAnswer,
    FrameError,
    StreamCounters,
    StreamInfo,
    Track,
    TrackState,
)

if _typing.TYPE_CHECKING:
    from facewire import aio as aio


def __getattr__(name: str) -> object:
    """The asyncio client, loaded when it is asked for."""
    if name == "aio":
        return _importlib.import_module("facewire.aio")
    raise AttributeError(f"module 'facewire' has no attribute '{name}'")


__all__ = [
    "AbortedError",
    "AgeGroup",
    "AlreadyExistsError",
    "Analysis",
    "AnalyzedFace",
    "AnonymisedImage",
    "AttributeFigures",
    "BatchEnrolment",
    "BestShot",
    "Box",
    "Calibration",
    "CancelledCallError",
    "Candidate",
    "ChallengeAction",
    "ChallengeFailure",
    "ChallengeHint",
    "ChallengeProgress",
    "ChallengePrompt",
    "Client",
    "CrowdFigures",
    "DeadlineError",
    "Decision",
    "Detections",
    "EmbeddedFace",
    "Embedding",
    "Embeddings",
    "EncodedFace",
    "EncodedFaces",
    "EnrolItem",
    "EnrolOutcome",
    "EnrolRefusal",
    "EnrolledFace",
    "Enrolment",
    "Event",
    "EventKind",
    "EventsLost",
    "Face",
    "FaceAttributes",
    "FacewireError",
    "Finding",
    "FindingKind",
    "FrameAnswer",
    "FrameError",
    "Gallery",
    "GeneratedFaces",
    "HeadPose",
    "Identifications",
    "IdentifiedFace",
    "ImageError",
    "ImageLike",
    "ImageSize",
    "InterpolatedFaces",
    "InvalidArgumentError",
    "Landmarks",
    "Latent",
    "Line",
    "LiveVerification",
    "Liveness",
    "LivenessDecision",
    "NoFaceReason",
    "NotFoundError",
    "OverloadedError",
    "Point",
    "PreconditionError",
    "Quality",
    "QualityIssue",
    "RateInterval",
    "RawFrame",
    "ReconstructedFace",
    "ReconstructedFaces",
    "RestoredFace",
    "RestoredFaces",
    "ServerError",
    "ServerInfo",
    "SideReport",
    "StageTimes",
    "Stream",
    "StreamCounters",
    "StreamInfo",
    "StreamOptions",
    "Subject",
    "SubjectReference",
    "SyntheticImage",
    "Track",
    "TrackState",
    "UnavailableError",
    "Verification",
    "Zone",
]
