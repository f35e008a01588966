"""A trained DCGAN as the server reads it."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from facewire_lab.checkpoint import Checkpoint, of_this_kind
from facewire_lab.dcgan import SIDE, Generator, settled
from facewire_lab.export import Entry, Order, Package
from facewire_lab.ir import CHECKED, golden_toml, require_near
from facewire_lab.recipes import GanRecipe
from facewire_server.inference import golden
from facewire_server.inference.conversion import convert_to_ir
from facewire_server.inference.precision import Variant
from facewire_server.inference.runtime import Placement, Runtime
from facewire_server.inference.specs import InputSpec

_KEY: Final = "netG_state_dict"  # where the packaged generator's checkpoint has them, too
_TOLERANCE: Final = 1e-3  # of -1..1; a grey level is 8e-3


def generator_of(found: Checkpoint) -> Generator:
    """The averaged generator, its statistics settled."""
    with of_this_kind():
        recipe = GanRecipe.model_validate(found.recipe)
        generator = Generator(recipe.latent, recipe.width)
        generator.load_state_dict(found.task["average"])
    return settled(generator)


def package(order: Order, found: Checkpoint) -> Package:
    """Its weights as PyTorch's tutorial has them, which the server reads without PyTorch."""
    generator = generator_of(found)
    recipe = GanRecipe.model_validate(found.recipe)
    packed = io.BytesIO()
    torch.save({_KEY: {key: value.contiguous() for key, value in generator.state_dict().items()}}, packed)
    weights = packed.getvalue()
    difference, answer = _check(generator, recipe.latent, weights)
    toml = f"""
task = "generator"
kind = "dcgan"
conversion = "dcgan-torch"
input = {{ colour = "rgb" }}
output = "image"
latent = {recipe.latent}
size = {SIDE}
"""
    tables = f"""
[model.golden]
shape = [1, {recipe.latent}, 1, 1]
[model.golden.values]
{answer}
"""
    facts = {"task": "makes faces of nobody, 64 x 64, R, G, B", "family": "DCGAN, averaged generator"}
    entry = Entry(f"{order.name}.tar", weights, toml, tables)
    return Package([entry], facts, difference, 'generation.model = "{name}"')


def _check(generator: Generator, latent: int, weights: bytes) -> tuple[float, str]:
    """The largest difference on random faces, and the answer to the manifest's test pattern, as its entry has it."""
    shape = (1, latent, 1, 1)
    with tempfile.TemporaryDirectory() as scratch:
        file, ir = Path(scratch) / "weights.tar", Path(scratch) / "model.xml"
        file.write_bytes(weights)
        convert_to_ir(file, "dcgan-torch", ir)
        runtime = Runtime(Path(scratch) / "compiled", 1)
        network = runtime.load(Placement("CPU", Variant(ir, "f32", None, InputSpec(colour="rgb"))), [shape])
        (compiled,) = network.shapes.values()

        def answer(z: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return compiled.run(z)["image"]

        numbers = np.random.default_rng(0).standard_normal((CHECKED, *shape[1:]), dtype=np.float32)
        with torch.no_grad():
            expected = generator(torch.from_numpy(numbers)).numpy()
        difference = max(float(np.abs(answer(z[None]) - want).max()) for z, want in zip(numbers, expected, strict=True))
        require_near(difference, _TOLERANCE)
        return difference, golden_toml({"image": answer(golden.pattern(shape))})
