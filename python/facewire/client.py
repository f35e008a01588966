"""The client: one connection to a facewire server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import grpc

from facewire import _parse, _requests, _watch, results
from facewire._channel import FILE_CHUNK_BYTES
from facewire._connection import Connection
from facewire._private_file import private_file
from facewire._requests import EnrolItem, ProbeLike, VerifySideLike
from facewire._status import to_error
from facewire.calibration import Calibration
from facewire.images import ImageLike
from facewire.review import Finding
from facewire.stream import Stream
from facewire.stream_options import StreamOptions
from facewire.stream_results import BestShot, Event, EventKind, EventsLost, StreamInfo
from facewire.v1 import gallery_pb2, stream_pb2


class Client(Connection):
    """A connection to a facewire server; thread-safe, and a context manager.

    Every method raises :class:`facewire.errors.ServerError` (or one of its kinds) when the server refuses, and
    :class:`facewire.errors.ImageError` for a picture that cannot be sent. Calls are repeated where the server is
    starting or full: reads change nothing, and writes carry an idempotency key, so a repetition does no harm.

    Args:
        target: host:port of the server.
        timeout_s: for each call, repetitions included; streams have none.
        retries: how often a call is repeated at most.

    Example:
        >>> with facewire.Client("127.0.0.1:50061") as client:
        ...     client.create_gallery("door")
        ...     client.enrol("door", "ada", ["ada-1.jpg", "ada-2.jpg"])
        ...     for face in client.identify("door", "visitor.jpg").faces:
        ...         print(face.decision, face.match)
    """

    # --- pictures -------------------------------------------------------------------------------------------

    def detect(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
    ) -> results.Detections:
        """Where faces are.

        Args:
            image: see :data:`facewire.ImageLike`.
            min_score: detector score from 0 to 1; None: the model's own threshold.
            min_face_px: shorter side of a face; None: the server's setting.
            max_faces: at most so many, best first; 0: the server's limit.
        """
        return self._call(_requests.detect(image, min_score, min_face_px, max_faces))

    def embed(
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
        return self._call(_requests.embed(image, min_score, min_face_px, max_faces, looks))

    def verify(
        self,
        probe: VerifySideLike,
        reference: VerifySideLike,
        *,
        min_similarity: float | None = None,
    ) -> results.Verification:
        """Whether two sides are one person (1:1).

        Args:
            probe, reference: a picture (its largest face counts), an :class:`Embedding`, or a
                :class:`SubjectReference` (the best of its templates counts).
            min_similarity: cosine that makes a match; None: the server's threshold.
        """
        return self._call(_requests.verify(probe, reference, min_similarity))

    def identify(
        self,
        gallery_id: str,
        probe: ProbeLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        max_candidates: int = 0,
        min_similarity: float | None = None,
    ) -> results.Identifications:
        """Who of the gallery each face is, if anyone (1:N).

        Args:
            gallery_id: whom to compare with.
            probe: a picture, or an :class:`Embedding` of the gallery's contract.
            min_score, min_face_px, max_faces: as :meth:`detect`.
            max_candidates: closest subjects to report for a face; 0: three.
            min_similarity: cosine that makes a match; None: the server's threshold for the gallery's size.
        """
        return self._call(
            _requests.identify(
                gallery_id,
                probe,
                min_score,
                min_face_px,
                max_faces,
                max_candidates,
                min_similarity,
            )
        )

    # --- galleries ------------------------------------------------------------------------------------------

    def create_gallery(self, gallery_id: str, *, display_name: str = "") -> results.Gallery:
        """Makes an empty gallery.

        Args:
            gallery_id: 1 to 63 of a-z, 0-9, '-', '_', '.', beginning with a letter or digit.
            display_name: default: the id.
        """
        return self._call(_requests.create_gallery(gallery_id, display_name))

    def get_gallery(self, gallery_id: str) -> results.Gallery:
        """One gallery."""
        return self._call(_requests.get_gallery(gallery_id))

    def list_galleries(self) -> Iterator[results.Gallery]:
        """All galleries by id, fetched in pages."""
        return self._pages(_requests.list_galleries)

    def delete_gallery(self, gallery_id: str) -> tuple[int, int]:
        """Erases a gallery with everybody in it; returns how many subjects and faces went."""
        return self._call(_requests.delete_gallery(gallery_id))

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
        return self._call(_requests.calibrate(gallery_id, fpir, fmr, cohort, cohort_gallery_id, dry_run))

    def review_gallery(self, gallery_id: str, *, max_findings: int = 0) -> tuple[Finding, ...]:
        """People who are mistaken for each other, templates that do not belong, and such that say nothing new.

        ``max_findings`` of each kind, the worst first; 0: twenty.
        """
        return self._call(_requests.review_gallery(gallery_id, max_findings))

    def delete_calibration(self, gallery_id: str) -> None:
        """Back to the embedder's own error rates."""
        return self._call(_requests.delete_calibration(gallery_id))

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
        return self._call(_requests.create_subject(gallery_id, subject_id, display_name, labels, attributes or {}))

    def get_subject(self, gallery_id: str, subject_id: str) -> results.Subject:
        """One subject."""
        return self._call(_requests.get_subject(gallery_id, subject_id))

    def list_subjects(self, gallery_id: str, *, label: str = "") -> Iterator[results.Subject]:
        """All subjects by id, or those with a label, fetched in pages."""
        return self._pages(lambda token: _requests.list_subjects(gallery_id, label, token))

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
        return self._call(_requests.update_subject(gallery_id, subject_id, display_name, labels, attributes))

    def delete_subject(self, gallery_id: str, subject_id: str) -> int:
        """Erases a subject with its templates; returns how many."""
        return self._call(_requests.delete_subject(gallery_id, subject_id))

    def enrol(
        self,
        gallery_id: str,
        subject_id: str,
        images: Sequence[ImageLike],
        *,
        display_name: str = "",
        create_subject: bool = True,
        use_largest_face: bool = False,
    ) -> results.Enrolment:
        """Enrols pictures of one subject; each is accepted or refused with a reason.

        Args:
            gallery_id: where.
            subject_id: who; made where missing, unless ``create_subject`` is False.
            images: pictures with one face each.
            display_name: of a subject that is made; default: its id.
            use_largest_face: of several faces take the largest instead of refusing the picture.
        """
        item = EnrolItem(subject_id, images, display_name, create_subject, use_largest_face)
        return self._call(_requests.enrol(gallery_id, item))

    def batch_enrol(self, gallery_id: str, items: Iterable[EnrolItem]) -> Iterator[results.BatchEnrolment]:
        """Enrols many subjects on one stream; answers come in order, one an item, while it is sent.

        A refused item ends nothing; a broken connection raises, and what was answered is enrolled.
        """
        source = _requests.BatchSource(gallery_id, items)
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
        return self._pages(lambda token: _requests.list_faces(gallery_id, subject_id, token))

    def delete_face(self, gallery_id: str, face_id: str) -> None:
        """Erases one template."""
        self._call(_requests.delete_face(gallery_id, face_id))

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
            messages = _requests.import_messages(gallery_id, _requests.new_key(), pieces)
            try:
                response = self._channel.stream_unary(
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
        """A stream of frames; use it as a context manager, and iterate over it.

        Args:
            options: default: track faces, name nobody.
            reconnect_s: how long to try to get through again where the connection broke; ``math.inf``: for ever.
            on_trouble: told when the server is lost, and when it is back.
        """
        return Stream(self._channel, self.target, options or StreamOptions(), reconnect_s, on_trouble)

    def watch_events(
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
    ) -> Iterator[Event | EventsLost]:
        """What happens on all streams, without end; each event comes at least once, also over broken connections.

        Args:
            gallery_id, stream_id, subject_label, kinds: only these, where given.
            after_event_id: begin after the event seen last; None: with what happens from now on.
            from_oldest: begin with the oldest event that is still kept.
            reconnect_s: how long to try to get through again where the connection broke.
            on_trouble: told when the server is lost, and when it is back.
        """
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
                for response in call:
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
                time.sleep(wait_s)
            finally:
                call.cancel()  # type: ignore[no-untyped-call]

    def last_event_id(self) -> int:
        """The number of the newest event: what ``after_event_id`` takes to see all that comes later."""
        call = self._channel.unary_stream(
            _watch.METHOD,
            request_serializer=stream_pb2.WatchEventsRequest.SerializeToString,
            response_deserializer=stream_pb2.WatchEventsResponse.FromString,
        )(stream_pb2.WatchEventsRequest(), timeout=self._timeout_s)
        try:
            return int(next(iter(call)).position.event_id)
        except grpc.RpcError as failure:
            raise to_error(failure, self.target) from failure
        finally:
            call.cancel()  # type: ignore[no-untyped-call]

    def list_streams(self) -> list[StreamInfo]:
        """The streams that run, and those that may be resumed, by id."""
        return self._call(_requests.list_streams())

    def best_shot(self, stream_id: str, track_id: int) -> BestShot:
        """The best picture of a track so far, where the stream keeps them (``StreamOptions.best_shots``)."""
        return self._call(_requests.best_shot(stream_id, track_id))

    # --- the server -----------------------------------------------------------------------------------------

    def server_info(self) -> results.ServerInfo:
        """Build, models, contract, devices, limits."""
        return self._call(_requests.server_info())
