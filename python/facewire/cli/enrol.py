"""``facewire enrol``: a folder of people into a gallery."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from facewire import results
from facewire._gallery_requests import EnrolItem
from facewire.cli.options import connect, console, plain, synthetic_option, talks_to_server, write_json
from facewire.client import Client
from facewire.errors import NotFoundError

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_EXIT_NO = 1
_PICTURES_A_MESSAGE = 8
_DUPLICATE = results.EnrolRefusal.DUPLICATE.value


@click.command(
    epilog="""\b
Examples:
  people/Ada Lovelace/1.jpg, 2.jpg; people/Alan Turing/a.png ...
  facewire enrol people/ --gallery door
  facewire enrol people/ -g door --json | jq 'select(.refusal)'"""
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--gallery", "-g", "gallery_id", required=True, help="Made where missing.")
@click.option("--use-largest-face", is_flag=True, help="Of several faces in a picture take the largest.")
@synthetic_option
@talks_to_server
def enrol(
    folder: Path, gallery_id: str, use_largest_face: bool, allow_synthetic: bool, target: str, timeout_s: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Enrol the people in FOLDER: one sub-folder per person, named after them, with pictures in it.

    The subject's id is made from the folder's name (lower case, a-z and digits). Exit code 1 if any picture was
    refused; pictures enrolled before do not count.
    """
    people = _people_in(folder)
    with connect(target, timeout_s) as client:
        _ensure_gallery(client, gallery_id)
        limits = client.server_info().limits
        plan = _portions(people, limits.max_images_per_enrol, limits.max_message_bytes)
        items = [
            EnrolItem(subject_id, pictures, name, use_largest_face=use_largest_face, allow_synthetic=allow_synthetic)
            for subject_id, name, pictures in plan
        ]
        outcomes = _enrol_all(client, gallery_id, items, as_json)
    refused = [outcome for outcome in outcomes if outcome[2] not in ("", _DUPLICATE)]
    if not as_json:
        _print_summary(len(people), outcomes)
    return _EXIT_NO if refused else 0


Portion = tuple[str, str, list[Path]]  # subject id, display name, pictures of one message
Outcome = tuple[str, str, str, str]  # subject id, picture, refusal or "", detail


def _people_in(folder: Path) -> dict[str, tuple[str, list[Path]]]:
    """Subject id to display name and pictures."""
    people: dict[str, tuple[str, list[Path]]] = {}
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        pictures = sorted(p for p in person.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
        if not pictures:
            continue
        subject_id = subject_id_of(person.name)
        if subject_id in people:
            raise click.UsageError(
                f"the folders '{people[subject_id][0]}' and '{person.name}' give the same id '{subject_id}'; rename one"
            )
        people[subject_id] = (person.name, pictures)
    if not people:
        raise click.UsageError(
            f"{folder} has no sub-folders with JPEG, PNG or WebP pictures; "
            f"put each person's pictures into {folder}/NAME/"
        )
    return people


def subject_id_of(name: str) -> str:
    """A folder's name as a subject id: accents removed, lower case, other characters to '-'.

    Raises:
        UsageError: nothing is left.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    subject_id = re.sub(r"[^a-z0-9._]+", "-", ascii_name).strip("-._")[:63]
    if not subject_id:
        raise click.UsageError(f"folder '{name}' gives no id; use a name with latin letters or digits")
    return subject_id


def _ensure_gallery(client: Client, gallery_id: str) -> None:
    try:
        client.get_gallery(gallery_id)
    except NotFoundError:
        client.create_gallery(gallery_id)
        click.echo(f"gallery '{gallery_id}' made", err=True)


def _portions(people: dict[str, tuple[str, list[Path]]], max_pictures: int, max_message_bytes: int) -> list[Portion]:
    """People's pictures in messages that the server accepts; a picture too large for any goes alone, to be refused."""
    room = max_message_bytes * 9 // 10
    plan: list[Portion] = []
    for subject_id, (name, pictures) in people.items():
        portion: list[Path] = []
        size = 0
        for picture in pictures:
            bytes_of = picture.stat().st_size
            if portion and (size + bytes_of > room or len(portion) == min(max_pictures, _PICTURES_A_MESSAGE)):
                plan.append((subject_id, name, portion))
                portion, size = [], 0
            portion.append(picture)
            size += bytes_of
        plan.append((subject_id, name, portion))
    return plan


def _enrol_all(client: Client, gallery_id: str, items: list[EnrolItem], as_json: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    total = sum(len(item.images) for item in items)
    try:
        with _progress() as progress:
            task = progress.add_task("enrolling", total=total)
            for item, answer in zip(items, client.batch_enrol(gallery_id, items), strict=True):
                for outcome in _outcomes_of(item, answer):
                    outcomes.append(outcome)
                    if as_json:
                        keys = ("subject_id", "picture", "refusal", "detail")
                        write_json(plain(dict(zip(keys, outcome, strict=True))))
                progress.advance(task, len(item.images))
    except BaseException:
        enrolled = sum(refusal == "" for _, _, refusal, _ in outcomes)
        click.echo(f"stopped after {enrolled} pictures were enrolled; run it again to go on", err=True)
        raise
    return outcomes


def _progress() -> Progress:
    """On standard error, and only where a person looks."""
    errors = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )


def _outcomes_of(item: EnrolItem, answer: results.BatchEnrolment) -> Iterator[Outcome]:
    if answer.enrolment is None:
        for picture in item.images:
            yield item.subject_id, str(picture), "ERROR", answer.error or ""
        return
    for picture, outcome in zip(item.images, answer.enrolment.outcomes, strict=True):
        refusal = outcome.refusal.value if outcome.refusal is not None else ""
        detail = outcome.detail
        if outcome.look_alike is not None and not detail:
            other, similarity = outcome.look_alike
            detail = f"looks like subject '{other}' ({similarity:.2f}): the same person under two names?"
        yield item.subject_id, str(picture), refusal, detail


def _is_to_be_told(subject_id: str, _: str, refusal: str, detail: str) -> bool:
    """Refusals, and look-alikes; of pictures enrolled already those that are another subject's."""
    if refusal == _DUPLICATE:
        return f"'{subject_id}'" not in detail
    return bool(refusal or detail)


def _print_summary(people: int, outcomes: list[Outcome]) -> None:
    out = console()
    counts = Counter(refusal for _, _, refusal, _ in outcomes)
    enrolled, known = counts.pop("", 0), counts.pop(_DUPLICATE, 0)
    refused = sum(counts.values())
    out.print(
        f"[green]{enrolled}[/] of {len(outcomes)} pictures of {people} people enrolled"
        + (f", {known} were already" if known else "")
        + (f", [yellow]{refused} refused[/]:" if refused else "")
    )
    told = [each for each in outcomes if _is_to_be_told(*each)]
    if not told:
        return
    table = Table("subject", "picture", "refused", "why")
    for subject_id, picture, refusal, detail in told:
        table.add_row(subject_id, escape(picture), refusal or "enrolled, but", escape(detail))
    out.print(table)
    out.print("  ".join(f"{reason}: {count}" for reason, count in counts.most_common()))
