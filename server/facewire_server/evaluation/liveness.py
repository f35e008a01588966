"""Presentation attack detection, in the terms of ISO/IEC 30107-3, on folders of live faces and of attacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

import facewire
from facewire.liveness import Liveness, LivenessDecision
from facewire_server.domain.rate import Rate
from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.rates import ErrorCurve, Scores, attack_errors, supports

BPCERS: Final = (0.01, 0.05, 0.1)
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_AT_ONCE: Final = 4
_CURVE_RATES: Final = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Presentations:
    """Pictures of live faces, and of attacks by their kind."""

    live: Sequence[Path]
    attacks: Mapping[str, Sequence[Path]]

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.live) + sum(map(len, self.attacks.values()))


@dataclass(frozen=True, slots=True, eq=False)
class LivenessResult:
    """What the server said of them.

    Attributes:
        live, attacks: scores of the faces found.
        called_spoof, not_called_live: of the live ones, by the server's own limits (BPCER, and with the unsure).
        called_live: of each kind of attack (APCER).
        apcer_at_bpcer: all kinds' worst, at the threshold that this share of the live scores below; as far as there are
            live faces enough.
        failed: pictures in which no face was found.
    """

    live: Scores
    attacks: Mapping[str, Scores]
    called_spoof: Rate
    not_called_live: Rate
    called_live: Mapping[str, Rate]
    apcer_at_bpcer: Mapping[float, Mapping[str, Rate]]
    failed: Sequence[Path]

    @property
    def curve(self) -> ErrorCurve:
        """Attacks accepted (as FMR) and live faces refused (as FNMR) at rising thresholds."""
        return ErrorCurve.of(self.live, np.concatenate(list(self.attacks.values())))

    def smallest_rate(self) -> float:
        """That so many live faces support."""
        return min((rate for rate in _CURVE_RATES if rate and self._supported(rate)), default=1.0)

    def manifest_line(self) -> str | None:
        """The live faces' curve as a model's manifest entry takes it; None where they are too few for one."""
        pairs = [(float(np.quantile(self.live, rate)), rate) for rate in _CURVE_RATES if self._supported(rate)]
        rising = [pair for i, pair in enumerate(pairs) if i == 0 or round(pair[0], 4) > round(pairs[i - 1][0], 4)]
        if len(rising) < 2:
            return None
        scores = ", ".join(f"{score:.4f}" for score, _ in rising)
        rates = ", ".join(f"{rate:g}" for _, rate in rising)
        return f"bpcer = {{ scores = [{scores}], rates = [{rates}] }}"

    def _supported(self, rate: float) -> bool:
        return rate == 0.0 or supports(len(self.live), rate)


def find_presentations(live: Path, attack: Path) -> Presentations:
    """The pictures in both folders; folders within the second are kinds of attack.

    Raises:
        InputError: one of them holds no picture.
    """
    attacks: dict[str, list[Path]] = {}
    for picture in _pictures(attack):
        relative = picture.relative_to(attack)
        attacks.setdefault(relative.parts[0] if len(relative.parts) > 1 else "attack", []).append(picture)
    return Presentations(_pictures(live), attacks)


def largest_face(client: facewire.Client, data: bytes) -> Liveness | None:
    """What the server says of the largest face of a picture; None without faces.

    Raises:
        InputError: the server has no liveness model.
    """
    faces = client.analyze(data).faces
    if not faces:
        return None
    largest = max(faces, key=lambda each: each.face.box.width * each.face.box.height)
    if largest.liveness is None:
        raise InputError("the server has no liveness model: set liveness.model (docs/liveness.md)")
    return largest.liveness


class KeptAnswers:
    """Answers that are kept on disk, so that a run can be broken off and gone on with.

    Args:
        ask: what to do about a picture that was never asked about.
        folder: None: nothing is kept.
        setting: what answers depend on beside the picture.
    """

    def __init__(self, ask: Callable[[bytes], Liveness | None], folder: Path | None, setting: str) -> None:
        self._ask = ask
        self._folder = folder
        self._setting = setting

    def __call__(self, data: bytes) -> Liveness | None:
        """The kept answer, or a new one."""
        if self._folder is None:
            return self._ask(data)
        key = hashlib.sha256(b"liveness\0" + self._setting.encode() + b"\0" + data).hexdigest()
        file = self._folder / key[:2] / f"{key}.json"
        try:
            kept = json.loads(file.read_text("utf-8"))
            return None if kept is None else Liveness(LivenessDecision(kept[0]), kept[1], kept[2])
        except (OSError, ValueError, TypeError, IndexError):
            answer = self._ask(data)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = None if answer is None else [answer.decision.value, answer.score, answer.looks]
        file.write_text(json.dumps(told), encoding="utf-8")
        return answer


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
    if not found:
        raise InputError(f"{folder}: no JPEG, PNG or WebP files in it")
    return found


def evaluate_liveness(
    presentations: Presentations,
    ask_server: Callable[[bytes], Liveness | None],
    read: Callable[[Path], bytes],
    on_picture: Callable[[], object],
) -> LivenessResult:
    """Asks about each picture.

    Raises:
        InputError: a picture cannot be read, or the server has no liveness model.
    """

    def ask(path: Path) -> Liveness | None:
        try:
            return ask_server(read(path))
        except facewire.InvalidArgumentError as error:
            raise InputError(f"{path}: {error}") from error
        finally:
            on_picture()

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        live = list(threads.map(ask, presentations.live))
        attacks = {kind: list(threads.map(ask, paths)) for kind, paths in presentations.attacks.items()}
    failed = [path for path, found in zip(presentations.live, live, strict=True) if found is None]
    for kind, paths in presentations.attacks.items():
        failed += [path for path, found in zip(paths, attacks[kind], strict=True) if found is None]
    return _result([each for each in live if each], {k: [e for e in v if e] for k, v in attacks.items()}, failed)


def _result(live: list[Liveness], attacks: dict[str, list[Liveness]], failed: list[Path]) -> LivenessResult:
    attacks = {kind: found for kind, found in attacks.items() if found}
    if not live or not attacks:
        raise InputError("there must be live faces and attacks in which a face is found")
    scores = _scores(live)
    by_kind = {kind: _scores(found) for kind, found in attacks.items()}
    at_bpcer = {
        bpcer: attack_errors(scores, by_kind, float(np.quantile(scores, bpcer, method="lower")))[1]
        for bpcer in BPCERS
        if supports(len(live), bpcer)
    }
    return LivenessResult(
        live=scores,
        attacks=by_kind,
        called_spoof=_share(live, LivenessDecision.SPOOF),
        not_called_live=Rate.of(sum(e.decision is not LivenessDecision.LIVE for e in live), len(live)),
        called_live={kind: _share(found, LivenessDecision.LIVE) for kind, found in attacks.items()},
        apcer_at_bpcer=at_bpcer,
        failed=failed,
    )


def _scores(found: Sequence[Liveness]) -> Scores:
    return np.array([each.score for each in found], dtype=np.float64)


def _share(found: Sequence[Liveness], decision: LivenessDecision) -> Rate:
    return Rate.of(sum(each.decision is decision for each in found), len(found))
