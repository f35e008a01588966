"""From photographs to prepared faces, by the product's own detector and alignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_lab.errors import LabError
from facewire_lab.faces import FaceFacts
from facewire_server.domain.errors import InvalidImage
from facewire_server.domain.ports import Detector
from facewire_server.pipeline.chips import cut_chips
from facewire_server.pipeline.decoding import decode_image
from facewire_server.pipeline.recognizer import largest_face

_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp"}
_MOST_PIXELS: Final = 50_000_000
_MOST_FACES: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Faces, their origin, and what was left out with the reason."""

    chips: npt.NDArray[np.uint8]
    facts: FaceFacts
    left_out: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cut:
    """How faces are found and cut out.

    Attributes:
        detector: finds them.
        view: see :class:`FaceFacts`.
        allow_synthetic: also of pictures that say of themselves that a model made or changed them.
    """

    detector: Detector
    view: float
    allow_synthetic: bool = False


def pictures_below(folder: Path) -> list[Path]:
    """All pictures, in a fixed order.

    Raises:
        LabError: there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not found:
        raise LabError(f"{folder} has no JPEG, PNG or WebP pictures")
    return found


def prepare(folder: Path, pictures: list[Path], cut: Cut, on_picture: Callable[[], object]) -> Prepared:
    """The largest face of each picture, upright, its landmarks at fixed places.

    Args:
        folder: pictures in a folder of their own are of that person.
        pictures: below it.
        cut: how.
        on_picture: called after each.

    Raises:
        LabError: no face was found in any.
    """
    chips, names, people, left_out = [], [], [], []
    for path, answer in _faces(pictures, cut):
        name = str(path.relative_to(folder))
        if isinstance(answer, str):
            left_out.append((name, answer))
        else:
            chips.append(answer)
            names.append(name)
            people.append("" if path.parent == folder else str(path.parent.relative_to(folder)))
        on_picture()
    if not chips:
        raise LabError(f"no face was found in any of the {len(pictures)} pictures below {folder}")
    return Prepared(np.stack(chips), FaceFacts(str(folder), cut.view, names, people), left_out)


def _faces(pictures: list[Path], cut: Cut) -> Iterator[tuple[Path, npt.NDArray[np.uint8] | str]]:
    """Each picture with its chip, or the reason that there is none."""
    for path in pictures:
        try:
            frame = decode_image(path.read_bytes(), _MOST_PIXELS, path.name)
        except (OSError, InvalidImage) as error:
            yield path, str(error)
            continue
        if frame.synthetic and not cut.allow_synthetic:
            yield path, "says of itself that a model made or changed it (--allow-synthetic)"
            continue
        face = largest_face(cut.detector.detect(frame, None, _MOST_FACES))
        if not len(face):
            yield path, "no face"
            continue
        _, chips = cut_chips(frame, face, cut.view)
        yield path, chips[0] if len(chips) else "its landmarks allow no alignment"
