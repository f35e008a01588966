"""Latents, the groups of k-same, likeness, chips and mirror images: against hand-computed answers and in properties."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import InvalidArgument, InvalidImage
from facewire_server.domain.face import Faces, NoFaceReason
from facewire_server.domain.frame import Frame
from facewire_server.domain.latent import FaceKnowledge, KSame, Latent, between
from facewire_server.domain.likeness import likeness
from facewire_server.domain.stages import StageClock
from facewire_server.inference.conversion import ConversionError, convert_to_ir
from facewire_server.inference.manifest import ManifestError, load_manifest
from facewire_server.pipeline.anonymising import Anonymiser, _fading, rgb_of
from facewire_server.pipeline.chips import CHIP, Place, cut_chips, shrink, template_of
from facewire_server.pipeline.latents import Autoencoder, FaceCoder
from facewire_server.pipeline.mirror import mirrored, where_found
from facewire_server.pipeline.recognizer import Call, DetectedFaces, DetectionOptions

RANDOM = np.random.default_rng(3)


def latent(*mean: float, log_variance: float = 0.0) -> Latent:
    values = np.array(mean, dtype=np.float32)
    return Latent(values, np.full_like(values, log_variance), values, "test")


def test_kl_is_that_of_normal_distributions() -> None:
    assert latent(0, 0).kl_nats == 0
    assert latent(1, 2).kl_nats == pytest.approx((1 + 4) / 2)
    assert latent(0, log_variance=1).kl_nats == pytest.approx((np.e - 2) / 2)


def test_the_way_between_latents_keeps_their_lengths() -> None:
    first, last = np.array([3, 0], np.float32), np.array([0, 5], np.float32)
    assert between(first, last, 0).tolist() == pytest.approx([3, 0], abs=1e-6)
    assert between(first, last, 1).tolist() == pytest.approx([0, 5], abs=1e-6)
    assert np.linalg.norm(between(first, last, 0.5)) == pytest.approx(4)
    for last in (np.zeros(2, np.float32), 2 * first, -first):
        assert np.isfinite(between(first, last, 0.5)).all(), "also where there is no way around"


def test_k_same_makes_few_faces_of_many() -> None:
    donors = RANDOM.standard_normal((100, 8)).astype(np.float32)
    k_same = KSame(donors, np.eye(8, dtype=np.float32))
    people = RANDOM.standard_normal((500, 8)).astype(np.float32)
    for k in (5, 10, 50):
        faces = {tuple(k_same.replaced(person, k).round(4)) for person in people}
        assert 1 < len(faces) <= 100 // k
    assert len({tuple(k_same.replaced(person, 100).round(4)) for person in people}) == 1
    for k in (1, 101):
        with pytest.raises(InvalidArgument, match="k: must be from 2 to 100"):
            k_same.replaced(people[0], k)


def test_k_same_leaves_what_the_projection_leaves() -> None:
    identity = np.diag([1, 1, 0, 0]).astype(np.float32)
    k_same = KSame(RANDOM.standard_normal((20, 4)).astype(np.float32), identity)
    person = np.array([5, 5, 7, -7], np.float32)
    assert k_same.replaced(person, 5)[2:].tolist() == [7, -7]
    assert np.abs(k_same.replaced(person, 5)[:2]).max() < 3


def test_the_share_of_real_faces_below_a_score() -> None:
    knowledge = FaceKnowledge(
        KSame(np.zeros((2, 1), np.float32), np.eye(1, dtype=np.float32)), (0.1, 0.5, 0.9), (0, 0.01, 1)
    )
    assert [knowledge.share_below(score) for score in (-1, 0.3, 0.5, 2)] == pytest.approx([0, 0.005, 0.01, 1])


def face_like(side: int = 64) -> npt.NDArray[np.uint8]:
    """Two eyes and a mouth."""
    picture = np.full((side, side, 3), 170, np.uint8)
    unit = side // 16
    for y, x in ((6, 5), (6, 10)):
        picture[y * unit : (y + 1) * unit, x * unit : (x + 1) * unit] = 40
    picture[11 * unit : 12 * unit, 6 * unit : 10 * unit] = 60
    return picture


def test_likeness_is_a_correlation_of_structure() -> None:
    face = face_like()
    assert likeness(face, face) == pytest.approx(1, abs=0.05)
    assert likeness(face, 255 - face) == pytest.approx(-1, abs=0.05)
    brighter = (face.astype(np.float32) * 0.5 + 60).astype(np.uint8)
    assert likeness(brighter, face) > 0.9, "light and contrast do not matter"
    assert abs(likeness(np.full_like(face, 128), face)) < 0.01, "a plain wall is none"
    assert likeness(np.roll(face, 9, axis=0), face) < 0.5, "nor are eyes on the forehead"
    assert likeness(face_like(96), face_like(96)) == pytest.approx(1, abs=0.05)


def in_a_picture(scale: float, degrees: float) -> npt.NDArray[np.float32]:
    """Landmarks of a face somewhere in a picture."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    return ((template_of(0.7) - 56) @ turn.T + 150).astype(np.float32)


@given(scale=st.floats(0.5, 2.0), degrees=st.floats(-60, 60))
def test_a_chip_that_is_put_back_changes_little(scale: float, degrees: float) -> None:
    y, x = np.mgrid[0:300, 0:300]
    smooth = np.stack([127 + 60 * np.sin(x / 20), 127 + 60 * np.cos(y / 25), (x + y) / 3], axis=2).astype(np.uint8)
    points = in_a_picture(scale, degrees)
    rows, chips = cut_chips(Frame(smooth, "rgb"), one_face(points), 0.7)
    assert rows.tolist() == [0]
    place = Place.of(points, 0.7, 300, 300)
    assert place is not None
    changed = smooth.copy()
    place.paste(changed, chips[0], _fading(CHIP))
    difference = np.abs(changed.astype(int) - smooth)
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99.9) < 12
    black = smooth.copy()
    place.paste(black, np.zeros_like(chips[0]), _fading(CHIP))
    assert (black.sum(axis=2) == 0).sum() > 0.3 * (CHIP * scale) ** 2, "most of the face is replaced"
    centre = points.mean(axis=0).round().astype(int)
    assert black[centre[1], centre[0]].sum() == 0


def one_face(points: npt.NDArray[np.float32]) -> Faces:
    low, high = points.min(axis=0), points.max(axis=0)
    return Faces(np.array([[*low, *(high - low)]], np.float32), points[None], np.ones(1, np.float32))


def test_a_face_beside_the_picture_has_no_place() -> None:
    assert Place.of(in_a_picture(1, 0) + 1000, 0.7, 300, 300) is None
    rows, chips = cut_chips(Frame(np.zeros((50, 50, 3), np.uint8), "rgb"), one_face(np.zeros((5, 2), np.float32)), 0.7)
    assert (len(rows), chips.shape) == (0, (0, CHIP, CHIP, 3))


def test_shrinking_keeps_the_mean() -> None:
    chip = RANDOM.integers(0, 256, (CHIP, CHIP, 3)).astype(np.uint8)
    small = shrink(chip, 28)
    assert small.shape == (28, 28, 3)
    assert small.mean() == pytest.approx(chip.mean(), abs=1.5)
    assert small.std() < 0.5 * chip.std()


@pytest.mark.parametrize("format", ["bgr", "gray", "nv12"])
def test_a_mirror_image_of_a_mirror_image_is_the_picture(format: str) -> None:
    shape = {"bgr": (40, 60, 3), "gray": (40, 60), "nv12": (60, 60)}[format]
    frame = Frame(RANDOM.integers(0, 256, shape).astype(np.uint8), format)  # type: ignore[arg-type]
    faces = one_face(in_a_picture(0.1, 0) - 130)
    once, where = mirrored(frame, faces)
    again, there = mirrored(once, where)
    assert (again.pixels == frame.pixels).all()
    assert there.landmarks == pytest.approx(faces.landmarks, abs=1e-4)
    assert there.boxes == pytest.approx(faces.boxes, abs=1e-4)
    assert where.landmarks[0, 0, 0] < where.landmarks[0, 1, 0], "the left eye is on the left again"
    if format == "nv12":
        assert (rgb_of(once) == rgb_of(frame)[:, ::-1]).all()


def test_faces_are_taken_where_they_are_found_again() -> None:
    mine = Faces(
        np.array([[10, 10, 20, 20], [100, 100, 30, 30]], np.float32),
        np.zeros((2, 5, 2), np.float32),
        np.ones(2, np.float32),
    )
    found = Faces(np.array([[12, 11, 20, 20]], np.float32), np.ones((1, 5, 2), np.float32), np.ones(1, np.float32))
    there = where_found(mine, found)
    assert there.boxes.tolist() == [[12, 11, 20, 20], [100, 100, 30, 30]]
    assert there.landmarks[0].max() == 1
    assert there.landmarks[1].max() == 0
    nobody = found.select(np.zeros(1, dtype=bool))
    assert where_found(mine, nobody) is mine


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("_", "."), data)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"no zip file",
        zipped(model_xml=b"<net/>"),
        zipped(model_xml=b"<net/>", model_bin=b"", more_txt=b""),
        zipped(model_xml=b"no xml", model_bin=b""),
        zipped(model_xml=b"<net/>", model_bin=b"")[:-30],
    ],
)
def test_zipped_models_that_are_none_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.zip").write_bytes(content)
    with pytest.raises(ConversionError, match=r"weights\.zip cannot be converted"):
        convert_to_ir(tmp_path / "weights.zip", "zipped-ir", tmp_path / "model.xml")
    assert not (tmp_path / "model.xml").exists()


def test_a_manifest_may_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is a folder without TOML files"):
        load_manifest(tmp_path)
    entry = '[[model]]\nname = "{0}"\ntask = "restorer"\nkind = "unet"\nlicence = "own"\nview = 0.7\nsha256 = "{1}"\n'
    for name in ("first", "second"):
        text = entry.format(name, "0" * 64) + f'source = {{ path = "{name}.zip" }}\ninput = {{ colour = "rgb" }}\n'
        (tmp_path / f"{name}.toml").write_text(text)
    manifest = load_manifest(tmp_path)
    assert manifest.get("first").source.path == str(tmp_path / "first.zip")
    assert {"second", "yunet-2023mar"} <= set(manifest.models)


class OneFace:
    """A recogniser that finds one face, its landmarks all in one place."""

    def every_face(self, frame: Frame, min_score: float | None, max_faces: int, call: Call) -> Faces:
        return Faces(
            np.array([[40, 30, 40, 50]], np.float32), np.full((1, 5, 2), 60, np.float32), np.ones(1, np.float32)
        )

    def measured(self, frame: Frame, faces: Faces, call: Call) -> DetectedFaces:
        return DetectedFaces(faces.select(np.zeros(len(faces), dtype=bool)), [], NoFaceReason.NOT_ALIGNABLE)


class AnyFace:
    """An encoder and generator that are never asked, as nothing can be aligned."""

    view, size, name = 0.7, 64, "any"


def test_a_face_that_cannot_be_aligned_is_pixelated_and_counted() -> None:
    autoencoder = Autoencoder(AnyFace(), AnyFace())  # type: ignore[arg-type]
    anonymiser = Anonymiser(OneFace(), FaceCoder(autoencoder, "test"), "test")  # type: ignore[arg-type]
    picture = RANDOM.integers(0, 256, (120, 120, 3)).astype(np.uint8)
    options, call = DetectionOptions(None, 0.0, 10), Call(Budget(60), StageClock())
    done = anonymiser.anonymise(Frame(picture, "rgb"), 5, options, call)
    assert (done.replaced, done.pixelated, len(done.found.faces)) == (0, 1, 0)
    assert len(np.unique(done.pixels[30:80, 40:80].reshape(-1, 3), axis=0)) <= 16
    assert (done.pixels[:20] == picture[:20]).all()
    with pytest.raises(InvalidImage, match="1 faces or more"):
        anonymiser.anonymise(Frame(picture, "rgb"), 5, DetectionOptions(None, 100.0, 1), call)
