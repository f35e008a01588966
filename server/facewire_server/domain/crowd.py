"""How many people: now, and each once in an interval, also when they went and came back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from facewire_server.domain.attributes import AttributeFigures, JudgedPerson, figures_of
from facewire_server.domain.face import FloatArray

_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class CrowdFigures:
    """See the proto. ``mean_dwell_s`` is None where nobody left, ``attributes`` where they are not to be told."""

    people_now: int
    unique_people: int
    unique_subjects: int
    entries: int
    exits: int
    mean_dwell_s: float | None
    interval_start_ms: int
    attributes: AttributeFigures | None = None


@dataclass(slots=True)
class _Remembered:
    template: FloatArray
    seen_s: float


class PeopleMemory:
    """Tells people who come back from new ones, by subject or by looks. In memory alone, bounded, and it forgets.

    Args:
        remember_s: for so long after they were last seen.
        same_person: cosine from which two tracks without a name are one person.
    """

    def __init__(self, remember_s: float, same_person: float) -> None:
        self._remember_s = remember_s
        self._same_person = same_person
        self._people: OrderedDict[int, _Remembered] = OrderedDict()
        self._subjects: dict[str, int] = {}
        self._named: dict[int, str] = {}
        self._next = 1

    def person_of(self, template: FloatArray, now_s: float) -> int:
        """The number of the remembered person who looks like this, or a new one."""
        self._forget(now_s)
        best, similarity = None, self._same_person
        for number, person in self._people.items():
            cosine = float(person.template @ template)
            if cosine >= similarity:
                best, similarity = number, cosine
        return self.new() if best is None else best

    def named(self, number: int, subject_id: str) -> int:
        """The person turned out to be this subject; the number the subject has."""
        known = self._subjects.get(subject_id)
        if known is not None:
            return known
        if self._named.get(number, subject_id) != subject_id:
            number = self.new()  # the number is another subject's
        self._subjects[subject_id] = number
        self._named[number] = subject_id
        return number

    def forget_subjects(self, knows: Callable[[str], bool]) -> None:
        """Drops whoever is no longer enrolled."""
        for subject_id, number in list(self._subjects.items()):
            if not knows(subject_id):
                self._drop(number)

    def seen(self, number: int, template: FloatArray, now_s: float) -> None:
        """The person was seen now and looks like this."""
        self._people[number] = _Remembered(template, now_s)
        self._people.move_to_end(number)
        if len(self._people) > _MOST_REMEMBERED:
            self._drop(next(iter(self._people)))

    def new(self) -> int:
        """A number for somebody of whom nothing is known."""
        self._next += 1
        return self._next - 1

    def _forget(self, now_s: float) -> None:
        for number, person in list(self._people.items()):
            if now_s - person.seen_s <= self._remember_s:
                break  # the rest were seen later
            self._drop(number)

    def _drop(self, number: int) -> None:
        self._people.pop(number, None)
        subject_id = self._named.pop(number, None)
        if subject_id is not None:
            del self._subjects[subject_id]


class CrowdCounter:
    """Counts over intervals of stream time.

    Args:
        min_people: age and gender are told of so many at least.
        same_person: cosine from which two of them are one.
    """

    def __init__(self, min_people: int, same_person: float) -> None:
        self._min_people = min_people
        self._same_person = same_person
        self.interval = 0
        self._start_s: float | None = None
        self._start_ms = 0
        self._clear()

    def _clear(self) -> None:
        self._people: set[int] = set()
        self._subjects: set[str] = set()
        self._attributes: dict[int, JudgedPerson] = {}
        self._entries = 0
        self._exits = 0
        self._ended = 0
        self._dwell_s = 0.0

    def begin(self, now_s: float, now_ms: int) -> None:
        """A new interval."""
        self.interval += 1
        self._start_s, self._start_ms = now_s, now_ms
        self._clear()

    def elapsed_s(self, now_s: float) -> float:
        """Since the interval began."""
        return 0.0 if self._start_s is None else now_s - self._start_s

    @property
    def begun(self) -> bool:
        """Whether an interval runs."""
        return self._start_s is not None

    def present(self, person: int, subject_id: str | None, attributes: JudgedPerson | None = None) -> None:
        """Somebody is in sight."""
        self._people.add(person)
        if attributes is not None:
            self._attributes[person] = attributes
        if subject_id is not None:
            self._subjects.add(subject_id)

    def same(self, number: int, other: int) -> None:
        """What was counted as ``other`` is person ``number``."""
        if other in self._people:
            self._people.discard(other)
            self._people.add(number)
        if other in self._attributes:
            self._attributes.setdefault(number, self._attributes.pop(other))

    def forget_person(self, person: int, subject_id: str | None) -> None:
        """Somebody who turns out not to count."""
        self._people.discard(person)
        self._attributes.pop(person, None)
        self._subjects.discard(subject_id or "")

    def take_back(self, entries: int, exits: int) -> None:
        """So many of this interval's were of somebody who does not count."""
        self._entries -= entries
        self._exits -= exits

    def entered(self) -> None:
        """Somebody came in."""
        self._entries += 1

    def left(self) -> None:
        """Somebody went out."""
        self._exits += 1

    def ended(self, dwell_s: float) -> None:
        """A track ended that had lasted so long."""
        self._dwell_s += dwell_s
        self._ended += 1

    def forget_subjects(self, knows: Callable[[str], bool]) -> None:
        """Drops whoever is no longer enrolled."""
        self._subjects = {subject_id for subject_id in self._subjects if knows(subject_id)}

    def figures(self, people_now: int) -> CrowdFigures:
        """Of the interval so far. Also for another thread than the one that counts."""
        ended, dwell_s = self._ended, self._dwell_s
        return CrowdFigures(
            people_now=people_now,
            unique_people=len(self._people),
            unique_subjects=len(self._subjects),
            entries=self._entries,
            exits=self._exits,
            mean_dwell_s=dwell_s / ended if ended else None,
            interval_start_ms=self._start_ms,
            attributes=figures_of(list(self._attributes.values()), self._min_people, self._same_person),
        )
