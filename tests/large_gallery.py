"""A database file with many templates, written in one transaction: enrolling them one by one would take hours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from facewire_server.domain.face import Quality
from facewire_server.domain.gallery import Gallery, WriteIntent
from facewire_server.gallery.opened import open_gallery
from facewire_server.gallery.rows import quality_text

GALLERY = "g"
A_SUBJECT = 2  # templates


def unit_vectors(count: int, dim: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Random directions, (count, dim)."""
    vectors = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def write_large_gallery(path: Path, vectors: npt.NDArray[np.float32], contract_id: str) -> None:
    """Gallery "g" with subjects "s-0", "s-1", ... of two templates each."""
    opened = open_gallery(path, 10)
    opened.galleries.create(
        Gallery(GALLERY, GALLERY, contract_id, 0, 0, 0), vectors.shape[1], WriteIntent("test"), lambda g: b""
    )
    database = opened.database
    quality = quality_text(Quality(10, 100, 40, 0, 0, 0, 100, 0, 12))
    with database.write():
        for i in range(-(-len(vectors) // A_SUBJECT)):
            database.query(
                "INSERT INTO subject (gallery_key, subject_id, display_name, labels, attributes, created_ms,"
                " updated_ms) VALUES (1, ?, ?, '[]', '{}', 0, 0)",
                f"s-{i}", f"Subject {i}",
            )  # fmt: skip
        for i, vector in enumerate(vectors):
            database.query(
                "INSERT INTO face (gallery_key, subject_key, face_id, contract_id, quality, source_digest,"
                " source_name, created_ms) VALUES (1, ?, ?, ?, ?, ?, '', 0)",
                i // A_SUBJECT + 1, f"{i:032x}", contract_id, quality, f"{i:064x}",
            )  # fmt: skip
            database.query("INSERT INTO template VALUES (?, ?)", i + 1, vector.tobytes())
    database.close()
