"""The asyncio client's side of galleries, subjects and templates."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path

import grpc.aio

from facewire import _gallery_requests, _parse, results
from facewire._aio_connection import Connection
from facewire._channel import FILE_CHUNK_BYTES
from facewire._gallery_requests import EnrolItem
from facewire._private_file import private_file
from facewire._status import to_error
from facewire.calibration import Calibration
from facewire.images import ImageLike
from facewire.review import Finding
from facewire.v1 import gallery_pb2


class GalleryClient(Connection):
    """Calls on galleries, as :class:`facewire.aio.Client` has them."""

    # --- galleries ------------------------------------------------------------------------------------------

    async def create_gallery(self, gallery_id: str, *, display_name: str = "") -> results.Gallery:
        """Makes an empty gallery. See :meth:`facewire.Client`."""
        return await self._call(_gallery_requests.create_gallery(gallery_id, display_name))

    async def get_gallery(self, gallery_id: str) -> results.Gallery:
        """One gallery."""
        return await self._call(_gallery_requests.get_gallery(gallery_id))

    def list_galleries(self) -> AsyncIterator[results.Gallery]:
        """All galleries by id, fetched in pages."""
        return self._pages(_gallery_requests.list_galleries)

    async def delete_gallery(self, gallery_id: str) -> tuple[int, int]:
        """Erases a gallery with everybody in it; returns how many subjects and faces went."""
        return await self._call(_gallery_requests.delete_gallery(gallery_id))

    async def calibrate(
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
        return await self._call(_gallery_requests.calibrate(gallery_id, fpir, fmr, cohort, cohort_gallery_id, dry_run))

    async def review_gallery(self, gallery_id: str, *, max_findings: int = 0) -> tuple[Finding, ...]:
        """People who are mistaken for each other, templates that do not belong, and such that say nothing new.

        Args:
            gallery_id: of the server's contract.
            max_findings: of each kind, the worst first; 0: twenty.
        """
        return await self._call(_gallery_requests.review_gallery(gallery_id, max_findings))

    async def delete_calibration(self, gallery_id: str) -> None:
        """Back to the embedder's own error rates."""
        return await self._call(_gallery_requests.delete_calibration(gallery_id))

    async def create_subject(
        self,
        gallery_id: str,
        subject_id: str = "",
        *,
        display_name: str = "",
        labels: Sequence[str] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> results.Subject:
        """Makes a subject without templates; an empty id lets the server choose one."""
        return await self._call(
            _gallery_requests.create_subject(gallery_id, subject_id, display_name, labels, attributes or {})
        )

    async def get_subject(self, gallery_id: str, subject_id: str) -> results.Subject:
        """One subject."""
        return await self._call(_gallery_requests.get_subject(gallery_id, subject_id))

    def list_subjects(self, gallery_id: str, *, label: str = "") -> AsyncIterator[results.Subject]:
        """All subjects by id, or those with a label, fetched in pages."""
        return self._pages(lambda token: _gallery_requests.list_subjects(gallery_id, label, token))

    async def update_subject(
        self,
        gallery_id: str,
        subject_id: str,
        *,
        display_name: str | None = None,
        labels: Sequence[str] | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> results.Subject:
        """Replaces what is given and leaves the rest."""
        return await self._call(
            _gallery_requests.update_subject(gallery_id, subject_id, display_name, labels, attributes)
        )

    async def delete_subject(self, gallery_id: str, subject_id: str) -> int:
        """Erases a subject with its templates; returns how many."""
        return await self._call(_gallery_requests.delete_subject(gallery_id, subject_id))

    async def enrol(
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
        """Enrols pictures of one subject; each is accepted or refused with a reason. See :meth:`facewire.Client`."""
        item = EnrolItem(
            subject_id, images, display_name, create_subject, use_largest_face, allow_synthetic=allow_synthetic
        )
        return await self._call(_gallery_requests.enrol(gallery_id, item))

    async def reject(
        self,
        gallery_id: str,
        subject_id: str,
        images: Sequence[ImageLike],
        *,
        use_largest_face: bool = False,
        allow_synthetic: bool = False,
    ) -> results.Enrolment:
        """Says that pictures do not show a subject. See :meth:`facewire.Client`."""
        item = EnrolItem(
            subject_id, images, create_subject=False, use_largest_face=use_largest_face, negative=True,
            allow_synthetic=allow_synthetic,
        )  # fmt: skip
        return await self._call(_gallery_requests.enrol(gallery_id, item))

    async def batch_enrol(self, gallery_id: str, items: Iterable[EnrolItem]) -> AsyncIterator[results.BatchEnrolment]:
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
            async for message in call:
                yield _parse.batch_enrolment(message)
            if source.error is not None:
                raise source.error
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()

    def list_faces(self, gallery_id: str, *, subject_id: str = "") -> AsyncIterator[results.EnrolledFace]:
        """All templates in the order of enrolment, or those of one subject, fetched in pages."""
        return self._pages(lambda token: _gallery_requests.list_faces(gallery_id, subject_id, token))

    async def delete_face(self, gallery_id: str, face_id: str) -> None:
        """Erases one template."""
        await self._call(_gallery_requests.delete_face(gallery_id, face_id))

    async def export_gallery(self, gallery_id: str, path: str | os.PathLike[str]) -> int:
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
                async for message in call:
                    file.write(message.data)
                size = file.tell()
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()
        return size

    async def import_gallery(self, path: str | os.PathLike[str], *, gallery_id: str = "") -> results.Gallery:
        """Makes a gallery from a file that :meth:`export_gallery` wrote; default: under its old id."""
        with Path(path).open("rb") as file:  # noqa: ASYNC230 - read while it is sent, a chunk at a time
            pieces = iter(lambda: file.read(FILE_CHUNK_BYTES), b"")
            messages = _gallery_requests.import_messages(gallery_id, _gallery_requests.new_key(), pieces)
            try:
                response = await self._channel.stream_unary(
                    "/facewire.v1.GalleryService/ImportGallery",
                    request_serializer=gallery_pb2.ImportGalleryRequest.SerializeToString,
                    response_deserializer=gallery_pb2.ImportGalleryResponse.FromString,
                )(iter(messages))
            except grpc.RpcError as failure:
                raise to_error(failure, self.target) from failure
        return _parse.gallery(response.gallery)
