"""The client: one connection to a facewire server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import grpc

from facewire import _requests, _watch, results
from facewire._gallery_client import GalleryClient
from facewire._generative_client import GenerativeClient
from facewire._live import METHOD as LIVE_METHOD
from facewire._live import LiveAnswers, LiveRequests, OnProgress, OnPrompt, require_frames
from facewire._requests import ProbeLike, VerifySideLike
from facewire._status import to_error
from facewire.analysis import Analysis
from facewire.images import ImageLike
from facewire.live import LiveVerification
from facewire.liveness import LivenessCheck
from facewire.server_info import ServerInfo
from facewire.stream import Stream
from facewire.stream_options import StreamOptions
from facewire.stream_results import BestShot, Event, EventKind, EventsLost, StreamInfo
from facewire.v1 import stream_pb2
from facewire.v1.liveness_pb2 import VerifyLiveRequest, VerifyLiveResponse


class Client(GalleryClient, GenerativeClient):
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
        allow_synthetic: bool = False,
    ) -> results.Embeddings:
        """Faces and their embeddings.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`detect`.
            looks: 1 is quick; 2 (as 0) averages in a close-up of each face: fewer errors for twice the time; 3 the
                mirror image as well, as enrolment does: twice that.
            allow_synthetic: also pictures that say of themselves that a model made or changed them.
        """
        return self._call(_requests.embed(image, min_score, min_face_px, max_faces, looks, allow_synthetic))

    def analyze(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        per_person: bool = False,
    ) -> Analysis:
        """What faces look like: age and gender as figures of a crowd, head poses, liveness.

        As far as the server has models for it, all off by default; PreconditionError where it has none.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`detect`.
            per_person: attributes of each face too; PreconditionError unless the server's operator allows it.
        """
        return self._call(_requests.analyze(image, min_score, min_face_px, max_faces, per_person))

    def verify(
        self,
        probe: VerifySideLike,
        reference: VerifySideLike,
        *,
        min_similarity: float | None = None,
        liveness: LivenessCheck | None = None,
        allow_synthetic: bool = False,
    ) -> results.Verification:
        """Whether two sides are one person (1:1).

        Args:
            probe, reference: a picture (its largest face counts), an :class:`Embedding`, or a
                :class:`SubjectReference` (the best of its templates counts).
            min_similarity: cosine that makes a match; None: the server's threshold.
            liveness: "report" tells whether the probe, a picture, is a living person; "require" also matches nobody
                who is not LIVE.
            allow_synthetic: as :meth:`embed`.
        """
        return self._call(_requests.verify(probe, reference, min_similarity, liveness, allow_synthetic))

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
        liveness: LivenessCheck | None = None,
        allow_synthetic: bool = False,
    ) -> results.Identifications:
        """Who of the gallery each face is, if anyone (1:N).

        Args:
            gallery_id: whom to compare with.
            probe: a picture, or an :class:`Embedding` of the gallery's contract.
            min_score, min_face_px, max_faces: as :meth:`detect`.
            max_candidates: closest subjects to report for a face; 0: three.
            min_similarity: cosine that makes a match; None: the server's threshold for the gallery's size.
            liveness, allow_synthetic: as :meth:`verify`.
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
                liveness,
                allow_synthetic,
            )
        )

    def verify_live(
        self,
        frames: Iterable[ImageLike],
        *,
        reference: VerifySideLike | None = None,
        min_similarity: float | None = None,
        actions: int = 0,
        mirrored: bool = False,
        on_prompt: OnPrompt | None = None,
        on_progress: OnProgress | None = None,
    ) -> LiveVerification:
        """A log-in by head turns: whether a living person is there now, and whether it is the one.

        The server asks for turns in random order; show what ``on_prompt`` is told to the person. Needs no liveness
        model; with a mesh model on the server heads are also raised and lowered.

        Args:
            frames: of a camera, ten a second or more, as they come; read from another thread until the result is here.
            reference: whom it has to be, as :meth:`verify`; None: nobody is compared.
            min_similarity: cosine that makes a match; None: the server's threshold.
            actions: how many turns, at most 10, and never fewer than the server's setting.
            mirrored: the camera's pictures are, as those of many front cameras.
            on_prompt, on_progress: called in this thread.

        Raises:
            ServerError: the server refused. Also whatever ``frames`` raises.
        """
        require_frames(frames)
        requests, answers = (
            LiveRequests(reference, min_similarity, actions, mirrored),
            LiveAnswers(on_prompt, on_progress),
        )
        problem: list[BaseException] = []

        def outgoing() -> Iterator[VerifyLiveRequest]:
            try:
                for frame in frames:
                    yield from requests.of(frame)
            except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
                problem.append(error)

        call = self._channel.stream_stream(
            LIVE_METHOD,
            request_serializer=VerifyLiveRequest.SerializeToString,
            response_deserializer=VerifyLiveResponse.FromString,
        )(outgoing())
        try:
            for response in call:
                answers.take(response)
        except grpc.RpcError as failure:
            if not problem and requests.begun:
                raise to_error(failure, self.target) from failure
        finally:
            call.cancel()  # type: ignore[no-untyped-call]
        return answers.result_or(problem)

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

    def server_info(self) -> ServerInfo:
        """Build, models, contract, devices, limits."""
        return self._call(_requests.server_info())
