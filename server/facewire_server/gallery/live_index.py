"""What is searched: for each gallery a native index and the names that belong to its rows.

Built from the database at start and changed by the store's thread right after each commit; read by any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facewire.kernels import GalleryIndex
from facewire_server.domain.decision import Candidate
from facewire_server.domain.errors import ContractMismatch, NotFound
from facewire_server.domain.face import FloatArray


class LiveGallery:
    """One gallery in memory. Searches may run while the store's thread changes it.

    A subject's key is the database's; ``names`` is replaced before rows come and after they went, so a search
    that finds a row without a name met a deletion and leaves it out.
    """

    def __init__(self, gallery_id: str, contract_id: str, dim: int) -> None:
        self.gallery_id = gallery_id
        self.contract_id = contract_id
        self.index = GalleryIndex(dim)
        self._names: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        self._keys: dict[str, int] = {}
        self._rows: dict[int, dict[str, int]] = {}
        self._face_ids: dict[int, str] = {}
        # Guards the dictionaries against readers that go through them; single look-ups need no lock.
        self._lock = threading.Lock()

    def put_subject(self, key: int, subject_id: str, display_name: str, labels: tuple[str, ...]) -> None:
        """Adds a subject or changes its names."""
        with self._lock:
            self._names[key] = (subject_id, display_name, labels)
            self._keys[subject_id] = key
            self._rows.setdefault(key, {})

    def add(self, subject_keys: Sequence[int], face_ids: Sequence[str], vectors: FloatArray) -> None:
        """Adds templates of known subjects, (n, dim)."""
        if not len(face_ids):
            return
        rows = self.index.add(vectors, np.array(subject_keys, dtype=np.int64)).tolist()
        with self._lock:
            for key, face_id, row in zip(subject_keys, face_ids, rows, strict=True):
                self._rows[key][face_id] = row
                self._face_ids[row] = face_id

    def remove_face(self, subject_key: int, face_id: str) -> None:
        """Removes one template; its row is overwritten."""
        with self._lock:
            row = self._rows[subject_key].pop(face_id)
            del self._face_ids[row]
        self.index.remove(np.array([row], dtype=np.int64))

    def remove_subject(self, key: int) -> None:
        """Removes a subject with its templates."""
        with self._lock:
            subject_id, _, _ = self._names.pop(key)
            del self._keys[subject_id]
            rows = self._rows.pop(key)
            for row in rows.values():
                del self._face_ids[row]
        self.index.remove(np.array(list(rows.values()), dtype=np.int64))

    def clear(self) -> None:
        """Removes everything."""
        with self._lock:
            rows = list(self._face_ids)
            self._names.clear()
            self._keys.clear()
            self._rows.clear()
            self._face_ids.clear()
        self.index.remove(np.array(rows, dtype=np.int64))

    def search(self, vectors: FloatArray, k: int) -> list[list[Candidate]]:
        """For each row of (n, dim) the k closest subjects."""
        if not len(vectors):
            return []
        keys, similarities, rows = self.index.search(np.ascontiguousarray(vectors), k)
        return [
            self._candidates(key_row, similarity_row, row_row)
            for key_row, similarity_row, row_row in zip(
                keys.tolist(), similarities.tolist(), rows.tolist(), strict=True
            )
        ]

    def _candidates(self, keys: list[int], similarities: list[float], rows: list[int]) -> list[Candidate]:
        found = []
        for key, similarity, row in zip(keys, similarities, rows, strict=True):
            name, face_id = self._names.get(key), self._face_ids.get(row)
            if name is not None and face_id is not None:
                found.append(Candidate(*name, similarity=similarity, face_id=face_id))
        return found

    def templates_of(self, subject_id: str) -> FloatArray:
        """A subject's templates, (n, dim)."""
        with self._lock:
            key = self._keys.get(subject_id)
            if key is None:
                raise NotFound("subject", subject_id)
            rows = list(self._rows[key].values())
            vectors = [self.index.read(row) for row in rows]
        return np.stack(vectors) if vectors else np.empty((0, self.index.dim), dtype=np.float32)


class LiveIndex:
    """All galleries in memory."""

    def __init__(self) -> None:
        self._galleries: dict[str, LiveGallery] = {}

    def put(self, gallery: LiveGallery) -> None:
        """Adds a gallery."""
        self._galleries[gallery.gallery_id] = gallery

    def drop(self, gallery_id: str) -> None:
        """Removes a gallery; its rows are overwritten before the memory is given back."""
        self._galleries.pop(gallery_id).clear()

    def gallery(self, gallery_id: str) -> LiveGallery:
        """The gallery of this id.

        Raises:
            NotFound: there is none.
        """
        try:
            return self._galleries[gallery_id]
        except KeyError:
            raise NotFound("gallery", gallery_id) from None

    # --- the domain's TemplateSearch ------------------------------------------------------------------------

    def search(
        self, gallery_id: str, embeddings: npt.NDArray[np.float32], contract_id: str, k: int
    ) -> list[list[Candidate]]:
        """For each row of (n, dim) the k closest subjects."""
        return self._pinned(gallery_id, contract_id, "the probe").search(embeddings, k)

    def templates_of(self, gallery_id: str, subject_id: str, contract_id: str) -> FloatArray:
        """A subject's templates, (n, dim)."""
        return self._pinned(gallery_id, contract_id, "the other side").templates_of(subject_id)

    def template_count(self, gallery_id: str) -> int:
        """Templates in the gallery."""
        return len(self.gallery(gallery_id).index)

    def _pinned(self, gallery_id: str, contract_id: str, offered: str) -> LiveGallery:
        gallery = self.gallery(gallery_id)
        if gallery.contract_id != contract_id:
            raise ContractMismatch(gallery.contract_id, contract_id, offered)
        return gallery
