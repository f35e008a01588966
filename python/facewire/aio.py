"""The same client for asyncio: ``facewire.aio.Client`` has the methods of :class:`facewire.Client`, awaitable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence

import grpc
import grpc.aio

from facewire import _requests, _watch, results
from facewire._aio_gallery_client import GalleryClient
from facewire._aio_generative_client import GenerativeClient
from facewire._live import METHOD as LIVE_METHOD
from facewire._live import LiveAnswers, LiveRequests, OnProgress, OnPrompt, require_frames
from facewire._requests import ProbeLike, VerifySideLike
from facewire._status import to_error
from facewire.aio_stream import Stream, each
from facewire.analysis import Analysis
from facewire.images import ImageLike
from facewire.live import LiveVerification
from facewire.liveness import LivenessCheck
from facewire.server_info import ServerInfo
from facewire.stream_options import StreamOptions
from facewire.stream_results import BestShot, Event, EventKind, EventsLost, StreamInfo
from facewire.v1 import stream_pb2
from facewire.v1.liveness_pb2 import VerifyLiveRequest, VerifyLiveResponse


class Client(GalleryClient, GenerativeClient):
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
        allow_synthetic: bool = False,
    ) -> results.Embeddings:
        """Faces and their embeddings.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`detect`.
            looks: 1 is quick; 2 (as 0) averages in a close-up of each face: fewer errors for twice the time; 3 the
                mirror image as well, as enrolment does: twice that.
            allow_synthetic: also pictures that say of themselves that a model made or changed them.
        """
        return await self._call(_requests.embed(image, min_score, min_face_px, max_faces, looks, allow_synthetic))

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
        allow_synthetic: bool = False,
    ) -> results.Verification:
        """Whether two sides are one person (1:1). See :meth:`facewire.Client`."""
        return await self._call(_requests.verify(probe, reference, min_similarity, liveness, allow_synthetic))

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
        allow_synthetic: bool = False,
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
                allow_synthetic,
            )
        )

    async def verify_live(
        self,
        frames: AsyncIterable[ImageLike] | Iterable[ImageLike],
        *,
        reference: VerifySideLike | None = None,
        min_similarity: float | None = None,
        actions: int = 0,
        mirrored: bool = False,
        on_prompt: OnPrompt | None = None,
        on_progress: OnProgress | None = None,
    ) -> LiveVerification:
        """A log-in by head turns. See :meth:`facewire.Client.verify_live`; a plain iterable must not block."""
        require_frames(frames)
        requests, answers = (
            LiveRequests(reference, min_similarity, actions, mirrored),
            LiveAnswers(on_prompt, on_progress),
        )
        problem: list[BaseException] = []

        async def outgoing() -> AsyncIterator[VerifyLiveRequest]:
            try:
                async for frame in each(frames):
                    for request in requests.of(frame):
                        yield request
            except Exception as error:  # noqa: BLE001 - raised below, in the caller's task
                problem.append(error)

        call = self._channel.stream_stream(
            LIVE_METHOD,
            request_serializer=VerifyLiveRequest.SerializeToString,
            response_deserializer=VerifyLiveResponse.FromString,
        )(outgoing())
        try:
            async for response in call:
                answers.take(response)
        except grpc.aio.AioRpcError as failure:
            if not problem and requests.begun:
                raise to_error(failure, self.target) from failure
        finally:
            call.cancel()
        return answers.result_or(problem)

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

    async def server_info(self) -> ServerInfo:
        """Build, models, contract, devices, limits."""
        return await self._call(_requests.server_info())
