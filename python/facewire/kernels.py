"""The native kernels: preprocessing, detector decoding, alignment, quality, comparison, tracking.

They take and fill numpy arrays, check what they get (wrong dtypes raise TypeError, wrong shapes and values
ValueError, each naming the argument), never convert or copy an argument, and release the GIL while they work.
The instruction set is chosen at import; the environment variable FACEWIRE_ISA (scalar, avx2, avx512, neon)
overrides it.

Shapes: H, W of the frame; S of the face chip; n faces or rows; d the embedding's length. A frame is uint8 and
its rows may be any distance apart: (H, W, 3) for format "bgr" and "rgb", (H, W) for "gray", (H*3/2, W) for
"nv12" (luma rows, then interleaved chroma rows; BT.601, video range).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

try:
    from facewire import _native
except ImportError as error:  # pragma: no cover - needs a broken installation
    raise ImportError(
        "the native module facewire._native cannot be loaded: "
        f"{error}. Reinstall facewire for this Python, or check FACEWIRE_ISA."
    ) from error

__all__ = [
    "ARCFACE_TEMPLATE",
    "FACE_COLUMNS",
    "QUALITY_COLUMNS",
    "GalleryIndex",
    "PixelTransform",
    "Tracker",
    "align_faces",
    "available_isas",
    "cosine_matrix",
    "crop_boxes",
    "decode_faces",
    "estimate_noise",
    "isa",
    "letterbox",
    "letterbox_scale",
    "measure_quality",
    "normalise_rows",
    "read_bandwidth",
    "similarity_transform",
    "smooth_frame",
    "use_isa",
]

FloatArray = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Level = tuple[int, int, int, FloatArray, FloatArray | None, FloatArray, FloatArray]

ARCFACE_TEMPLATE: FloatArray = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""Where the five landmarks lie on a 112 x 112 chip (InsightFace, ArcFace), pixels, (5, 2)."""
ARCFACE_TEMPLATE.setflags(write=False)

FACE_COLUMNS = ("x", "y", "width", "height", "landmarks (10)", "score")
"""Columns of :func:`decode_faces`: 4 + 10 + 1."""

QUALITY_COLUMNS = (
    "sharpness",
    "brightness",
    "contrast",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "size_px",
    "outside_share",
    "glare_share",
)
"""Columns of :func:`measure_quality`."""

PixelTransform = _native.PixelTransform
"""How pixels become model input: planes in B, G, R order (or R, G, B with ``rgb=True``), each value
``(pixel - mean) * scale``; mean and scale have one entry a plane, in the planes' order."""

GalleryIndex = _native.GalleryIndex
"""Exact search over unit rows with a subject id each. Thread-safe.

``GalleryIndex(dim)``; ``add(rows (n, d) float32, subjects (n,) int64) -> row numbers (n,) int64`` scales the rows to
unit length; ``remove(rows)`` overwrites them with zeros, all or (KeyError) none; ``search(queries (q, d), k, floor=-1,
*, compressed=True) -> (subjects (q, k) int64, cosines (q, k) float32, rows (q, k) int64)``: the k best subjects, each
once with its best row, by falling cosine, ties by lower row; missing places hold -1 and cosine -2. A search reads 8-bit
codes, and the floats of those rows that may be among the best; with ``compressed=False`` the floats of every row, for
the same answer. ``scanned_bytes()`` tells how much that is; ``read(row)`` copies a row; ``len()`` counts live rows."""


Tracker = _native.Tracker
"""Follows boxes through time, by motion and, where that leaves doubt, by looks. Driven by time, not by frame counts;
not thread-safe.

``Tracker(ttl_s=3, confirm_hits=3, tentative_s=0.5, max_tracks=1000)``. ``ambiguous(time_s, boxes (n, 4) float32) ->
bool (n,)`` tells which boxes motion alone cannot assign; ``update(time_s, boxes, affinity=None) -> track ids (n,)
int64`` assigns boxes (x, y, width, height) and starts tracks for the rest; affinity (m, n) float32 holds cosines of
looks between the m tracks of ``ids()`` and the boxes, NaN where unknown. ``expire(time_s) -> ids`` ends tracks unseen
for ttl_s (unconfirmed ones: tentative_s), and tells which had to make room. ``merge(lost, found) -> bool``: the track
found is the one that was lost before. ``view(time_s)`` gives ids (m,), boxes (m, 4) as they should be then, first and
last seen (m,) and confirmed (m,). Times are seconds and never fall."""


def isa() -> str:
    """The instruction set in force: scalar, avx2, avx512, avx512vnni or neon."""
    return _native.isa()


def available_isas() -> list[str]:
    """What this processor can run, slowest first."""
    return _native.available_isas()


def use_isa(name: str) -> None:
    """Changes the instruction set of the whole process (for tests and benchmarks).

    Raises:
        ValueError: the name is unknown or this processor lacks it.
    """
    _native.use_isa(name)


def letterbox(
    pixels: Pixels,
    format: str,
    out: FloatArray | Pixels,
    transform: PixelTransform | None = None,
    max_scale: float = 1.0,
) -> tuple[float, float]:
    """Scales a frame into the top left of ``out`` and blackens the rest.

    Args:
        pixels, format: the frame.
        out: float32 (3, H', W') or uint8 (H', W', 3), filled in place: a detector's input tensor. Bytes are the same
            values rounded, halves to even.
        transform: default: B, G, R planes of 0..255. For bytes only the order of channels may differ.
        max_scale: small frames are enlarged up to so many times; 1: they are not.

    Returns:
        Input pixels per frame pixel along x and y, at most about ``max_scale``. The two differ a
        little, as the sides drawn are whole pixels. Bilinear, exactly where ``cv2.resize(INTER_LINEAR)`` samples.
    """
    return _native.letterbox(pixels, format, out, transform or PixelTransform(), max_scale)


def estimate_noise(pixels: Pixels, format: str) -> float:
    """Standard deviation of a frame's noise, grey levels of the green channel (luma of grey and NV12 frames).

    Median response on 32 rows to a mask that sees neither shades nor edges along the axes (J. Immerkaer, Fast Noise
    Variance Estimation, Computer Vision and Image Understanding 64, 1996). 0 for frames smaller than 3 x 3.
    """
    return _native.estimate_noise(pixels, format)


def smooth_frame(pixels: Pixels, format: str) -> Pixels:
    """A new frame through a binomial filter of seven taps along both axes (standard deviation 1.22 pixels)."""
    return _native.smooth_frame(pixels, format)


def letterbox_scale(frame_width: int, frame_height: int, width: int, height: int, max_scale: float = 1.0) -> float:
    """The nominal scale of :func:`letterbox` for such a frame and target, all in pixels."""
    return _native.letterbox_scale(frame_width, frame_height, width, height, max_scale)


def decode_faces(
    kind: str,
    levels: list[Level],
    *,
    score_threshold: float,
    nms_iou: float,
    scale: tuple[float, float],
    max_faces: int,
) -> FloatArray:
    """Raw detector output to faces, with greedy non-maximum suppression.

    Args:
        kind: "yunet" (score = sqrt(class * objectness); centre and log size) or "scrfd" (two anchors a cell,
            distances to the sides).
        levels: one tuple a stride: (stride, columns, rows, score (m,), objectness (m,) or None, box (m, 4),
            landmarks (m, 10)), m = columns * rows * anchors, row-major, float32.
        score_threshold: 0..1.
        nms_iou: boxes that overlap a better one by more are dropped, 0..1.
        scale: what :func:`letterbox` returned; along x and y; results are divided by it.
        max_faces: at most so many.

    Returns:
        float32 (n, 15) by falling score: x, y, width, height, five landmarks as x, y, score, in frame pixels.
    """
    return _native.decode_faces(
        kind,
        levels,
        score_threshold=score_threshold,
        nms_iou=nms_iou,
        scale=scale,
        max_faces=max_faces,
    )


def similarity_transform(source: FloatArray, target: FloatArray) -> FloatArray:
    """The least-squares rotation, scale and shift from five points to five others.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE TPAMI
    13(4), 1991; without reflection.

    Args:
        source, target: float32 (5, 2), x and y.

    Returns:
        float32 (2, 3), as cv2.warpAffine takes it.

    Raises:
        ValueError: a point is not finite, or the source points coincide.
    """
    return _native.similarity_transform(source, target)


def align_faces(
    pixels: Pixels,
    format: str,
    landmarks: FloatArray,
    reference: FloatArray,
    out: FloatArray,
    transform: PixelTransform | None = None,
) -> npt.NDArray[np.uint8]:
    """Warps faces upright into chips, bilinearly; black outside the frame.

    Args:
        pixels, format: the frame.
        landmarks: float32 (n, 5, 2), frame pixels.
        reference: float32 (5, 2), where they shall lie, for instance ARCFACE_TEMPLATE for S = 112.
        out: float32 (n, 3, S, S), filled in place: an embedder's input tensor.
        transform: default: B, G, R planes of 0..255.

    Returns:
        uint8 (n,): 0 aligned; refused, with a black chip: 1 a landmark is not finite, 2 the landmarks coincide,
        3 the chip would show nothing of the frame.
    """
    return _native.align_faces(pixels, format, landmarks, reference, out, transform or PixelTransform())


def crop_boxes(
    pixels: Pixels, format: str, boxes: FloatArray, out: FloatArray, transform: PixelTransform | None = None
) -> None:
    """Cuts boxes out of a frame and stretches each to a square, as ``cv2.resize(INTER_LINEAR)`` samples.

    Args:
        pixels, format: the frame.
        boxes: float32 (n, 4): x, y, width, height, frame pixels. What lies outside the frame repeats its edge.
        out: float32 (n, 3, S, S), filled in place.
        transform: default: B, G, R planes of 0..255.
    """
    _native.crop_boxes(pixels, format, boxes, out, transform or PixelTransform())


def measure_quality(
    chips: FloatArray,
    boxes: FloatArray,
    landmarks: FloatArray,
    *,
    frame_width: int,
    frame_height: int,
    transform: PixelTransform | None = None,
) -> FloatArray:
    """Light, sharpness, pose and size of aligned faces.

    Args:
        chips: float32 (n, 3, S, S), from :func:`align_faces` with this transform.
        boxes: float32 (n, 4): x, y, width, height, frame pixels.
        landmarks: float32 (n, 5, 2), frame pixels.
        frame_width, frame_height: pixels.

    Returns:
        float32 (n, 9), columns as QUALITY_COLUMNS: standard deviation of the Laplacian and mean and standard
        deviation of luma in the face oval (grey levels); yaw, pitch, roll in degrees, estimated from the
        landmarks; shorter side of the box in pixels; share of the box outside the frame; share of
        the oval with a luma of 250 or more.
    """
    return _native.measure_quality(
        chips,
        boxes,
        landmarks,
        frame_width=frame_width,
        frame_height=frame_height,
        transform=transform or PixelTransform(),
    )


def normalise_rows(rows: FloatArray) -> FloatArray:
    """Scales each row of (n, d) to unit length in place; returns the lengths they had, (n,)."""
    return _native.normalise_rows(rows)


def cosine_matrix(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cosines of every row of ``a`` (n, d) with every row of ``b`` (m, d): float32 (n, m)."""
    return _native.cosine_matrix(a, b)


def read_bandwidth(bytes: int) -> float:
    """What one thread reads from memory, bytes a second: the best of five sums of so many bytes, for benchmarks.

    Raises:
        ValueError: fewer than 1 MB or more than 16 GB.
    """
    return _native.read_bandwidth(bytes)
