"""Bad requests get the status that fits, name the field, leak nothing, and leave the server serving."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

import facewire
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc, recognition_pb2, recognition_pb2_grpc
from facewire_server.oip import open_inference_pb2, open_inference_pb2_grpc
from tests.conftest import RunningServer


@pytest.fixture(autouse=True)
def _still_serving(client: facewire.Client) -> Iterator[None]:
    yield
    assert client.is_serving()


def refused(call: Callable[[], object], kind: type[facewire.ServerError], words: str) -> facewire.ServerError:
    with pytest.raises(kind, match=words) as caught:
        call()
    return caught.value


def test_unknown_names_are_not_found(client: facewire.Client, door: str, samples: Path) -> None:
    picture = samples / "person_a_2.jpg"
    error = refused(lambda: client.identify("nowhere", picture), facewire.NotFoundError, "gallery 'nowhere'")
    assert error.details == {"kind": "gallery", "id": "nowhere"}
    refused(lambda: client.get_subject(door, "nobody"), facewire.NotFoundError, "subject 'nobody'")
    refused(lambda: client.delete_subject(door, "nobody"), facewire.NotFoundError, "subject 'nobody'")
    refused(lambda: client.delete_face(door, "f00"), facewire.NotFoundError, "face 'f00'")
    nobody = facewire.SubjectReference(door, "nobody")
    refused(lambda: client.verify(picture, nobody), facewire.NotFoundError, "subject 'nobody'")
    images = [picture]
    refused(lambda: client.enrol(door, "nobody", images, create_subject=False), facewire.NotFoundError, "subject")


def test_taken_names_exist_already(client: facewire.Client, door: str) -> None:
    refused(lambda: client.create_gallery(door), facewire.AlreadyExistsError, f"gallery '{door}'")
    refused(lambda: client.create_subject(door, "person-a"), facewire.AlreadyExistsError, "subject 'person-a'")


@pytest.mark.parametrize("name", ["", "Upper", "with space", "-dash-first", "a" * 64, "umlaut-ä", "a/b", "a\x00b"])
def test_names_of_another_form_are_refused(client: facewire.Client, name: str) -> None:
    error = refused(lambda: client.create_gallery(name), facewire.InvalidArgumentError, "must be 1 to 63")
    assert error.field == "gallery_id"


def test_over_long_texts_are_refused(client: facewire.Client, gallery_id: str) -> None:
    def create(**fields: object) -> Callable[[], object]:
        return lambda: client.create_subject(gallery_id, "ada", **fields)  # type: ignore[arg-type]

    invalid = facewire.InvalidArgumentError
    assert refused(create(display_name="x" * 201), invalid, "201 char").field == "subject.display_name"
    assert refused(create(labels=["x"] * 33), invalid, "33 entries").field == "subject.labels"
    assert refused(create(labels=[""]), invalid, "empty label").field == "subject.labels"
    assert refused(create(attributes={"k": "x" * 1001}), invalid, "1001 char").field == "subject.attributes[k]"
    assert refused(create(display_name="tab\tbed"), invalid, "control char").field == "subject.display_name"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([float("nan")] * 128, "NaN"),
        ([float("inf")] * 128, "NaN or an infinity"),
        ([0.1] * 127, "127 values"),
        ([0.0] * 128, "points nowhere"),
        ([], "0 values"),
    ],
    ids=["nan", "inf", "short", "zero", "empty"],
)
def test_bad_embeddings_are_refused(client: facewire.Client, door: str, values: list[float], words: str) -> None:
    contract_id = client.server_info().contract_id
    probe = facewire.Embedding(np.array(values, dtype=np.float32), contract_id)
    error = refused(lambda: client.identify(door, probe), facewire.InvalidArgumentError, words)
    assert error.field == "embedding.values"


def test_an_embedding_of_another_contract_is_refused_and_both_are_named(client: facewire.Client, door: str) -> None:
    probe = facewire.Embedding(np.ones(128, dtype=np.float32), "fw1-0123456789abcdef")
    for call in (lambda: client.identify(door, probe), lambda: client.verify(probe, probe)):
        error = refused(call, facewire.PreconditionError, "fw1-0123456789abcdef")
        assert error.reason == "CONTRACT_MISMATCH"
        assert error.details["wanted"] == client.server_info().contract_id
        assert error.details["offered"] == "fw1-0123456789abcdef"


def test_numbers_out_of_range_are_refused(client: facewire.Client, door: str, samples: Path) -> None:
    picture = samples / "person_a_1.jpg"
    invalid = facewire.InvalidArgumentError
    refused(lambda: client.detect(picture, min_score=1.5), invalid, "options.min_score")
    refused(lambda: client.detect(picture, min_score=float("nan")), invalid, "options.min_score")
    refused(lambda: client.detect(picture, min_face_px=-1), invalid, "options.min_face_px")
    refused(lambda: client.identify(door, picture, min_similarity=2), invalid, "min_similarity")
    refused(lambda: client.identify(door, picture, max_candidates=101), invalid, "max_candidates")
    refused(lambda: client.enrol(door, "person-a", []), invalid, "images: is empty")
    refused(lambda: client.enrol(door, "person-a", [b"x"] * 33), invalid, "33 entries")


def test_missing_parts_are_named(server: RunningServer) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub: Any = recognition_pb2_grpc.RecognitionServiceStub(channel)
        for request, call, field in (
            (recognition_pb2.VerifyFacesRequest(), stub.VerifyFaces, "probe"),
            (recognition_pb2.IdentifyFacesRequest(gallery_id="g"), stub.IdentifyFaces, "probe"),
            (
                recognition_pb2.IdentifyFacesRequest(gallery_id="g", embedding=face_pb2.Embedding()),
                stub.IdentifyFaces,
                "embedding.contract_id",
            ),
        ):
            with pytest.raises(grpc.RpcError, match=field) as caught:
                call(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def raw_call(target: str, method: str, data: bytes) -> Any:
    with grpc.insecure_channel(target) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(method, request_serializer=None, response_deserializer=None)(data)
        return caught.value


def test_invalid_utf8_and_garbage_are_the_callers_fault(server: RunningServer) -> None:
    good = gallery_pb2.GetGalleryRequest(gallery_id="abcd").SerializeToString()
    method = "/facewire.v1.GalleryService/GetGallery"
    for data in (good.replace(b"abcd", b"ab\xff\xfe"), b"\xff\xff\xff\xff"):
        error = raw_call(server.target, method, data)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "UTF-8" in error.details()


def test_an_oversize_message_is_refused(server: RunningServer) -> None:
    method = "/facewire.v1.RecognitionService/DetectFaces"
    error = raw_call(server.target, method, b"\0" * (33 << 20))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    with facewire.Client(server.target) as client, pytest.raises(facewire.OverloadedError, match="larger than max"):
        client.detect(b"\xff\xd8" + b"\0" * (33 << 20))


def test_an_expired_deadline_is_told(server: RunningServer, samples: Path) -> None:
    with facewire.Client(server.target, timeout_s=0.001) as hasty, pytest.raises(facewire.DeadlineError):
        hasty.embed(samples / "person_b_1.jpg")


def test_an_unknown_method_is_unimplemented(server: RunningServer) -> None:
    error = raw_call(server.target, "/facewire.v1.RecognitionService/ReadMinds", b"")
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_nothing_answers_at_a_dead_address() -> None:
    with facewire.Client("127.0.0.1:1", retries=0) as nobody:
        with pytest.raises(facewire.UnavailableError, match="no facewire server answers at 127.0.0.1:1"):
            nobody.server_info()
        assert not nobody.is_serving(timeout_s=0.5)


def test_a_tensor_of_absurd_shape_is_refused_at_once(server: RunningServer) -> None:
    """Multiplying a hundred thousand large sides would stop the whole server for half a minute."""
    tensor = open_inference_pb2.ModelInferRequest.InferInputTensor(name="data", datatype="FP32")
    with grpc.insecure_channel(server.target) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        for shape in ([2**62] * 100_000, [1] * 65, [2**40] * 4, [], [-1, 3, 112, 112]):
            tensor.ClearField("shape")
            tensor.shape.extend(shape)
            request = open_inference_pb2.ModelInferRequest(model_name="sface-2021dec", inputs=[tensor])
            start = time.perf_counter()
            with pytest.raises(grpc.RpcError, match="inputs.shape") as caught:
                stub.ModelInfer(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert time.perf_counter() - start < 2


@pytest.mark.parametrize("position", ["1180591620717411303424", "[" * 5000, '"\\ud800"', "true", "1.5"])
def test_page_tokens_made_up_are_refused(
    client: facewire.Client, server: RunningServer, door: str, position: str
) -> None:
    token = base64.urlsafe_b64encode(position.encode()).decode()
    with grpc.insecure_channel(server.target) as channel:
        stub: Any = gallery_pb2_grpc.GalleryServiceStub(channel)
        for call, request in (
            (stub.ListSubjects, gallery_pb2.ListSubjectsRequest(gallery_id=door, page_token=token)),
            (stub.ListFaces, gallery_pb2.ListFacesRequest(gallery_id=door, page_token=token)),
        ):
            with pytest.raises(grpc.RpcError, match="page_token") as caught:
                call(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_long_texts_sent_back_do_not_hide_the_error(client: facewire.Client, door: str) -> None:
    probe = facewire.Embedding(np.ones(128, dtype=np.float32), "x" * 100_000)
    error = refused(lambda: client.identify(door, probe), facewire.PreconditionError, "contract")
    assert len(str(error)) < 600


def test_a_jpeg_of_many_scans_is_refused(client: facewire.Client, samples: Path) -> None:
    """A hundred bytes a scan make the decoder go over all pixels anew."""
    progressive = io.BytesIO()
    Image.open(samples / "person_a_1.jpg").save(progressive, "JPEG", progressive=True)
    data = progressive.getvalue() + b"\xff\xda" * 150
    error = refused(lambda: client.detect(data), facewire.InvalidArgumentError, "scans")
    assert error.reason == "INVALID_IMAGE"
