"""What the kernels do with bad and empty arguments."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from facewire import kernels

Arguments = dict[str, Any]


def floats(*shape: int) -> npt.NDArray[np.float32]:
    """Positive and all different, so that no row or set of points is degenerate."""
    return np.random.default_rng(1).uniform(1, 20, shape).astype(np.float32)


def frame(*shape: int) -> npt.NDArray[np.uint8]:
    return np.full(shape, 7, np.uint8)


def call_decode_faces(*, score: Any, objectness: Any, box: Any, landmarks: Any, **options: Any) -> object:
    level = {"stride": 8, "columns": 3, "rows": 2} | options.pop("level", {})
    maps = (*level.values(), score, objectness, box, landmarks)
    chosen: Arguments = {
        "kind": "yunet",
        "levels": [maps],
        "score_threshold": 0.5,
        "nms_iou": 0.3,
        "scale": (1.0, 1.0),
        "max_faces": 9,
    }
    return kernels.decode_faces(**(chosen | options))


def call_add(*, rows: Any, subjects: Any) -> object:
    return kernels.GalleryIndex(4).add(rows, subjects)


def call_remove(*, rows: Any) -> object:
    index = kernels.GalleryIndex(4)
    index.add(floats(3, 4), np.arange(3))
    index.remove(rows)
    return index


def call_search(*, queries: Any, k: Any = 2, floor: Any = -1.0) -> object:
    index = kernels.GalleryIndex(4)
    index.add(floats(3, 4), np.arange(3))
    return index.search(queries, k, floor)


CALLS: dict[str, Callable[..., object]] = {
    "letterbox": kernels.letterbox,
    "align_faces": kernels.align_faces,
    "crop_boxes": kernels.crop_boxes,
    "measure_quality": kernels.measure_quality,
    "similarity_transform": kernels.similarity_transform,
    "normalise_rows": kernels.normalise_rows,
    "cosine_matrix": kernels.cosine_matrix,
    "decode_faces": call_decode_faces,
    "add": call_add,
    "remove": call_remove,
    "search": call_search,
}


def good(function: str) -> Arguments:
    arguments: dict[str, Arguments] = {
        "letterbox": {"pixels": frame(20, 30, 3), "format": "bgr", "out": floats(3, 16, 16)},
        "align_faces": {
            "pixels": frame(20, 30, 3),
            "format": "bgr",
            "landmarks": floats(2, 5, 2),
            "reference": floats(5, 2),
            "out": floats(2, 3, 8, 8),
        },
        "crop_boxes": {
            "pixels": frame(20, 30, 3),
            "format": "bgr",
            "boxes": floats(2, 4),
            "out": floats(2, 3, 8, 8),
        },
        "measure_quality": {
            "chips": floats(2, 3, 8, 8),
            "boxes": floats(2, 4),
            "landmarks": floats(2, 5, 2),
            "frame_width": 64,
            "frame_height": 48,
        },
        "similarity_transform": {"source": floats(5, 2), "target": floats(5, 2)},
        "normalise_rows": {"rows": floats(3, 4)},
        "cosine_matrix": {"a": floats(3, 4), "b": floats(2, 4)},
        "decode_faces": {
            "score": floats(6),
            "objectness": floats(6),
            "box": floats(6, 4),
            "landmarks": floats(6, 10),
        },
        "add": {"rows": floats(3, 4), "subjects": np.arange(3)},
        "remove": {"rows": np.arange(3)},
        "search": {"queries": floats(2, 4)},
    }
    return arguments[function]


ARRAYS = [
    (function, name) for function in CALLS for name, value in good(function).items() if isinstance(value, np.ndarray)
]
WRITTEN = [("letterbox", "out"), ("align_faces", "out"), ("crop_boxes", "out"), ("normalise_rows", "rows")]
FINITE = [
    ("align_faces", "reference"),
    ("crop_boxes", "boxes"),
    ("measure_quality", "boxes"),
    ("measure_quality", "landmarks"),
    ("similarity_transform", "source"),
    ("similarity_transform", "target"),
    ("normalise_rows", "rows"),
    ("cosine_matrix", "a"),
    ("cosine_matrix", "b"),
    ("add", "rows"),
    ("search", "queries"),
]


def misaligned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype)
    memory[:] = array.reshape(-1)
    return memory.reshape(array.shape)


def every_second(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.repeat(array, 2, axis=-1)[..., ::2]


WRONG_TYPES: dict[str, Callable[[npt.NDArray[Any]], object]] = {
    "list": lambda array: array.tolist(),
    "none": lambda _: None,
    "number": lambda _: 3,
    "text": lambda _: "rows",
    "bytes": lambda array: array.tobytes(),
    "float64": lambda array: array.astype(np.float64),
    "int8": lambda array: array.astype(np.int8),
    "complex": lambda array: array.astype(np.complex64),
    "objects": lambda array: array.astype(object),
}
WRONG_LAYOUTS: dict[str, Callable[[npt.NDArray[Any]], object]] = {
    "one axis more": lambda array: array[None],
    "no axis": lambda array: array.reshape(-1)[:1].reshape(()),
    "every second element": every_second,
    "reversed": lambda array: array[::-1],
    "reversed in rows": lambda array: array[..., ::-1],
}


@pytest.mark.parametrize("wrong", WRONG_TYPES)
@pytest.mark.parametrize(("function", "name"), ARRAYS)
def test_another_type_raises_type_error_naming_the_argument(function: str, name: str, wrong: str) -> None:
    arguments = good(function)
    arguments[name] = WRONG_TYPES[wrong](arguments[name])
    with pytest.raises(TypeError, match=rf"\b{name}\b must"):
        CALLS[function](**arguments)


@pytest.mark.parametrize("wrong", WRONG_LAYOUTS)
@pytest.mark.parametrize(("function", "name"), ARRAYS)
def test_another_layout_raises_value_error_naming_the_argument(function: str, name: str, wrong: str) -> None:
    arguments = good(function)
    arguments[name] = WRONG_LAYOUTS[wrong](arguments[name])
    with pytest.raises(ValueError, match=rf"\b{name}\b must"):
        CALLS[function](**arguments)


@pytest.mark.parametrize(("function", "name"), [pair for pair in ARRAYS if pair[1] != "pixels"])
def test_a_misaligned_array_raises_value_error(function: str, name: str) -> None:
    arguments = good(function)
    arguments[name] = misaligned(arguments[name])
    with pytest.raises(ValueError, match=rf"\b{name}\b must be aligned"):
        CALLS[function](**arguments)


@pytest.mark.parametrize(("function", "name"), [pair for pair in ARRAYS if pair[1] != "pixels"])
def test_another_byte_order_raises_type_error(function: str, name: str) -> None:
    arguments = good(function)
    array = arguments[name]
    arguments[name] = array.astype(array.dtype.newbyteorder())
    with pytest.raises(TypeError, match=rf"\b{name}\b must have dtype"):
        CALLS[function](**arguments)


@pytest.mark.parametrize(("function", "name"), WRITTEN)
def test_a_read_only_output_raises_value_error_and_stays(function: str, name: str) -> None:
    arguments = good(function)
    before = arguments[name].copy()
    arguments[name].setflags(write=False)
    with pytest.raises(ValueError, match=f"{name} is read-only"):
        CALLS[function](**arguments)
    assert (arguments[name] == before).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("function", "name"), FINITE)
def test_a_value_that_is_not_finite_raises_value_error(function: str, name: str, value: float) -> None:
    arguments = good(function)
    arguments[name].flat[-1] = value
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        CALLS[function](**arguments)


@pytest.mark.parametrize(("function", "name"), ARRAYS)
def test_good_arrays_pass_even_when_they_come_out_of_a_pickle(function: str, name: str) -> None:
    arguments = good(function)
    # Their dtype is equal to numpy's own but another object.
    arguments[name] = pickle.loads(pickle.dumps(arguments[name]))  # noqa: S301 - our own bytes
    CALLS[function](**arguments)


# Function, what to change in the good arguments, exception, what the message must say.
WRONG_VALUES: list[tuple[str, Arguments, type[Exception], str]] = [
    ("letterbox", {"format": "yuyv"}, ValueError, "format must be"),
    ("letterbox", {"format": 3}, TypeError, "format"),
    ("letterbox", {"pixels": frame(20, 30)}, ValueError, "pixels must have shape"),
    ("letterbox", {"pixels": frame(20, 30, 4)}, ValueError, "pixels must have shape"),
    ("letterbox", {"format": "gray"}, ValueError, "pixels must have shape"),
    ("letterbox", {"format": "nv12"}, ValueError, "pixels must have shape"),
    ("letterbox", {"format": "nv12", "pixels": frame(20, 30)}, ValueError, "pixels for format"),
    ("letterbox", {"format": "nv12", "pixels": frame(21, 31)}, ValueError, "pixels for format"),
    ("letterbox", {"pixels": frame(0, 30, 3)}, ValueError, "pixels is empty"),
    ("letterbox", {"pixels": frame(20, 0, 3)}, ValueError, "pixels is empty"),
    (
        "letterbox",
        {"pixels": np.broadcast_to(frame(30, 3), (20, 30, 3))},
        ValueError,
        "pixels must",
    ),
    ("letterbox", {"out": floats(1, 16, 16)}, ValueError, "out must have shape"),
    ("letterbox", {"out": floats(3, 0, 16)}, ValueError, "out is empty"),
    ("letterbox", {"transform": "rgb"}, TypeError, "transform"),
    ("align_faces", {"landmarks": floats(3, 5, 2)}, ValueError, "out must have shape"),
    ("align_faces", {"out": floats(2, 3, 8, 9)}, ValueError, "out must have shape"),
    ("align_faces", {"out": floats(2, 3, 1, 1)}, ValueError, "out must have shape"),
    ("align_faces", {"reference": floats(4, 2)}, ValueError, "reference must have shape"),
    ("align_faces", {"format": "BGR"}, ValueError, "format must be"),
    ("measure_quality", {"chips": floats(2, 3, 8, 9)}, ValueError, "chips must have shape"),
    ("measure_quality", {"boxes": floats(3, 4)}, ValueError, "boxes must have shape"),
    ("measure_quality", {"landmarks": floats(2, 4, 2)}, ValueError, "landmarks must have shape"),
    ("measure_quality", {"frame_width": 0}, ValueError, "frame_width"),
    ("measure_quality", {"frame_height": -1}, ValueError, "frame_height"),
    ("measure_quality", {"frame_width": "64"}, TypeError, "frame_width"),
    ("measure_quality", {"frame_width": 2**40}, TypeError, "frame_width"),
    ("similarity_transform", {"source": np.ones((5, 2), np.float32)}, ValueError, "source"),
    ("similarity_transform", {"source": floats(5, 2) * 1_000_000}, ValueError, "source"),
    ("cosine_matrix", {"b": floats(2, 5)}, ValueError, "b must have shape"),
    ("decode_faces", {"kind": "mtcnn"}, ValueError, "kind must be"),
    ("decode_faces", {"kind": None}, TypeError, "kind"),
    ("decode_faces", {"scale": (0.0, 1.0)}, ValueError, "scale must"),
    ("decode_faces", {"scale": (1.0, -1.0)}, ValueError, "scale must"),
    ("decode_faces", {"scale": (1.0, np.nan)}, ValueError, "scale must"),
    ("decode_faces", {"scale": (np.inf, 1.0)}, ValueError, "scale must"),
    ("decode_faces", {"scale": 1.0}, TypeError, "scale"),
    ("decode_faces", {"score_threshold": np.nan}, ValueError, "score_threshold must"),
    ("decode_faces", {"score_threshold": 1.5}, ValueError, "score_threshold must"),
    ("decode_faces", {"nms_iou": np.nan}, ValueError, "nms_iou must"),
    ("decode_faces", {"nms_iou": -0.1}, ValueError, "nms_iou must"),
    ("decode_faces", {"max_faces": 0}, ValueError, "max_faces must"),
    ("decode_faces", {"max_faces": -5}, ValueError, "max_faces must"),
    ("decode_faces", {"max_faces": 2**40}, TypeError, "max_faces"),
    ("decode_faces", {"levels": 3}, TypeError, "levels"),
    ("decode_faces", {"levels": [[8, 3, 2]]}, TypeError, "levels"),
    ("decode_faces", {"levels": [(8, 3, 2)]}, ValueError, r"levels\[0\] must be"),
    ("decode_faces", {"level": {"stride": 0}}, ValueError, r"levels\[0\]: stride"),
    ("decode_faces", {"level": {"columns": -3}}, ValueError, r"levels\[0\].*columns"),
    ("decode_faces", {"level": {"stride": "8"}}, TypeError, r"levels\[0\].stride must be an int"),
    ("decode_faces", {"level": {"columns": 3.0}}, TypeError, r"levels\[0\].columns must be an int"),
    ("decode_faces", {"level": {"rows": 2**40}}, TypeError, r"levels\[0\].rows must be an int"),
    (
        "decode_faces",
        {"level": {"columns": 2**31 - 1, "rows": 2**31 - 1}},
        ValueError,
        r"levels\[0\].score must have shape",
    ),
    ("decode_faces", {"box": floats(6, 3)}, ValueError, r"levels\[0\].box must have shape"),
    ("crop_boxes", {"boxes": np.array([[0, 0, 0, 5]] * 2, np.float32)}, ValueError, "boxes must have a positive"),
    ("crop_boxes", {"boxes": np.array([[2e6, 0, 5, 5]] * 2, np.float32)}, ValueError, "within a million"),
    ("crop_boxes", {"out": floats(1, 3, 8, 8)}, ValueError, "out must have shape"),
    ("crop_boxes", {"out": floats(2, 3, 8, 9)}, ValueError, "out must have shape"),
    ("add", {"subjects": np.arange(2)}, ValueError, "subjects must have shape"),
    ("add", {"subjects": np.arange(-1, 2)}, ValueError, "subjects must not be negative"),
    ("add", {"rows": np.zeros((3, 4), np.float32)}, ValueError, "rows row 0 has no direction"),
    ("add", {"rows": floats(3, 5)}, ValueError, "rows must have shape"),
    ("remove", {"rows": np.array([0, 9])}, KeyError, "rows names"),
    ("remove", {"rows": np.array([0, 0])}, KeyError, "rows names"),
    ("remove", {"rows": np.array([-1])}, KeyError, "rows names"),
    ("search", {"queries": np.zeros((2, 4), np.float32)}, ValueError, "queries row 0"),
    ("search", {"queries": floats(2, 3)}, ValueError, "queries must have shape"),
    ("search", {"k": 0}, ValueError, "k must be"),
    ("search", {"k": 10_001}, ValueError, "k must be"),
    ("search", {"k": 2**63}, ValueError, "k must be"),
    ("search", {"k": 2**70}, TypeError, r"\bk\b"),
    ("search", {"k": -1}, TypeError, r"\bk\b"),
    ("search", {"k": 2.5}, TypeError, r"\bk\b"),
    ("search", {"floor": np.nan}, ValueError, "floor must"),
    ("search", {"floor": "low"}, TypeError, "floor"),
]


@pytest.mark.parametrize(("function", "change", "error", "message"), WRONG_VALUES)
def test_a_wrong_value_raises_and_names_the_argument(
    function: str, change: Arguments, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        CALLS[function](**(good(function) | change))


@pytest.mark.parametrize("wrong", [{"mean": [0, np.nan, 0]}, {"mean": [0, 1e39, 0]}])
def test_a_mean_that_is_not_finite_is_refused(wrong: Arguments) -> None:
    with pytest.raises(ValueError, match="mean must be finite"):
        kernels.PixelTransform(**wrong)


@pytest.mark.parametrize("scale", [[1, 0, 1], [1, 1, np.inf], [np.nan, 1, 1]])
def test_a_scale_that_loses_the_pixels_is_refused(scale: list[float]) -> None:
    with pytest.raises(ValueError, match="scale must be finite and not zero"):
        kernels.PixelTransform(scale=scale)


@pytest.mark.parametrize("wrong", [{"mean": [1, 2]}, {"scale": 3.0}, {"rgb": "yes"}])
def test_a_transform_of_another_shape_is_refused(wrong: Arguments) -> None:
    with pytest.raises(TypeError, match=next(iter(wrong))):
        kernels.PixelTransform(**wrong)


@pytest.mark.parametrize("name", ["frame_width", "frame_height", "width", "height"])
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1, ValueError), ("9", TypeError), (2**40, TypeError)])
def test_letterbox_scale_takes_positive_sizes_only(name: str, value: Any, error: type[Exception]) -> None:
    sizes: Arguments = {"frame_width": 9, "frame_height": 9, "width": 9, "height": 9}
    with pytest.raises(error, match=name):
        kernels.letterbox_scale(**(sizes | {name: value}))


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_frames_are_enlarged_by_positive_numbers_only(wrong: float) -> None:
    with pytest.raises(ValueError, match="max_scale"):
        kernels.letterbox_scale(9, 9, 9, 9, wrong)
    with pytest.raises(ValueError, match="max_scale"):
        kernels.letterbox(**good("letterbox"), max_scale=wrong)


@pytest.mark.parametrize(("dim", "error"), [(0, ValueError), (4097, ValueError), (-1, TypeError), ("8", TypeError)])
def test_an_index_has_a_dimension_from_1_to_4096(dim: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="dim"):
        kernels.GalleryIndex(dim)


@pytest.mark.parametrize(("row", "error"), [(-1, KeyError), (3, KeyError), (2**62, KeyError), (2**70, TypeError)])
def test_only_live_rows_can_be_read(row: int, error: type[Exception]) -> None:
    index = kernels.GalleryIndex(4)
    index.add(floats(3, 4), np.arange(3))
    with pytest.raises(error, match="row"):
        index.read(row)


def test_a_refused_remove_removes_nothing() -> None:
    index = kernels.GalleryIndex(4)
    index.add(floats(3, 4), np.arange(3))
    with pytest.raises(KeyError):
        index.remove(np.array([0, 1, 7]))
    assert len(index) == 3


def test_the_largest_k_is_answered_and_missing_places_are_marked() -> None:
    index = kernels.GalleryIndex(4)
    index.add(floats(3, 4), np.arange(3))
    subjects, similarities, rows = index.search(floats(1, 4), 10_000)
    assert subjects.shape == similarities.shape == rows.shape == (1, 10_000)
    assert (subjects[0, 3:] == -1).all()
    assert (rows[0, 3:] == -1).all()
    assert (similarities[0, 3:] == -2).all()


def test_empty_batches_give_empty_answers() -> None:
    index = kernels.GalleryIndex(4)
    none = np.zeros(0, np.int64)
    no_landmarks = floats(0, 5, 2)
    quality = kernels.measure_quality(floats(0, 3, 8, 8), floats(0, 4), no_landmarks, frame_width=8, frame_height=8)
    aligned = kernels.align_faces(frame(8, 8), "gray", no_landmarks, kernels.ARCFACE_TEMPLATE, floats(0, 3, 8, 8))
    faces = kernels.decode_faces("scrfd", [], score_threshold=0.5, nms_iou=0.3, scale=(1, 1), max_faces=1)
    index.remove(none)
    assert quality.shape == (0, 9)
    assert aligned.shape == (0,)
    assert faces.shape == (0, 15)
    assert index.add(floats(0, 4), none).shape == (0,)
    assert index.search(floats(0, 4), 3)[0].shape == (0, 3)
    assert index.search(floats(1, 4), 3)[0].tolist() == [[-1, -1, -1]]
    assert kernels.normalise_rows(floats(0, 4)).shape == (0,)
    assert kernels.normalise_rows(floats(2, 0)).tolist() == [0, 0]
    assert kernels.cosine_matrix(floats(0, 4), floats(2, 4)).shape == (0, 2)
    assert kernels.cosine_matrix(floats(1, 0), floats(2, 0)).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("format", "pixels"),
    [
        ("gray", frame(9, 1)[:, ::2]),
        ("gray", frame(1, 9)[::3]),
        ("gray", frame(1, 1)[::-1, ::-1]),
        ("bgr", frame(9, 1, 3)[:, ::2]),
        ("bgr", frame(1, 9, 3)[::-1]),
    ],
)
def test_frames_of_one_row_or_column_pass_whatever_their_idle_stride(
    format: str, pixels: npt.NDArray[np.uint8]
) -> None:
    # numpy calls them contiguous: ascontiguousarray(), which the error recommends, would change nothing.
    assert pixels.flags.c_contiguous
    out = floats(3, 4, 4)
    kernels.letterbox(pixels, format, out)
    assert out[0, 0, 0] == 7


def test_the_package_lists_what_it_offers() -> None:
    assert all(hasattr(kernels, name) for name in kernels.__all__)
