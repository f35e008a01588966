"""From a trained generator to a model that the server runs: weights, manifest entry, card; checked against PyTorch."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from facewire_lab.checkpoint import Checkpoint, load_checkpoint
from facewire_lab.dcgan import SIDE, Generator, settled
from facewire_lab.errors import LabError
from facewire_lab.faces import FaceFacts
from facewire_lab.recipe import GanRecipe
from facewire_lab.training import CHECKPOINT
from facewire_server.inference import golden
from facewire_server.inference.conversion import convert_to_ir
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.precision import Variant
from facewire_server.inference.runtime import Placement, Runtime
from facewire_server.inference.specs import InputSpec

_KEY: Final = "netG_state_dict"  # where the packaged generator's checkpoint has them, too
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")  # as the manifest has it
_CHECKED: Final = 16
_TOLERANCE: Final = 1e-3  # of -1..1; a grey level is 8e-3
_ENTRY: Final = """[[model]]
name = {name}
task = "generator"
kind = "dcgan"
licence = {licence}
origin = {origin}
source = {{ path = {weights} }}
sha256 = "{sha256}"
conversion = "dcgan-torch"
input = {{ colour = "rgb" }}
output = "image"
latent = {latent}
size = {size}

[model.golden]
shape = [1, {latent}, 1, 1]

[model.golden.values]
image = {golden}
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the manifest is, and how far OpenVINO's pictures are from PyTorch's at most, of -1..1."""

    manifest: Path
    difference: float


def trained_generator(run: Path) -> tuple[Generator, Checkpoint]:
    """The averaged generator of a run, its statistics settled, and the checkpoint it is from.

    Raises:
        LabError: the folder is no run, or has no checkpoint yet.
    """
    if not (run / CHECKPOINT).exists():
        raise LabError(f"{run} has no {CHECKPOINT}: train first (facewire lab train gan FACES {run})")
    found = load_checkpoint(run / CHECKPOINT)
    try:
        recipe = GanRecipe.model_validate(found.recipe)
        generator = Generator(recipe.latent, recipe.width)
        generator.load_state_dict(found.task["average"])
    except (LookupError, RuntimeError, ValueError, TypeError) as error:
        raise LabError(f"{run / CHECKPOINT} is of another kind of model") from error
    return settled(generator), found


def export_generator(run: Path, out: Path, name: str, licence: str) -> Exported:
    """Writes NAME.tar, NAME.toml and NAME.md below ``out``, all of them after they were checked.

    Args:
        run: of the training.
        out: made where missing.
        name: in the manifest.
        licence: of the weights, which follows from that of the pictures.

    Raises:
        LabError: nothing is trained, the name is none for a model, or OpenVINO computes something else.
        OSError: the files cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise LabError(f"a model's name is of a to z, digits, '.', '_' and '-', at most 63, not {name!r}")
    generator, found = trained_generator(run)
    recipe, facts = GanRecipe.model_validate(found.recipe), FaceFacts(**found.facts)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        weights = Path(scratch) / f"{name}.tar"
        packed = io.BytesIO()
        torch.save({_KEY: {key: value.contiguous() for key, value in generator.state_dict().items()}}, packed)
        weights.write_bytes(packed.getbuffer())
        difference, summary = _check(generator, recipe, weights)
        entry = _ENTRY.format(
            name=_quoted(name),
            licence=_quoted(licence),
            origin=_quoted(f"facewire lab, {found.step} steps on {len(facts.pictures)} faces"),
            weights=_quoted(weights.name),
            sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
            latent=recipe.latent,
            size=SIDE,
            golden=list(summary),
        )
        manifest = Path(scratch) / f"{name}.toml"
        manifest.write_text(entry, encoding="utf-8")
        load_manifest(manifest)
        card = Path(scratch) / f"{name}.md"
        size = weights.stat().st_size
        card.write_text(_card(name, licence, facts, recipe, found.step, difference, size), encoding="utf-8")
        for file in (weights, manifest, card):
            file.replace(out / file.name)
    return Exported(out / manifest.name, difference)


def _quoted(text: str) -> str:
    """As TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def _check(generator: Generator, recipe: GanRecipe, weights: Path) -> tuple[float, tuple[float, ...]]:
    """The largest difference on random faces, and the answer to the manifest's test pattern."""
    with tempfile.TemporaryDirectory() as scratch:
        ir = Path(scratch) / "model.xml"
        convert_to_ir(weights, "dcgan-torch", ir)
        runtime = Runtime(Path(scratch) / "compiled", 1)
        network = runtime.load(
            Placement("CPU", Variant(ir, "f32", None, InputSpec(colour="rgb"))), [(1, recipe.latent, 1, 1)]
        )
        (compiled,) = network.shapes.values()

        def answer(z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            with compiled.borrow() as request:
                request.input[...] = z
                return np.array(request.infer()["image"])

        numbers = np.random.default_rng(0).standard_normal((_CHECKED, recipe.latent, 1, 1), dtype=np.float32)
        with torch.no_grad():
            expected = generator(torch.from_numpy(numbers)).numpy()
        difference = max(float(np.abs(answer(z[None]) - want).max()) for z, want in zip(numbers, expected, strict=True))
        if not difference <= _TOLERANCE:
            raise LabError(
                f"OpenVINO's pictures differ from PyTorch's by {difference:.2g}, at most {_TOLERANCE:g} is allowed"
            )
        return difference, golden.summary({"image": answer(golden.pattern((1, recipe.latent, 1, 1)))})["image"]


def _card(
    name: str, licence: str, facts: FaceFacts, recipe: GanRecipe, steps: int, difference: float, size: int
) -> str:
    people = len({person for person in facts.people if person})
    rows = {
        "task": "makes faces of nobody, 64 x 64, R, G, B",
        "family": f"DCGAN, latent {recipe.latent}, width {recipe.width}, averaged generator (decay {recipe.ema})",
        "trained on": f"{len(facts.pictures)} faces"
        + (f" of {people} {'person' if people == 1 else 'people'}" if people else ""),
        "licence": licence,
        "steps": f"{steps} of {recipe.batch} faces, seed {recipe.seed}, learning rate {recipe.learning_rate:g}",
        "size": f"{size / 1e6:.1f} MB of weights",
        "OpenVINO against PyTorch": f"differs by at most {difference:.1e} of -1..1, on {_CHECKED} faces",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return (
        f"# {name}\n\n| | |\n|---|---|\n{table}\n\nWhoever is in the pictures it was trained on may be recognisable in "
        "what it makes, the more so the fewer they are: give it to nobody whom you would not give the pictures.\n"
    )
