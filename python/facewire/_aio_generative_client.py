"""The asyncio client's side of faces made and changed by models."""

from __future__ import annotations

from facewire import _generative_requests as requests
from facewire import generation as made
from facewire._aio_connection import Connection
from facewire._generative_requests import LatentLike
from facewire.images import ImageLike


class GenerativeClient(Connection):
    """Calls on models that make faces, as :class:`facewire.aio.Client` has them."""

    async def generate(
        self, count: int = 1, *, seed: int | None = None, spread: float = 1.0, visible_mark: bool = False
    ) -> made.GeneratedFaces:
        """Faces of nobody, made of random numbers. See :meth:`facewire.Client`."""
        return await self._call(requests.generate(count, seed, spread, visible_mark))

    async def restore(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        visible_mark: bool = False,
    ) -> made.RestoredFaces:
        """Small, noisy, dark faces made readable for people. Details are invented. See :meth:`facewire.Client`."""
        return await self._call(requests.restore(image, min_score, min_face_px, max_faces, visible_mark))

    async def reconstruct(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        visible_mark: bool = False,
    ) -> made.ReconstructedFaces:
        """What encoder and generator make of faces, and how face-like these are. See :meth:`facewire.Client`."""
        return await self._call(requests.reconstruct(image, min_score, min_face_px, max_faces, visible_mark))

    async def encode(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
    ) -> made.EncodedFaces:
        """Faces as few numbers each. They are biometric data of these people. See :meth:`facewire.Client`."""
        return await self._call(requests.encode(image, min_score, min_face_px, max_faces))

    async def interpolate(
        self, first: LatentLike, last: LatentLike, *, count: int = 0, visible_mark: bool = False
    ) -> made.InterpolatedFaces:
        """Faces on the way from one to another, both ends among them. See :meth:`facewire.Client`."""
        return await self._call(requests.interpolate(first, last, count, visible_mark))

    async def anonymise(
        self,
        image: ImageLike,
        *,
        k: int = 0,
        min_score: float | None = None,
        min_face_px: float | None = None,
        visible_mark: bool = False,
    ) -> made.AnonymisedImage:
        """A whole picture, each face in it replaced by a mean of k faces of nobody. See :meth:`facewire.Client`."""
        return await self._call(requests.anonymise(image, k, min_score, min_face_px, visible_mark))
