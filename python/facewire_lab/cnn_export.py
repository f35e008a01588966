"""A trained network that tells people apart, as an embedder of the server."""

from __future__ import annotations

import json

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it

from facewire_lab.checkpoint import Checkpoint, of_this_kind
from facewire_lab.cnn import SIDE
from facewire_lab.cnn_task import make_network
from facewire_lab.errors import LabError
from facewire_lab.export import Entry, Order, Package
from facewire_lab.faces import PreparedFaces
from facewire_lab.ir import CHECKED, check_ir, to_ir
from facewire_lab.pairs import cosines_of_pairs
from facewire_lab.picture_input import PICTURE, PICTURE_TOML
from facewire_lab.planes import as_planes
from facewire_lab.recipes import CnnRecipe
from facewire_server.evaluation.rates import supports, threshold_at
from facewire_server.pipeline.chips import template_of

_TOLERANCE = 5e-3  # of an embedding's length
_FMR = 1e-3
_BATCH = 64
_MOST = 1500  # faces, of which every two are compared


def package(order: Order, found: Checkpoint) -> Package:
    """Its weights as IR, and the threshold at a false-match rate of 1 in 1,000 of faces that it was not trained on."""
    with of_this_kind():
        recipe = CnnRecipe.model_validate(found.recipe)
        network = make_network(recipe)
        network.load_state_dict(found.task["network"])
    shape = (1, 3, SIDE, SIDE)
    file = to_ir(network, shape, "faces", ["embedding"])
    random = torch.Generator().manual_seed(0)
    inputs = torch.rand(CHECKED, 3, SIDE, SIDE, generator=random) * 2 - 1
    with torch.no_grad():
        length = float(network(inputs).norm(dim=1).mean())
    checked = check_ir(file, network, shape, PICTURE, ["embedding"], inputs, _TOLERANCE * length)
    threshold, pairs = _threshold(network, order.required_faces(found), recipe)
    template = json.dumps([[round(float(value), 4) for value in point] for point in template_of(found.facts["view"])])
    toml = f"""
task = "embedder"
kind = "arcface"
conversion = "zipped-ir"
{PICTURE_TOML}
output = "embedding"
dim = {recipe.dim}
size = {SIDE}
template = {template}
threshold = {threshold:.4f}
"""
    tables = f"""
[model.golden]
shape = [1, 3, {SIDE}, {SIDE}]
[model.golden.values]
{checked.golden}
"""
    facts = {
        "task": f"tells people apart: embeddings of {recipe.dim} numbers",
        "family": f"{recipe.network}, loss {recipe.loss}",
        "threshold": _told(threshold, pairs),
    }
    entry = Entry(f"{order.name}.zip", file, toml, tables)
    return Package([entry], facts, checked.difference, 'models.embedder = "{name}"')


def _told(threshold: float, pairs: int) -> str:
    if not supports(pairs, _FMR):
        return f"{threshold:.3f}: the highest of {pairs} pairs of people it was not trained on, too few to tell a rate"
    return f"{threshold:.3f}: false-match rate 1 in 1,000 on {pairs} pairs of people it was not trained on"


@torch.no_grad()
def _threshold(network: torch.nn.Module, faces: PreparedFaces, recipe: CnnRecipe) -> tuple[float, int]:
    """The cosine that one of 1,000 pairs of different people exceeds, of people held out; and how many pairs."""
    faces = faces.with_at_least(recipe.least)  # divided as they were for training
    _, held = faces.split(recipe.held_out)
    if not len(held):
        raise LabError("nobody was held out, so that no threshold can be measured: train with held_out above 0")
    rows = torch.from_numpy(held[:_MOST])
    chips = torch.from_numpy(faces.chips[held[:_MOST]])
    people = torch.from_numpy(faces.numbers)[rows]
    vectors = torch.cat([network(as_planes(part, SIDE, torch.device("cpu"))) for part in chips.split(_BATCH)])
    others = cosines_of_pairs(F.normalize(vectors), people)[1].double().numpy()
    if not len(others):
        raise LabError("one person alone was held out: no threshold can be measured; hold out more")
    return min(1.0, threshold_at(others, _FMR)), len(others)
