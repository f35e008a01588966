"""Files that hold biometric data: readable by their owner only, whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def private_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write; it appears under its name once the block ends without an error.

    Raises:
        OSError: it cannot be written, or the name belongs to a device, a pipe or a folder.
    """
    target = Path(path).resolve()
    # /dev/stdout may lead to a regular file: the one that the output is being collected in.
    if Path(path).absolute().is_relative_to("/dev") or (target.exists() and not target.is_file()):
        raise OSError(f"{path} is no regular file")
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
