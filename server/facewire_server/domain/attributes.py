"""Age and gender: of one face an estimate, of a crowd figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from facewire_server.domain.face import FloatArray

# Upper ends of the age groups, years, beside the last, which has none.
AGE_GROUPS: Final = (13, 18, 30, 45, 60)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a face looks like to a network; nobody's papers.

    Attributes:
        age: years.
        female: probability, 0..1, of the two classes that the network knows.
    """

    age: float
    female: float


@dataclass(frozen=True, slots=True)
class AttributeFigures:
    """Of a crowd.

    Attributes:
        people: how many were judged.
        mean_age: whole years: exact ones would tell of single people by differences.
        female_share: of the people who look more like that class, each counted as a whole.
        age_groups: people by age, one number more than AGE_GROUPS.
    """

    people: int
    mean_age: float
    female_share: float
    age_groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JudgedPerson:
    """Attributes with the looks they are of, so that nobody counts twice.

    Attributes:
        embedding: float32 (dim,), unit length.
    """

    attributes: Attributes
    embedding: FloatArray

    def with_look(self, seen: JudgedPerson, looks: int) -> JudgedPerson:
        """The mean of so many looks and one more; the embedding is the first one's."""
        age = (self.attributes.age * looks + seen.attributes.age) / (looks + 1)
        female = (self.attributes.female * looks + seen.attributes.female) / (looks + 1)
        return JudgedPerson(Attributes(age, female), self.embedding)


def figures_of(people: Iterable[JudgedPerson], min_people: int, same_person: float) -> AttributeFigures | None:
    """The figures, or None where fewer than ``min_people`` would make them: those would tell of persons.

    Args:
        same_person: cosine from which two are one, who counts once.
    """
    known = _distinct(people, same_person)
    if not known or len(known) < min_people:
        return None
    groups = [0] * (len(AGE_GROUPS) + 1)
    for each in known:
        groups[sum(each.age >= end for end in AGE_GROUPS)] += 1
    return AttributeFigures(
        people=len(known),
        mean_age=float(round(sum(each.age for each in known) / len(known))),
        female_share=sum(each.female > 0.5 for each in known) / len(known),
        age_groups=tuple(groups),
    )


def _distinct(people: Iterable[JudgedPerson], same_person: float) -> list[Attributes]:
    met: list[JudgedPerson] = []
    for person in people:
        if all(float(person.embedding @ other.embedding) < same_person for other in met):
            met.append(person)
    return [person.attributes for person in met]
