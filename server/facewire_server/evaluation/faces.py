"""The faces of many pictures through a real server, kept on disk so that a run can be broken off and gone on with."""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

import facewire
from facewire_server.evaluation.corruption import Box, Corruption
from facewire_server.evaluation.errors import InputError

_FORMAT: Final = "3"  # of what is kept
_AT_ONCE: Final = 4
QUALITY_COLUMNS: Final = ("sharpness", "brightness", "contrast", "yaw_deg", "pitch_deg", "roll_deg", "size_px",
                   "outside_share", "glare_share", "embedding_norm", "score")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SeenFaces:
    """What the server saw in a picture, by falling detection score.

    Attributes:
        boxes: (n, 4), x, y, width, height.
        landmarks: (n, 5, 2).
        scores: (n,).
        quality: (n, 11), columns as in :data:`QUALITY_COLUMNS`.
        embeddings: (n, dim).
        size: of the picture, (width, height).
    """

    boxes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float32]
    embeddings: npt.NDArray[np.float32]
    size: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def nearest_middle(self) -> int | None:
        """The face nearest the middle, as LFW has it; None without faces."""
        if not len(self):
            return None
        return int(np.linalg.norm(self.boxes[:, :2] + self.boxes[:, 2:] / 2 - self.size / 2, axis=1).argmin())

    def largest(self) -> int | None:
        """The largest face; None without faces."""
        return int(self.boxes[:, 2:].prod(axis=1).argmax()) if len(self) else None

    def box(self, index: int) -> Box:
        """One face's box."""
        x, y, width, height = self.boxes[index].tolist()
        return x, y, width, height


class FaceReader:
    """Sends pictures and keeps the answers.

    Args:
        client: of the server.
        kept_in: folder for answers; None: nothing is kept.
        setting: what the answers depend on beside the picture: the server's models and settings.
        corruption: what is done to each picture first.
        seed: of the corruption.
        looks: 1: quick; 2: with a close-up; 3: and the mirror image, as enrolment has it.
    """

    def __init__(
        self, client: facewire.Client, kept_in: Path | None, setting: str, corruption: Corruption | None, seed: int,
        looks: int = 2,
    ) -> None:  # fmt: skip
        self._client = client
        self._folder = kept_in
        self._setting = setting
        self._corruption = corruption
        self._seed = seed
        self._looks = looks
        if kept_in is not None:
            kept_in.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read_all(self, paths: Iterable[Path], on_picture: Callable[[], object]) -> dict[Path, SeenFaces]:
        """Of each picture once, several at a time.

        Raises:
            InputError: a picture cannot be read, with its path.
        """
        wanted = sorted(set(paths))
        seen: dict[Path, SeenFaces] = {}
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            running = {threads.submit(self.read, path): path for path in wanted}
            try:
                for done in as_completed(running):
                    seen[running[done]] = done.result()
                    on_picture()
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
        return seen

    def read(self, path: Path) -> SeenFaces:
        """Of one picture.

        Raises:
            InputError: it is none, with its path.
        """
        try:
            return self._read(path)
        except (facewire.InvalidArgumentError, UnidentifiedImageError) as error:
            raise InputError(f"{path}: {error}") from error

    def _read(self, path: Path) -> SeenFaces:
        data = path.read_bytes()
        if self._corruption is None:
            return self._kept(data, "", lambda: data)
        label = f"{self._corruption.name}={self._corruption.level:g} {self._seed} {path.name}"
        return self._kept(data, label, lambda: _png(self.picture(path)))

    def picture(self, path: Path) -> Image.Image:
        """The picture as it is shown to the server."""
        data = path.read_bytes()
        picture = _open(data)
        if self._corruption is None:
            return picture
        good = self._kept(data, "", lambda: data)
        face = good.largest()
        box = None if face is None else good.box(face)
        return self._corruption.apply(picture, box, f"{self._seed} {path.name}")

    def _kept(self, data: bytes, label: str, make: Callable[[], bytes]) -> SeenFaces:
        """The answer that was kept, or a new one to what is made."""
        if self._folder is None:
            return _seen(self._client.embed(make(), looks=self._looks))
        key = hashlib.sha256(
            b"\0".join([data, label.encode(), f"{self._looks} {self._setting}".encode(), _FORMAT.encode()])
        ).hexdigest()
        file = self._folder / key[:2] / f"{key}.npz"
        seen = _read(file)
        if seen is None:
            seen = _seen(self._client.embed(make(), looks=self._looks))
            _write(file, seen)
        return seen


def _open(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _seen(answer: facewire.Embeddings) -> SeenFaces:
    faces = [each.face for each in answer.faces]

    def table(rows: list[Any], *shape: int) -> npt.NDArray[np.float32]:
        return np.array(rows, dtype=np.float32).reshape(len(rows), *shape)

    return SeenFaces(
        boxes=table([face.box for face in faces], 4),
        landmarks=table([face.landmarks for face in faces], 5, 2),
        scores=table([face.detection_score for face in faces]),
        quality=table(
            [[getattr(face.quality, name) for name in QUALITY_COLUMNS] for face in faces], len(QUALITY_COLUMNS)
        ),
        embeddings=table([each.embedding.values for each in answer.faces], -1 if faces else 0),
        size=np.array(answer.image_size, dtype=np.float32),
    )


# NumPy reads an array's header with ast.literal_eval, and CPython 3.11 counts the depth of what it parses in one
# place for all threads (github.com/python/cpython/issues/106905): two at once end, seldom, in a SystemError.
_PARSING: Final = threading.Lock()


def _read(file: Path) -> SeenFaces | None:
    try:
        with _PARSING, np.load(file) as kept:
            return SeenFaces(**{name: kept[name] for name in SeenFaces.__slots__})
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        return None  # not there or damaged: asked anew, and written over


def _write(file: Path, seen: SeenFaces) -> None:
    """Whole or not at all."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as out:
        np.savez(out, **{name: getattr(seen, name) for name in SeenFaces.__slots__})
    Path(out.name).replace(file)
