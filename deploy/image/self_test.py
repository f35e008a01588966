"""Proves that the pruned environment still does what a facewire server does. Run while the image is built."""

# ruff: noqa: S101, T201  (a test that runs without pytest)

from __future__ import annotations

import importlib
import io
import pkgutil
import sqlite3

import numpy as np
import simplejpeg
from PIL import Image, ImageFont

import facewire.cli
from facewire.annotate import annotate
from facewire_server.config import load_config
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.specs import DetectorModel
from facewire_server.loading import load_models

FORMATS = ("JPEG", "PNG", "WEBP")


def verbs() -> None:
    """Everything that `facewire serve` and the client's verbs import is there, but for video: that is a client's."""
    importlib.import_module("facewire_server.cli.serve")
    importlib.import_module("rich.progress")
    for module in pkgutil.iter_modules(facewire.cli.__path__):
        try:
            importlib.import_module(f"facewire.cli.{module.name}")
        except ModuleNotFoundError as error:
            if error.name != "av":
                raise


def picture_formats() -> None:
    """Every format that the server takes can be read and written, and names be drawn."""
    ImageFont.load_default(size=12)
    gradient = np.linspace(0, 255, 64 * 48 * 3, dtype=np.uint8).reshape(48, 64, 3)
    for name in FORMATS:
        file = io.BytesIO()
        Image.fromarray(gradient).save(file, name)
        assert Image.open(io.BytesIO(file.getvalue())).convert("RGB").size == (64, 48), name
        annotate(file.getvalue(), [])
    jpeg = simplejpeg.encode_jpeg(gradient)
    assert simplejpeg.decode_jpeg(jpeg).shape == gradient.shape


def models() -> str:
    """The models give their golden answers (load_models compares them), if they are in the image."""
    config = load_config(None)
    section = config.models
    spec = load_manifest(section.manifest).of(section.detector, DetectorModel)
    if not ModelCache(section.cache_dir).has(spec):
        return "no models"
    return load_models(config).contract.contract_id


assert sqlite3.connect(":memory:").execute("SELECT 1").fetchone() == (1,)
verbs()
picture_formats()
print("self-test passed:", models())
