"""Calibrate: templates out of memory, the fit on a thread of its own, then one write on the store's thread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facewire.v1 import gallery_pb2 as pb
from facewire_server.domain.errors import ContractMismatch, GalleryChanged, InvalidArgument
from facewire_server.domain.face import FloatArray
from facewire_server.domain.gallery import require_identifier
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration, GalleryFacts
from facewire_server.engine import Engine
from facewire_server.pipeline.calibrating import Templates, calibrate
from facewire_server.rpc import convert
from facewire_server.rpc.call import Context, intent_of

_MOST_STRANGERS = 20_000
_SMALLEST_RATE = 1e-6


async def calibrate_gallery(
    engine: Engine, request: pb.CalibrateRequest, context: Context, now_ms: int
) -> pb.CalibrateResponse:
    """Measures, and unless it is a dry run decides by it from then on.

    Raises:
        DomainError: the request is wrong, or the gallery has too few subjects.
    """
    gallery_id = require_identifier("gallery_id", request.gallery_id)
    target = _target(engine, request)
    intent = intent_of(context, request.idempotency_key, request)
    remembered = await engine.store.run(lambda: engine.galleries.recall(intent))
    if remembered is not None:
        return pb.CalibrateResponse.FromString(remembered)

    cohort = _cohort(engine, request)

    def fit(check: Callable[[], None]) -> GalleryCalibration:
        vectors, subjects = engine.templates.all_of(gallery_id, engine.recognizer.contract_id)
        templates = Templates(vectors, subjects, cohort)
        return calibrate(templates, target, engine.recognizer.calibration(), now_ms, check)

    made_at = await engine.store.run(lambda: engine.galleries.get(gallery_id).created_ms)
    made = await engine.analyses.run(fit, context.time_remaining())
    if request.dry_run:
        return _response(made)

    def write() -> pb.CalibrateResponse:
        again = engine.galleries.recall(intent)
        if again is not None:
            return pb.CalibrateResponse.FromString(again)
        if engine.galleries.get(gallery_id).created_ms != made_at:
            raise GalleryChanged(gallery_id)
        engine.calibrations.put(gallery_id, made, intent, lambda kept: _response(kept).SerializeToString())
        return _response(made)

    return await engine.store.run(write)


def _target(engine: Engine, request: pb.CalibrateRequest) -> CalibrationTarget:
    kind = request.WhichOneof("target")
    if kind is None:
        return CalibrationTarget(engine.recognizer.target_fpir, None)
    rate = float(getattr(request, kind))
    if not _SMALLEST_RATE <= rate <= 0.5:
        raise InvalidArgument(kind, f"must be a share from {_SMALLEST_RATE:g} to 0.5, for instance 0.01")
    return CalibrationTarget(rate, None) if kind == "fpir" else CalibrationTarget(None, rate)


def _cohort(engine: Engine, request: pb.CalibrateRequest) -> FloatArray:
    if len(request.cohort) > _MOST_STRANGERS:
        raise InvalidArgument("cohort", f"has {len(request.cohort)} embeddings, at most {_MOST_STRANGERS} are taken")
    parts = [np.empty((0, engine.recognizer.dim), dtype=np.float32)]
    for number, each in enumerate(request.cohort):
        given = convert.given_embedding(each)
        if given.contract_id != engine.recognizer.contract_id:
            raise ContractMismatch(engine.recognizer.contract_id, given.contract_id, f"cohort[{number}]")
        parts.append(engine.recognizer.unit(given, f"cohort[{number}].values")[np.newaxis])
    if request.cohort_gallery_id:
        other = require_identifier("cohort_gallery_id", request.cohort_gallery_id)
        if other == request.gallery_id:
            raise InvalidArgument("cohort_gallery_id", "is the gallery itself; strangers must be of another one")
        parts.append(engine.templates.all_of(other, engine.recognizer.contract_id)[0])
    return np.concatenate(parts)


def calibration_message(calibration: GalleryCalibration, facts: GalleryFacts | None = None) -> pb.Calibration:
    """On the wire; stale by the gallery as it is now."""
    misses = calibration.misses
    return pb.Calibration(
        fpir=calibration.target.fpir,
        fmr=calibration.target.fmr,
        min_similarity=calibration.threshold,
        rate_low=calibration.rate.low,
        rate_high=calibration.rate.high,
        miss_rate=None if misses is None else misses.value,
        miss_rate_low=0.0 if misses is None else misses.low,
        miss_rate_high=0.0 if misses is None else misses.high,
        shortage=calibration.shortage,
        subjects=calibration.subjects,
        templates=calibration.templates,
        cohort=calibration.cohort,
        made_at=convert.timestamp(calibration.made_ms),
        stale=facts is not None and calibration.stale(facts.subjects),
    )


def _response(calibration: GalleryCalibration) -> pb.CalibrateResponse:
    return pb.CalibrateResponse(calibration=calibration_message(calibration))
