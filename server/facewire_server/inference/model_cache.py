"""The folder of converted models, as the server reads it; ``fetching`` fills it.

<cache>/<name>/<first 16 of the manifest's sha256>/model.xml, model.bin, record.json
<cache>/downloads/        partial downloads
<cache>/compiled/         OpenVINO's compile cache
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from facewire_server.inference.digest import digest_of
from facewire_server.inference.manifest import DetectorModel, EmbedderModel

MODEL_FILES = ("model.xml", "model.bin")


class ModelMissing(Exception):
    """The model is not in the cache, or damaged there; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model ready to be read."""

    spec: DetectorModel | EmbedderModel
    xml: Path


def default_cache_dir() -> Path:
    """``$XDG_CACHE_HOME/facewire``, or ``~/.cache/facewire``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "facewire"


class ModelCache:
    """Models on disk, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def compiled_dir(self) -> Path:
        """Where OpenVINO keeps compiled models."""
        return self.folder / "compiled"

    def has(self, spec: DetectorModel | EmbedderModel) -> bool:
        """Whether the model was fetched; its content is not checked."""
        return (self.home(spec) / "record.json").is_file()

    def verify(self, spec: DetectorModel | EmbedderModel) -> CachedModel:
        """The model, after its files' digests were compared with those recorded.

        Raises:
            ModelMissing: it is not here, or changed.
        """
        home = self.home(spec)
        try:
            record = json.loads((home / "record.json").read_text(encoding="utf-8"))
            digests = {name: digest_of(home / name) for name in MODEL_FILES}
        except (OSError, ValueError) as error:
            raise ModelMissing(f"model '{spec.name}' is not in {self.folder}; run: facewire models fetch") from error
        if record.get("files") != digests or record.get("conversion") != spec.conversion:
            raise ModelMissing(f"model '{spec.name}' in {home} is damaged; run: facewire models fetch")
        return CachedModel(spec, home / "model.xml")

    def home(self, spec: DetectorModel | EmbedderModel) -> Path:
        """The model's folder, there or not."""
        return self.folder / spec.name / spec.sha256[:16]
