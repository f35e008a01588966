"""Identification from made-up faces, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.faces import QUALITY_COLUMNS, SeenFaces
from facewire_server.evaluation.identities import Plan, evaluate_identities, read_people, splits


def seen(vector: np.ndarray | None, quality: float = 1.0) -> SeenFaces:
    """A picture with one face, or none."""
    count = 0 if vector is None else 1
    numbers = np.zeros((count, len(QUALITY_COLUMNS)), dtype=np.float32)
    numbers[:, -1] = quality
    vectors = np.empty((0, 64), np.float32) if vector is None else vector[np.newaxis].astype(np.float32)
    boxes = np.tile(np.array([0, 0, 10, 10], dtype=np.float32), (count, 1))
    points = np.zeros((count, 5, 2), dtype=np.float32)
    return SeenFaces(boxes, points, np.ones(count, np.float32), numbers, vectors, np.array([100, 100], np.float32))


def crowd(
    random: np.random.Generator, people: int, pictures: int, spread: float
) -> dict[str, list[tuple[Path, SeenFaces]]]:
    found = {}
    for i in range(people):
        centre = random.normal(size=64)
        rows = []
        for j in range(pictures):
            vector = centre + spread * random.normal(size=64)
            rows.append((Path(f"p{i}-{j}.jpg"), seen(vector / np.linalg.norm(vector))))
        found[f"p{i}"] = rows
    return found


def test_people_who_are_apart_are_all_found_and_a_picture_without_a_face_is_a_miss() -> None:
    made = crowd(np.random.default_rng(0), 12, 5, 0.2)
    path = Path("p0-4.jpg")
    made["p0"][4] = (path, seen(None))
    people = {name: [p for p, _ in rows] for name, rows in made.items()}
    faces = {p: each for rows in made.values() for p, each in rows}
    result = evaluate_identities(people, faces, Plan(2, 0.5, 40, 3))
    assert result.failed == [path]
    # In half of the splits p0 is enrolled, and one of 6 * 3 probes shows no face.
    assert result.rank1.mean == pytest.approx(1 - 0.5 / 18, abs=0.02)
    assert result.fnir_at_fpir[0.1].mean == pytest.approx(0.5 / 18, abs=0.02)
    assert result.tar_at_far[0.01].value == 1.0
    assert result.measured_fpir is not None
    assert result.measured_fpir.mean < 0.1, "promised 0.01 from six people"


def test_leaving_out_poor_pictures_leaves_out_their_misses() -> None:
    made = crowd(np.random.default_rng(1), 10, 5, 0.2)
    random = np.random.default_rng(2)
    for name, rows in made.items():  # one picture of each is of nobody, and looks it
        vector = random.normal(size=64)
        rows[0] = (rows[0][0], seen(vector / np.linalg.norm(vector), 0.1))
        made[name] = rows
    people = {name: [p for p, _ in rows] for name, rows in made.items()}
    faces = {p: each for rows in made.values() for p, each in rows}
    rates = evaluate_identities(people, faces, Plan(1, 0.5, 2, 0)).fnmr_when_discarding
    assert rates[0.0] > 0.3
    assert rates[0.2] == 0.0


def test_splits_enrol_and_leave_out_as_planned() -> None:
    made = crowd(np.random.default_rng(4), 9, 4, 0.2)
    people = {name: [p for p, _ in rows] for name, rows in made.items()}
    vectors = {p: each.embeddings[0] for rows in made.values() for p, each in rows}
    for split in splits(people, vectors, Plan(3, 1 / 3, 5, 0)):
        assert split.templates.shape == (18, 64)
        assert split.probes.shape == (6, 64)
        assert split.strangers.shape == (12, 64)
        assert not set(map(bytes, split.templates)) & set(map(bytes, split.probes))
    with pytest.raises(InputError, match="4 pictures with a face, 5 are needed"):
        next(splits(people, vectors, Plan(5, 1 / 3, 1, 0)))
    with pytest.raises(InputError, match="both kinds are needed"):
        next(splits(people, vectors, Plan(1, 0.01, 1, 0)))


def test_labels_that_name_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    labels = tmp_path / "labels.csv"
    for text, problem in (
        ("picture,who\na.jpg,A\n", "columns image and identity"),
        ("image,identity\nb.jpg,B\n", "line 2: .*b.jpg is not there"),
        ("image,identity\na.jpg,A\n", "pictures of 1 people"),
    ):
        labels.write_text(text)
        with pytest.raises(InputError, match=problem):
            read_people(tmp_path, labels)
