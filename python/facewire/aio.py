"""The same client for asyncio: ``facewire.aio.Client`` has the methods of :class:`facewire.Client`, awaitable."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path

import grpc
import grpc.aio

from facewire import _gallery_requests, _parse, _requests, _watch, results
from facewire._aio_connection import Connection
from facewire._channel import FILE_CHUNK_BYTES
from facewire._gallery_requests import EnrolItem
from facewire._private_file import private_file
from facewire._requests import ProbeLike, VerifySideLike
from facewire._status import to_error
from facewire.aio_stream import Stream
from facewire.analysis import Analysis
from facewire.calibration import Calibration
from facewire.images import ImageLike
from facewire.liveness import LivenessCheck
from facewire.review import Finding
from facewire.stream_options import StreamOptions
from facewire.stream_results import BestShot, Event, EventKind, EventsLost, StreamInfo
from facewire.v1 import gallery_pb2, stream_pb2


class Client(Connection):
    """A connection to a facewire server, for one event loop; an async context manager.

    Arguments, results and errors are those of :class:`facewire.Client`; lists are async iterators.

    Example:
        >>> async with facewire.aio.Client() as client:
        ...     answer = await client.identify("door", "visitor.jpg")
    """

    # --- pictures -------------------------------------------------------------------------------------------

    async def detect(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
    ) -> results.Detections:
        """Where faces are. See :meth:`facewire.Client`."""
        return await self._call(_requests.detect(image, min_score, min_face_px, max_faces))

    async def embed(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        looks: int = 0,
    ) -> results.Embeddings:
        """Faces and their embeddings.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`detect`.
            looks: 1 is quick; 2 (as 0) averages in a close-up of each face: fewer errors for twice the time.
        """
        return await self._call(_requests.embed(image, min_score, min_face_px, max_faces, looks))

    async def analyze(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        per_person: bool = False,
    ) -> Analysis:
        """What faces look like: crowd figures of age and gender, head poses, liveness. See :meth:`facewire.Client`."""
        return await self._call(_requests.analyze(image, min_score, min_face_px, max_faces, per_person))

    async def verify(
        self,
        probe: VerifySideLike,
        reference: VerifySideLike,
        *,
        min_similarity: float | None = None,
        liveness: LivenessCheck | None = None,
    ) -> results.Verification:
        """Whether two sides are one person (1:1). See :meth:`facewire.Client`."""
        return await self._call(_requests.verify(probe, reference, min_similarity, liveness))

    async def identify(
        self,
        gallery_id: str,
        probe: ProbeLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        max_candidates: int = 0,
        min_similarity: float | None = None,
        liveness: LivenessCheck | None = None,
    ) -> results.Identifications:
        """Who of the gallery each face is, if anyone (1:N). See :meth:`facewire.Client`."""
        return await self._call(
            _requests.identify(
                gallery_id,
                probe,
                min_score,
                min_face_px,
                max_faces,
                max_candidates,
                min_similarity,
                liveness,
            )
        )

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
    ) -> results.Enrolment:
        """Enrols pictures of one subject; each is accepted or refused with a reason. See :meth:`facewire.Client`."""
        item = EnrolItem(subject_id, images, display_name, create_subject, use_largest_face)
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

    # --- streams --------------------------------------------------------------------------------------------

    def stream(
        self,
        options: StreamOptions | None = None,
        *,
        reconnect_s: float = 60.0,
        on_trouble: Callable[[str], None] | None = None,
    ) -> Stream:
        """A stream of frames; use it as an async context manager. See :meth:`facewire.Client.stream`."""
        return Stream(self._channel, self.target, options or StreamOptions(), reconnect_s, on_trouble)

    async def watch_events(
        self,
        *,
        gallery_id: str = "",
        stream_id: str = "",
        subject_label: str = "",
        kinds: Sequence[EventKind] = (),
        after_event_id: int | None = None,
        from_oldest: bool = False,
        reconnect_s: float = 60.0,
        on_trouble: Callable[[str], None] | None = None,
    ) -> AsyncIterator[Event | EventsLost]:
        """What happens on all streams, without end. See :meth:`facewire.Client.watch_events`."""
        cursor = _watch.WatchCursor(gallery_id, stream_id, subject_label, kinds, after_event_id, from_oldest)
        backoff = _watch.Reconnecting(self.target, reconnect_s, on_trouble)
        method = self._channel.unary_stream(
            _watch.METHOD,
            request_serializer=stream_pb2.WatchEventsRequest.SerializeToString,
            response_deserializer=stream_pb2.WatchEventsResponse.FromString,
        )
        while not self._closed:
            call = method(cursor.request())
            try:
                async for response in call:
                    backoff.succeeded()
                    if (told := cursor.take(response)) is not None:
                        yield told
            except grpc.RpcError as failure:
                error = to_error(failure, self.target)
                if self._closed:
                    return
                wait_s = backoff.wait_s(error)
                if wait_s is None:
                    raise error from failure
                await asyncio.sleep(wait_s)
            finally:
                call.cancel()

    async def last_event_id(self) -> int:
        """The number of the newest event. See :meth:`facewire.Client.last_event_id`."""
        call = self._channel.unary_stream(
            _watch.METHOD,
            request_serializer=stream_pb2.WatchEventsRequest.SerializeToString,
            response_deserializer=stream_pb2.WatchEventsResponse.FromString,
        )(stream_pb2.WatchEventsRequest(), timeout=self._timeout_s)
        try:
            return int((await anext(aiter(call))).position.event_id)
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()

    async def list_streams(self) -> list[StreamInfo]:
        """The streams that run, and those that may be resumed, by id."""
        return await self._call(_requests.list_streams())

    async def best_shot(self, stream_id: str, track_id: int) -> BestShot:
        """The best picture of a track so far. See :meth:`facewire.Client.best_shot`."""
        return await self._call(_requests.best_shot(stream_id, track_id))

    # --- the server -----------------------------------------------------------------------------------------

    async def server_info(self) -> results.ServerInfo:
        """Build, models, contract, devices, limits."""
        return await self._call(_requests.server_info())
