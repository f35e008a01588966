"""Calls of the generative service as values, see ``_requests``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from facewire import _parse
from facewire import generation as made
from facewire._requests import Unary, detection_options
from facewire.images import ImageLike, image_message
from facewire.v1 import generative_pb2 as pb

T = TypeVar("T")
LatentLike = ImageLike | made.Latent


def _generative(name: str, request: Any, response: Any, parse: Callable[[Any], T]) -> Unary[T]:
    return Unary(f"/facewire.v1.GenerativeService/{name}", request, response, parse)


def generate(count: int, seed: int | None, spread: float, visible_mark: bool) -> Unary[made.GeneratedFaces]:
    request = pb.GenerateFacesRequest(count=count, seed=seed, spread=spread, visible_mark=visible_mark)
    return _generative("GenerateFaces", request, pb.GenerateFacesResponse, _generated)


def restore(
    image: ImageLike, min_score: float | None, min_face_px: float | None, max_faces: int, visible_mark: bool
) -> Unary[made.RestoredFaces]:
    options = detection_options(min_score, min_face_px, max_faces)
    request = pb.RestoreFacesRequest(image=image_message(image), options=options, visible_mark=visible_mark)
    return _generative("RestoreFaces", request, pb.RestoreFacesResponse, _restored)


def reconstruct(
    image: ImageLike, min_score: float | None, min_face_px: float | None, max_faces: int, visible_mark: bool
) -> Unary[made.ReconstructedFaces]:
    options = detection_options(min_score, min_face_px, max_faces)
    request = pb.ReconstructFacesRequest(image=image_message(image), options=options, visible_mark=visible_mark)
    return _generative("ReconstructFaces", request, pb.ReconstructFacesResponse, _reconstructed)


def encode(
    image: ImageLike, min_score: float | None, min_face_px: float | None, max_faces: int
) -> Unary[made.EncodedFaces]:
    options = detection_options(min_score, min_face_px, max_faces)
    request = pb.EncodeLatentsRequest(image=image_message(image), options=options)
    return _generative("EncodeLatents", request, pb.EncodeLatentsResponse, _encoded)


def interpolate(first: LatentLike, last: LatentLike, count: int, visible_mark: bool) -> Unary[made.InterpolatedFaces]:
    request = pb.InterpolateFacesRequest(
        first=_source(first), last=_source(last), count=count, visible_mark=visible_mark
    )
    return _generative("InterpolateFaces", request, pb.InterpolateFacesResponse, _interpolated)


def anonymise(
    image: ImageLike, k: int, min_score: float | None, min_face_px: float | None, visible_mark: bool
) -> Unary[made.AnonymisedImage]:
    options = detection_options(min_score, min_face_px, 0)
    request = pb.AnonymiseFacesRequest(image=image_message(image), options=options, k=k, visible_mark=visible_mark)
    return _generative("AnonymiseFaces", request, pb.AnonymiseFacesResponse, _anonymised)


def _source(end: LatentLike) -> pb.LatentSource:
    if isinstance(end, made.Latent):
        return pb.LatentSource(latent=pb.Latent(mean=end.mean, log_variance=end.log_variance, model=end.model))
    return pb.LatentSource(image=image_message(end))


def _image(message: pb.SyntheticImage) -> made.SyntheticImage:
    return made.SyntheticImage(message.encoded, _parse.size(message.size), message.digital_source_type)


def _generated(message: pb.GenerateFacesResponse) -> made.GeneratedFaces:
    images = tuple(map(_image, message.images))
    return made.GeneratedFaces(images, message.seed, message.model, _parse.times(message.times))


def _restored(message: pb.RestoreFacesResponse) -> made.RestoredFaces:
    return made.RestoredFaces(
        faces=tuple(
            made.RestoredFace(_parse.face(each.face), _image(each.image), each.before) for each in message.faces
        ),
        no_face_reason=_parse.no_face(message.no_face_reason),
        image_size=_parse.size(message.image_size),
        model=message.model,
        times=_parse.times(message.times),
    )


def _reconstructed(message: pb.ReconstructFacesResponse) -> made.ReconstructedFaces:
    return made.ReconstructedFaces(
        faces=tuple(
            made.ReconstructedFace(
                face=_parse.face(each.face),
                image=_image(each.image),
                before=each.before,
                psnr_db=each.psnr_db,
                kl_nats=each.kl_nats,
                face_likeness=each.face_likeness,
            )
            for each in message.faces
        ),
        no_face_reason=_parse.no_face(message.no_face_reason),
        image_size=_parse.size(message.image_size),
        model=message.model,
        times=_parse.times(message.times),
    )


def _encoded(message: pb.EncodeLatentsResponse) -> made.EncodedFaces:
    return made.EncodedFaces(
        faces=tuple(
            made.EncodedFace(
                face=_parse.face(each.face),
                latent=made.Latent(tuple(each.latent.mean), tuple(each.latent.log_variance), each.latent.model),
                kl_nats=each.kl_nats,
            )
            for each in message.faces
        ),
        no_face_reason=_parse.no_face(message.no_face_reason),
        image_size=_parse.size(message.image_size),
        times=_parse.times(message.times),
    )


def _interpolated(message: pb.InterpolateFacesResponse) -> made.InterpolatedFaces:
    return made.InterpolatedFaces(tuple(map(_image, message.images)), message.model, _parse.times(message.times))


def _anonymised(message: pb.AnonymiseFacesResponse) -> made.AnonymisedImage:
    return made.AnonymisedImage(
        image=_image(message.image),
        faces=tuple(map(_parse.face, message.faces)),
        replaced=message.replaced,
        pixelated=message.pixelated,
        k=message.k,
        model=message.model,
        times=_parse.times(message.times),
    )
