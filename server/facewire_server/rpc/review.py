"""ReviewGallery: templates out of memory, compared on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable

from facewire.v1 import gallery_pb2 as pb
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.gallery import require_identifier
from facewire_server.domain.review import Finding
from facewire_server.engine import Engine
from facewire_server.pipeline.reviewing import review
from facewire_server.rpc.call import Context

_MOST_FINDINGS, _FINDINGS = 1000, 20


async def review_gallery(
    engine: Engine, request: pb.ReviewGalleryRequest, context: Context
) -> pb.ReviewGalleryResponse:
    """The worst findings of each kind."""
    gallery_id = require_identifier("gallery_id", request.gallery_id)
    if request.max_findings > _MOST_FINDINGS:
        raise InvalidArgument("max_findings", f"must be at most {_MOST_FINDINGS}")
    most = request.max_findings or _FINDINGS

    def work(check: Callable[[], None]) -> pb.ReviewGalleryResponse:
        templates = engine.templates.named_of(gallery_id, engine.recognizer.contract_id)
        threshold = engine.recognizer.identify_threshold(engine.live.facts(gallery_id))
        findings = review(templates, threshold, most, check)
        return pb.ReviewGalleryResponse(
            findings=[_message(each) for each in findings], templates=len(templates.face_ids)
        )

    return await engine.analyses.run(work, context.time_remaining())


def _message(finding: Finding) -> pb.Finding:
    return pb.Finding(
        kind=f"FINDING_KIND_{finding.kind.name}",
        subject_id=finding.subject_id,
        face_id=finding.face_id,
        other_subject_id=finding.other_subject_id,
        other_face_id=finding.other_face_id,
        similarity=finding.similarity,
        own_similarity=finding.own_similarity,
    )
