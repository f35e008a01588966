"""Clips of known people through a real server: who is named, when, wrongly, and at what cost."""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import facewire
from facewire import FrameAnswer, StreamOptions, Track, TrackState
from facewire.video import VideoFrame, VideoSource
from facewire_server.evaluation.degrade import Degradation
from facewire_server.evaluation.errors import InputError

_TEMPLATES: Final = 8
_FEWEST_TEMPLATES: Final = 3
_START_S: Final = 1_700_000_000.0  # clips have no date of their own


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One clip streamed.

    Attributes:
        person: who is in it; ``enrolled`` whether the gallery knew them.
        named: the name on the main track at the end, None if none.
        right: the right name; where the person was left out, no name in any frame.
        wrong_known_frames: frames that showed somebody as KNOWN who is not in the clip.
        id_switches: how often the largest face went on under another track id.
        seconds_to_name: clip time from the first track to the right name.
    """

    clip: str
    person: str
    enrolled: bool
    frames: int
    named: str | None
    final_state: str
    right: bool
    wrong_known_frames: int
    id_switches: int
    seconds_to_name: float | None
    embedder_calls: int
    face_frames: int


@dataclass(frozen=True, slots=True)
class ClipsResult:
    """All clips. ``median_seconds_to_name`` is of those that were named, None if none was."""

    clips: int
    right: int
    wrong_known_frames: int
    id_switches: int
    median_seconds_to_name: float | None
    embedder_calls: int
    face_frames: int
    details: Sequence[ClipResult]


def read_persons(folder: Path, csv_file: Path) -> dict[str, str]:
    """Who is in which clip, by clip in alphabetical order.

    Raises:
        InputError: the file cannot be read, or names clips that are not there.
    """
    try:
        with csv_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{csv_file} cannot be read: {error}") from error
    if not rows or not {"clip", "person"} <= rows[0].keys():
        raise InputError(f"{csv_file}: needs the columns clip and person, and a row a clip")
    persons = {row["clip"].strip(): row["person"].strip() for row in rows}
    missing = [clip for clip in persons if not (folder / clip).is_file()]
    if missing:
        raise InputError(f"{csv_file} names {missing[0]}, which is not in {folder}")
    return dict(sorted(persons.items()))


class ClipsEvaluation:
    """Enrols each person from that person's first clip and streams the others.

    Args:
        client: of the server; ``gallery_id`` must be a gallery that may be changed.
        folder: of the clips.
        persons: from :func:`read_persons`.
        on_clip: told after each clip.
    """

    def __init__(
        self,
        client: facewire.Client,
        gallery_id: str,
        folder: Path,
        persons: Mapping[str, str],
        degradation: Degradation,
        on_clip: Callable[[ClipResult], None],
    ) -> None:
        self._client = client
        self._gallery_id = gallery_id
        self._folder = folder
        self._persons = persons
        self._degradation = degradation
        self._on_clip = on_clip
        self._first: dict[str, str] = {}
        for clip, person in persons.items():
            self._first.setdefault(person, clip)

    def run(self) -> ClipsResult:
        """Everybody enrolled: do the other clips get the right names?"""
        for person in self._first:
            self._enrol(person)
        others = [clip for clip, person in self._persons.items() if clip != self._first[person]]
        if not others:
            raise InputError("nothing to stream: at least one person needs two clips, the first is for enrolling")
        return _total([self._stream(clip, enrolled=True) for clip in others])

    def run_leaving_out(self) -> ClipsResult:
        """Each person left out in turn: do all their clips stay without a name?"""
        for person in self._first:
            self._enrol(person)
        results = []
        for left_out in self._first:
            self._client.delete_subject(self._gallery_id, _subject_id(left_out))
            clips = [clip for clip, person in self._persons.items() if person == left_out]
            results += [self._stream(clip, enrolled=False) for clip in clips]
            self._enrol(left_out)
        return _total(results)

    def count(self, *, leave_out: bool) -> int:
        """Clips that will be streamed."""
        return len(self._persons) - (0 if leave_out else len(self._first))

    def _enrol(self, person: str) -> None:
        """Frames spread over the clip; where the gate refuses most of them, more frames."""
        clip = self._first[person]
        frames = list(self._frames(clip, None))
        outcomes = self._enrol_spread(person, frames, _TEMPLATES, 0.5)
        if sum(outcome.enrolled is not None for outcome in outcomes) < _FEWEST_TEMPLATES:
            outcomes += self._enrol_spread(person, frames, 2 * _TEMPLATES, 0.25)
        if not any(outcome.enrolled for outcome in outcomes):
            raise InputError(f"nobody could be enrolled from {clip}: {outcomes[0].detail}")

    def _enrol_spread(
        self, person: str, frames: Sequence[VideoFrame], count: int, offset: float
    ) -> list[facewire.EnrolOutcome]:
        pictures = [frames[int((i + offset) * len(frames) / count)].image for i in range(count)]
        enrolment = self._client.enrol(
            self._gallery_id, _subject_id(person), pictures, display_name=person, use_largest_face=True
        )
        return list(enrolment.outcomes)

    def _stream(self, clip: str, *, enrolled: bool) -> ClipResult:
        person = self._persons[clip]
        frames = self._degradation.apply(self._frames(clip, self._degradation.fps), clip)
        options = StreamOptions(gallery_id=self._gallery_id, lossless=True)
        with self._client.stream(options) as stream:
            answers = list(stream.recognize(frames))
        result = _judge(clip, person, enrolled, answers)
        self._on_clip(result)
        return result

    def _frames(self, clip: str, fps: float | None) -> list[VideoFrame]:
        frames = list(VideoSource(str(self._folder / clip), fps=fps).frames(_START_S))
        if not frames:
            raise InputError(f"{clip} holds no frames")
        return frames


def _subject_id(person: str) -> str:
    return "person-" + "".join(c if c.isalnum() else "-" for c in person.lower())


def _judge(clip: str, person: str, enrolled: bool, answers: Sequence[FrameAnswer]) -> ClipResult:
    main = _main_track(answers)
    last = next((t for a in reversed(answers) for t in a.tracks if t.track_id == main), None)
    named = last.subject.display_name if last is not None and last.subject is not None else None
    wrong = sum(any(_is_wrong(track, person, enrolled) for track in answer.tracks) for answer in answers)
    return ClipResult(
        clip=clip,
        person=person,
        enrolled=enrolled,
        frames=len(answers),
        named=named,
        final_state="none" if last is None else last.state.value,
        right=named == person if enrolled else wrong == 0,
        wrong_known_frames=wrong,
        id_switches=_id_switches(answers),
        seconds_to_name=_seconds_to_name(answers, person) if enrolled else None,
        embedder_calls=answers[-1].counters.faces_embedded,
        face_frames=answers[-1].counters.faces_found,
    )


def _is_wrong(track: Track, person: str, enrolled: bool) -> bool:
    return track.subject is not None and not (enrolled and track.subject.display_name == person)


def _main_track(answers: Sequence[FrameAnswer]) -> int | None:
    seen = Counter(track.track_id for answer in answers for track in answer.tracks if not track.predicted)
    return seen.most_common(1)[0][0] if seen else None


def _id_switches(answers: Sequence[FrameAnswer]) -> int:
    switches, last = 0, None
    for answer in answers:
        found = [t for t in answer.tracks if not t.predicted and t.state is not TrackState.TENTATIVE]
        if found:
            largest = max(found, key=lambda t: t.box.width * t.box.height).track_id
            switches += last is not None and largest != last
            last = largest
    return switches


def _seconds_to_name(answers: Sequence[FrameAnswer], person: str) -> float | None:
    appeared = next((a.capture_time for a in answers if a.tracks), None)
    for answer in answers:
        if any(track.subject is not None and track.subject.display_name == person for track in answer.tracks):
            return None if appeared is None else (answer.capture_time - appeared).total_seconds()
    return None


def _total(results: Sequence[ClipResult]) -> ClipsResult:
    waits = [result.seconds_to_name for result in results if result.seconds_to_name is not None]
    return ClipsResult(
        clips=len(results),
        right=sum(result.right for result in results),
        wrong_known_frames=sum(result.wrong_known_frames for result in results),
        id_switches=sum(result.id_switches for result in results),
        median_seconds_to_name=statistics.median(waits) if waits else None,
        embedder_calls=sum(result.embedder_calls for result in results),
        face_frames=sum(result.face_frames for result in results),
        details=results,
    )
