"""A trained VAE as the server reads it: an encoder with what it knows of faces as such, and a generator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facewire_lab.checkpoint import Checkpoint, of_this_kind
from facewire_lab.errors import LabError
from facewire_lab.export import Entry, Order, Package, quoted
from facewire_lab.faces import PreparedFaces, Rows
from facewire_lab.ir import CHECKED, check_ir, to_ir
from facewire_lab.picture_input import PICTURE, PICTURE_TOML
from facewire_lab.planes import as_planes, to_pixels
from facewire_lab.recipes import VaeRecipe
from facewire_lab.vae import SIDE, Decoder, Encoder
from facewire_server.domain.likeness import likeness
from facewire_server.inference.specs import InputSpec
from facewire_server.pipeline.chips import shrink

Numbers = npt.NDArray[np.float64]

_TOLERANCE: Final = 2e-2  # of latents, whose spread is 1, and of -1..1
_MAIN: Final = 16  # directions that all faces have in common
_DONORS: Final = 100
_DONOR_SEED: Final = 20_050_601
_IDENTITY_SHARE: Final = 0.5  # of the directions tell people apart
_SHRINKAGE: Final = 0.1
_BATCH: Final = 64
_BELOW: Final = 0.25  # of the way from the median to the lowest score, again
_HARDLY_EVER: Final = 1 / 2000
_FEWEST: Final = 5
_RATES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
_FIXED: Final = ("donors", "identity")
_OUTPUTS: Final = ("mean", "log_variance", "core", "donors", "identity")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the latents of faces.

    Attributes:
        centre: (latent,), the mean face's.
        main: (latent, 16), orthonormal: the directions in which faces differ most.
        donors: (100, latent): latents of nobody, drawn as faces' are distributed.
        identity: (latent, latent): the projection onto what differs between people more than between pictures.
    """

    centre: Numbers
    main: Numbers
    donors: Numbers
    identity: Numbers


class ServedEncoder(nn.Module):
    """Faces (1, 3, 64, 64), -1..1, to the outputs of an encoder of the server."""

    def __init__(self, encoder: Encoder, knowledge: Knowledge) -> None:
        super().__init__()
        self.encoder = encoder
        for name in ("centre", "donors", "identity"):
            self.register_buffer(name, torch.from_numpy(getattr(knowledge, name)).float())
        self.register_buffer("main", torch.from_numpy(knowledge.main @ knowledge.main.T).float())

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mean, logarithm of variance, core; donors and identity, the same each time."""
        mean, log_variance = self.encoder(faces)
        core = self.centre + (mean - self.centre) @ self.main
        return mean, log_variance, core, self.donors, self.identity


class ServedDecoder(nn.Module):
    """Latents (1, latent, 1, 1) to faces (1, 3, 64, 64), as a generator of the server has it."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: Tensor) -> Tensor:
        """The faces."""
        faces: Tensor = self.decoder(latents.flatten(1))
        return faces


def networks_of(found: Checkpoint) -> tuple[Encoder, Decoder]:
    """The averaged networks."""
    with of_this_kind():
        recipe = VaeRecipe.model_validate(found.recipe)
        encoder, decoder = Encoder(recipe.latent, recipe.width), Decoder(recipe.latent, recipe.width)
        encoder.load_state_dict(found.task["average_encoder"])
        decoder.load_state_dict(found.task["average_decoder"])
    return encoder.eval(), decoder.eval()


def package(order: Order, found: Checkpoint) -> Package:
    """Both networks' weights as IR."""
    encoder, decoder = networks_of(found)
    recipe = VaeRecipe.model_validate(found.recipe)
    faces = order.required_faces(found)
    seen, held = faces.split(recipe.held_out)
    if not len(held):
        raise LabError("nobody was held out, so that it is not known how face-like faces are: hold out some people")
    knowledge = knowledge_of(_latents(encoder, faces, seen), faces.numbers[seen])
    first, second = ServedEncoder(encoder, knowledge), ServedDecoder(decoder)
    picture_shape, latent_shape = (1, 3, SIDE, SIDE), (1, recipe.latent, 1, 1)
    encoder_file = to_ir(first, picture_shape, "faces", _OUTPUTS)
    decoder_file = to_ir(second, latent_shape, "z", ["image"])
    random = torch.Generator().manual_seed(0)
    pictures = as_planes(torch.from_numpy(faces.chips[seen[:CHECKED]]), SIDE, torch.device("cpu"))
    latents = torch.randn(CHECKED, *latent_shape[1:], generator=random)
    checked = check_ir(encoder_file, first, picture_shape, PICTURE, _OUTPUTS, pictures, _TOLERANCE, _FIXED)
    made = check_ir(decoder_file, second, latent_shape, InputSpec(colour="rgb"), ["image"], latents, _TOLERANCE)
    scores = likeness_scores(first, decoder, faces, held)
    generator_suffix = "-generator"
    encoder_toml = f"""
task = "encoder"
kind = "vae"
conversion = "zipped-ir"
{PICTURE_TOML}
generator = {quoted(order.name + generator_suffix)}
latent = {recipe.latent}
size = {SIDE}
view = {faces.facts.view}
"""
    decoder_toml = f"""
task = "generator"
kind = "vae"
conversion = "zipped-ir"
input = {{ colour = "rgb" }}
output = "image"
latent = {recipe.latent}
size = {SIDE}
"""
    encoder_tables = f"""
[model.likeness]
{_curve(scores)}

[model.golden]
shape = [1, 3, {SIDE}, {SIDE}]
[model.golden.values]
{checked.golden}
"""
    decoder_tables = f"""
[model.golden]
shape = [1, {recipe.latent}, 1, 1]
[model.golden.values]
{made.golden}
"""
    facts = {
        "task": f"encodes faces of {SIDE} x {SIDE}, R, G, B, as {recipe.latent} numbers and reconstructs them; "
        "anonymises; tells faces from other things",
        "family": "beta-VAE, averaged networks",
    }
    entries = [
        Entry(f"{order.name}.zip", encoder_file, encoder_toml, encoder_tables),
        Entry(f"{order.name}{generator_suffix}.zip", decoder_file, decoder_toml, decoder_tables, generator_suffix),
    ]
    difference = max(checked.difference, made.difference)
    return Package(entries, facts, difference, 'generation.encoder = "{name}"')


@torch.no_grad()
def _latents(encoder: Encoder, faces: PreparedFaces, rows: Rows) -> Numbers:
    """Means of the faces' latents, (n, latent)."""
    found = []
    for part in np.array_split(rows, max(1, len(rows) // _BATCH)):
        pictures = as_planes(torch.from_numpy(faces.chips[part]), SIDE, torch.device("cpu"))
        found.append(encoder(pictures)[0])
    return torch.cat(found).double().numpy()


def knowledge_of(latents: Numbers, people: Rows) -> Knowledge:
    """What the latents of faces have in common, and what tells people apart.

    Identity is where pictures of different people differ more than those of one: the first half of the directions of
    R. Fisher's discriminant (1936), its covariances shrunk towards multiples of the unit one.
    """
    centre = latents.mean(axis=0)
    covariance = np.cov(latents, rowvar=False)
    values, vectors = np.linalg.eigh(covariance)
    random = np.random.default_rng(_DONOR_SEED)
    normal = random.standard_normal((_DONORS, len(centre)))
    donors = centre + normal @ (vectors * np.sqrt(values.clip(0))).T
    return Knowledge(centre, vectors[:, -_MAIN:], donors, _identity(latents, people, covariance))


def _identity(latents: Numbers, people: Rows, covariance: Numbers) -> Numbers:
    size = latents.shape[1]
    several = np.flatnonzero(np.bincount(people)[people] > 1)
    if len(several) < size:
        return np.eye(size)  # too few pictures of a person to tell: all of it is replaced
    _, own = np.unique(people[several], return_inverse=True)
    counts = np.bincount(own)
    means = np.zeros((len(counts), size))
    np.add.at(means, own, latents[several])
    within = latents[several] - (means / counts[:, np.newaxis])[own]
    spread = within.T @ within / (len(several) - len(counts))
    spread = (1 - _SHRINKAGE) * spread + _SHRINKAGE * np.trace(spread) / size * np.eye(size)
    values, vectors = np.linalg.eigh(spread)
    whiten, colour = (vectors * values**power @ vectors.T for power in (-0.5, 0.5))
    _, directions = np.linalg.eigh(whiten @ covariance @ whiten)
    kept = directions[:, -max(1, round(_IDENTITY_SHARE * size)) :]
    return np.asarray(whiten @ kept @ kept.T @ colour)


@torch.no_grad()
def likeness_scores(encoder: ServedEncoder, decoder: Decoder, faces: PreparedFaces, rows: Rows) -> Numbers:
    """How face-like real faces are, rising."""
    scores = []
    for part in np.array_split(rows, max(1, len(rows) // _BATCH)):
        small = np.stack([shrink(np.asarray(chip), SIDE) for chip in faces.chips[part]])
        core = encoder(as_planes(torch.from_numpy(small), SIDE, torch.device("cpu")))[2]
        known = to_pixels(decoder(core)).numpy()
        scores += [likeness(face, made) for face, made in zip(small, known, strict=True)]
    return np.sort(np.array(scores))


def _curve(scores: Numbers) -> str:
    """Share of real faces below a score, by n of them: shares below 1/n, which n faces cannot resolve, are left out.

    Below the lowest score the curve falls to 0 where a new face would hardly ever be, by Student's t with n - 1
    degrees of freedom: the fewer faces were measured, the farther off, so that few faces refuse nobody.
    """
    rates = [0.0, *(rate for rate in _RATES if rate >= 1 / len(scores))]
    places = np.quantile(scores, rates)
    places[0] = max(-1.0, _hardly_ever(scores))
    kept = [number for number in range(len(places)) if number == 0 or places[number] > places[number - 1] + 1e-6]
    told = {"scores": [round(float(places[number]), 6) for number in kept], "rates": [rates[number] for number in kept]}
    return "\n".join(f"{name} = {json.dumps(values)}" for name, values in told.items())


def _hardly_ever(scores: Numbers) -> float:
    """A score that one new face of 2,000 falls below; at least a quarter of the way from the median below the lowest.

    Of fewer than five faces nothing follows: -1, below which no score is.

    Student's quantile by M. Abramowitz, I. Stegun, Handbook of mathematical functions, 26.7.5.
    """
    n, z = len(scores), NormalDist().inv_cdf(1 - _HARDLY_EVER)
    if n < _FEWEST:
        return -1.0
    v = n - 1
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
    )
    farther = scores[0] - max(1e-3, _BELOW * (np.median(scores) - scores[0]))
    return float(min(farther, scores.mean() - sum(terms) * scores.std(ddof=1) * np.sqrt(1 + 1 / n)))
