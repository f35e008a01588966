"""The kernels under every instruction set against OpenCV, and against plain numpy in double precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facewire import kernels

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
AnyArray = npt.NDArray[Any]

PROPERTY = settings(deadline=None, max_examples=40)
# Hypothesis chooses sizes and shrinks them; the contents come from a generator with a drawn seed.
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
sides = st.integers(1, 150)


@pytest.fixture(scope="module", params=kernels.available_isas(), autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test of this file runs under every instruction set; the one in force comes back."""
    before = kernels.isa()
    kernels.use_isa(request.param)
    yield request.param
    kernels.use_isa(before)


def in_padded_rows(pixels: Bytes, padding: int) -> Bytes:
    """The same pixels with rows ``padding`` bytes further apart."""
    row_bytes = pixels[0].size
    memory = np.full((len(pixels), row_bytes + padding), 199, np.uint8)
    memory[:, :row_bytes] = pixels.reshape(len(pixels), row_bytes)
    strides = (row_bytes + padding, *pixels.strides[1:])
    padded: Bytes = np.ndarray(pixels.shape, np.uint8, memory, strides=strides)
    return padded


def smooth_bgr(rng: np.random.Generator, height: int, width: int) -> Bytes:
    """Slow waves, at most about two grey levels from pixel to pixel."""
    y, x = np.mgrid[:height, :width]
    angles = rng.uniform(0, 2 * np.pi, (2, 3))
    phase = np.cos(angles[0]) * x[..., None] + np.sin(angles[0]) * y[..., None]
    waves = 128 + 70 * np.sin(phase * (2 * np.pi / 250) + angles[1])
    return np.asarray(np.round(waves), np.uint8)


def nv12_of(bgr: Bytes) -> Bytes:
    height, width = bgr.shape[:2]
    i420 = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = np.split(i420, [height * width])
    pairs = chroma.reshape(2, -1).T.reshape(height // 2, width)
    return np.asarray(np.concatenate([luma.reshape(height, width), pairs]), np.uint8)


def drawn_size(scale: tuple[float, float], width: int, height: int) -> tuple[int, int]:
    return round(scale[0] * width), round(scale[1] * height)


def resized_planes(bgr: Bytes, size: tuple[int, int]) -> Doubles:
    resized = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
    return np.moveaxis(resized, 2, 0).astype(np.float64)


def split_letterbox(out: AnyArray, size: tuple[int, int]) -> tuple[AnyArray, AnyArray]:
    """The drawn part, and every value of the padding."""
    width, height = size
    padding = np.concatenate([out[:, height:].reshape(-1), out[:, :height, width:].reshape(-1)])
    return out[:, :height, :width], padding


@PROPERTY
@given(
    rng=generators,
    frame=st.tuples(sides, sides),
    target=st.tuples(sides, sides),
    padding=st.integers(0, 9),
    format=st.sampled_from(["bgr", "rgb", "gray"]),
    rgb=st.booleans(),
    max_scale=st.sampled_from([1.0, 1.5, 8.0]),
)
def test_letterbox_equals_cv2_resize(
    rng: np.random.Generator,
    frame: tuple[int, int],
    target: tuple[int, int],
    padding: int,
    format: str,
    rgb: bool,
    max_scale: float,
) -> None:
    height, width = frame
    channels = () if format == "gray" else (3,)
    pixels = rng.integers(0, 256, (height, width, *channels), np.uint8)
    mean, scale = rng.uniform(0, 200, 3), rng.uniform(0.1, 3, 3)
    transform = kernels.PixelTransform(rgb=rgb, mean=mean.tolist(), scale=scale.tolist())
    out = np.full((3, *target), np.nan, np.float32)
    found = kernels.letterbox(in_padded_rows(pixels, padding), format, out, transform, max_scale)
    size = drawn_size(found, width, height)
    fit = min(target[1] / width, target[0] / height, max_scale)
    assert size == pytest.approx((width * fit, height * fit), abs=1.0)
    drawn, blank = split_letterbox(out / scale[:, None, None] + mean[:, None, None], size)
    bgr = pixels[..., ::-1] if format == "rgb" else pixels
    if format == "gray":
        bgr = np.repeat(pixels[..., None], 3, axis=2)
    planes = np.ascontiguousarray(bgr[..., ::-1] if rgb else bgr)
    np.testing.assert_allclose(drawn, resized_planes(planes, size), rtol=0, atol=1.01)
    np.testing.assert_allclose(blank, 0, atol=1e-3)


@PROPERTY
@given(
    rng=generators,
    frame=st.tuples(st.integers(4, 80), st.integers(4, 80)),
    divisor=st.floats(1, 4),
    padding=st.integers(0, 9),
)
def test_nv12_letterbox_equals_cv2_conversion_and_resize(
    rng: np.random.Generator, frame: tuple[int, int], divisor: float, padding: int
) -> None:
    height, width = 2 * frame[0], 2 * frame[1]
    pixels = nv12_of(smooth_bgr(rng, height, width))
    out = np.zeros((3, int(height / divisor), int(width / divisor)), np.float32)
    scale = kernels.letterbox(in_padded_rows(pixels, padding), "nv12", out)
    size = drawn_size(scale, width, height)
    bgr = cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_NV12).astype(np.uint8)
    # OpenCV repeats chroma over 2 x 2 pixels, the kernel interpolates it: a few levels on a slope.
    np.testing.assert_allclose(split_letterbox(out, size)[0], resized_planes(bgr, size), rtol=0, atol=6)


def random_similarity(rng: np.random.Generator) -> Doubles:
    angle, scale = rng.uniform(-np.pi, np.pi), rng.uniform(0.4, 2.5)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    tx, ty = rng.uniform(20, 180, 2)
    return np.array([[cosine, -sine, tx], [sine, cosine, ty]])


def moved(points: AnyArray, matrix: AnyArray) -> Floats:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


@PROPERTY
@given(rng=generators)
def test_similarity_transform_recovers_any_similarity(rng: np.random.Generator) -> None:
    truth = random_similarity(rng)
    source = rng.uniform(0, 112, (5, 2)).astype(np.float32)
    assume(source.std() > 1)
    np.testing.assert_allclose(kernels.similarity_transform(source, moved(source, truth)), truth, atol=2e-3)


@PROPERTY
@given(rng=generators, padding=st.integers(0, 9))
def test_align_faces_equals_cv2_warp_affine_with_its_matrix(rng: np.random.Generator, padding: int) -> None:
    frame = smooth_bgr(rng, 200, 260)
    template = kernels.ARCFACE_TEMPLATE
    center = template.mean(axis=0)
    landmarks = np.stack([moved(template - center, random_similarity(rng)) for _ in range(2)])
    landmarks += rng.normal(0, 0.5, landmarks.shape).astype(np.float32)
    chips = np.full((2, 3, 112, 112), np.nan, np.float32)
    statuses = kernels.align_faces(in_padded_rows(frame, padding), "bgr", landmarks, template, chips)
    assert statuses.tolist() == [0, 0]
    for points, chip in zip(landmarks, chips, strict=True):
        matrix = kernels.similarity_transform(points, template)
        wanted = cv2.warpAffine(frame, matrix, (112, 112), flags=cv2.INTER_LINEAR)
        # OpenCV rounds coordinates to 1/32 pixel, which shows where the frame ends abruptly.
        grid = np.stack(np.meshgrid(np.arange(112), np.arange(112)), axis=-1)
        x, y = np.moveaxis(moved(grid, cv2.invertAffineTransform(matrix)), 2, 0)
        to_edge = np.maximum(np.abs(x - 129.5) - 129.5, np.abs(y - 99.5) - 99.5)
        clear = (to_edge < -0.1) | (to_edge > 1.1)
        np.testing.assert_allclose(np.moveaxis(chip, 0, 2)[clear], wanted[clear].astype(np.float64), rtol=0, atol=1.01)


@PROPERTY
@given(generators, st.integers(1, 200), st.integers(1, 160), st.integers(1, 90), st.integers(0, 9))
def test_crop_boxes_equals_cv2_resize_of_the_box(
    rng: np.random.Generator, width: int, height: int, size: int, padding: int
) -> None:
    frame = rng.integers(0, 256, (160, 200, 3), np.uint8)
    x, y = rng.integers(0, 200 - width + 1), rng.integers(0, 160 - height + 1)
    chips = np.full((1, 3, size, size), -1, np.float32)
    boxes = np.array([[x, y, width, height]], np.float32)
    kernels.crop_boxes(in_padded_rows(frame, padding), "bgr", boxes, chips)
    # cv2 repeats the box's own edge, ours reads the pixels beyond it: only samples inside the box are compared.
    patch = frame[y : y + height, x : x + width].astype(np.float32)
    expected = np.moveaxis(cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR), 2, 0)
    inside_x = inside_samples(size, width)
    inside_y = inside_samples(size, height)
    assert np.isfinite(chips).all()
    np.testing.assert_allclose(
        chips[0][:, inside_y][:, :, inside_x], expected[:, inside_y][:, :, inside_x], rtol=0, atol=0.1
    )


def inside_samples(size: int, side: int) -> npt.NDArray[np.bool_]:
    places = (np.arange(size) + 0.5) * side / size - 0.5
    inside: npt.NDArray[np.bool_] = (places >= 0) & (places <= side - 1)
    return inside


def test_a_box_beyond_the_frame_repeats_its_edge() -> None:
    frame = np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8)
    chips = np.zeros((2, 3, 6, 6), np.float32)
    kernels.crop_boxes(frame, "bgr", np.array([[-60, -60, 6, 6], [0, 0, 6, 6]], np.float32), chips)
    assert np.array_equal(chips[0], np.broadcast_to(frame[0, 0][:, None, None], (3, 6, 6)))
    assert np.array_equal(chips[1], np.moveaxis(frame[:6, :6], 2, 0))


@PROPERTY
@given(rng=generators)
def test_align_faces_refuses_each_bad_face_alone(rng: np.random.Generator) -> None:
    frame = rng.integers(1, 256, (80, 90, 3), np.uint8)
    good = kernels.ARCFACE_TEMPLATE * np.float32(0.6)
    not_finite, outside = good.copy(), good + np.float32(500)
    not_finite[rng.integers(5), rng.integers(2)] = rng.choice([np.nan, np.inf, -np.inf])
    landmarks = np.stack([good, not_finite, np.zeros_like(good), outside, good])
    chips = np.full((5, 3, 112, 112), np.nan, np.float32)
    statuses = kernels.align_faces(frame, "bgr", landmarks, kernels.ARCFACE_TEMPLATE, chips)
    assert statuses.tolist() == [0, 1, 2, 3, 0]
    assert not chips[1:4].any()
    assert (chips[0] == chips[4]).all()
    assert chips[0].any()


def overlap(box: Floats, others: Floats) -> Floats:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:4], others[:, :2] + others[:, 2:4])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    union = box[2] * box[3] + others[:, 2] * others[:, 3] - common
    return np.asarray(common / union, np.float32)


def decoded_level(kind: str, level: kernels.Level) -> Floats:
    size: Floats
    top_left: Floats
    stride, columns, rows, score, objectness, box, landmarks = level
    anchors = 2 if kind == "scrfd" else 1
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    corner = np.repeat(grid.reshape(-1, 2), anchors, axis=0).astype(np.float32)
    if objectness is not None:
        score = np.sqrt(np.clip(score, 0, 1) * np.clip(objectness, 0, 1))
        size = np.asarray(np.exp(box[:, 2:]), np.float32)
        top_left = np.asarray(corner + box[:, :2] - size / 2, np.float32)
    else:
        size = box[:, :2] + box[:, 2:]
        top_left = corner - box[:, :2]
    points = landmarks.reshape(-1, 5, 2) + corner[:, None]
    faces = np.concatenate([top_left, size, points.reshape(-1, 10)], axis=1) * stride
    return np.concatenate([faces, score[:, None]], axis=1).astype(np.float32)


def decoded(kind: str, levels: list[kernels.Level], options: dict[str, Any]) -> Floats:
    """What decode_faces promises, said again in numpy."""
    faces = np.concatenate([decoded_level(kind, level) for level in levels])
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(faces).all(axis=1) & (faces[:, 2:4] > 0).all(axis=1)
        faces = faces[usable & (faces[:, 14] >= options["score_threshold"])]
    faces[:, :14] /= np.tile(np.array(options["scale"], np.float32), 7)
    faces = faces[np.argsort(-faces[:, 14], kind="stable")]
    kept: list[Floats] = []
    for face in faces:
        if len(kept) == options["max_faces"]:
            break
        if not kept or overlap(face, np.stack(kept)).max() <= options["nms_iou"]:
            kept.append(face)
    return np.stack(kept) if kept else np.zeros((0, 15), np.float32)


def random_level(rng: np.random.Generator, kind: str, stride: int) -> kernels.Level:
    columns, rows = (int(side) for side in rng.integers(1, 9, 2))
    n = columns * rows * (2 if kind == "scrfd" else 1)
    score = rng.uniform(-0.1, 1.1, n).astype(np.float32)
    score[rng.random(n) < 0.3] = np.float32(0.75)  # ties
    box = rng.uniform(-0.5, 3, (n, 4)).astype(np.float32)
    box[rng.random(n) < 0.1, rng.integers(4)] = rng.choice([np.nan, np.inf])
    landmarks = rng.normal(0, 1, (n, 10)).astype(np.float32)
    landmarks[rng.random(n) < 0.1, rng.integers(10)] = np.nan
    objectness = rng.uniform(0, 1, n).astype(np.float32) if kind == "yunet" else None
    return (stride, columns, rows, score, objectness, box, landmarks)


@PROPERTY
@given(
    rng=generators,
    kind=st.sampled_from(["yunet", "scrfd"]),
    threshold=st.floats(0, 1, width=32),
    max_faces=st.integers(1, 60),
)
def test_decode_faces_equals_plain_numpy(rng: np.random.Generator, kind: str, threshold: float, max_faces: int) -> None:
    levels = [random_level(rng, kind, stride) for stride in (8, 16, 32)]
    options: dict[str, Any] = {
        "score_threshold": threshold,
        "nms_iou": float(rng.uniform(0.1, 0.7)),
        "scale": (float(rng.uniform(0.1, 1)), float(rng.uniform(0.1, 1))),
        "max_faces": max_faces,
    }
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = decoded(kind, levels, options)
    np.testing.assert_allclose(kernels.decode_faces(kind, levels, **options), wanted, rtol=1e-4, atol=1e-3)


def unit(rows: AnyArray) -> Doubles:
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float64)


@PROPERTY
@given(rng=generators, n=st.integers(0, 20), m=st.integers(0, 20), dim=st.integers(1, 600))
def test_cosine_matrix_equals_numpy(rng: np.random.Generator, n: int, m: int, dim: int) -> None:
    a = (rng.normal(0, 1, (n, dim)) * 10 ** rng.uniform(-30, 30, (n, 1))).astype(np.float32)
    b = rng.normal(0, 1, (m, dim)).astype(np.float32)
    b[: m // 4] = 0  # a zero row has cosine 0 with everything
    before = a.copy(), b.copy()
    np.testing.assert_allclose(kernels.cosine_matrix(a, b), unit(a) @ unit(b).T, rtol=0, atol=1e-5)
    assert (a == before[0]).all()
    assert (b == before[1]).all()


@PROPERTY
@given(rng=generators, n=st.integers(0, 20), dim=st.integers(1, 600))
def test_normalise_rows_equals_numpy(rng: np.random.Generator, n: int, dim: int) -> None:
    rows = (rng.normal(0, 1, (n, dim)) * 10 ** rng.uniform(-30, 30, (n, 1))).astype(np.float32)
    wanted, lengths = unit(rows), np.linalg.norm(rows.astype(np.float64), axis=1)
    np.testing.assert_allclose(kernels.normalise_rows(rows), lengths, rtol=1e-5)
    np.testing.assert_allclose(rows, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [1e-40, 1e-30, 3e38])
def test_the_smallest_and_largest_rows_have_a_direction(value: float) -> None:
    rows = np.full((1, 16), value, np.float32)
    assert kernels.cosine_matrix(rows, rows)[0, 0] == pytest.approx(1, abs=1e-6)
    kernels.normalise_rows(rows)
    np.testing.assert_allclose(rows, 0.25, rtol=1e-5)


def ranking(scores: Doubles, subjects: npt.NDArray[np.int64], floor: float) -> list[int]:
    """Row numbers: the best of each subject, falling scores, ties to the lower row."""
    order = np.lexsort((np.arange(len(scores)), -scores))
    first_of: dict[int, int] = {}
    for row in order:
        if scores[row] >= floor:
            first_of.setdefault(int(subjects[row]), int(row))
    return list(first_of.values())


@PROPERTY
@given(
    rng=generators,
    count=st.integers(1, 700),
    dim=st.integers(3, 200),
    k=st.integers(1, 30),
    floor=st.floats(-1, 0.5),
)
def test_gallery_search_equals_numpy_with_exact_ordering(
    rng: np.random.Generator, count: int, dim: int, k: int, floor: float
) -> None:
    # Few distinct templates, each held by many rows: exact ties everywhere.
    templates = rng.normal(0, 1, (12, dim)).astype(np.float32)
    which = rng.integers(0, len(templates), count)
    subjects = rng.integers(0, 40, count)
    index = kernels.GalleryIndex(dim)
    rows = index.add(templates[which], subjects)
    assert rows.tolist() == list(range(count))
    gone = np.flatnonzero(rng.random(count) < 0.2)
    index.remove(gone)
    assert len(index) == count - len(gone)
    queries = rng.normal(0, 3, (2, dim)).astype(np.float32)
    for quick, whole in zip(
        index.search(queries, k, floor), index.search(queries, k, floor, compressed=False), strict=True
    ):
        np.testing.assert_array_equal(quick, whole)
    for query, *found in zip(queries, *index.search(queries, k, floor), strict=True):
        by_template = unit(templates) @ unit(query[None])[0]
        levels = np.sort(np.append(by_template, floor))
        assume(np.diff(levels).min() > 1e-5)  # float and double must agree on the order
        scores = by_template[which]
        scores[gone] = -np.inf
        best = ranking(scores, subjects, max(floor, -1.5))[:k]
        missing = k - len(best)
        assert found[0].tolist() == [*subjects[best].tolist(), *[-1] * missing]
        assert found[2].tolist() == [*best, *[-1] * missing]
        np.testing.assert_allclose(found[1], [*scores[best].tolist(), *[-2.0] * missing], rtol=0, atol=1e-5)


@PROPERTY
@given(
    rng=generators,
    n=st.integers(0, 3),
    size=st.integers(0, 60),
    reach=st.sampled_from([0.0, 1e-3, 100.0, 1e6]),
)
def test_measured_quality_is_finite_and_in_range(rng: np.random.Generator, n: int, size: int, reach: float) -> None:
    chips = rng.uniform(0, 255, (n, 3, size, size)).astype(np.float32)
    boxes = (rng.normal(0, 1, (n, 4)) * reach).astype(np.float32)
    landmarks = (rng.normal(0, 1, (n, 5, 2)) * reach).astype(np.float32)
    quality = kernels.measure_quality(chips, boxes, landmarks, frame_width=640, frame_height=480)
    assert quality.shape == (n, len(kernels.QUALITY_COLUMNS))
    assert np.isfinite(quality).all()
    low = [0, 0, 0, -90, -90, -180, -np.inf, 0, 0]
    high = [8 * 255, 255, 128, 90, 90, 180, np.inf, 1, 1]
    assert (quality >= np.array(low) - 1e-3).all()
    assert (quality <= np.array(high) + 1e-2).all()
    np.testing.assert_array_equal(quality[:, 6], boxes[:, 2:].min(axis=1))


def test_quality_of_an_aligned_face_sees_through_the_transform() -> None:
    frame = smooth_bgr(np.random.default_rng(3), 112, 112)
    template = kernels.ARCFACE_TEMPLATE
    measured = []
    for transform in (
        kernels.PixelTransform(),
        kernels.PixelTransform(rgb=True, mean=[127.5] * 3, scale=[1 / 127.5] * 3),
    ):
        chip = np.empty((1, 3, 112, 112), np.float32)
        kernels.align_faces(frame, "bgr", template[None], template, chip, transform)
        boxes = np.array([[0, 0, 112, 112]], np.float32)
        measured.append(
            kernels.measure_quality(
                chip,
                boxes,
                template[None],
                frame_width=112,
                frame_height=112,
                transform=transform,
            )
        )
    np.testing.assert_allclose(measured[0], measured[1], atol=0.01)


@PROPERTY
@given(rng=generators, height=st.integers(3, 60), width=st.integers(3, 60), padding=st.integers(0, 9),
       format=st.sampled_from(["bgr", "rgb", "gray"]))  # fmt: skip
def test_smoothing_equals_opencvs_separable_filter(
    rng: np.random.Generator, height: int, width: int, padding: int, format: str
) -> None:
    pixels = rng.integers(0, 256, (height, width, *(() if format == "gray" else (3,))), np.uint8)
    taps = np.array([1, 6, 15, 20, 15, 6, 1]) / 64
    wanted = cv2.sepFilter2D(pixels, cv2.CV_64F, taps, taps, borderType=cv2.BORDER_REPLICATE)
    ours = kernels.smooth_frame(in_padded_rows(pixels, padding), format)
    assert ours.shape == pixels.shape
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=0.51)


@PROPERTY
@given(rng=generators, sigma=st.floats(1.0, 20.0), format=st.sampled_from(["bgr", "gray", "nv12"]))
def test_noise_that_was_added_is_found(rng: np.random.Generator, sigma: float, format: str) -> None:
    shades = np.add.outer(np.linspace(90, 150, 120), np.linspace(0, 20, 160))
    noisy = shades[..., np.newaxis] + rng.normal(0, sigma, (120, 160, 3))
    bgr = noisy.clip(0, 255).round().astype(np.uint8)
    pixels = {"bgr": bgr, "gray": bgr[..., 1], "nv12": np.concatenate([bgr[..., 1], bgr[:60, :, 0]])}[format]
    assert kernels.estimate_noise(np.ascontiguousarray(pixels), format) == pytest.approx(sigma, rel=0.15, abs=0.3)
