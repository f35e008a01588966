"""Age and gender: of one face an estimate, of a crowd figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

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
        mean_age: years.
        female_share: mean of the probabilities.
        age_groups: people by age, one number more than AGE_GROUPS.
    """

    people: int
    mean_age: float
    female_share: float
    age_groups: tuple[int, ...]


def figures_of(people: Iterable[Attributes], min_people: int) -> AttributeFigures | None:
    """The figures, or None where fewer than ``min_people`` would make them: those would tell of persons."""
    known: Sequence[Attributes] = list(people)
    if not known or len(known) < min_people:
        return None
    groups = [0] * (len(AGE_GROUPS) + 1)
    for each in known:
        groups[sum(each.age >= end for end in AGE_GROUPS)] += 1
    return AttributeFigures(
        people=len(known),
        mean_age=sum(each.age for each in known) / len(known),
        female_share=sum(each.female for each in known) / len(known),
        age_groups=tuple(groups),
    )
