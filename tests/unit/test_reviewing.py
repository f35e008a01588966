"""A gallery's review finds what is wrong with it, and nothing in one that is right."""

from __future__ import annotations

import numpy as np

from facewire_server.domain.review import FindingKind, NamedTemplates
from facewire_server.pipeline.reviewing import review


def person(
    random: np.random.Generator, count: int, centre: np.ndarray | None = None, spread: float = 0.5
) -> np.ndarray:
    middle = random.normal(size=128) if centre is None else centre
    rows = middle + spread * random.normal(size=(count, 128))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def gallery(**people: np.ndarray) -> NamedTemplates:
    subjects = [name for name, rows in people.items() for _ in rows]
    return NamedTemplates(np.concatenate(list(people.values())), subjects, [f"f{i}" for i in range(len(subjects))])


def test_a_sound_gallery_has_no_findings() -> None:
    random = np.random.default_rng(0)
    assert review(gallery(a=person(random, 3), b=person(random, 3), c=person(random, 1)), 0.4, 20) == []
    assert review(gallery(a=person(random, 5)), 0.4, 20) == []


def test_one_person_under_two_names_and_a_wrong_picture() -> None:
    random = np.random.default_rng(1)
    centre = random.normal(size=128)
    wrong = np.concatenate([person(random, 3), person(random, 1, centre)])
    found = review(gallery(ada=person(random, 3, centre), grace=wrong), 0.4, 20)
    kinds = {finding.kind: finding for finding in found}
    assert kinds.keys() == {FindingKind.SAME_PERSON, FindingKind.OUTLIER}
    outlier = kinds[FindingKind.OUTLIER]
    assert (outlier.subject_id, outlier.face_id, outlier.other_subject_id) == ("grace", "f6", "ada")
    assert outlier.own_similarity is not None
    assert outlier.own_similarity < outlier.similarity
    assert len(found) == 2, "a pair of subjects once"


def test_look_alikes_are_less_than_the_same_person() -> None:
    random = np.random.default_rng(2)
    centre = random.normal(size=128)
    other = 0.8 * centre + random.normal(size=128)
    found = review(gallery(a=person(random, 1, centre, 0.0), b=person(random, 1, other, 0.0)), 0.4, 20)
    assert [finding.kind for finding in found if finding.kind is not FindingKind.OUTLIER] == [FindingKind.LOOK_ALIKES]


def test_duplicates_are_told_once_and_the_worst_first() -> None:
    random = np.random.default_rng(3)
    rows = person(random, 3)
    found = review(gallery(a=np.concatenate([rows, rows[:2] + np.float32(1e-4)])), 0.4, 1)
    assert [finding.kind for finding in found] == [FindingKind.DUPLICATE]
    assert found[0].similarity > 0.99
    assert len(review(gallery(a=np.concatenate([rows, rows[:2]])), 0.4, 20)) == 2
