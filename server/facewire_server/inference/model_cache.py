"""The folder of converted models, as the server reads it; ``fetching`` fills it.

<cache>/<name>/<first 16 of the manifest's sha256>/model.xml, model.bin, int8.xml, int8.bin, record.json
<cache>/downloads/        partial downloads
<cache>/compiled/         OpenVINO's compile cache
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from facewire_server.inference.digest import digest_of
from facewire_server.inference.specs import ModelSpec

_FLOAT = "model"
_INT8 = "int8"
_HOW = "run: facewire models fetch, with the same --config and --set"
_QUANTISATION = 1  # of ``quantisation.py``: raise it with every change of what it makes


def files_of(spec: ModelSpec) -> list[str]:
    """The converted model's files: in floats, and in 8 bits where the manifest tells how."""
    stems = [_FLOAT] if spec.int8 is None else [_FLOAT, _INT8]
    return [f"{stem}.{suffix}" for stem in stems for suffix in ("xml", "bin")]


def recipe_of(spec: ModelSpec) -> dict[str, object]:
    """What made the files, beside the weights: another recipe, other files."""
    int8 = None if spec.int8 is None else spec.int8.model_dump(mode="json", exclude={"golden"})
    return {"conversion": spec.conversion, "int8": int8, "quantisation": None if int8 is None else _QUANTISATION}


class ModelMissing(Exception):
    """The model is not in the cache, or damaged there; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model ready to be read."""

    spec: ModelSpec
    home: Path

    @property
    def xml(self) -> Path:
        """In floats."""
        return self.home / f"{_FLOAT}.xml"

    @property
    def int8_xml(self) -> Path | None:
        """In 8 bits, if the manifest tells how."""
        return None if self.spec.int8 is None else self.home / f"{_INT8}.xml"


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

    def has(self, spec: ModelSpec) -> bool:
        """Whether the model was fetched; its content is not checked."""
        return (self.home(spec) / "record.json").is_file()

    def verify(self, spec: ModelSpec) -> CachedModel:
        """The model, after its files' digests were compared with those recorded.

        Raises:
            ModelMissing: it is not here, or changed.
        """
        home = self.home(spec)
        try:
            record = json.loads((home / "record.json").read_text(encoding="utf-8"))
            digests = {name: digest_of(home / name) for name in files_of(spec)}
        except (OSError, ValueError) as error:
            raise ModelMissing(f"model '{spec.name}' is not in {self.folder}; {_HOW}") from error
        if record.get("files") != digests or record.get("recipe") != recipe_of(spec):
            raise ModelMissing(f"model '{spec.name}' in {home} is damaged or of another version; {_HOW}")
        return CachedModel(spec, home)

    def home(self, spec: ModelSpec) -> Path:
        """The model's folder, there or not."""
        return self.folder / spec.name / spec.sha256[:16]
