"""From tracks to events and figures: who appeared, who it is, who left, who crossed, how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from facewire_server.domain.boundary import Boundary, Crossing, watch
from facewire_server.domain.crowd import CrowdCounter, CrowdFigures, PeopleMemory
from facewire_server.domain.event import Event, EventKind
from facewire_server.domain.liveness import LivenessDecision
from facewire_server.domain.stream import StreamSettings, TrackState
from facewire_server.pipeline.analysis import AttributeRules
from facewire_server.streaming.record import TrackRecord
from facewire_server.streaming.tracks import Shown

_LONGEST_COUNT_S: Final = 86_400.0  # figures begin anew each day where no interval is set


def is_ignored(record: TrackRecord, settings: StreamSettings) -> bool:
    """Whether the track is of a subject who is known and not told of."""
    subject = record.verdict.subject
    return subject is not None and not settings.ignore_labels.isdisjoint(subject.labels)


class Reporter:
    """Watches one stream's tracks. Not thread-safe.

    Args:
        memory: tells people who come back.
        rules: who may be told what of age and gender.

    Attributes:
        judged_at: the gallery's revision that the tracks' names are of.
    """

    def __init__(self, session_id: str, memory: PeopleMemory, rules: AttributeRules) -> None:
        self.judged_at = 0
        self._session_id = session_id
        self._memory = memory
        self._crowd = CrowdCounter(rules.min_people, rules.same_person)
        self._now = 0
        self._events: list[Event] = []
        self._boundaries: tuple[Boundary, ...] = ()
        self._told: dict[int, str] = {}  # by track id the subject that events last named
        self._watchlisted: set[tuple[int, str]] = set()

    def use(self, settings: StreamSettings) -> None:
        """From now on these settings; lines and zones that changed count for tracks that appear from now on."""
        self._settings = settings
        self._boundaries = settings.boundaries

    def take(self) -> list[Event]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def figures(self) -> CrowdFigures:
        """Of the interval so far."""
        return self._crowd.figures(self._now)

    def observe(self, shown: Sequence[Shown], size: tuple[int, int] | None, now_s: float, at_ms: int) -> None:
        """A frame's tracks. ``size`` is the frame's, where faces were looked for."""
        if not self._crowd.begun:
            self._crowd.begin(now_s, at_ms)
        confirmed = [
            each for each in shown if each.record.confirmed and not self._passes_over(each.record, now_s, at_ms)
        ]
        self._now = len(confirmed)
        for each in confirmed:
            self._count(each.record, now_s)
            self._tell(each.record, now_s, at_ms)
            if size is not None and not each.predicted:
                self._cross(each, size, at_ms)
        interval_s = self._settings.count_interval_s
        if self._crowd.elapsed_s(now_s) >= (interval_s or _LONGEST_COUNT_S):
            if interval_s:
                self._events.append(self._event(EventKind.COUNT, at_ms, crowd=self.figures()))
            self._crowd.begin(now_s, at_ms)

    def forget_subjects(self, knows: Callable[[str], bool]) -> None:
        """Drops whoever is no longer enrolled from the memory and the figures."""
        self._memory.forget_subjects(knows)
        self._crowd.forget_subjects(knows)
        self._watchlisted = {key for key in self._watchlisted if knows(key[1])}

    def ended(self, records: Sequence[TrackRecord], at_ms: int) -> None:
        """Tracks that are over."""
        for record in records:
            ignored = self._passes_over(record, record.seen_s, at_ms)
            if record.appeared and not ignored:
                for name, boundary in record.watches:
                    self._crossed(record, name, boundary.end(), at_ms)
                dwell_s = record.seen_s - record.first_s
                self._crowd.ended(dwell_s)
                if not self._boundaries:
                    self._left(record)
                self._events.append(self._event(EventKind.LEFT, at_ms, record, dwell_s=dwell_s))
            self._told.pop(record.track_id, None)
            self._watchlisted = {key for key in self._watchlisted if key[0] != record.track_id}

    def _passes_over(self, record: TrackRecord, now_s: float, at_ms: int) -> bool:
        """Whether the track is of somebody who is not to be told of.

        Who appeared before the name was known leaves at once, for those who watch, and without a name; what this
        interval counted of the track is taken back. Whoever turns out to be somebody else appears anew.
        """
        if not is_ignored(record, self._settings):
            return False
        self._crowd.forget_person(record.person, record.subject_id)
        if record.counted_in == self._crowd.interval:
            self._crowd.take_back(record.entries, record.exits)
        record.entries = record.exits = 0
        if record.appeared:
            record.appeared = False
            left = self._event(EventKind.LEFT, at_ms, record, dwell_s=now_s - record.first_s)
            self._events.append(replace(left, subject_id="", display_name="", labels=(), similarity=None))
        return True

    def _entered(self, record: TrackRecord) -> None:
        self._crowd.entered()
        self._note(record).entries += 1

    def _left(self, record: TrackRecord) -> None:
        self._crowd.left()
        self._note(record).exits += 1

    def _note(self, record: TrackRecord) -> TrackRecord:
        """What the present interval counts of the track begins at nothing."""
        if record.counted_in != self._crowd.interval:
            record.counted_in = self._crowd.interval
            record.entries = record.exits = 0
        return record

    # --- people ---------------------------------------------------------------------------------------------

    def _count(self, record: TrackRecord, now_s: float) -> None:
        template = record.evidence.template
        if record.restarts != record.evidence.restarts:
            record.restarts, record.person = record.evidence.restarts, 0  # somebody else by now
        if not record.person:
            record.person = self._memory.new() if template is None else self._memory.person_of(template, now_s)
        elif record.evidence.shots == 1 and template is not None and not record.was_named:
            self._recognise(record, self._memory.person_of(template, now_s))
        if record.subject_id is not None:
            self._recognise(record, self._memory.named(record.person, record.subject_id))
        if template is not None:
            self._memory.seen(record.person, template, now_s)
        self._crowd.present(record.person, record.subject_id, record.attributes)

    def _recognise(self, record: TrackRecord, number: int) -> None:
        """The track turns out to be a person known under another number."""
        if number != record.person:
            self._crowd.same(number, record.person)
            record.person = number

    # --- events ---------------------------------------------------------------------------------------------

    def _tell(self, record: TrackRecord, now_s: float, at_ms: int) -> None:
        if not record.appeared:
            record.appeared = True
            record.watches = [(boundary.name, watch(boundary)) for boundary in self._boundaries]
            if not self._boundaries:
                self._entered(record)
            self._events.append(self._event(EventKind.APPEARED, at_ms, record))
        self._tell_name(record, at_ms)
        if record.living is not None and record.living.decision is LivenessDecision.SPOOF and not record.spoof_told:
            record.spoof_told = True
            self._events.append(self._event(EventKind.SPOOF, at_ms, record))
        linger_s = self._settings.unknown_linger_s
        nameless = record.verdict.state in (TrackState.UNKNOWN, TrackState.IDENTIFYING) and not record.was_named
        if linger_s and nameless and not record.lingering and now_s - record.first_s >= linger_s:
            record.lingering = True
            self._events.append(self._event(EventKind.UNKNOWN_LINGERING, at_ms, record))

    def _tell_name(self, record: TrackRecord, at_ms: int) -> None:
        subject = record.verdict.subject
        name = "" if subject is None else subject.subject_id
        if name != self._told.get(record.track_id, ""):
            self._told[record.track_id] = name
            kind = EventKind.REVISED if record.was_named else EventKind.IDENTIFIED
            record.was_named = True
            self._events.append(self._event(kind, at_ms, record))
        if subject is None or not self._settings.watchlist_labels.intersection(subject.labels):
            return
        key = (record.track_id, subject.subject_id)
        if key not in self._watchlisted:
            self._watchlisted.add(key)
            self._events.append(self._event(EventKind.WATCHLIST, at_ms, record))

    def _cross(self, shown: Shown, size: tuple[int, int], at_ms: int) -> None:
        x, y, width, height = shown.box.tolist()
        position = ((x + width / 2) / size[0], (y + height / 2) / size[1])
        for name, boundary in shown.record.watches:
            self._crossed(shown.record, name, boundary.move(position), at_ms)

    def _crossed(self, record: TrackRecord, name: str, crossing: Crossing | None, at_ms: int) -> None:
        if crossing is None:
            return
        if crossing is Crossing.IN:
            self._entered(record)
            kind = EventKind.CROSSED_IN
        else:
            self._left(record)
            kind = EventKind.CROSSED_OUT
        self._events.append(self._event(kind, at_ms, record, boundary=name))

    def _event(
        self, kind: EventKind, at_ms: int, record: TrackRecord | None = None, *,
        boundary: str = "", dwell_s: float | None = None, crowd: CrowdFigures | None = None,
    ) -> Event:  # fmt: skip
        subject = None if record is None else record.verdict.subject
        return Event(
            kind=kind,
            at_ms=at_ms,
            stream_id=self._settings.stream_id,
            session_id=self._session_id,
            gallery_id=self._settings.gallery_id,
            track_id=0 if record is None else record.track_id,
            subject_id="" if subject is None else subject.subject_id,
            display_name="" if subject is None else subject.display_name,
            labels=() if subject is None else subject.labels,
            similarity=None if subject is None else subject.similarity,
            boundary=boundary,
            dwell_s=dwell_s,
            crowd=crowd,
            judged_at=self.judged_at,
        )
