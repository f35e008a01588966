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
from facewire_server.domain.gallery_calibration import GalleryCalibration, GalleryFacts
from facewire_server.domain.review import NamedTemplates
from facewire_server.domain.revision import next_revision
from facewire_server.domain.templates import ComparedBy, mean_template
from facewire_server.gallery.negatives import Negatives

_MEANS_KEPT = 1024
_MORE = 4  # subjects looked at beyond those asked for: by their means they may be nearer
_LOOKS = 5  # a change takes microseconds; a search that met five in a row leaves out what is in doubt


class LiveGallery:
    """One gallery in memory. Searches may run while the store's thread changes it.

    A subject's key is the database's; ``revision`` rises with each change. The index and the names beside it are not
    changed in one instant; a search that finds a row for which they disagree met a change half done, and looks again.
    """

    def __init__(self, gallery_id: str, contract_id: str, dim: int) -> None:
        self.gallery_id = gallery_id
        self.contract_id = contract_id
        self.index = GalleryIndex(dim)
        self.revision = next_revision()
        self._negatives = Negatives(dim)
        self._names: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        self._keys: dict[str, int] = {}
        self.calibration: GalleryCalibration | None = None
        self._rows: dict[int, tuple[int, ...]] = {}
        self.subjects = 0  # with templates
        self._several = 0  # with more than one
        # Of subjects that were met lately, with the rows that each is of.
        self._means: dict[int, tuple[tuple[int, ...], FloatArray]] = {}
        self._owners: list[tuple[int, str] | None] = []  # by row: subject key and face id
        # Guards the dictionaries against readers that go through them; single look-ups need no lock.
        self._lock = threading.Lock()

    def calibrate(self, calibration: GalleryCalibration | None) -> None:
        """From now on these error rates; None: the embedder's."""
        self.calibration = calibration
        self.revision = next_revision()

    def put_subject(self, key: int, subject_id: str, display_name: str, labels: tuple[str, ...]) -> None:
        """Adds a subject or changes its names."""
        with self._lock:
            self._names[key] = (subject_id, display_name, labels)
            self._keys[subject_id] = key
            self._rows.setdefault(key, ())
        self.revision = next_revision()

    def add(self, subject_keys: Sequence[int], face_ids: Sequence[str], vectors: FloatArray) -> None:
        """Adds templates of known subjects, (n, dim)."""
        if not len(face_ids):
            return
        rows = self.index.add(vectors, np.array(subject_keys, dtype=np.int64)).tolist()
        with self._lock:
            self._owners.extend([None] * (max(rows) + 1 - len(self._owners)))
            for key, face_id, row in zip(subject_keys, face_ids, rows, strict=True):
                self.subjects += not self._rows[key]
                self._several += len(self._rows[key]) == 1
                self._rows[key] += (row,)
                self._owners[row] = (key, face_id)
                self._forget_mean(key)
        self.revision = next_revision()

    def add_negatives(self, subject_keys: Sequence[int], face_ids: Sequence[str], vectors: FloatArray) -> None:
        """Adds templates that say who known subjects are not, (n, dim)."""
        if not len(face_ids):
            return
        with self._lock:
            for key, face_id, vector in zip(subject_keys, face_ids, vectors, strict=True):
                self._negatives.add(key, face_id, vector)
        self.revision = next_revision()

    def _take(self, rows: Sequence[int]) -> None:
        """Overwrites rows of the index; with the lock held, so that no reader finds them gone."""
        if rows:
            self.index.remove(np.array(rows, dtype=np.int64))
            for row in rows:
                self._owners[row] = None

    def _forget_mean(self, key: int) -> None:
        """A mean is a template, too: it is overwritten."""
        kept = self._means.pop(key, None)
        if kept is not None:
            kept[1].fill(0)

    def remove_face(self, subject_key: int, face_id: str) -> None:
        """Removes one template; its row is overwritten."""
        with self._lock:
            negative = self._negatives.remove(subject_key, face_id)
        if negative:
            self.revision = next_revision()
            return
        row = next((row for row in self._rows[subject_key] if self._owners[row] == (subject_key, face_id)), None)
        if row is None:
            raise KeyError(face_id)
        with self._lock:
            self._take([row])
            self.subjects -= len(self._rows[subject_key]) == 1
            self._several -= len(self._rows[subject_key]) == 2
            self._rows[subject_key] = tuple(other for other in self._rows[subject_key] if other != row)
            self._forget_mean(subject_key)
        self.revision = next_revision()

    def remove_subject(self, key: int) -> None:
        """Removes a subject with its templates."""
        with self._lock:
            self._take(self._rows[key])
            self.subjects -= bool(self._rows[key])
            self._several -= len(self._rows[key]) > 1
            subject_id, _, _ = self._names.pop(key)
            del self._keys[subject_id], self._rows[key]
            self._forget_mean(key)
            self._negatives.remove_subject(key)
        self.revision = next_revision()

    def clear(self) -> None:
        """Removes everything."""
        with self._lock:
            self._take([row for rows in self._rows.values() for row in rows])
            self.subjects = self._several = 0
            for key in list(self._means):
                self._forget_mean(key)
            self._negatives.clear()
            self._names.clear()
            self._keys.clear()
            self._rows.clear()
            self._owners.clear()
        self.revision = next_revision()

    def search(self, vectors: FloatArray, k: int) -> list[list[Candidate]]:
        """For each row of (n, dim) the k closest subjects."""
        if not len(vectors):
            return []
        queries = np.ascontiguousarray(vectors)
        for _ in range(_LOOKS):
            keys, similarities, rows = (part.tolist() for part in self.index.search(queries, k + _MORE))
            found = [self._candidates(*part) for part in zip(queries, keys, similarities, rows, strict=True)]
            if all(complete for _, complete in found):
                break
        return [candidates[:k] for candidates, _ in found]

    @property
    def comparisons(self) -> int:
        """What a search amounts to: templates, and means of subjects with several."""
        return len(self.index) + self._several

    def _candidates(
        self, query: FloatArray, keys: list[int], similarities: list[float], rows: list[int]
    ) -> tuple[list[Candidate], bool]:
        """Candidates by name and falling similarity, and whether every row had a name.

        A subject with several templates counts by the nearer of its best template and their mean (ADR 14); one that a
        nearer negative template speaks against is left out.
        """
        candidates, complete = [], True
        for key, similarity, row in zip(keys, similarities, rows, strict=True):
            if row < 0:
                break  # no more subjects
            name, owner = self._names.get(key), self._owner(row)
            if name is None or owner is None or owner[0] != key:
                complete = False
                continue
            try:
                mean = self._mean(key)
            except KeyError:  # a template was removed this moment
                complete = False
                continue
            nearest = similarity if mean is None else max(similarity, float(query @ mean))
            if self._negatives.refute(key, query, nearest):
                continue
            candidates.append(Candidate(*name, similarity=nearest, face_id=owner[1]))
        candidates.sort(key=lambda candidate: -candidate.similarity)
        return candidates, complete

    def _mean(self, key: int) -> FloatArray | None:
        """Of a subject's templates, of unit length as they are; None where there is but one."""
        rows = self._rows.get(key, ())
        if len(rows) < 2:
            return None
        kept = self._means.get(key)
        if kept is not None and kept[0] is rows:
            return kept[1]
        mean = mean_template([self.index.read(row) for row in rows])
        with self._lock:
            if self._rows.get(key) is not rows:  # changed meanwhile: nothing of an erased template may stay
                raise KeyError(key)
            while len(self._means) >= _MEANS_KEPT:
                del self._means[next(iter(self._means))]  # the oldest
            self._means[key] = rows, mean
        return mean

    def _owner(self, row: int) -> tuple[int, str] | None:
        try:
            return self._owners[row]
        except IndexError:  # added to the index this moment
            return None

    def knows(self, subject_id: str) -> bool:
        """Whether there is such a subject."""
        return subject_id in self._keys

    def named_templates(self) -> NamedTemplates:
        """All templates with the ids of their subjects and faces."""
        with self._lock:
            owned = [(row, owner) for row, owner in enumerate(self._owners) if owner is not None]
            vectors = np.empty((len(owned), self.index.dim), dtype=np.float32)
            for place, (row, _) in enumerate(owned):
                vectors[place] = self.index.read(row)
            subjects = [self._names[key][0] for _, (key, _) in owned]
        return NamedTemplates(vectors, subjects, [face_id for _, (_, face_id) in owned])

    def all_templates(self) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """All templates without means, (n, dim), and the subjects' keys, (n,)."""
        with self._lock:
            rows = [(key, row) for key, rows in self._rows.items() for row in rows]
            vectors = np.empty((len(rows), self.index.dim), dtype=np.float32)
            for place, (_, row) in enumerate(rows):
                vectors[place] = self.index.read(row)
        return vectors, np.array([key for key, _ in rows], dtype=np.int64)

    def templates_of(self, subject_id: str) -> ComparedBy:
        """A subject's templates and their mean, and its negative ones."""
        with self._lock:
            key = self._keys.get(subject_id)
            if key is None:
                raise NotFound("subject", subject_id)
            vectors = [self.index.read(row) for row in self._rows[key]]
            negatives = self._negatives.of(key)
        if len(vectors) > 1:
            vectors.append(mean_template(vectors))
        templates = np.stack(vectors) if vectors else np.empty((0, self.index.dim), dtype=np.float32)
        return ComparedBy(templates, negatives)


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

    def of_other_contracts(self, contract_id: str) -> list[str]:
        """Galleries that embeddings of this contract cannot be compared with."""
        return [gallery.gallery_id for gallery in self._galleries.values() if gallery.contract_id != contract_id]

    # --- the domain's TemplateSearch ------------------------------------------------------------------------

    def search(
        self, gallery_id: str, embeddings: npt.NDArray[np.float32], contract_id: str, k: int
    ) -> list[list[Candidate]]:
        """For each row of (n, dim) the k closest subjects."""
        return self._pinned(gallery_id, contract_id, "the probe").search(embeddings, k)

    def templates_of(self, gallery_id: str, subject_id: str, contract_id: str) -> ComparedBy:
        """What a subject is compared by."""
        return self._pinned(gallery_id, contract_id, "the other side").templates_of(subject_id)

    def all_of(self, gallery_id: str, contract_id: str) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """All templates, (n, dim), and a number for the subject of each, (n,)."""
        return self._pinned(gallery_id, contract_id, "this server").all_templates()

    def named_of(self, gallery_id: str, contract_id: str) -> NamedTemplates:
        """All templates with the ids of their subjects and faces."""
        return self._pinned(gallery_id, contract_id, "this server").named_templates()

    def facts(self, gallery_id: str) -> GalleryFacts:
        """What a search amounts to."""
        gallery = self.gallery(gallery_id)
        return GalleryFacts(gallery.comparisons, gallery.subjects, gallery.calibration)

    def revision(self, gallery_id: str) -> int:
        """Changes whenever a template or a subject's name or labels do."""
        return self.gallery(gallery_id).revision

    def knows(self, gallery_id: str, subject_id: str) -> bool:
        """Whether the subject is enrolled there."""
        gallery = self._galleries.get(gallery_id)
        return gallery is not None and gallery.knows(subject_id)

    def _pinned(self, gallery_id: str, contract_id: str, offered: str) -> LiveGallery:
        gallery = self.gallery(gallery_id)
        if gallery.contract_id != contract_id:
            raise ContractMismatch(gallery.contract_id, contract_id, offered)
        return gallery
