"""Who a track is: evidence over time, slow to give a name and slow to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facewire_server.domain.decision import Candidate
from facewire_server.domain.face import FloatArray, Quality
from facewire_server.domain.stream import TrackState

# Of about so many of the best shots the template is made; older ones fade.
_MOST_WEIGHT: Final = 12.0
# A shot less like the template than this is not added: an occlusion, or another person. Two such shots that are alike,
# or three in a row, mean that the track is somebody else's by now. One impostor pair in five thousand is
# more alike.
_ODD: Final = 0.40
_ODD_ALIKE: Final = 0.50
_MOST_ODD: Final = 3
_SHOTS_FOR_NAME: Final = 2
_SHOTS_FOR_UNKNOWN: Final = 3
_UNKNOWN_AFTER_S: Final = 0.6
# One look is enough where the similarity is so far above the threshold.
_SURE: Final = 0.15
# A name is kept until the similarity is so far below the threshold.
_HOLD: Final = 0.06
# The closest subject of a single shot has its vote from so far below the threshold.
_VOTE_SLACK: Final = 0.10
_SUPPORT: Final = 0.5
# Votes fade, so that a name needs support from the latest shots; it is held with less of it than it takes to get one.
_FADE: Final = 0.8
_HOLD_SUPPORT: Final = 0.3


def shot_score(quality: Quality, detection_score: float) -> float:
    """How much a shot is worth for recognition, 0..1: size, sharpness, light, pose, completeness.

    Each factor reaches 1 where more of it no longer changes SFace's similarity much; they are estimates, used to rank
    the shots of one track among each other.
    """
    size = np.clip((quality.size_px - 12.0) / 68.0, 0.0, 1.0)
    sharp = np.clip(quality.sharpness / 6.0, 0.1, 1.0)
    light = np.clip((quality.brightness - 15.0) / 45.0, 0.05, 1.0) * np.clip((250.0 - quality.brightness) / 30, 0.05, 1)
    pose = max(0.0, 1.0 - (quality.yaw_deg / 70.0) ** 2) * max(0.0, 1.0 - (quality.pitch_deg / 70.0) ** 2)
    whole = max(0.0, 1.0 - 3.0 * quality.outside_share)
    return float(np.sqrt(size * sharp) * light * pose * whole * detection_score)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What makes a name: cosine, and how far ahead of the second-best subject."""

    similarity: float
    margin: float


class Evidence:
    """What a track's embedded shots say. Not thread-safe.

    Attributes:
        shots: how many made the template.
        doubted: the track was out of sight; whether it is still the same person, the next shot must tell.
        restarts: how often it turned out to be somebody else.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self._clear()

    def _clear(self) -> None:
        self._sum: FloatArray | None = None
        self._weight = 0.0
        self._best_norm = 0.0
        self._votes: dict[str, float] = {}
        self._voted = 0.0
        self._odd: list[tuple[FloatArray, float]] = []
        self.doubted = False
        self.shots = 0
        self.first_s = 0.0
        self.last_s = 0.0
        self.best_score = 0.0

    @property
    def template(self) -> FloatArray | None:
        """The quality-weighted mean of the shots, float32 (dim,), unit length; None before the first."""
        if self._sum is None:
            return None
        unit: FloatArray = (self._sum / np.linalg.norm(self._sum)).astype(np.float32)
        return unit

    def similarity(self, embedding: FloatArray) -> float:
        """Cosine of the track's template and an embedding; NaN before the first shot."""
        template = self.template
        return float("nan") if template is None else float(template @ embedding)

    def add(self, embedding: FloatArray, score: float, norm: float, time_s: float) -> bool:
        """A further shot.

        Args:
            embedding: float32 (dim,), unit length.
            score: of :func:`shot_score`.
            norm: length of the embedding before normalisation: low for poor pictures.
            time_s: stream time.

        Returns:
            False if the shot was put aside as odd.
        """
        self.last_s = time_s
        self.best_score = max(self.best_score, score)
        self._best_norm = max(self._best_norm, norm)
        weight = max(score, 1e-3) * (norm / self._best_norm) ** 2
        odd = self.shots > 0 and self.similarity(embedding) < _ODD
        if odd and not self._is_somebody_else(embedding, weight, time_s):
            return False
        self._odd.clear()
        self.doubted = False
        if not self.shots:
            self.first_s = time_s
        self._add(embedding, weight)
        return True

    def _is_somebody_else(self, embedding: FloatArray, weight: float, time_s: float) -> bool:
        """Whether the odd shots so far mean another person; then the evidence begins anew with those like this one."""
        alike = [shot for shot in self._odd if float(shot[0] @ embedding) >= _ODD_ALIKE]
        self._odd.append((embedding, weight))
        if not alike and not self.doubted and len(self._odd) < _MOST_ODD:
            return False
        self._clear()
        self.restarts += 1
        self.first_s = self.last_s = time_s
        for shot in alike:
            self._add(*shot)
        return True

    def _add(self, embedding: FloatArray, weight: float) -> None:
        self._sum = embedding * weight if self._sum is None else self._sum + embedding * weight
        self._weight += weight
        self.shots += 1
        if self._weight > _MOST_WEIGHT:
            self._sum = self._sum * (_MOST_WEIGHT / self._weight)
            self._weight = _MOST_WEIGHT

    def vote(self, candidates: Sequence[Candidate], weight: float, limits: Thresholds) -> None:
        """What the last shot said on its own."""
        self._voted = self._voted * _FADE + weight
        self._votes = {subject_id: votes * _FADE for subject_id, votes in self._votes.items()}
        if candidates and candidates[0].similarity >= limits.similarity - _VOTE_SLACK:
            subject_id = candidates[0].subject_id
            self._votes[subject_id] = self._votes.get(subject_id, 0.0) + weight

    def absorb(self, later: Evidence) -> None:
        """Takes over what a later part of the same track saw: looks have told that it is the same."""
        self.doubted = False
        if later._sum is not None:
            self._sum = later._sum if self._sum is None else self._sum + later._sum
            self._weight += later._weight
        self._voted += later._voted
        for subject_id, weight in later._votes.items():
            self._votes[subject_id] = self._votes.get(subject_id, 0.0) + weight
        self.shots += later.shots
        self.last_s = max(self.last_s, later.last_s)
        self.best_score = max(self.best_score, later.best_score)
        self._best_norm = max(self._best_norm, later._best_norm)

    def forget_votes(self) -> None:
        """The gallery changed: what single shots said about it no longer counts."""
        self._votes.clear()
        self._voted = 0.0

    def support(self, subject_id: str) -> float:
        """Share of the votes, 0..1; 1 where nobody voted."""
        return self._votes.get(subject_id, 0.0) / self._voted if self._voted > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a track: a state, and the subject where it is KNOWN."""

    state: TrackState
    subject: Candidate | None = None


def judge(
    evidence: Evidence, candidates: Sequence[Candidate], limits: Thresholds, before: Verdict, now_s: float
) -> Verdict:
    """The verdict on a track from its template's candidates, by falling similarity.

    Args:
        candidates: subjects that no other track has a better claim to.
        before: the verdict so far; a name is kept where nothing speaks against it (hysteresis).
    """
    if not evidence.shots:
        return Verdict(TrackState.IDENTIFYING)
    held = _still_held(candidates, limits, before)
    if held is not None and not evidence.doubted and evidence.support(held.subject_id) >= _HOLD_SUPPORT:
        return Verdict(TrackState.KNOWN, held)
    if evidence.doubted:
        return Verdict(TrackState.IDENTIFYING)
    best = candidates[0] if candidates else None
    if best is not None and best.similarity >= limits.similarity:
        if len(candidates) > 1 and _too_close(best, candidates[1], limits):
            state = TrackState.AMBIGUOUS if evidence.shots >= _SHOTS_FOR_NAME else TrackState.IDENTIFYING
            return Verdict(state)
        if _enough(evidence, best, limits):
            return Verdict(TrackState.KNOWN, best)
        return Verdict(TrackState.IDENTIFYING)
    long_enough = evidence.shots >= _SHOTS_FOR_NAME and now_s - evidence.first_s >= _UNKNOWN_AFTER_S
    if evidence.shots >= _SHOTS_FOR_UNKNOWN or long_enough or before.state is TrackState.UNKNOWN:
        return Verdict(TrackState.UNKNOWN)
    return Verdict(TrackState.IDENTIFYING)


def _too_close(best: Candidate, second: Candidate, limits: Thresholds) -> bool:
    return second.similarity >= limits.similarity and best.similarity - second.similarity < limits.margin


def _enough(evidence: Evidence, best: Candidate, limits: Thresholds) -> bool:
    if best.similarity >= limits.similarity + _SURE:
        return True
    return evidence.shots >= _SHOTS_FOR_NAME and evidence.support(best.subject_id) >= _SUPPORT


def _still_held(candidates: Sequence[Candidate], limits: Thresholds, before: Verdict) -> Candidate | None:
    if before.subject is None:
        return None
    own = next((c for c in candidates if c.subject_id == before.subject.subject_id), None)
    if own is None or own.similarity < limits.similarity - _HOLD:
        return None
    rival = candidates[0]
    if rival is not own and rival.similarity >= max(limits.similarity, own.similarity + limits.margin):
        return None
    return own


def arbitrate(tracks: Sequence[tuple[Verdict, Sequence[Candidate]]], limits: Thresholds) -> list[list[Candidate]]:
    """For each track its candidates without those whom another track of the frame takes: a subject is there once.

    The track with the strongest claim chooses first; one that has its name already has a little advance.
    """
    claims = [_claim(verdict, candidates) for verdict, candidates in tracks]
    order = sorted(range(len(tracks)), key=lambda i: claims[i], reverse=True)
    taken: set[str] = set()
    free: list[list[Candidate]] = [[] for _ in tracks]
    for position in order:
        verdict, candidates = tracks[position]
        free[position] = [c for c in candidates if c.subject_id not in taken]
        wanted = _still_held(free[position], limits, verdict) or next(iter(free[position]), None)
        if wanted is not None and wanted.similarity >= limits.similarity - _HOLD:
            taken.add(wanted.subject_id)
    return free


def _claim(verdict: Verdict, candidates: Sequence[Candidate]) -> float:
    best = candidates[0].similarity if candidates else -2.0
    for candidate in candidates:
        if verdict.subject is not None and candidate.subject_id == verdict.subject.subject_id:
            return max(best, candidate.similarity + _HOLD)
    return best
