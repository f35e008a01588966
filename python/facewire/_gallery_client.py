"""The client's side of galleries, subjects and templates."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import grpc

from facewire import _gallery_requests, _parse, results
from facewire._channel import FILE_CHUNK_BYTES
from facewire._connection import Connection
from facewire._gallery_requests import EnrolItem
from facewire._private_file import private_file
from facewire._status import to_error
from facewire.calibration import Calibration
from facewire.images import ImageLike
from facewire.review import Finding
from facewire.v1 import gallery_pb2


class GalleryClient(Connection):
    """Calls on galleries, as :class:`facewire.Client` has them."""

    # --- galleries ------------------------------------------------------------------------------------------

    def create_gallery(self, gallery_id: str, *, display_name: str = "") -> results.Gallery:
        """Makes an empty gallery.

        Args:
            gallery_id: 1 to 63 of a-z, 0-9, '-', '_', '.', beginning with a letter or digit.
            display_name: default: the id.
        """
        return self._call(_gallery_requests.create_gallery(gallery_id, display_name))

    def get_gallery(self, gallery_id: str) -> results.Gallery:
        """One gallery."""
        return self._call(_gallery_requests.get_gallery(gallery_id))

    def list_galleries(self) -> Iterator[results.Gallery]:
        """All galleries by id, fetched in pages."""
        return self._pages(_gallery_requests.list_galleries)

    def delete_gallery(self, gallery_id: str) -> tuple[int, int]:
        """Erases a gallery with everybody in it; returns how many subjects and faces went."""
        return self._call(_gallery_requests.delete_gallery(gallery_id))

    def calibrate(
        self,
        gallery_id: str,
        *,
        fpir: float | None = None,
        fmr: float | None = None,
        cohort: Iterable[results.Embedding] = (),
        cohort_gallery_id: str = "",
        dry_run: bool = False,
    ) -> Calibration:
        """Measures the gallery's error rates on its own templates; it decides by them from then on.

        Args:
            gallery_id: at least two subjects must have templates; a promise needs twenty.
            fpir: share of strangers that may get a name; None and no fmr: the server's setting.
            fmr: instead, share of comparisons of different people that may match.
            cohort: people who are not enrolled.
            cohort_gallery_id: a gallery of such people.
            dry_run: measure only.
        """
        return self._call(_gallery_requests.calibrate(gallery_id, fpir, fmr, cohort, cohort_gallery_id, dry_run))

    def review_gallery(self, gallery_id: str, *, max_findings: int = 0) -> tuple[Finding, ...]:
        """People who are mistaken for each other, templates that do not belong, and such that say nothing new.

        ``max_findings`` of each kind, the worst first; 0: twenty.
        """
        return self._call(_gallery_requests.review_gallery(gallery_id, max_findings))

    def delete_calibration(self, gallery_id: str) -> None:
        """Back to the embedder's own error rates."""
        return self._call(_gallery_requests.delete_calibration(gallery_id))

    def create_subject(
        self,
        gallery_id: str,
        subject_id: str = "",
        *,
        display_name: str = "",
        labels: Sequence[str] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> results.Subject:
        """Makes a subject without templates; an empty id lets the server choose one."""
        return self._call(
            _gallery_requests.create_subject(gallery_id, subject_id, display_name, labels, attributes or {})
        )

    def get_subject(self, gallery_id: str, subject_id: str) -> results.Subject:
        """One subject."""
        return self._call(_gallery_requests.get_subject(gallery_id, subject_id))

    def list_subjects(self, gallery_id: str, *, label: str = "") -> Iterator[results.Subject]:
        """All subjects by id, or those with a label, fetched in pages."""
        return self._pages(lambda token: _gallery_requests.list_subjects(gallery_id, label, token))

    def update_subject(
        self,
        gallery_id: str,
        subject_id: str,
        *,
        display_name: str | None = None,
        labels: Sequence[str] | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> results.Subject:
        """Replaces what is given and leaves the rest."""
        return self._call(_gallery_requests.update_subject(gallery_id, subject_id, display_name, labels, attributes))

    def delete_subject(self, gallery_id: str, subject_id: str) -> int:
        """Erases a subject with its templates; returns how many."""
        return self._call(_gallery_requests.delete_subject(gallery_id, subject_id))

    def enrol(
        self,
        gallery_id: str,
        subject_id: str,
        images: Sequence[ImageLike],
        *,
        display_name: str = "",
        create_subject: bool = True,
        use_largest_face: bool = False,
        allow_synthetic: bool = False,
    ) -> results.Enrolment:
        """Enrols pictures of one subject; each is accepted or refused with a reason.

        Args:
            gallery_id: where.
            subject_id: who; made where missing, unless ``create_subject`` is False or every picture is refused.
            images: pictures with one face each.
            display_name: of a subject that is made; default: its id.
            use_largest_face: of several faces take the largest instead of refusing the picture.
            allow_synthetic: also take pictures that say of themselves that a model made or changed them.
        """
        item = EnrolItem(
            subject_id, images, display_name, create_subject, use_largest_face, allow_synthetic=allow_synthetic
        )
        return self._call(_gallery_requests.enrol(gallery_id, item))

    def reject(
        self,
        gallery_id: str,
        subject_id: str,
        images: Sequence[ImageLike],
        *,
        use_largest_face: bool = False,
        allow_synthetic: bool = False,
    ) -> results.Enrolment:
        """Says that pictures do not show a subject, for whom they were taken: "not this person".

        Whoever is more like one of them than like the subject's own pictures is not named so again. They can be listed
        and erased as the others.

        Args:
            gallery_id, subject_id: who is not shown; must exist.
            images: pictures with one face each, of whom was mistaken.
            use_largest_face, allow_synthetic: as :meth:`enrol`.
        """
        item = EnrolItem(
            subject_id, images, create_subject=False, use_largest_face=use_largest_face, negative=True,
            allow_synthetic=allow_synthetic,
        )  # fmt: skip
        return self._call(_gallery_requests.enrol(gallery_id, item))

    def batch_enrol(self, gallery_id: str, items: Iterable[EnrolItem]) -> Iterator[results.BatchEnrolment]:
        """Enrols many subjects on one stream; answers come in order, one an item, while it is sent.

        A refused item ends nothing; a broken connection raises, and what was answered is enrolled.
        """
        source = _gallery_requests.BatchSource(gallery_id, items)
        call = self._channel.stream_stream(
            "/facewire.v1.GalleryService/BatchEnrol",
            request_serializer=gallery_pb2.BatchEnrolRequest.SerializeToString,
            response_deserializer=gallery_pb2.BatchEnrolResponse.FromString,
        )(source)
        try:
            for message in call:
                yield _parse.batch_enrolment(message)
            if source.error is not None:
                raise source.error
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()  # type: ignore[no-untyped-call]

    def list_faces(self, gallery_id: str, *, subject_id: str = "") -> Iterator[results.EnrolledFace]:
        """All templates in the order of enrolment, or those of one subject, fetched in pages."""
        return self._pages(lambda token: _gallery_requests.list_faces(gallery_id, subject_id, token))

    def delete_face(self, gallery_id: str, face_id: str) -> None:
        """Erases one template."""
        self._call(_gallery_requests.delete_face(gallery_id, face_id))

    def export_gallery(self, gallery_id: str, path: str | os.PathLike[str]) -> int:
        """Writes the gallery to a file, whole or not at all; returns its bytes.

        The file holds biometric templates: keep it as you would keep passwords.
        """
        call = self._channel.unary_stream(
            "/facewire.v1.GalleryService/ExportGallery",
            request_serializer=gallery_pb2.ExportGalleryRequest.SerializeToString,
            response_deserializer=gallery_pb2.ExportGalleryResponse.FromString,
        )(gallery_pb2.ExportGalleryRequest(gallery_id=gallery_id))
        try:
            with private_file(path) as file:
                file.writelines(message.data for message in call)
                size = file.tell()
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()  # type: ignore[no-untyped-call]
        return size

    def import_gallery(self, path: str | os.PathLike[str], *, gallery_id: str = "") -> results.Gallery:
        """Makes a gallery from a file that :meth:`export_gallery` wrote; default: under its old id."""
        with Path(path).open("rb") as file:
            pieces = iter(lambda: file.read(FILE_CHUNK_BYTES), b"")
            messages = _gallery_requests.import_messages(gallery_id, _gallery_requests.new_key(), pieces)
            try:
                response = self._channel.stream_unary(
                    "/facewire.v1.GalleryService/ImportGallery",
                    request_serializer=gallery_pb2.ImportGalleryRequest.SerializeToString,
                    response_deserializer=gallery_pb2.ImportGalleryResponse.FromString,
                )(iter(messages))
            except grpc.RpcError as failure:
                raise to_error(failure, self.target) from failure
        return _parse.gallery(response.gallery)
