"""Faces made or changed by models: results of :class:`facewire.Client`'s calls."""

from __future__ import annotations

from dataclasses import dataclass

from facewire.results import Face, ImageSize, NoFaceReason, StageTimes


@dataclass(frozen=True, slots=True)
class SyntheticImage:
    """A picture that a model made or changed; its file says so as well.

    Attributes:
        encoded: a PNG file.
        image_size: pixels.
        digital_source_type: what it is, in IPTC's words.
    """

    encoded: bytes
    image_size: ImageSize
    digital_source_type: str


@dataclass(frozen=True, slots=True)
class GeneratedFaces:
    """Faces of nobody.

    Attributes:
        images: as many as were asked for.
        seed: makes the same again, on the same installation of the server.
        model: its name in the server's manifest.
        times: in the server.
    """

    images: tuple[SyntheticImage, ...]
    seed: int
    model: str
    times: StageTimes


@dataclass(frozen=True, slots=True)
class RestoredFace:
    """A face made readable; details are invented.

    Attributes:
        face: where it is.
        image: upright, 112 x 112 pixels.
        before: the face as it was, cut out the same way: a PNG file.
    """

    face: Face
    image: SyntheticImage
    before: bytes


@dataclass(frozen=True, slots=True)
class RestoredFaces:
    """Restored faces of a picture, best detection score first; a reason where there are none."""

    faces: tuple[RestoredFace, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    model: str
    times: StageTimes


@dataclass(frozen=True, slots=True)
class ReconstructedFace:
    """What an encoder and its generator make of a face.

    Attributes:
        face: where it is.
        image: made of its latent.
        before: the face as it was, cut out the same way: a PNG file.
        psnr_db: peak signal-to-noise ratio of the two.
        kl_nats: divergence of its latent from the standard normal distribution.
        face_likeness: share of real faces that look less like a face, 0..1.
    """

    face: Face
    image: SyntheticImage
    before: bytes
    psnr_db: float
    kl_nats: float
    face_likeness: float


@dataclass(frozen=True, slots=True)
class ReconstructedFaces:
    """Reconstructed faces of a picture, best detection score first; a reason where there are none."""

    faces: tuple[ReconstructedFace, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    model: str
    times: StageTimes


@dataclass(frozen=True, slots=True)
class Latent:
    """The normal distribution of the numbers that stand for a face; they mean something to their model only.

    Attributes:
        mean: of each number.
        log_variance: natural logarithms; may be empty.
        model: the encoder's name in the server's manifest.
    """

    mean: tuple[float, ...]
    log_variance: tuple[float, ...]
    model: str


@dataclass(frozen=True, slots=True)
class EncodedFace:
    """A face, what stands for it, and that one's divergence from the standard normal distribution."""

    face: Face
    latent: Latent
    kl_nats: float


@dataclass(frozen=True, slots=True)
class EncodedFaces:
    """Latents of a picture's faces, best detection score first; a reason where there are none."""

    faces: tuple[EncodedFace, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    times: StageTimes


@dataclass(frozen=True, slots=True)
class InterpolatedFaces:
    """Faces on the way from one to another, both ends among them."""

    images: tuple[SyntheticImage, ...]
    model: str
    times: StageTimes


@dataclass(frozen=True, slots=True)
class AnonymisedImage:
    """A whole picture with its faces replaced. Faces that were not found are still there: look at it.

    Attributes:
        image: the picture, without its metadata.
        faces: those that were found, but for those that cannot be aligned.
        replaced: how many are a mean of k faces of nobody now.
        pixelated: how many cannot be aligned, and are shown in few blocks instead.
        k: of which mean.
        model: the encoder's name in the server's manifest.
        times: in the server.
    """

    image: SyntheticImage
    faces: tuple[Face, ...]
    replaced: int
    pixelated: int
    k: int
    model: str
    times: StageTimes
