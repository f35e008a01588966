"""Pictures that models made, as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from facewire import synthetic
from facewire.errors import ImageError


def write_picture(file: Path, data: bytes) -> None:
    """Writes a file; overwrites no other picture.

    Raises:
        ImageError: another one is there, or the disk refuses.
    """
    try:
        if file.exists() and file.read_bytes() != data:
            raise ImageError(f"{file} is there already, with another picture: choose another place")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except OSError as error:
        raise ImageError(f"{file}: {error.strerror}") from error


def write_sheet(file: Path, pictures: Sequence[bytes], tool: str, columns: int = 0) -> None:
    """A contact sheet of pictures of one size.

    Raises:
        ImageError: as :func:`write_picture`; or Pillow is missing.
    """
    try:
        sheet = synthetic.contact_sheet(list(pictures), tool, columns)
    except ModuleNotFoundError as error:
        raise ImageError(
            f"the pictures are in {file.parent}; a contact sheet needs Pillow: pip install 'facewire[video]'"
        ) from error
    write_picture(file, sheet)


def side_by_side(first: bytes, second: bytes, tool: str) -> bytes:
    """Two pictures, the first made smaller or larger to fit both into a row; marked.

    Raises:
        ImageError: Pillow is missing.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - the client alone needs no Pillow
    except ModuleNotFoundError as error:
        raise ImageError("a contact sheet needs Pillow: pip install 'facewire[video]'") from error
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in (first, second)]
    height = min(512, *(picture.height for picture in pictures))
    shown = []
    for picture in pictures:
        out = io.BytesIO()
        picture.resize((max(1, round(picture.width * height / picture.height)), height)).save(out, "PNG")
        shown.append(out.getvalue())
    return synthetic.contact_sheet(shown, tool, columns=2)
