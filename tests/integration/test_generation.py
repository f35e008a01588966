"""Faces of nobody over a real server: the same of a seed, marked, and taken for nobody's."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

import facewire
from facewire import EnrolRefusal, StreamOptions, synthetic
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.oip import open_inference_pb2, open_inference_pb2_grpc
from tests.conftest import RunningServer, StartServer, running_server
from tests.integration.test_cli import run
from tests.streaming import START_S

MODEL = "dcgan-faces-64"


@pytest.fixture(scope="module")
def making(model_cache: ModelCache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with the packaged generator."""
    fetch_model(model_cache, load_manifest(None).get(MODEL), None, lambda done, total: None)
    folder = tmp_path_factory.mktemp("making")
    with running_server(model_cache, folder / "gallery.db", "--set", f"generation.model={MODEL}") as running:
        yield running


@pytest.fixture
def maker(making: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(making.target) as client:
        yield client


def test_a_seed_makes_the_same_faces_whatever_their_number(maker: facewire.Client) -> None:
    few, many, others = maker.generate(2, seed=5), maker.generate(4, seed=5), maker.generate(2, seed=6)
    assert [i.encoded for i in few.images] == [i.encoded for i in many.images[:2]]
    assert few.images[0].encoded != others.images[0].encoded
    assert (few.seed, few.model) == (5, MODEL)
    assert few.images[0].image_size == (64, 64)
    assert few.times.generate_ms > 0


def test_without_a_seed_faces_differ_and_can_be_had_again(maker: facewire.Client) -> None:
    first, second = maker.generate(), maker.generate()
    assert first.seed != second.seed
    assert maker.generate(seed=first.seed).images == first.images


def test_less_spread_makes_more_alike_faces(maker: facewire.Client) -> None:
    def variety(spread: float) -> float:
        made = maker.generate(32, seed=1, spread=spread)
        return float(np.std([np.asarray(Image.open(io.BytesIO(i.encoded))) for i in made.images], axis=0).mean())

    assert variety(0.1) < 0.5 * variety(1.0)


def test_faces_are_found_in_them_and_they_are_different_people(maker: facewire.Client) -> None:
    embeddings = []
    for image in (image for seed in range(2) for image in maker.generate(64, seed=seed).images):
        found = maker.embed(image.encoded, min_face_px=20, allow_synthetic=True)
        embeddings += [face.embedding.values for face in found.faces[:1]]
    assert len(embeddings) >= 0.9 * 128
    cosines = np.stack(embeddings) @ np.stack(embeddings).T
    assert cosines[np.triu_indices(len(embeddings), 1)].mean() < 0.35


def test_every_file_says_that_a_model_made_it(maker: facewire.Client) -> None:
    plain, labelled = maker.generate(seed=9), maker.generate(seed=9, visible_mark=True)
    for made in (plain, labelled):
        assert synthetic.says_synthetic(made.images[0].encoded)
        assert made.images[0].digital_source_type == synthetic.MADE_BY_MODEL
    pixels = [np.asarray(Image.open(io.BytesIO(made.images[0].encoded))) for made in (plain, labelled)]
    assert np.any(pixels[0] != pixels[1])


def test_made_up_faces_are_compared_and_enrolled_only_when_asked_for(maker: facewire.Client, samples: Path) -> None:
    picture = next(image.encoded for image in maker.generate(16, seed=7).images if maker.detect(image.encoded).faces)
    maker.create_gallery("made")
    try:
        maker.enrol("made", "a", [samples / "person_a_1.jpg"])
        refused = maker.enrol("made", "nobody", [picture])
        assert [outcome.refusal for outcome in refused.outcomes] == [EnrolRefusal.SYNTHETIC]
        assert "allow_synthetic" in refused.outcomes[0].detail
        assert maker.reject("made", "a", [picture]).outcomes[0].refusal is EnrolRefusal.SYNTHETIC
        for compare in (
            lambda: maker.embed(picture),
            lambda: maker.verify(picture, samples / "person_a_1.jpg"),
            lambda: maker.verify(samples / "person_a_1.jpg", picture),
            lambda: maker.identify("made", picture),
        ):
            with pytest.raises(facewire.InvalidArgumentError, match="a model made or changed it") as caught:
                compare()
            assert caught.value.reason == "INVALID_IMAGE"
            assert "a request with allow_synthetic takes it" in str(caught.value)
        assert maker.verify(picture, samples / "person_a_1.jpg", allow_synthetic=True).similarity is not None
        assert maker.identify("made", picture, allow_synthetic=True).faces
        assert maker.embed(picture, allow_synthetic=True).faces
        assert maker.reject("made", "a", [picture], allow_synthetic=True).outcomes[0].enrolled is not None
        allowed = maker.enrol("made", "nobody", [picture], allow_synthetic=True)
        assert allowed.outcomes[0].refusal is not EnrolRefusal.SYNTHETIC
    finally:
        maker.delete_gallery("made")


def test_a_stream_does_not_look_at_made_up_frames(maker: facewire.Client) -> None:
    picture = maker.generate(seed=7).images[0].encoded
    with maker.stream(StreamOptions(lossless=True)) as stream:
        errors = [answer.error for answer in stream.recognize((picture, START_S + n) for n in range(2))]
    assert len(errors) == 2
    assert all(error is not None and "a model made or changed it" in str(error) for error in errors)
    assert not any("allow_synthetic" in str(error) for error in errors), "there is no such setting of streams"


def test_a_log_in_is_not_compared_with_a_made_up_picture(maker: facewire.Client) -> None:
    picture = maker.generate(seed=7).images[0].encoded
    with pytest.raises(facewire.InvalidArgumentError, match="a model made or changed it") as caught:
        maker.verify_live([np.zeros((240, 320, 3), np.uint8)], reference=picture)
    assert "allow_synthetic" not in str(caught.value)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"count": 65}, "count"),
        ({"spread": 2.5}, "spread"),
        ({"spread": -1.0}, "spread"),
        ({"spread": 0.0}, "spread"),
        ({"spread": float("nan")}, "spread"),
    ],
)
def test_wishes_out_of_range_are_told(maker: facewire.Client, wish: dict[str, float], field: str) -> None:
    with pytest.raises(facewire.InvalidArgumentError) as caught:
        maker.generate(**wish)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_without_a_generator_the_operator_is_pointed_to(client: facewire.Client) -> None:
    with pytest.raises(facewire.PreconditionError, match=r"generation\.model") as caught:
        client.generate()
    assert caught.value.reason == "NOT_CONFIGURED"


def test_the_generator_cannot_be_run_raw_past_the_mark(making: RunningServer) -> None:
    with grpc.insecure_channel(making.target) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelMetadata(open_inference_pb2.ModelMetadataRequest(name=MODEL))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_another_models_name_is_refused_at_the_start(start_server: StartServer) -> None:
    with pytest.raises(AssertionError, match="has task 'detector', one with task 'generator' is needed"):
        start_server("--set", "generation.model=yunet-2023mar")


def test_the_command_writes_faces_and_a_sheet(making: RunningServer, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    done = run("generate", folder, "--count", "5", "--seed", "7", "--json", server=making)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["seed"], told["model"]) == (7, MODEL)
    assert [Path(file).name for file in told["files"]] == [*(f"7-{n:03d}.png" for n in range(5)), "7-sheet.png"]
    assert all(synthetic.says_synthetic(Path(file).read_bytes()) for file in told["files"])
    assert Image.open(io.BytesIO((folder / "7-sheet.png").read_bytes())).size == (200, 134)
    found = run("embed", folder / "7-000.png", server=making)
    assert (found.returncode, "a model made" in found.stderr) == (5, True)
    assert run("embed", folder / "7-000.png", "--allow-synthetic", server=making).returncode == 0


def test_other_pictures_are_not_overwritten(making: RunningServer, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("generate", tmp_path, "--seed", "3", server=making).returncode == 0
    before = (tmp_path / "3-000.png").read_bytes()
    done = run("generate", tmp_path, "--seed", "3", "--spread", "0.5", server=making)
    assert (done.returncode, "is there already" in done.stderr) == (5, True)
    assert (tmp_path / "3-000.png").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(making: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run("generate", tmp_path / "file" / "faces", server=making)
    assert done.returncode == 5
    assert "Not a directory" in done.stderr
