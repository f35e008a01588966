"""From a trained run to a model that the server runs: weights, manifest entry, card."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facewire_lab.checkpoint import Checkpoint, load_checkpoint
from facewire_lab.errors import LabError
from facewire_lab.faces import FaceFacts, PreparedFaces
from facewire_lab.training import BEST, CHECKPOINT
from facewire_server.inference.embedder import contract_of
from facewire_server.inference.manifest import Manifest, load_manifest
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import DetectorModel, EmbedderModel

if TYPE_CHECKING:
    from facewire_server.config import Config

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,50}")  # as the manifest has it, with room for "-generator"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted.

    Attributes:
        run: of the training.
        name: in the manifest.
        licence: of what was trained, which follows from that of the pictures.
        data: what the pictures are, for the card.
        faces: it was trained on; None where the caller gave none.
        config: of the server, for families that build on its models.
    """

    run: Path
    name: str
    licence: str
    data: str
    faces: PreparedFaces | None
    config: Config

    def required_faces(self, found: Checkpoint) -> PreparedFaces:
        """The faces that the run was trained on; raises LabError where none or others were given."""
        if self.faces is None:
            raise LabError("this family is exported with what it knows of its faces: give them with --faces FACES")
        if self.faces.digest != found.faces:
            raise LabError(f"{self.run} was trained on other faces than those of --faces")
        return self.faces


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the manifest with its weights.

    Attributes:
        file: of the weights.
        weights: its bytes.
        toml: the entry but for its name, licence, origin, source and digest, up to the tables.
        tables: what follows: [model.golden] and others.
        suffix: of the model's name.
    """

    file: str
    weights: bytes
    toml: str
    tables: str
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """What is exported.

    Attributes:
        entries: of the manifest.
        facts: of the card.
        difference: the largest between OpenVINO and PyTorch.
        serve: settings of the server that use it, with {name}.
        base_licence: of the weights that it was built on and contains; empty where there are none.
    """

    entries: list[Entry]
    facts: Mapping[str, str]
    difference: float
    serve: str
    base_licence: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the manifest is, the largest difference from PyTorch, and the settings that serve it."""

    manifest: Path
    difference: float
    serve: str


def trained(run: Path) -> Checkpoint:
    """The best checkpoint of a run where it was measured on people held out, else the last one.

    The best one counts where the last one knows of it: a training that was killed may have left one of steps that it
    has to do again.

    Raises:
        LabError: the folder is no run, or has no checkpoint yet.
    """
    if not (run / CHECKPOINT).exists():
        raise LabError(f"{run} has no {CHECKPOINT}: train first (facewire lab train FAMILY FACES {run})")
    last = load_checkpoint(run / CHECKPOINT)
    if last.best is None or not (run / BEST).exists():
        return last
    best = load_checkpoint(run / BEST)
    return best if best.step == last.best["step"] else last


def export_run(order: Order, out: Path) -> Exported:
    """Writes NAME.toml, NAME.md and the weights below ``out``, all of them after they were checked.

    Raises:
        LabError: nothing is trained, the name is none for a model, or OpenVINO computes something else.
        OSError: the files cannot be written.
    """
    if not _NAME.fullmatch(order.name):
        raise LabError(f"a model's name is of a to z, digits, '.', '_' and '-', at most 51, not {order.name!r}")
    if order.name in load_manifest(None).models:
        raise LabError(f"'{order.name}' is the name of a packaged model: choose another")
    for what, text in (("licence", order.licence), ("data", order.data)):
        if not text.strip() or "\n" in text or "|" in text:
            raise LabError(f"{what} is a line of text without '|', not {text!r}")
    found = trained(order.run)
    package = _packager(found.family)(order, found)
    licence = "; ".join(part for part in (package.base_licence, order.licence) if part)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        folder = Path(scratch)
        for entry in package.entries:
            (folder / entry.file).write_bytes(entry.weights)
        manifest = folder / f"{order.name}.toml"
        manifest.write_text(
            "\n".join(_toml(entry, order.name, licence, found) for entry in package.entries), encoding="utf-8"
        )
        contract = _contract(load_manifest(manifest), order)
        (folder / f"{order.name}.md").write_text(_card(order, licence, found, package, contract), encoding="utf-8")
        for file in sorted(folder.iterdir()):
            file.replace(out / file.name)
    return Exported(out / f"{order.name}.toml", package.difference, package.serve.format(name=order.name))


def _packager(family: str) -> Callable[[Order, Checkpoint], Package]:
    from facewire_lab import adapter_export, cnn_export, gan_export, restorer_export, vae_export  # noqa: PLC0415

    packagers = {
        "gan": gan_export.package,
        "vae": vae_export.package,
        "restorer": restorer_export.package,
        "cnn": cnn_export.package,
        "adapter": adapter_export.package,
    }
    if family not in packagers:
        raise LabError(f"family '{family}' is not known here: was it trained by a newer facewire?")
    return packagers[family]


def quoted(text: str) -> str:
    """As TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def _toml(entry: Entry, name: str, licence: str, found: Checkpoint) -> str:
    origin = f"facewire lab train {found.family}, {found.step} steps on {_trained_on(found)}"
    return (
        f"[[model]]\nname = {quoted(name + entry.suffix)}\nlicence = {quoted(licence)}\n"
        f"origin = {quoted(origin)}\nsource = {{ path = {quoted(entry.file)} }}\n"
        f'sha256 = "{hashlib.sha256(entry.weights).hexdigest()}"\n{entry.toml.strip()}\n\n{entry.tables.strip()}\n'
    )


def _contract(manifest: Manifest, order: Order) -> str:
    """The contract that an embedder's embeddings are made under, on processors in 32-bit floats."""
    embedder = manifest.get(order.name)
    if not isinstance(embedder, EmbedderModel):
        return "none: it makes no embeddings"
    detector = load_manifest(order.config.models.manifest).of(order.config.models.detector, DetectorModel)
    contract = contract_of(detector, "f32", embedder, Network("CPU", "CPU", "f32", []))
    return f"{contract.contract_id} (detector '{detector.name}', CPU, models.precision = f32)"


def _trained_on(found: Checkpoint) -> str:
    """How many faces, and how many more were held out."""
    facts = FaceFacts(**found.facts)
    seen, held = facts.split(found.recipe["held_out"])
    people = len({facts.people[row] for row in seen if facts.people[row]})
    of_people = f" of {people} {'person' if people == 1 else 'people'}" if people else ""
    return f"{len(seen)} faces{of_people}" + (f"; {len(held)} held out" if len(held) else "")


def _card(order: Order, licence: str, found: Checkpoint, package: Package, contract: str) -> str:
    recipe = ", ".join(f"{key} {value}" for key, value in found.recipe.items())
    rows = {
        **package.facts,
        "data": order.data,
        "trained on": _trained_on(found),
        "licence": licence,
        "steps": str(found.step),
        "recipe": recipe,
        **_measured(order.run, found),
        "weights": ", ".join(
            f"{entry.file}, {len(entry.weights) / 1e6:.1f} MB, SHA-256 {hashlib.sha256(entry.weights).hexdigest()}"
            for entry in package.entries
        ),
        "contract": contract,
        "OpenVINO against PyTorch": f"differs by at most {package.difference:.1e}",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return (
        f"# {order.name}\n\n| | |\n|---|---|\n{table}\n\nPeople in the training pictures may be recognisable in "
        "what this model makes, especially where there are few of them. Share it only with people with whom you would "
        "share the pictures.\n"
    )


def _measured(run: Path, found: Checkpoint) -> dict[str, str]:
    """On people held out, at the step that is exported."""
    path = run / "validation.csv"
    if found.best is None or not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["step"] == str(found.step)]
    if not rows:
        return {}
    told = ", ".join(f"{key} {float(value):.4g}" for key, value in rows[-1].items() if key not in ("step", "score"))
    return {"on people held out": told}
