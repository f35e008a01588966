"""The client's side of faces made and changed by models."""

from __future__ import annotations

from facewire import _generative_requests as requests
from facewire import generation as made
from facewire._connection import Connection
from facewire._generative_requests import LatentLike
from facewire.images import ImageLike


class GenerativeClient(Connection):
    """Calls on models that make faces, as :class:`facewire.Client` has them.

    Each raises PreconditionError unless the server has the model. Files say that a model made them in any case;
    ``visible_mark`` also writes "AI" into the pixels.
    """

    def generate(
        self, count: int = 1, *, seed: int | None = None, spread: float = 1.0, visible_mark: bool = False
    ) -> made.GeneratedFaces:
        """Faces of nobody, made of random numbers.

        Args:
            count: how many.
            seed: the same one makes the same faces; None: a random one.
            spread: of the random numbers, above 0 to 2; less than 1: more alike, fewer failures.
            visible_mark: also in the pixels.
        """
        return self._call(requests.generate(count, seed, spread, visible_mark))

    def restore(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        visible_mark: bool = False,
    ) -> made.RestoredFaces:
        """Small, noisy, dark faces made readable for people. Details are invented: nobody is recognised by them.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`facewire.Client.detect`.
            visible_mark: also in the pixels.
        """
        return self._call(requests.restore(image, min_score, min_face_px, max_faces, visible_mark))

    def reconstruct(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
        visible_mark: bool = False,
    ) -> made.ReconstructedFaces:
        """What the server's encoder and its generator make of faces, and how face-like these are.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`facewire.Client.detect`.
            visible_mark: also in the pixels.
        """
        return self._call(requests.reconstruct(image, min_score, min_face_px, max_faces, visible_mark))

    def encode(
        self,
        image: ImageLike,
        *,
        min_score: float | None = None,
        min_face_px: float | None = None,
        max_faces: int = 0,
    ) -> made.EncodedFaces:
        """Faces as few numbers each. They are biometric data of these people.

        Args:
            image, min_score, min_face_px, max_faces: as :meth:`facewire.Client.detect`.
        """
        return self._call(requests.encode(image, min_score, min_face_px, max_faces))

    def interpolate(
        self, first: LatentLike, last: LatentLike, *, count: int = 0, visible_mark: bool = False
    ) -> made.InterpolatedFaces:
        """Faces on the way from one to another, both ends among them.

        Args:
            first, last: latents, or pictures, whose largest faces are taken.
            count: how many; 0: eight.
            visible_mark: also in the pixels.
        """
        return self._call(requests.interpolate(first, last, count, visible_mark))

    def anonymise(
        self,
        image: ImageLike,
        *,
        k: int = 0,
        min_score: float | None = None,
        min_face_px: float | None = None,
        visible_mark: bool = False,
    ) -> made.AnonymisedImage:
        """A whole picture, each face in it replaced by a mean of k faces of nobody.

        Faces that are not found stay: look at the picture before it leaves the house.

        Args:
            image: the picture.
            k: what tells people apart becomes the mean of k: of 100 people about k share it; 0: ten.
            min_score: detector score from which something is a face; lower finds more.
            min_face_px: smaller faces stay; None: none does.
            visible_mark: also in the pixels.
        """
        return self._call(requests.anonymise(image, k, min_score, min_face_px, visible_mark))
