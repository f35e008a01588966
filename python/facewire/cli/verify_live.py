"""``facewire verify-live``: a log-in by head turns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from typing_extensions import Self

from facewire import results
from facewire.cli.options import (
    connect,
    console,
    decision_text,
    liveness_text,
    reference_of,
    talks_to_server,
    write_json,
)
from facewire.cli.watch_frames import WatchedFrames
from facewire.images import ImageLike
from facewire.live import ChallengeFailure, ChallengeHint, ChallengeProgress, ChallengePrompt, LiveVerification
from facewire.liveness import LivenessDecision
from facewire.video import VideoSource

_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_HINTS = {
    ChallengeHint.NO_FACE: "no face is in sight",
    ChallengeHint.SEVERAL_FACES: "there are several faces",
    ChallengeHint.COME_CLOSER: "come closer",
    ChallengeHint.BAD_FRAME: "the camera's picture cannot be read",
    ChallengeHint.FACE_THE_CAMERA: "the face is turned away from the camera",
    ChallengeHint.KEEP_STILL: "keep still",
}


@click.command(
    "verify-live",
    epilog="""\b
SOURCE is a webcam ("0", "/dev/video0"), a URL (rtsp://, http://) or a video file, which is played at its own speed.
\b
Examples:
  facewire verify-live 0                      is a living person there?
  facewire verify-live 0 door/ada             ... and is it 'ada' of gallery 'door'?
  facewire verify-live 0 id-card.jpg && open-the-door
\b
Left and right are the person's own. Exit code 0: living, and the person named; 1: not shown to be.""",
)
@click.argument("source")
@click.argument("reference", required=False, type=click.Path())
@click.option("--actions", type=click.IntRange(1, 10), help="How many head turns.")
@click.option("--min-similarity", type=click.FloatRange(-1, 1), help="Cosine that makes a match.")
@click.option("--mirrored", is_flag=True, help="The camera mirrors its picture, as many front cameras do.")
@talks_to_server
def verify_live(
    source: str, reference: str | None, actions: int | None, min_similarity: float | None, mirrored: bool, target: str,
    timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Ask the person before a camera for head turns; say whether a living person did them, and which."""
    if Path(source).is_dir() or Path(source).suffix.lower() in _PICTURES:
        raise click.BadParameter(f"{source} is no camera or video", param_hint="SOURCE")
    video = VideoSource(source)
    frames = WatchedFrames(video, None, realtime=not video.live, jpeg=False, keep=False)
    with connect(target, timeout_s) as client, _Prompter() as prompter:
        answer = client.verify_live(
            _pictures(frames),
            reference=None if reference is None else reference_of(reference),
            min_similarity=min_similarity,
            actions=actions or 0,
            mirrored=mirrored,
            on_prompt=prompter.prompt,
            on_progress=prompter.progress,
        )
    if as_json:
        write_json(answer)
    else:
        _print(answer, prompter.last_hint, console())
    wanted = (None, results.Decision.MATCH)
    return 0 if answer.liveness is LivenessDecision.LIVE and answer.decision in wanted else 1


def _pictures(frames: WatchedFrames) -> Iterator[ImageLike]:
    for image, _ in frames:
        yield image


class _Prompter:
    """Tells the person what to do: on standard error, with a bar on a terminal and a line for each prompt elsewhere."""

    def __init__(self) -> None:
        self._errors = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), console=self._errors, transient=True,
            disable=not self._errors.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("waiting for the camera", total=1.0)
        self._words = ""
        self._hint = ""

    @property
    def last_hint(self) -> str:
        """Why the latest frames did not help."""
        return self._hint

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def prompt(self, prompt: ChallengePrompt) -> None:
        """Something else is to be done."""
        self._words = f"{prompt.action.words} ({prompt.done} of {prompt.wanted} done)"
        if not self._errors.is_terminal:
            click.echo(f"facewire: {self._words}", err=True)
        self._bar.update(self._task, description=f"[bold]{self._words}[/]", completed=0.0)

    def progress(self, progress: ChallengeProgress) -> None:
        """How far it is done."""
        hint = "" if progress.hint is None else _HINTS[progress.hint]
        if hint and hint != self._hint and not self._errors.is_terminal:
            click.echo(f"facewire: {hint}", err=True)
        self._hint = hint
        shown = f"[bold]{self._words}[/]" + (f"  [yellow]{hint}[/]" if hint else "")
        self._bar.update(self._task, description=shown, completed=progress.share)


def _print(answer: LiveVerification, hint: str, out: Console) -> None:
    colour = "green" if answer.liveness is LivenessDecision.LIVE else "red"
    why = "" if answer.failure is None else f": {answer.failure.value.replace('_', ' ').lower()}"
    slow = answer.failure in (ChallengeFailure.TIMED_OUT, ChallengeFailure.FACE_LOST)
    out.print(f"[{colour}]{answer.liveness.value}[/]{why}" + (f" ({hint})" if slow and hint else ""))
    if answer.passive is not None:
        out.print(f"the liveness model says {liveness_text(answer.passive)}")
    if answer.decision is None:
        return
    if answer.reference is not None and answer.reference.no_face_reason is not None:
        out.print("[yellow]the reference shows no face[/]")
    if answer.similarity is not None:
        out.print(
            f"{decision_text(answer.decision)}  similarity {answer.similarity:.3f}, "
            f"threshold {answer.min_similarity:.3f}"
        )
