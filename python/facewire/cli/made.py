"""Pictures that models made, as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from facewire import synthetic
from facewire.errors import ImageError

_SHEET_HEIGHT: Final = 512


def write_picture(file: Path, data: bytes) -> None:
    """Writes a file, whole or not at all; overwrites no other picture.

    Raises:
        ImageError: another one is there, or the disk refuses.
    """
    partial = file.with_name(f"{file.name}.part")
    try:
        if file.exists() and file.read_bytes() != data:
            raise ImageError(f"{file} is there already, with another picture: choose another place")
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(data)
            partial.replace(file)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
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


def side_by_side(picture: Path, made: bytes, tool: str) -> bytes:
    """A picture as it was beside what became of it, marked.

    Raises:
        ImageError: Pillow is missing, or cannot read the picture.
    """
    try:
        from PIL import Image, ImageOps  # noqa: PLC0415 - the client alone needs no Pillow
    except ModuleNotFoundError as error:
        raise ImageError("a contact sheet needs Pillow: pip install 'facewire[video]'") from error
    try:
        before = ImageOps.exif_transpose(Image.open(picture)).convert("RGB")
        after = Image.open(io.BytesIO(made)).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise ImageError(f"{picture}: cannot be shown on a sheet ({error})") from error
    height = min(_SHEET_HEIGHT, after.height)
    size = (max(1, round(after.width * height / after.height)), height)
    shown = []
    for each in (before, after):
        out = io.BytesIO()
        each.resize(size).save(out, "PNG")
        shown.append(out.getvalue())
    return synthetic.contact_sheet(shown, tool, columns=2)
