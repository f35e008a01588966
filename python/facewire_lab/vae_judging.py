"""How good an autoencoder is, as the server runs it: nearness, likeness, anonymity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from facewire_lab.embedding import chip_face
from facewire_lab.faces import PreparedFaces, Rows
from facewire_lab.pairs import auc
from facewire_lab.patterns import patterns
from facewire_lab.planes import as_planes, sheet_of_rows
from facewire_lab.preparing import pictures_below
from facewire_lab.vae_task import ACTIVE_NATS
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.likeness import likeness
from facewire_server.domain.ports import Detector, Embedder
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.rates import Spread
from facewire_server.pipeline.anonymising import replace_face
from facewire_server.pipeline.chips import CHIP, shrink, template_of
from facewire_server.pipeline.latents import Autoencoder, psnr_db
from facewire_server.pipeline.recognizer import largest_face

_SHOWN: Final = 8
_MOST_FACES: Final = 10
_PATTERNS: Final = 200
LIMITS: Final = (0.002, 0.01)  # of enrolment.min_likeness
_MASK, _GLASSES = (200, 205, 210), (25, 25, 30)
OnFace = Callable[[], object]
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Means over the faces: of PSNR, of the KL divergence, and how many units tell more than 0.02 nats."""

    psnr_db: float
    kl_nats: float
    active_units: int
    units: int


@dataclass(frozen=True, slots=True)
class Told:
    """How faces are told from so many other things.

    Attributes:
        auc, auc_by_bound: how often a face is more face-like than one of them; the same of its evidence bound.
        refused: share that enrolment refuses, at a min_likeness of 0.002 and of 0.01.
    """

    auc: float
    auc_by_bound: float
    refused: tuple[float, float]
    count: int


@dataclass(frozen=True, slots=True)
class Anonymity:
    """What is left of people: means and deviations over several draws of people and pictures.

    Attributes:
        people: each with one picture known to the one who looks, and the other anonymised; of people with one picture
            only, the same.
        rank1, rank1_before: share whose own picture is the nearest of all, by the server's embedder.
        rank1_by_encoder: the same by the latents, for one who has the encoder; of people known by another picture only:
            the same picture is told by what is around the face.
        detected: share in which a face is found.
        landmark_shift: how far eyes, nose and mouth are from where they were, in distances of the eyes: pose,
            expression.
    """

    people: int
    rank1: Spread
    rank1_before: Spread
    rank1_by_encoder: Spread
    detected: Spread
    landmark_shift: Spread


@dataclass(frozen=True, slots=True)
class People:
    """Who is anonymised: ``count`` people, drawn anew ``draws`` times, from ``seed`` on."""

    count: int
    draws: int
    seed: int


class VaeJudge:
    """Looks at an autoencoder as the product does.

    Args:
        autoencoder, detector, embedder: the server's.
    """

    def __init__(self, autoencoder: Autoencoder, detector: Detector, embedder: Embedder) -> None:
        self._autoencoder = autoencoder
        self._detector = detector
        self._embedder = embedder

    def reconstruction(self, faces: PreparedFaces, rows: Rows, on_face: OnFace) -> Reconstruction:
        """Of the faces at these rows; ``on_face`` is called after each."""
        encoder, generator = self._autoencoder.encoder, self._autoencoder.generator
        psnrs, units = [], np.zeros(generator.latent)
        for row in rows.tolist():
            small = shrink(np.asarray(faces.chips[row]), encoder.size)
            latent = encoder.encode(small, StageClock())
            made = generator.generate(latent.mean, StageClock())
            psnrs.append(psnr_db(made, small))
            units += latent.kl_of_units
            on_face()
        units /= len(rows)
        active = int((units > ACTIVE_NATS).sum())
        return Reconstruction(float(np.mean(psnrs)), float(units.sum()), active, len(units))

    def likeness(
        self, faces: PreparedFaces, rows: Rows, others: Mapping[str, Sequence[Pixels]], on_face: OnFace
    ) -> dict[str, Told]:
        """Faces against other things, by name; and against themselves ("faces"): what is refused of them."""

        def scores(pictures: Iterable[Pixels]) -> list[tuple[float, float]]:
            found = []
            for picture in pictures:
                found.append(self._scores(picture))
                on_face()
            return found

        real = scores(np.asarray(faces.chips[row]) for row in rows.tolist())
        kinds = {kind: scores(pictures) for kind, pictures in others.items()} | {"faces": real}
        share_below = self._autoencoder.encoder.knowledge.share_below
        told = {}
        for kind, each in kinds.items():
            areas = [auc(*(torch.tensor([row[by] for row in side]) for side in (real, each))) for by in (0, 1)]
            shares = np.array([share_below(score) for score, _ in each])
            refused = [float((shares < limit).mean()) for limit in LIMITS]
            told[kind] = Told(areas[0], areas[1], (refused[0], refused[1]), len(each))
        return told

    def _scores(self, chip: Pixels) -> tuple[float, float]:
        """Likeness, and the evidence lower bound, but for a constant."""
        encoder, generator = self._autoencoder.encoder, self._autoencoder.generator
        small = shrink(chip, encoder.size)
        latent = encoder.encode(small, StageClock())
        known, again = (generator.generate(z, StageClock()) for z in (latent.core, latent.mean))
        error = np.square((again.astype(np.float64) - small) / 127.5).mean()
        return likeness(small, known), float(-small.size / 2 * np.log(max(error, 1e-5)) - latent.kl_nats)

    def anonymised(self, faces: PreparedFaces, rows: Rows, people: People, k: int, on_draw: OnFace) -> Anonymity:
        """Of so many people among these rows, drawn at random; ``on_draw`` is called after each draw."""
        found = []
        for draw in range(people.draws):
            found.append(self._one_draw(faces, _pairs(faces, rows, people.count, people.seed + draw), k))
            on_draw()
        return Anonymity(people.count, *(Spread.of(values) for values in zip(*found, strict=True)))

    def _one_draw(
        self, faces: PreparedFaces, pairs: tuple[list[int], list[int]], k: int
    ) -> tuple[float, float, float, float, float]:
        """The numbers of :class:`Anonymity`, in its order."""
        known, probes = pairs
        hidden = [anonymous(self._autoencoder, np.asarray(faces.chips[row]), k) for row in probes]
        gallery = np.stack([self._vector(np.asarray(faces.chips[row]))[0] for row in known])
        before = [self._vector(np.asarray(faces.chips[row])) for row in probes]
        after = [self._vector(chip) for chip in hidden]
        found = [number for number, (_, where) in enumerate(after) if where is not None]
        template = template_of(faces.facts.view)
        eyes = np.linalg.norm(template[0] - template[1])
        shifts = [
            np.linalg.norm(first - second, axis=1).mean() / eyes
            for number in found
            if (first := before[number][1]) is not None and (second := after[number][1]) is not None
        ]
        return (
            _rank1(gallery, np.stack([vector for vector, _ in after])),
            _rank1(gallery, np.stack([vector for vector, _ in before])),
            self._linked(faces, known, probes, hidden),
            len(found) / len(after),
            float(np.mean(shifts)) if shifts else float("nan"),
        )

    def _linked(self, faces: PreparedFaces, known: list[int], probes: list[int], hidden: Sequence[Pixels]) -> float:
        """Share whose own picture has the nearest latent of all, seen from the mean one."""
        encoder = self._autoencoder.encoder
        told = [
            np.stack([encoder.encode(shrink(chip, encoder.size), StageClock()).mean for chip in chips])
            for chips in ([np.asarray(faces.chips[row]) for row in known], hidden)
        ]
        centred = [each - each.mean(axis=0) for each in told]
        gallery, seen = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in centred)
        others = np.flatnonzero(np.array(known) != np.array(probes))
        right = (seen @ gallery.T).argmax(axis=1) == np.arange(len(seen))
        return float(right[others].mean()) if len(others) else float("nan")

    def _vector(self, chip: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """The embedding of the face that is found, and its landmarks; without one, of the chip as it lies."""
        frame = Frame(np.ascontiguousarray(chip), "rgb")
        face = largest_face(self._detector.detect(frame, None, _MOST_FACES))
        where = face if len(face) else chip_face(self._autoencoder.encoder.view)
        vector = self._embedder.encode(frame, where, StageClock()).embeddings[0]
        return vector, face.landmarks[0] if len(face) else None


def _rank1(gallery: npt.NDArray[np.float32], probes: npt.NDArray[np.float32]) -> float:
    return float(((probes @ gallery.T).argmax(axis=1) == np.arange(len(probes))).mean())


def _pairs(faces: PreparedFaces, rows: Rows, people: int, seed: int) -> tuple[list[int], list[int]]:
    """Of each person a row that is known and one that is anonymised, people with two pictures first."""
    by_person: dict[int, list[int]] = {}
    for row in np.random.default_rng(seed).permutation(rows).tolist():
        by_person.setdefault(int(faces.numbers[row]), []).append(row)
    chosen = sorted(by_person.values(), key=lambda each: len(each) < 2)[:people]
    return [each[0] for each in chosen], [each[-1] for each in chosen]


def anonymous(autoencoder: Autoencoder, chip: Pixels, k: int) -> Pixels:
    """A chip with its face replaced, as the server replaces faces in pictures."""
    encoder, clock = autoencoder.encoder, StageClock()
    latent = encoder.encode(shrink(chip, encoder.size), clock)
    picture = np.array(chip)
    replace_face(autoencoder, picture, template_of(encoder.view), latent, k, clock)
    return picture


def anonymous_sheet(autoencoder: Autoencoder, faces: PreparedFaces, rows: Rows, ks: Sequence[int]) -> bytes:
    """Faces, reconstructed, and anonymised with each k: a marked PNG."""
    chips = [np.asarray(faces.chips[row]) for row in rows[:_SHOWN].tolist()]
    encoder = autoencoder.encoder
    again = [
        np.asarray(
            Image.fromarray(
                autoencoder.generator.generate(
                    encoder.encode(shrink(chip, encoder.size), StageClock()).mean, StageClock()
                )
            ).resize((CHIP, CHIP), Image.Resampling.BICUBIC)
        )
        for chip in chips
    ]
    shown = [chips, again, *([anonymous(autoencoder, chip, k) for chip in chips] for k in ks)]
    return sheet_of_rows([as_planes(torch.from_numpy(np.stack(each)), CHIP, _CPU) for each in shown])


def other_things(faces: PreparedFaces, rows: Rows, folders: Sequence[Path]) -> dict[str, list[Pixels]]:
    """What is told from faces: patterns, the pictures below folders, and faces covered or cut wrongly."""
    kinds = {"patterns": list(patterns(_PATTERNS, CHIP))} | {folder.name: list(_squares(folder)) for folder in folders}
    if len(kinds) > 1:
        kinds["all of them"] = [picture for pictures in kinds.values() for picture in pictures]
    chips = [np.asarray(faces.chips[row]) for row in rows.tolist()]
    template = template_of(faces.facts.view)
    eyes, nose, mouth = template[:2, 1].mean(), template[2, 1], template[3:, 1].mean()
    left, right = (int(template[0, 0] - (mouth - eyes) / 2), int(template[1, 0] + (mouth - eyes) / 2))
    return kinds | {
        "faces, mouth and nose covered": [_covered(chip, (left, right), (nose - 4, CHIP), _MASK) for chip in chips],
        "faces, eyes covered": [_covered(chip, (left, right), (eyes - 9, eyes + 9), _GLASSES) for chip in chips],
        "faces on their side": [np.ascontiguousarray(np.rot90(chip)) for chip in chips],
        "faces cropped a third of the width aside": [np.roll(chip, CHIP // 3, axis=1) for chip in chips],
    }


def _covered(chip: Pixels, across: tuple[int, int], down: tuple[float, float], colour: tuple[int, int, int]) -> Pixels:
    covered = np.array(chip)
    covered[round(down[0]) : round(down[1]), across[0] : across[1]] = colour
    return covered


def _squares(folder: Path) -> Iterator[Pixels]:
    """The middle of each picture."""
    for path in pictures_below(folder):
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        yield np.asarray(square.resize((CHIP, CHIP), Image.Resampling.BILINEAR))
