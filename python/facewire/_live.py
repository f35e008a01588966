"""Log-ins by head turns, for threads and asyncio alike: messages out, what comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from facewire import _parse, _parse_analysis, live
from facewire._requests import VerifySideLike, side_message
from facewire.errors import ImageError
from facewire.images import ImageLike, image_message
from facewire.v1 import face_pb2, liveness_pb2, stream_pb2

METHOD: Final = "/facewire.v1.LivenessService/VerifyLive"
Request = liveness_pb2.VerifyLiveRequest
Response = liveness_pb2.VerifyLiveResponse
OnPrompt = Callable[[live.ChallengePrompt], object]
OnProgress = Callable[[live.ChallengeProgress], object]


class LiveRequests:
    """Makes the messages of one log-in: settings before the first frame, then frames, all of one form."""

    def __init__(
        self, reference: VerifySideLike | None, min_similarity: float | None, actions: int, mirrored: bool
    ) -> None:
        self._settings = liveness_pb2.VerifyLiveSettings(
            reference=None if reference is None else side_message(reference),
            min_similarity=min_similarity,
            actions=actions,
            mirrored=mirrored,
        )
        self._layout: object = None
        self._sequence = 0

    @property
    def begun(self) -> bool:
        """Whether there was a frame."""
        return self._sequence > 0

    def of(self, image: ImageLike) -> list[Request]:
        """What is to be sent for a frame.

        Raises:
            ImageError: it is no picture, or of another form than the first one.
        """
        message = image_message(image)
        if message.WhichOneof("source") == "encoded":
            data, layout = message.encoded, stream_pb2.FrameEncoding(compressed=stream_pb2.CompressedFrames())
        else:
            raw = message.raw
            data = raw.data
            layout = stream_pb2.FrameEncoding(
                raw=stream_pb2.RawFrames(
                    format=raw.format, width=raw.width, height=raw.height, stride_bytes=raw.stride_bytes
                )
            )
        self._sequence += 1
        requests = [Request(frame=stream_pb2.StreamFrame(sequence=self._sequence, data=data))]
        if self._layout is None:
            self._layout = layout
            self._settings.encoding.CopyFrom(layout)
            requests.insert(0, Request(settings=self._settings))
        elif self._layout != layout:
            raise ImageError(f"frame {self._sequence} has another size or form than the first one")
        return requests


def require_frames(frames: object) -> None:
    """Whether there may be several: a path or the bytes of one picture are iterable, too.

    Raises:
        ImageError: no.
    """
    if isinstance(frames, str | bytes | bytearray | os.PathLike | np.ndarray):
        raise ImageError("frames must be pictures of a camera, one after the other; a single picture is not enough")


class LiveAnswers:
    """Takes what comes back apart."""

    def __init__(self, on_prompt: OnPrompt | None, on_progress: OnProgress | None) -> None:
        self._on_prompt = on_prompt or (lambda prompt: None)
        self._on_progress = on_progress or (lambda progress: None)
        self._result: live.LiveVerification | None = None

    def take(self, response: Response) -> None:
        """One answer; tells whoever wants to know."""
        kind = response.WhichOneof("message")
        if kind == "prompt":
            self._on_prompt(_prompt(response.prompt))
        elif kind == "progress":
            self._on_progress(_progress(response.progress))
        elif kind == "result":
            self._result = _result(response.result)

    def result_or(self, problem: Sequence[BaseException]) -> live.LiveVerification:
        """What came last; whatever went wrong with the frames afterwards does not matter.

        Raises:
            BaseException: what went wrong with the frames before there was a result.
            ImageError: there were no frames.
        """
        ended = self._result is None or self._result.failure is live.ChallengeFailure.FRAMES_ENDED
        if problem and ended:
            raise problem[0]
        if self._result is not None:
            return self._result
        raise ImageError("there were no frames to log in with")


def _prompt(message: liveness_pb2.ChallengePrompt) -> live.ChallengePrompt:
    name = liveness_pb2.ChallengeAction.Name(message.action).removeprefix("CHALLENGE_ACTION_")
    left = message.time_left
    return live.ChallengePrompt(
        live.ChallengeAction(name), message.done, message.wanted, left.seconds + left.nanos / 1e9
    )


def _progress(message: liveness_pb2.ChallengeProgress) -> live.ChallengeProgress:
    hint = None
    if message.hint != liveness_pb2.CHALLENGE_HINT_UNSPECIFIED:
        hint = live.ChallengeHint(liveness_pb2.ChallengeHint.Name(message.hint).removeprefix("CHALLENGE_HINT_"))
    return live.ChallengeProgress(
        sequence=message.sequence,
        face=_parse.face(message.face) if message.HasField("face") else None,
        head_pose=_parse_analysis.pose(message.head_pose) if message.HasField("head_pose") else None,
        share=message.share,
        hint=hint,
    )


def _result(message: liveness_pb2.VerifyLiveResult) -> live.LiveVerification:
    failure = None
    if message.failure != liveness_pb2.CHALLENGE_FAILURE_UNSPECIFIED:
        name = liveness_pb2.ChallengeFailure.Name(message.failure)
        failure = live.ChallengeFailure(name.removeprefix("CHALLENGE_FAILURE_"))
    compared = message.decision != face_pb2.DECISION_UNSPECIFIED
    return live.LiveVerification(
        liveness=_parse.liveness_decision(message.liveness),
        failure=failure,
        decision=_parse.decision(message.decision) if compared else None,
        similarity=message.similarity if message.HasField("similarity") else None,
        min_similarity=message.min_similarity if message.HasField("min_similarity") else None,
        estimated_fmr=message.estimated_fmr if message.HasField("estimated_fmr") else None,
        passive=_parse.liveness(message.passive) if message.HasField("passive") else None,
        reference=_parse.side_report(message.reference) if message.HasField("reference") else None,
    )
