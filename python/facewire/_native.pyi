# Types of the native module. Import its names from facewire.kernels, where they are documented.
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

def isa() -> str: ...
def available_isas() -> list[str]: ...
def use_isa(name: str) -> None: ...

class PixelTransform:
    def __init__(
        self,
        *,
        rgb: bool = False,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        scale: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> None: ...
    @property
    def rgb(self) -> bool: ...
    @property
    def mean(self) -> list[float]: ...
    @property
    def scale(self) -> list[float]: ...

def letterbox(
    pixels: npt.NDArray[np.uint8],
    format: str,
    out: npt.NDArray[np.float32] | npt.NDArray[np.uint8],
    transform: PixelTransform = ...,
    max_scale: float = ...,
) -> tuple[float, float]: ...
def estimate_noise(pixels: npt.NDArray[np.uint8], format: str) -> float: ...
def smooth_frame(pixels: npt.NDArray[np.uint8], format: str) -> npt.NDArray[np.uint8]: ...
def letterbox_scale(frame_width: int, frame_height: int, width: int, height: int, max_scale: float = ...) -> float: ...
def decode_faces(
    kind: str,
    levels: Sequence[
        tuple[
            int,
            int,
            int,
            npt.NDArray[np.float32],
            npt.NDArray[np.float32] | None,
            npt.NDArray[np.float32],
            npt.NDArray[np.float32],
        ]
    ],
    *,
    score_threshold: float,
    nms_iou: float,
    scale: tuple[float, float],
    max_faces: int,
) -> npt.NDArray[np.float32]: ...
def similarity_transform(
    source: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]: ...
def align_faces(
    pixels: npt.NDArray[np.uint8],
    format: str,
    landmarks: npt.NDArray[np.float32],
    reference: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    transform: PixelTransform = ...,
) -> npt.NDArray[np.uint8]: ...
def crop_boxes(
    pixels: npt.NDArray[np.uint8],
    format: str,
    boxes: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    transform: PixelTransform = ...,
) -> None: ...
def measure_quality(
    chips: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    landmarks: npt.NDArray[np.float32],
    *,
    frame_width: int,
    frame_height: int,
    transform: PixelTransform = ...,
) -> npt.NDArray[np.float32]: ...
def normalise_rows(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
def cosine_matrix(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
def read_bandwidth(bytes: int) -> float: ...

class GalleryIndex:
    def __init__(self, dim: int) -> None: ...
    def __len__(self) -> int: ...
    def add(self, rows: npt.NDArray[np.float32], subjects: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]: ...
    def remove(self, rows: npt.NDArray[np.int64]) -> None: ...
    def search(
        self, queries: npt.NDArray[np.float32], k: int, floor: float = -1.0, *, compressed: bool = True
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.int64]]: ...
    def scanned_bytes(self, *, compressed: bool = True) -> int: ...
    def read(self, row: int) -> npt.NDArray[np.float32]: ...
    @property
    def dim(self) -> int: ...
    @property
    def capacity(self) -> int: ...

class Tracker:
    def __init__(
        self, *, ttl_s: float = 3.0, confirm_hits: int = 3, tentative_s: float = 0.5, max_tracks: int = 1000
    ) -> None: ...
    def __len__(self) -> int: ...
    def ambiguous(self, time_s: float, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]: ...
    def update(
        self, time_s: float, boxes: npt.NDArray[np.float32], affinity: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.int64]: ...
    def expire(self, time_s: float) -> list[int]: ...
    def merge(self, lost: int, found: int) -> bool: ...
    def ids(self) -> list[int]: ...
    def view(
        self, time_s: float
    ) -> tuple[
        npt.NDArray[np.int64],
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
    ]: ...
    ttl_s: float
