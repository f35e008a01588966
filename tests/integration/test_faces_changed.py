"""Faces restored, reconstructed, encoded, mixed and replaced over a real server, by the small models of models/."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import facewire
from facewire import EnrolRefusal, StreamOptions, synthetic
from facewire_server.config import Config
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.model_cache import ModelCache
from facewire_server.loading import load_models
from facewire_server.pipeline.chips import cut_chips, template_of
from facewire_server.pipeline.recognizer import largest_face
from tests.conftest import MODELS, RunningServer, StartServer, running_server
from tests.integration.test_cli import lines, run
from tests.pictures import walking
from tests.streaming import Feeding

Picture = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def changing(
    model_cache: ModelCache, small_models: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with the models that this project trained."""
    folder = tmp_path_factory.mktemp("changing")
    with running_server(model_cache, folder / "gallery.db", *small_models) as running:
        yield running


@pytest.fixture
def changer(changing: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(changing.target) as client:
        yield client


def pixels(data: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.float32)


def far(photo: Path) -> bytes:
    """The photograph of few pixels, noisy and compressed."""
    picture = Image.open(photo).convert("RGB")
    picture.thumbnail((90, 90))
    noise = np.random.default_rng(1).normal(0, 5, (picture.height, picture.width, 3))
    out = io.BytesIO()
    spoilt = (np.asarray(picture) + noise).round().clip(0, 255).astype(np.uint8)
    Image.fromarray(spoilt).save(out, "JPEG", quality=40)
    return out.getvalue()


def test_a_far_face_is_restored_and_marked(changer: facewire.Client, samples: Path) -> None:
    answer = changer.restore(far(samples / "person_a_1.jpg"))
    (face,) = answer.faces
    assert answer.model == "lfw-restorer"
    assert answer.times.generate_ms > 0
    assert face.image.image_size == (112, 112)
    assert synthetic.says_synthetic(face.image.encoded)
    assert not synthetic.says_synthetic(face.before), "that is what the camera saw"
    before, after = pixels(face.before), pixels(face.image.encoded)
    assert 1 < np.abs(after - before).mean() < 30


def test_a_quarter_of_the_pixels_is_restored_better_than_by_enlarging(
    small_models: tuple[str, ...], config: Config, samples: Path
) -> None:
    """In the mean over the photographs: nearer to the good face in pixels, and to the embedder."""
    assert f"models.manifest={MODELS}" in small_models
    models = load_models(
        config.model_copy(
            update={
                "models": config.models.model_copy(update={"manifest": MODELS}),
                "generation": config.generation.model_copy(update={"restorer": "lfw-restorer"}),
            }
        )
    )
    restorer = models.restorer
    assert restorer is not None
    gains = []
    for number, photo in enumerate(sorted(samples.glob("*.jpg"))):
        with Image.open(photo) as opened:
            frame = Frame(np.asarray(opened.convert("RGB")), "rgb")
        _, (clean,) = cut_chips(frame, largest_face(models.detector.detect(frame, None, 10)), restorer.view)
        small = np.asarray(Image.fromarray(clean).resize((28, 28), Image.Resampling.BICUBIC), dtype=np.float32)
        noise = np.random.default_rng(number).normal(0, 5, small.shape)
        out = io.BytesIO()
        Image.fromarray((small + noise).round().clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=40)
        enlarged = np.asarray(Image.open(out).resize((112, 112), Image.Resampling.BICUBIC))
        restored = restorer.restore(enlarged, StageClock())
        where = Faces(
            np.array([[0, 0, 112, 112]], np.float32), template_of(restorer.view)[np.newaxis], np.ones(1, np.float32)
        )
        vectors = [
            models.embedder.encode(Frame(each, "rgb"), where, StageClock()).embeddings[0]
            for each in (clean, enlarged, restored)
        ]
        errors = [np.square(each.astype(np.float64) - clean).mean() for each in (enlarged, restored)]
        gains.append((10 * np.log10(errors[0] / errors[1]), float(vectors[0] @ (vectors[2] - vectors[1]))))
    decibels, cosines = np.mean(gains, axis=0)
    assert decibels > 0.7, gains
    assert cosines > 0.0, gains


def test_what_is_cut_out_of_a_marked_picture_stays_marked(changer: facewire.Client, samples: Path) -> None:
    with Image.open(samples / "person_a_1.jpg") as opened:
        marked = synthetic.marked_png(np.asarray(opened.convert("RGB")), "test")
    assert all(synthetic.says_synthetic(face.before) for face in changer.restore(marked).faces)
    assert all(synthetic.says_synthetic(face.before) for face in changer.reconstruct(marked).faces)


def test_restored_faces_are_not_enrolled(changer: facewire.Client, samples: Path) -> None:
    restored = changer.restore(samples / "person_a_1.jpg").faces[0].image.encoded
    changer.create_gallery("restored")
    refused = changer.enrol("restored", "somebody", [restored])
    assert [outcome.refusal for outcome in refused.outcomes] == [EnrolRefusal.SYNTHETIC]
    with pytest.raises(facewire.InvalidArgumentError):
        changer.verify(restored, samples / "person_a_1.jpg")


def test_a_reconstruction_is_near_and_a_face_is_face_like(changer: facewire.Client, samples: Path) -> None:
    answer = changer.reconstruct(samples / "person_b_1.jpg")
    (face,) = answer.faces
    before, after = pixels(face.before), pixels(face.image.encoded)
    psnr = 10 * np.log10(255**2 / np.square(before - after).mean())
    assert face.psnr_db == pytest.approx(psnr, abs=0.01)
    assert face.psnr_db > 18
    assert face.kl_nats > 20
    assert face.face_likeness > 0.05
    assert synthetic.says_synthetic(face.image.encoded)


def test_latents_make_the_same_faces_as_their_pictures(changer: facewire.Client, samples: Path) -> None:
    first, last = samples / "person_a_1.jpg", samples / "person_b_1.jpg"
    ends = [changer.encode(path).faces[0].latent for path in (first, last)]
    by_latents = changer.interpolate(*ends, count=5)
    by_pictures = changer.interpolate(first, last, count=5)
    assert [image.encoded for image in by_latents.images] == [image.encoded for image in by_pictures.images]
    reconstructed = [changer.reconstruct(path).faces[0].image.encoded for path in (first, last)]
    made = [image.encoded for image in by_latents.images]
    assert np.abs(pixels(made[0]) - pixels(reconstructed[0])).max() <= 1
    assert np.abs(pixels(made[-1]) - pixels(reconstructed[1])).max() <= 1
    distances = [np.abs(pixels(each) - pixels(made[0])).mean() for each in made]
    assert distances == sorted(distances), "each is farther from the first"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "another"}, "this server's encoder is 'lfw-vae'"),
        ({"mean": (0.0,) * 3}, "numbers, not 3"),
        ({"mean": (float("nan"),)}, "must be finite"),
        ({"mean": (1e19,)}, "must be finite, at most 100"),
    ],
)
def test_latents_that_fit_nothing_are_refused(
    changer: facewire.Client, samples: Path, change: dict[str, object], message: str
) -> None:
    good = changer.encode(samples / "person_a_1.jpg").faces[0].latent
    mean = change.get("mean", good.mean)
    mean = mean * len(good.mean) if len(mean) == 1 else mean  # type: ignore[arg-type, operator]
    bad = facewire.Latent(mean, (), str(change.get("model", good.model)))  # type: ignore[arg-type]
    with pytest.raises(facewire.InvalidArgumentError, match=message):
        changer.interpolate(good, bad)


def test_wishes_out_of_range_are_refused(changer: facewire.Client, samples: Path) -> None:
    photo = samples / "person_a_1.jpg"
    with pytest.raises(facewire.InvalidArgumentError, match=r"count: must be from 2 to 64"):
        changer.interpolate(photo, photo, count=65)
    with pytest.raises(facewire.InvalidArgumentError, match=r"k: must be from 2 to 100"):
        changer.anonymise(photo, k=101)
    with pytest.raises(facewire.InvalidArgumentError, match="shows no face"):
        changer.interpolate(photo, np.zeros((100, 100, 3), dtype=np.uint8))


def crowd_of(samples: Path) -> Image.Image:
    """Four photographs side by side, two of them turned."""
    tiles = [Image.open(path).convert("RGB").resize((240, 240)) for path in sorted(samples.glob("*.jpg"))[:4]]
    picture = Image.new("RGB", (960, 240))
    for column, tile in enumerate(tiles):
        picture.paste(tile.rotate(12) if column % 2 else tile, (240 * column, 0))
    return picture


def encoded(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def test_nobody_is_recognised_in_an_anonymised_picture(changer: facewire.Client, samples: Path) -> None:
    crowd = crowd_of(samples)
    before = changer.embed(encoded(crowd)).faces
    answer = changer.anonymise(encoded(crowd), k=10)
    assert (answer.replaced, answer.pixelated, answer.k) == (len(before), 0, 10)
    assert len(answer.faces) == len(before) >= 3
    assert answer.image.image_size == (960, 240)
    assert answer.image.digital_source_type == synthetic.CHANGED_BY_MODEL
    assert synthetic.says_synthetic(answer.image.encoded)
    after = changer.embed(answer.image.encoded, allow_synthetic=True).faces
    assert len(after) == len(before), "where faces were, faces are"
    cosines = np.array([[a.embedding.values @ b.embedding.values for b in after] for a in before])
    assert cosines.max() < 0.3
    outside = np.ones((240, 960), dtype=bool)
    for face in answer.faces:
        x, y, width, height = map(int, face.box)
        outside[max(0, y - height // 2) : y + 3 * height // 2, max(0, x - width // 2) : x + 3 * width // 2] = False
    assert outside.any()
    assert np.abs(pixels(answer.image.encoded) - pixels(encoded(crowd)))[outside].max() <= 1


def test_no_metadata_survive(changer: facewire.Client, samples: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    data = encoded(crowd_of(samples), exif=exif, comment=b"SECRET-COMMENT")
    assert b"SECRET" in data
    assert b"SECRET" not in changer.anonymise(data).image.encoded


@pytest.mark.parametrize("format", ["bgr", "gray", "nv12"])
def test_raw_frames_are_anonymised_as_files_are(changer: facewire.Client, samples: Path, format: str) -> None:
    rgb = np.asarray(crowd_of(samples))
    frame = raw_frame(rgb, format)
    answer = changer.anonymise(frame)
    assert answer.replaced >= 3
    shown = pixels(answer.image.encoded)
    reference = rgb.mean(axis=2, keepdims=True).repeat(3, axis=2) if format == "gray" else rgb
    corner = (slice(0, 12), slice(0, 12))
    assert np.abs(shown[corner] - reference[corner]).mean() < 6, "the picture around is as it was"


def raw_frame(rgb: npt.NDArray[np.uint8], format: str) -> facewire.RawFrame:
    import cv2  # noqa: PLC0415

    if format == "bgr":
        return facewire.RawFrame(np.ascontiguousarray(rgb[:, :, ::-1]), "bgr")
    if format == "gray":
        return facewire.RawFrame(rgb.mean(axis=2).astype(np.uint8), "gray")
    height, width = rgb.shape[:2]
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).ravel()
    luma, u, v = np.split(planes, [height * width, height * width * 5 // 4])
    pairs = np.stack([u, v], axis=1).reshape(height // 2, width)
    return facewire.RawFrame(np.vstack([luma.reshape(height, width), pairs]), "nv12")


def test_a_picture_with_more_faces_than_are_looked_for_is_refused(
    start_server: StartServer, samples: Path, small_models: tuple[str, ...]
) -> None:
    """Also where the smaller ones would not be replaced anyway."""
    server = start_server(*small_models, "--set", "pipeline.max_faces=2")
    with facewire.Client(server.target) as client:
        for smallest in (0, 100):
            with pytest.raises(facewire.InvalidArgumentError, match="2 faces or more, and no more are looked for"):
                client.anonymise(encoded(crowd_of(samples)), min_face_px=smallest)


def test_without_models_each_call_says_what_is_missing(start_server: StartServer, samples: Path) -> None:
    photo = samples / "person_a_1.jpg"
    with facewire.Client(start_server().target) as client:
        for call, setting in (
            (lambda: client.restore(photo), "generation.restorer"),
            (lambda: client.reconstruct(photo), "generation.encoder"),
            (lambda: client.encode(photo), "generation.encoder"),
            (lambda: client.interpolate(photo, photo), "generation.encoder"),
            (lambda: client.anonymise(photo), "generation.encoder"),
        ):
            with pytest.raises(facewire.PreconditionError, match=setting) as failed:
                call()
            assert failed.value.reason == "NOT_CONFIGURED"


def test_the_verbs_write_pictures_and_sheets(changing: RunningServer, samples: Path, tmp_path: Path) -> None:
    photo, other, out = samples / "person_a_1.jpg", samples / "person_b_1.jpg", tmp_path / "out"
    (restored,) = lines(run("restore", photo, "--into", out / "a", "--json", server=changing))
    assert [Path(name).name for name in restored["files"]] == ["person_a_1-0.png", "person_a_1-sheet.png"]
    (made,) = lines(run("reconstruct", photo, "--into", out / "b", "--json", server=changing))
    assert made["psnr_db"] > 15
    assert run("encode", photo, "--save", tmp_path / "a.json", server=changing).returncode == 0
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600, "it is biometric data"
    assert json.loads((tmp_path / "a.json").read_text())["model"] == "lfw-vae"
    way = run("interpolate", tmp_path / "a.json", other, "--into", out / "c", "--count", "4", server=changing)
    assert way.returncode == 0, way.stderr
    hidden = run("anonymise", photo, other, "--into", out / "d", "--sheets", out / "e", "--json", server=changing)
    assert [each["replaced"] for each in lines(hidden)] == [1, 1]
    assert sorted(path.name for path in (out / "d").iterdir()) == ["person_a_1.png", "person_b_1.png"]
    written = list(out.rglob("*.png"))
    assert len(written) == 2 + 1 + 5 + 2 + 2
    assert all(synthetic.says_synthetic(path.read_bytes()) for path in written)


@pytest.mark.parametrize("context", [True, False])
def test_the_best_shot_of_a_track_is_restored(
    changing: RunningServer, changer: facewire.Client, samples: Path, tmp_path: Path, context: bool
) -> None:
    """With what is around the face, or of the face cut out for recognition alone."""
    name = "far-with-more" if context else "far"
    options = StreamOptions("", name, best_shots="keep", context_shots=context)
    feed = Feeding(changer, options)
    with feed.stream:
        for frame in walking(samples / "person_a_1.jpg", 12):
            feed(frame)
        done = run("restore", "--shot", name, "1", "--into", tmp_path, "--json", server=changing)
    assert done.returncode == 0, done.stderr
    (told,) = lines(done)
    assert told["faces"] == 1
    names = sorted(path.name for path in tmp_path.iterdir())
    stem = f"{name}-1"
    assert names == [f"{stem}-0.png", f"{stem}-sheet.png", f"{stem}.jpg"]
    wrong = run("restore", "--shot", "nowhere", "1", "--into", tmp_path, server=changing)
    assert (wrong.returncode, "nowhere" in wrong.stderr) == (4, True)
    for bad in (("--shot", "a", "b"), ("photo.jpg", "--shot", "a", "1"), ()):
        assert run("restore", *bad, "--into", tmp_path, server=changing).returncode == 2


def test_anonymising_several_pictures_survives_bad_ones(changing: RunningServer, samples: Path, tmp_path: Path) -> None:
    """A landscape is not written, a turned photograph fits on its sheet, a name given twice is told."""
    Image.new("RGB", (200, 150), "green").save(tmp_path / "field.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    with Image.open(samples / "person_a_1.jpg") as opened:
        opened.rotate(90, expand=True).save(tmp_path / "phone.jpg", exif=turned)
    (tmp_path / "again").mkdir()
    shutil.copy(samples / "person_b_1.jpg", tmp_path / "again" / "phone.jpg")
    good = samples / "impostor_1.jpg"
    pictures = (tmp_path / "field.png", tmp_path / "phone.jpg", tmp_path / "again" / "phone.jpg", good)
    done = run("anonymise", *pictures, "--into", tmp_path / "safe", "--sheets", tmp_path / "look", server=changing)
    assert done.returncode == 5
    assert "field.png: no face to replace, nothing is written" in done.stderr
    assert "is there already, with another picture" in done.stderr
    assert sorted(path.name for path in (tmp_path / "safe").iterdir()) == ["impostor_1.png", "phone.png"]
    same = run("anonymise", good, "--into", tmp_path / "x", "--sheets", tmp_path / "x", server=changing)
    assert (same.returncode, "another folder than --into" in same.stderr) == (2, True)


def test_faces_that_are_left_as_they_are_are_told(changing: RunningServer, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "crowd.jpg").write_bytes(encoded(crowd_of(samples)))
    faces = ("anonymise", tmp_path / "crowd.jpg", "--into", tmp_path / "safe", "--json", "--min-face")
    done = run(*faces, "10000", server=changing)
    (told,) = lines(done)
    assert (done.returncode, told["replaced"], told["file"]) == (1, 0, "")
    assert told["left"] >= 3
    assert "smaller than --min-face left as they are" in done.stderr


def test_a_picture_is_not_overwritten_by_a_latent(changing: RunningServer, samples: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(before := (samples / "person_a_1.jpg").read_bytes())
    done = run("encode", photo, "--save", photo, server=changing)
    assert (done.returncode, photo.read_bytes()) == (2, before)
