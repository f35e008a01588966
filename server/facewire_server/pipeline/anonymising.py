"""Pictures whose faces are replaced by nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from facewire import synthetic
from facewire_server.domain.errors import InvalidImage
from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.latent import Latent
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.chips import Place
from facewire_server.pipeline.latents import Autoencoder, FaceCoder
from facewire_server.pipeline.recognizer import Call, DetectedFaces, DetectionOptions, Recognizer

_EDGE: Final = 0.10  # of a side, over which the made face fades into the picture
_HALF_WIDTH, _HALF_HEIGHT = 0.42, 0.48  # half axes of what is replaced, in sides
_BLOCKS: Final = 4  # what cannot be replaced is shown in so many blocks each way
_AROUND: Final = 0.15  # of a box, beside it
_BAND: Final = 128  # rows, an even number


@dataclass(frozen=True, slots=True, eq=False)
class AnonymisedPicture:
    """A whole picture, uint8 (H, W, 3), R, G, B.

    Attributes:
        pixels: the picture.
        found: the faces, but for those that cannot be aligned.
        replaced: how many are nobody's now.
        pixelated: how many cannot be replaced, and are shown in few blocks.
    """

    pixels: Pixels
    found: DetectedFaces
    replaced: int
    pixelated: int


class Anonymiser:
    """Replaces faces, if an autoencoder is configured. Thread-safe."""

    def __init__(self, recognizer: Recognizer, coder: FaceCoder, tool: str) -> None:
        self._recognizer = recognizer
        self._coder = coder
        self._tool = tool

    def check(self, k: int) -> None:
        """Before any work; raises PreconditionFailed, or InvalidArgument where k is out of range."""
        encoder, generator = self._coder.autoencoder.encoder, self._coder.autoencoder.generator
        encoder.knowledge.k_same.replaced(np.zeros(generator.latent, dtype=np.float32), k)

    def anonymise(self, frame: Frame, k: int, options: DetectionOptions, call: Call) -> AnonymisedPicture:
        """Every face that is found replaced by a mean of k, or pixelated where it cannot be.

        Raises:
            PreconditionFailed: no autoencoder is configured.
            InvalidImage: it has as many faces as are looked for, so that some may be left.
        """
        every = self._recognizer.every_face(frame, options.min_score, options.max_faces, call)
        if len(every) >= options.max_faces:
            raise InvalidImage(
                "image",
                f"shows {len(every)} faces or more, and no more are looked for, so that some would stay as they are: "
                "raise pipeline.max_faces, or cut the picture into several",
            )
        faces = every.select(every.sizes_px >= options.min_face_px)
        picture = rgb_of(frame)
        encoded = {each.row: each for each in self._coder.encode(frame, faces, call)}
        replaced = 0
        # The largest face last: it is in front.
        for row in np.argsort(faces.areas_px).tolist():
            call.budget.check()
            face = encoded.get(row)
            if face is not None and replace_face(
                self._coder.autoencoder, picture, faces.landmarks[row], face.latent, k, call.clock
            ):
                replaced += 1
            else:
                _pixelate(picture, faces.boxes[row])
        found = self._recognizer.measured(frame, faces, call)
        call.budget.check()
        return AnonymisedPicture(picture, found, replaced, len(faces) - replaced)

    def file_of(self, pixels: Pixels, *, visible_mark: bool) -> bytes:
        """A PNG that says that a model made parts of it."""
        tool = f"{self._tool} ({self._coder.autoencoder.generator.name})"
        return synthetic.marked_png(pixels, tool, visible=visible_mark, source=synthetic.CHANGED_BY_MODEL)


def replace_face(
    autoencoder: Autoencoder, picture: Pixels, landmarks: FloatArray, latent: Latent, k: int, clock: StageClock
) -> bool:
    """Puts a mean of k faces of nobody in a face's place, uint8 (H, W, 3), R, G, B; False where it lies outside."""
    encoder = autoencoder.encoder
    height, width = picture.shape[:2]
    place = Place.of(landmarks, encoder.view, width, height)
    if place is None:
        return False
    made = autoencoder.generator.generate(encoder.knowledge.k_same.replaced(latent.mean, k), clock)
    place.paste(picture, made, _fading(made.shape[0]))
    return True


def rgb_of(frame: Frame) -> Pixels:
    """A copy in R, G, B, whatever the frame's format."""
    if frame.format == "gray":
        return np.repeat(frame.pixels[:, :, np.newaxis], 3, axis=2)
    if frame.format == "nv12":
        return _rgb_of_nv12(frame)
    return np.array(frame.pixels if frame.format == "rgb" else frame.pixels[:, :, ::-1])


def _rgb_of_nv12(frame: Frame) -> Pixels:
    """BT.601, video range."""
    height, width = frame.height, frame.width
    out = np.empty((height, width, 3), dtype=np.uint8)
    pairs = frame.pixels[height:].reshape(height // 2, width // 2, 2)
    for top in range(0, height, _BAND):  # all of it in floats would take much memory
        bottom = min(height, top + _BAND)
        luma = (frame.pixels[top:bottom].astype(np.float32) - 16) * np.float32(255 / 219)
        chroma = (pairs[top // 2 : bottom // 2].astype(np.float32) - 128) * np.float32(255 / 224)
        u, v = (np.repeat(np.repeat(chroma[:, :, each], 2, axis=0), 2, axis=1) for each in (0, 1))
        planes = (luma + 1.402 * v, luma - 0.344136 * u - 0.714136 * v, luma + 1.772 * u)
        out[top:bottom] = np.stack(planes, axis=2).round().clip(0, 255)
    return out


def _fading(side: int) -> FloatArray:
    """1 in an oval, fading to 0 at its edge."""
    places = (np.arange(side, dtype=np.float32) - (side - 1) / 2) / side
    distance = np.sqrt(np.square(places[:, np.newaxis] / _HALF_HEIGHT) + np.square(places / _HALF_WIDTH))
    return np.asarray(((1 - distance) / (_EDGE / _HALF_WIDTH)).clip(0, 1), dtype=np.float32)


def _pixelate(picture: Pixels, box: FloatArray) -> None:
    height, width = picture.shape[:2]
    x, y, w, h = (float(value) for value in box)
    x0, x1 = max(0, int(x - _AROUND * w)), min(width, int(np.ceil(x + (1 + _AROUND) * w)))
    y0, y1 = max(0, int(y - _AROUND * h)), min(height, int(np.ceil(y + (1 + _AROUND) * h)))
    if x1 <= x0 or y1 <= y0:
        return
    part = Image.fromarray(np.ascontiguousarray(picture[y0:y1, x0:x1]))
    few = part.resize((min(_BLOCKS, x1 - x0), min(_BLOCKS, y1 - y0)), Image.Resampling.BOX)
    picture[y0:y1, x0:x1] = np.asarray(few.resize(part.size, Image.Resampling.NEAREST))
