"""The unary calls on galleries, subjects and templates."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from facewire import _parse, results
from facewire._requests import Unary, embedding_message
from facewire.calibration import Calibration
from facewire.errors import ImageError
from facewire.images import ImageLike, RawFrame, image_message
from facewire.review import Finding
from facewire.v1 import gallery_pb2

T = TypeVar("T")


def _gallery(name: str, request: Any, response: Any, parse: Callable[[Any], T]) -> Unary[T]:
    return Unary(f"/facewire.v1.GalleryService/{name}", request, response, parse)


def new_key() -> str:
    """A fresh idempotency key."""
    return uuid.uuid4().hex


def create_gallery(gallery_id: str, display_name: str) -> Unary[results.Gallery]:
    request = gallery_pb2.CreateGalleryRequest(
        gallery_id=gallery_id, display_name=display_name, idempotency_key=new_key()
    )
    return _gallery(
        "CreateGallery",
        request,
        gallery_pb2.CreateGalleryResponse,
        lambda m: _parse.gallery(m.gallery),
    )


def get_gallery(gallery_id: str) -> Unary[results.Gallery]:
    request = gallery_pb2.GetGalleryRequest(gallery_id=gallery_id)
    return _gallery("GetGallery", request, gallery_pb2.GetGalleryResponse, lambda m: _parse.gallery(m.gallery))


Page = tuple[list[T], str]


def list_galleries(token: str) -> Unary[Page[results.Gallery]]:
    request = gallery_pb2.ListGalleriesRequest(page_token=token)
    return _gallery(
        "ListGalleries",
        request,
        gallery_pb2.ListGalleriesResponse,
        lambda m: ([_parse.gallery(g) for g in m.galleries], m.next_page_token),
    )


def delete_gallery(gallery_id: str) -> Unary[tuple[int, int]]:
    request = gallery_pb2.DeleteGalleryRequest(gallery_id=gallery_id, idempotency_key=new_key())
    return _gallery(
        "DeleteGallery",
        request,
        gallery_pb2.DeleteGalleryResponse,
        lambda m: (m.deleted_subjects, m.deleted_faces),
    )


def _labels(labels: Sequence[str]) -> Sequence[str]:
    if isinstance(labels, str):
        raise TypeError("labels must be a list of texts, not a text")
    return labels


def calibrate(
    gallery_id: str,
    fpir: float | None,
    fmr: float | None,
    cohort: Iterable[results.Embedding],
    cohort_gallery_id: str,
    dry_run: bool,
) -> Unary[Calibration]:
    if fpir is not None and fmr is not None:
        raise ValueError("give either fpir or fmr")
    request = gallery_pb2.CalibrateRequest(
        gallery_id=gallery_id,
        fpir=fpir,
        fmr=fmr,
        cohort=[embedding_message(each) for each in cohort],
        cohort_gallery_id=cohort_gallery_id,
        dry_run=dry_run,
        idempotency_key=new_key(),
    )
    return _gallery("Calibrate", request, gallery_pb2.CalibrateResponse, lambda m: _parse.calibration(m.calibration))


def review_gallery(gallery_id: str, max_findings: int) -> Unary[tuple[Finding, ...]]:
    request = gallery_pb2.ReviewGalleryRequest(gallery_id=gallery_id, max_findings=max_findings)
    return _gallery("ReviewGallery", request, gallery_pb2.ReviewGalleryResponse, _parse.review)


def delete_calibration(gallery_id: str) -> Unary[None]:
    request = gallery_pb2.DeleteCalibrationRequest(gallery_id=gallery_id, idempotency_key=new_key())
    return _gallery("DeleteCalibration", request, gallery_pb2.DeleteCalibrationResponse, lambda _: None)


def create_subject(
    gallery_id: str,
    subject_id: str,
    display_name: str,
    labels: Sequence[str],
    attributes: Mapping[str, str],
) -> Unary[results.Subject]:
    subject = gallery_pb2.Subject(
        subject_id=subject_id,
        display_name=display_name,
        labels=_labels(labels),
        attributes=dict(attributes),
    )
    request = gallery_pb2.CreateSubjectRequest(gallery_id=gallery_id, subject=subject, idempotency_key=new_key())
    return _gallery(
        "CreateSubject",
        request,
        gallery_pb2.CreateSubjectResponse,
        lambda m: _parse.subject(m.subject),
    )


def get_subject(gallery_id: str, subject_id: str) -> Unary[results.Subject]:
    request = gallery_pb2.GetSubjectRequest(gallery_id=gallery_id, subject_id=subject_id)
    return _gallery("GetSubject", request, gallery_pb2.GetSubjectResponse, lambda m: _parse.subject(m.subject))


def list_subjects(gallery_id: str, label: str, token: str) -> Unary[Page[results.Subject]]:
    request = gallery_pb2.ListSubjectsRequest(gallery_id=gallery_id, label=label, page_token=token)
    return _gallery(
        "ListSubjects",
        request,
        gallery_pb2.ListSubjectsResponse,
        lambda m: ([_parse.subject(s) for s in m.subjects], m.next_page_token),
    )


def update_subject(
    gallery_id: str,
    subject_id: str,
    display_name: str | None,
    labels: Sequence[str] | None,
    attributes: Mapping[str, str] | None,
) -> Unary[results.Subject]:
    request = gallery_pb2.UpdateSubjectRequest(
        gallery_id=gallery_id,
        subject_id=subject_id,
        display_name=display_name,
        labels=None if labels is None else gallery_pb2.LabelList(values=_labels(labels)),
        attributes=None if attributes is None else gallery_pb2.AttributeMap(values=dict(attributes)),
        idempotency_key=new_key(),
    )
    return _gallery(
        "UpdateSubject",
        request,
        gallery_pb2.UpdateSubjectResponse,
        lambda m: _parse.subject(m.subject),
    )


def delete_subject(gallery_id: str, subject_id: str) -> Unary[int]:
    request = gallery_pb2.DeleteSubjectRequest(gallery_id=gallery_id, subject_id=subject_id, idempotency_key=new_key())
    return _gallery(
        "DeleteSubject",
        request,
        gallery_pb2.DeleteSubjectResponse,
        lambda m: int(m.deleted_faces),
    )


@dataclass(frozen=True, slots=True)
class EnrolItem:
    """One subject's pictures, for an enrolment in one call or on a batch stream.

    Attributes:
        subject_id: made where missing, if ``create_subject``.
        images: pictures, in the order of the outcomes.
        display_name: of a subject that is made; default: its id.
        use_largest_face: of several faces take the largest instead of refusing the picture.
        negative: the pictures show somebody else, who was taken for the subject; needs ``create_subject=False``.
        allow_synthetic: also take pictures that a model made or changed.
    """

    subject_id: str
    images: Sequence[ImageLike]
    display_name: str = ""
    create_subject: bool = True
    use_largest_face: bool = False
    negative: bool = False
    allow_synthetic: bool = False


def enrol_message(gallery_id: str, item: EnrolItem) -> gallery_pb2.EnrolFacesRequest:
    """An enrolment on the wire."""
    if isinstance(item.images, str | bytes | bytearray | os.PathLike | np.ndarray):
        raise ImageError("images must be a list of pictures; put a single one in a list")
    return gallery_pb2.EnrolFacesRequest(
        gallery_id=gallery_id,
        subject_id=item.subject_id,
        images=[
            gallery_pb2.EnrolImage(image=image_message(image), source_name=_name_of(image, number))
            for number, image in enumerate(item.images)
        ],
        create_subject=item.create_subject,
        display_name=item.display_name,
        use_largest_face=item.use_largest_face,
        negative=item.negative,
        allow_synthetic=item.allow_synthetic,
        idempotency_key=new_key(),
    )


class BatchSource:
    """A batch on the wire, made as it is sent.

    gRPC takes requests from it on a thread of its own, where an error would be lost: the first one ends the stream and
    is kept in ``error``.
    """

    def __init__(self, gallery_id: str, items: Iterable[EnrolItem]) -> None:
        self._gallery_id = gallery_id
        self._items = iter(items)
        self.error: Exception | None = None

    def __iter__(self) -> BatchSource:
        return self

    def __next__(self) -> gallery_pb2.BatchEnrolRequest:
        try:
            return gallery_pb2.BatchEnrolRequest(enrol=enrol_message(self._gallery_id, next(self._items)))
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise StopIteration from error


def _name_of(image: ImageLike, number: int) -> str:
    if isinstance(image, bytes | bytearray | memoryview | np.ndarray | RawFrame):
        return f"image {number}"
    return Path(image).name


def enrol(gallery_id: str, item: EnrolItem) -> Unary[results.Enrolment]:
    return _gallery(
        "EnrolFaces",
        enrol_message(gallery_id, item),
        gallery_pb2.EnrolFacesResponse,
        _parse.enrolment,
    )


def list_faces(gallery_id: str, subject_id: str, token: str) -> Unary[Page[results.EnrolledFace]]:
    request = gallery_pb2.ListFacesRequest(gallery_id=gallery_id, subject_id=subject_id, page_token=token)
    return _gallery(
        "ListFaces",
        request,
        gallery_pb2.ListFacesResponse,
        lambda m: ([_parse.enrolled_face(f) for f in m.faces], m.next_page_token),
    )


def delete_face(gallery_id: str, face_id: str) -> Unary[None]:
    request = gallery_pb2.DeleteFaceRequest(gallery_id=gallery_id, face_id=face_id, idempotency_key=new_key())
    return _gallery("DeleteFace", request, gallery_pb2.DeleteFaceResponse, lambda m: None)


def import_messages(gallery_id: str, key: str, pieces: Iterable[bytes]) -> Iterable[gallery_pb2.ImportGalleryRequest]:
    """An import on the wire: the target, then the file."""
    target = gallery_pb2.ImportTarget(gallery_id=gallery_id, idempotency_key=key)
    yield gallery_pb2.ImportGalleryRequest(target=target)
    for piece in pieces:
        yield gallery_pb2.ImportGalleryRequest(data=piece)
