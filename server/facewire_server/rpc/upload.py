"""A gallery file as it arrives in pieces."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import IO

from facewire.v1 import gallery_pb2 as pb
from facewire_server.domain.errors import PreconditionFailed, StorageFailure


async def receive(
    requests: AsyncIterator[pb.ImportGalleryRequest], spool: IO[bytes], max_bytes: int
) -> tuple[pb.ImportTarget, str]:
    """The target, and the SHA-256 of it and the file."""
    target, received, digest = pb.ImportTarget(), 0, hashlib.sha256()
    async for request in requests:
        if request.WhichOneof("part") == "target":
            target.CopyFrom(request.target)
            digest.update(target.SerializeToString(deterministic=True))
            continue
        data = request.data
        received += len(data)
        digest.update(data)
        if received > max_bytes:
            raise PreconditionFailed(f"the file is larger than the {max_bytes} bytes allowed")
        try:
            spool.write(data)
        except OSError as error:
            raise StorageFailure(f"the file could not be taken in: {error.strerror}") from error
    return target, digest.hexdigest()
