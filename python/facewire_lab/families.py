"""The families of models: what each is, and how its training is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces
from facewire_lab.recipe import Recipe
from facewire_lab.recipes import AdapterRecipe, CnnRecipe, GanRecipe, RestorerRecipe, VaeRecipe
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.specs import EmbedderModel

if TYPE_CHECKING:
    import torch

    from facewire_lab.frozen import FrozenEmbedder
    from facewire_lab.task import Task
    from facewire_lab.training import Training
    from facewire_server.config import Config


@dataclass(frozen=True, slots=True)
class Family:
    """A family.

    Attributes:
        recipe: its settings.
        about: a line for people.
    """

    recipe: type[Recipe]
    about: str


FAMILIES: Final = {
    "cnn": Family(CnnRecipe, "Train a network that tells people apart: an embedder for the server."),
    "gan": Family(GanRecipe, "Train a DCGAN, which makes faces of nobody."),
    "vae": Family(VaeRecipe, "Train a beta-VAE, which compresses faces to a short vector and reconstructs them."),
    "restorer": Family(RestorerRecipe, "Train a restorer, which makes small, noisy, dark faces readable."),
    "adapter": Family(AdapterRecipe, "Train a map of the server's embeddings on a handful of pictures a person."),
}


def make_training(
    family: str, recipe: Recipe, faces: PreparedFaces, folder: Path, device: torch.device, config: Config,
    on_face: Callable[[], object] = lambda: None,
) -> Training:  # fmt: skip
    """A training, ready to run.

    Args:
        family: its name.
        recipe: of this family.
        faces: prepared.
        folder: of the run.
        device: where it computes.
        config: of the server, for its embedder.
        on_face: called after each face that is embedded: an adapter's, all of them first.

    Raises:
        LabError: the faces do not suffice.
        ManifestError, ModelMissing: the embedder is not there.
    """
    from facewire_lab.training import Training  # noqa: PLC0415 - takes seconds, and needs PyTorch

    if isinstance(recipe, CnnRecipe | AdapterRecipe):
        faces = _several_of_each(faces, recipe.least)
    return Training(family, _task(recipe, faces, device, config, on_face), recipe, faces, folder)


def _several_of_each(faces: PreparedFaces, least: int) -> PreparedFaces:
    kept = faces.with_at_least(least)
    if len(set(kept.numbers.tolist())) < 2:
        raise LabError(f"two people with {least} pictures each are needed; put each person's into a sub-folder")
    return kept


def _task(
    recipe: Recipe, faces: PreparedFaces, device: torch.device, config: Config, on_face: Callable[[], object]
) -> Task:
    from facewire_lab.cnn_task import CnnTask  # noqa: PLC0415
    from facewire_lab.gan import GanTask  # noqa: PLC0415
    from facewire_lab.restorer_task import RestorerTask  # noqa: PLC0415
    from facewire_lab.vae_task import VaeTask  # noqa: PLC0415

    if isinstance(recipe, GanRecipe):
        return GanTask(recipe, device)
    if isinstance(recipe, VaeRecipe):
        return VaeTask(recipe, device)
    if isinstance(recipe, RestorerRecipe):
        embedder = _frozen(config, faces.facts.view) if recipe.identity > 0 else None
        return RestorerTask(recipe, device, embedder)
    if isinstance(recipe, CnnRecipe):
        return CnnTask(recipe, device, int(faces.numbers.max()) + 1)
    if isinstance(recipe, AdapterRecipe):
        return _adapter_task(recipe, faces, device, config, on_face)
    raise LabError(f"no family has such a recipe: {type(recipe).__name__}")


def _frozen(config: Config, view: float) -> FrozenEmbedder:
    from facewire_lab.frozen import FrozenEmbedder  # noqa: PLC0415

    spec = load_manifest(config.models.manifest).of(config.models.embedder, EmbedderModel)
    return FrozenEmbedder(ModelCache(config.models.cache_dir).verify(spec).xml, spec, view)


def _adapter_task(
    recipe: AdapterRecipe, faces: PreparedFaces, device: torch.device, config: Config, on_face: Callable[[], object]
) -> Task:
    import torch  # noqa: PLC0415

    from facewire_lab.adapter_task import AdapterTask  # noqa: PLC0415
    from facewire_lab.embedding import embed_faces  # noqa: PLC0415
    from facewire_server.loading import load_models  # noqa: PLC0415

    embedder = load_models(config).embedder
    vectors = torch.from_numpy(embed_faces(embedder, faces, np.arange(len(faces)), on_face))
    seen, _ = faces.split(recipe.held_out)
    people = torch.from_numpy(faces.numbers)
    spec = load_manifest(config.models.manifest).of(config.models.embedder, EmbedderModel)
    return AdapterTask(recipe, device, vectors, people, torch.from_numpy(seen), spec.sha256)
