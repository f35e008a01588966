"""A trained restorer as the server reads it."""

from __future__ import annotations

from typing import Final

import torch

from facewire_lab.checkpoint import Checkpoint, of_this_kind
from facewire_lab.export import Entry, Order, Package
from facewire_lab.ir import CHECKED, check_ir, to_ir
from facewire_lab.picture_input import PICTURE, PICTURE_TOML
from facewire_lab.recipes import RestorerRecipe
from facewire_lab.restorer import SIDE, Restorer

TOLERANCE: Final = 5e-3  # of -1..1; a grey level is 8e-3


def restorer_of(found: Checkpoint) -> Restorer:
    """The averaged network."""
    with of_this_kind():
        recipe = RestorerRecipe.model_validate(found.recipe)
        restorer = Restorer(recipe.width, recipe.blocks)
        restorer.load_state_dict(found.task["average"])
    return restorer


def package(order: Order, found: Checkpoint) -> Package:
    """Its weights as IR."""
    restorer = restorer_of(found)
    shape = (1, 3, SIDE, SIDE)
    file = to_ir(restorer, shape, "faces", ["restored"])
    random = torch.Generator().manual_seed(0)
    light = torch.linspace(0.05, 1.0, CHECKED).view(-1, 1, 1, 1)  # dark ones as well
    inputs = torch.rand(CHECKED, 3, SIDE, SIDE, generator=random) * light * 2 - 1
    checked = check_ir(file, restorer, shape, PICTURE, ["restored"], inputs, TOLERANCE)
    toml = f"""
task = "restorer"
kind = "unet"
conversion = "zipped-ir"
{PICTURE_TOML}
output = "restored"
view = {found.facts["view"]}
"""
    tables = f"""
[model.golden]
shape = [1, 3, {SIDE}, {SIDE}]
[model.golden.values]
{checked.golden}
"""
    facts = {
        "task": "makes small, noisy, dark faces readable for people, 112 x 112, R, G, B; invents details",
        "family": "U-Net; pixel, structure, identity and adversarial losses",
    }
    entry = Entry(f"{order.name}.zip", file, toml, tables)
    return Package([entry], facts, checked.difference, 'generation.restorer = "{name}"')
