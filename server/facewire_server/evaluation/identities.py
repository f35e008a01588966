"""Open-set identification (1:N): some people are enrolled from a few pictures, the others are strangers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.gallery_calibration import CalibrationTarget
from facewire_server.domain.rate import Rate
from facewire_server.domain.templates import mean_template
from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.faces import SeenFaces
from facewire_server.evaluation.pairs import FARS
from facewire_server.evaluation.rates import Searches, Spread, supports, tar_at_far, threshold_at
from facewire_server.pipeline.calibrating import Templates, calibrate

DISCARDED: Final = (0.0, 0.05, 0.1, 0.2, 0.3)
_FMR_OF_DISCARDING: Final = 1e-3
FPIRS: Final = (0.1, 0.01, 0.003)
PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")
People = Mapping[str, Sequence[Path]]
Vectors = Mapping[Path, "npt.NDArray[np.float32] | None"]
WorstPairs = list[tuple[Path, Path, float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How often and how people are divided.

    Attributes:
        enrol: pictures of each enrolled person that become templates; the others are probes.
        strangers: share of the people who are not enrolled, 0..1.
        splits: how many random divisions.
        seed: of the divisions.
        promise: the FPIR for which each split's gallery is calibrated.
    """

    enrol: int
    strangers: float
    splits: int
    seed: int
    promise: float = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One division, as pictures with faces.

    Attributes:
        templates: (t, dim), with the number of the subject each is of, (t,).
        probes: (p, dim), of enrolled people, with their subjects, (p,).
        strangers: (s, dim).
        missed: pictures of enrolled people, meant as probes, in which no face was found.
    """

    templates: npt.NDArray[np.float32]
    subjects: npt.NDArray[np.intp]
    probes: npt.NDArray[np.float32]
    probe_subjects: npt.NDArray[np.intp]
    strangers: npt.NDArray[np.float32]
    missed: int


@dataclass(frozen=True, slots=True, eq=False)
class IdentitiesResult:
    """Error rates of identification, over the splits.

    Attributes:
        enrolled, strangers: people in each split.
        fnir_at_fpir: at the threshold that gives a name to so many of that split's strangers.
        tar_at_far: of all pairs of all pictures.
        fnmr_when_discarding: by share of the pictures left out, those of the lowest quality first: false-non-match rate
            of all pairs of the rest, at the threshold that is an FMR of 1 in 1,000 of all.
        promised_fpir, measured_fpir: what each split's gallery was calibrated for, on its templates alone, and the
            share of its strangers that got a name at that threshold; None where nobody can be compared.
        measured_fnir: at the same threshold.
        searches: of each split.
        failed: pictures in which no face was found.
    """

    enrolled: int
    strangers: int
    rank1: Spread
    fnir_at_fpir: Mapping[float, Spread]
    tar_at_far: Mapping[float, Rate]
    fnmr_when_discarding: Mapping[float, float]
    promised_fpir: float
    measured_fpir: Spread | None
    measured_fnir: Spread | None
    searches: Sequence[Searches]
    failed: Sequence[Path]
    pictures: int


def read_people(images: Path, labels: Path | None) -> People:
    """Pictures of each person: from a CSV with the columns image and identity, or of a folder for each person.

    Raises:
        InputError: the file or the folder holds no such thing.
    """
    people: dict[str, list[Path]] = {}
    rows = _from_folders(images) if labels is None else _from_csv(images, labels)
    for person, path in rows:
        people.setdefault(person, []).append(path)
    if len(people) < 2:
        raise InputError(f"{labels or images} holds pictures of {len(people)} people, at least two are needed")
    return {person: sorted(paths) for person, paths in sorted(people.items())}


def _from_folders(images: Path) -> Iterator[tuple[str, Path]]:
    for folder in sorted(images.iterdir()):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in PICTURES:
                    yield folder.name, path


def _from_csv(images: Path, labels: Path) -> Iterator[tuple[str, Path]]:
    try:
        with labels.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{labels} cannot be read: {error}") from error
    person = next((column for column in ("identity", "person", "subject") if rows and column in rows[0]), None)
    if person is None or "image" not in rows[0]:
        raise InputError(f"{labels}: needs the columns image and identity, and a row a picture")
    for number, row in enumerate(rows, start=2):
        path = images / (row["image"] or "").strip()
        if not path.is_file():
            raise InputError(f"{labels}, line {number}: {path} is not there")
        yield (row[person] or "").strip(), path


def evaluate_identities(
    people: People,
    seen: Mapping[Path, SeenFaces],
    plan: Plan,
    prior: ScoreCalibration | None = None,
    enrolled: Mapping[Path, SeenFaces] | None = None,
) -> IdentitiesResult:
    """Divides the people again and again, and searches every picture that was not enrolled.

    Args:
        seen: what is searched for.
        prior: the embedder's own error rates, which calibration starts from.
        enrolled: the same pictures as enrolment sees them; None: as they are searched for.

    Raises:
        InputError: there are too few people or pictures for the plan.
    """
    vectors = {path: _largest(faces) for path, faces in seen.items()}
    templates = None if enrolled is None else {path: _largest(faces) for path, faces in enrolled.items()}
    divided = list(splits(people, vectors, plan, templates))
    pairs = _all_pairs(people, seen)
    searches = [search(split) for split in divided]
    limits = [_calibrated(split, plan.promise, prior) for split in divided]
    promised = [(each, limit) for each, limit in zip(searches, limits, strict=True) if limit is not None]
    strangers = _stranger_count(people, plan)
    trials = min(len(each.strangers) for each in searches)
    return IdentitiesResult(
        enrolled=len(people) - strangers,
        strangers=strangers,
        rank1=Spread.of([each.rank1().value for each in searches]),
        fnir_at_fpir={
            fpir: Spread.of([each.fnir_at_fpir(fpir).value for each in searches])
            for fpir in FPIRS
            if supports(trials, fpir)
        },
        tar_at_far=_tar(pairs),
        fnmr_when_discarding=_discarding(pairs),
        promised_fpir=plan.promise,
        measured_fpir=Spread.of([each.fpir(limit).value for each, limit in promised]) if promised else None,
        measured_fnir=Spread.of([each.fnir(limit).value for each, limit in promised]) if promised else None,
        searches=searches,
        failed=sorted(path for path, vector in vectors.items() if vector is None),
        pictures=len(vectors),
    )


def splits(people: People, vectors: Vectors, plan: Plan, enrolled: Vectors | None = None) -> Iterator[Split]:
    """The divisions of the plan, one after the other; templates are of ``enrolled``, probes of ``vectors``."""
    made = vectors if enrolled is None else enrolled
    names = sorted(people)
    strangers = _stranger_count(people, plan)
    random = np.random.default_rng(plan.seed)
    for _ in range(plan.splits):
        order = random.permutation(len(names))
        outside, inside = order[:strangers], order[strangers:]
        templates, probes, missed = [], [], 0
        for subject, person in enumerate(inside):
            paths = list(people[names[person]])
            random.shuffle(paths)
            usable = [path for path in paths if vectors[path] is not None and made[path] is not None]
            if len(usable) < plan.enrol:
                raise InputError(f"'{names[person]}' has {len(usable)} pictures with a face, {plan.enrol} are needed")
            templates += [(made[path], subject) for path in usable[: plan.enrol]]
            probes += [(vectors[path], subject) for path in usable[plan.enrol :]]
            missed += len(paths) - len(usable)
        others = [vectors[path] for person in outside for path in people[names[person]]]
        found = [vector for vector in others if vector is not None]
        if not probes or not found:
            raise InputError("no picture is left to search with; enrol fewer of each person, or fewer people")
        yield Split(*_stacked(templates), *_stacked(probes), np.stack(found), missed)


def _calibrated(split: Split, fpir: float, prior: ScoreCalibration | None) -> float | None:
    """The threshold that calibration measures for this gallery, also where its data suffice for no promise."""
    if len(np.unique(split.subjects)) < 2:
        return None
    nobody = np.empty((0, split.templates.shape[1]), dtype=np.float32)
    templates = Templates(split.templates, split.subjects.astype(np.int64), nobody)
    try:
        made = calibrate(templates, CalibrationTarget(fpir, None), prior, 0)
    except PreconditionFailed:
        return None
    return made.threshold


def search(split: Split) -> Searches:
    """As the server does: a subject's score is the best over its templates and, of several, their mean."""
    mated, right = _nearest(split.probes, split)
    missed = np.full(split.missed, -np.inf)
    return Searches(
        mated=np.concatenate([mated, missed]),
        right=np.concatenate([right == split.probe_subjects, np.zeros(split.missed, dtype=bool)]),
        strangers=_nearest(split.strangers, split)[0],
    )


def _nearest(probes: npt.NDArray[np.float32], split: Split) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    several = np.flatnonzero(np.bincount(split.subjects) > 1)
    means = [mean_template(split.templates[split.subjects == subject]) for subject in several]
    rows = np.vstack([split.templates, *means])
    owners = np.concatenate([split.subjects, several])
    scores = probes @ rows.T
    return scores.max(axis=1).astype(np.float64), owners[scores.argmax(axis=1)]


def _stacked(
    rows: Sequence[tuple[npt.NDArray[np.float32] | None, int]],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    return np.stack([vector for vector, _ in rows if vector is not None]), np.array([subject for _, subject in rows])


def _stranger_count(people: People, plan: Plan) -> int:
    count = round(plan.strangers * len(people))
    if not 0 < count < len(people):
        raise InputError(f"{plan.strangers:g} of {len(people)} people are {count} strangers; both kinds are needed")
    return count


@dataclass(frozen=True, slots=True, eq=False)
class _Comparisons:
    """Every two pictures with a face: similarity, whether of one person, and each picture's quality."""

    scores: npt.NDArray[np.float64]
    same: npt.NDArray[np.bool_]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    quality: npt.NDArray[np.float32]
    paths: Sequence[Path]


def _all_pairs(people: People, seen: Mapping[Path, SeenFaces]) -> _Comparisons:
    rows = [(faces.embeddings[index], faces.quality[index, -1], i, path) for i, name in enumerate(people)
            for path in people[name] if (index := (faces := seen[path]).largest()) is not None]  # fmt: skip
    stacked, owner = np.stack([row[0] for row in rows]), np.array([row[2] for row in rows])
    first, second = np.triu_indices(len(stacked), 1)
    scores = (stacked @ stacked.T)[first, second].astype(np.float64)
    quality = np.array([row[1] for row in rows])
    return _Comparisons(scores, owner[first] == owner[second], first, second, quality, [row[3] for row in rows])


def worst_pairs(people: People, seen: Mapping[Path, SeenFaces], count: int) -> tuple[WorstPairs, WorstPairs]:
    """The pairs of one person that are least alike, and those of two people that are most, with their similarities.

    The first are often wrong labels.
    """
    pairs = _all_pairs(people, seen)
    rising = np.argsort(pairs.scores, kind="stable")
    same, different = rising[pairs.same[rising]][:count], rising[~pairs.same[rising]][::-1][:count]
    one, two = ([_shown(pairs, int(index)) for index in chosen] for chosen in (same, different))
    return one, two


def _shown(pairs: _Comparisons, index: int) -> tuple[Path, Path, float]:
    return pairs.paths[pairs.first[index]], pairs.paths[pairs.second[index]], float(pairs.scores[index])


def _tar(pairs: _Comparisons) -> Mapping[float, Rate]:
    genuine, impostor = pairs.scores[pairs.same], pairs.scores[~pairs.same]
    return {far: tar_at_far(genuine, impostor, far) for far in FARS if len(genuine) and supports(len(impostor), far)}


def _discarding(pairs: _Comparisons) -> Mapping[float, float]:
    if not supports(int((~pairs.same).sum()), _FMR_OF_DISCARDING) or not pairs.same.any():
        return {}
    threshold = threshold_at(pairs.scores[~pairs.same], _FMR_OF_DISCARDING)
    rates = {}
    for share in DISCARDED:
        kept = pairs.quality >= np.quantile(pairs.quality, share)
        left = pairs.same & kept[pairs.first] & kept[pairs.second]
        if left.any():
            rates[share] = float((pairs.scores[left] < threshold).mean())
    return rates


def _largest(faces: SeenFaces) -> npt.NDArray[np.float32] | None:
    index = faces.largest()
    return None if index is None else faces.embeddings[index]
