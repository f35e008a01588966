"""A photograph whose head turns: the face's mesh is turned in space, and the picture drawn along with it.

What cannot be seen in the photograph stays unknown, so this holds for half a right angle at most. For measuring head
poses at known angles, and for log-ins without a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.mesh import Mesh
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels
from facewire_server.pipeline.recognizer import largest_face
from tests.pictures import Pixels

Points = npt.NDArray[np.float64]
_RINGS = ((1.15, 0.9, 0.18), (1.4, 0.5, 0.35))  # around the face: scale, share of the turn, depth in face widths
_RING_POINTS = 24
_MARGIN = 20
_FAR = 1e3


@dataclass(frozen=True)
class Head:
    """A photograph and the mesh of its largest face."""

    photo: Pixels
    mesh: Mesh

    def turned(self, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Pixels:
        """The photograph with the head turned towards image right and raised by so much more, BGR."""
        if not yaw_deg and not pitch_deg:
            return self.photo
        source, target = self._points(yaw_deg, pitch_deg)
        picture = np.array(cv2.GaussianBlur(self.photo, (0, 0), 9), dtype=np.uint8)
        triangles = _triangles(source, self.photo.shape)
        for triangle in triangles[np.argsort(-target[triangles][:, :, 2].mean(axis=1))]:
            _draw(self.photo, source[triangle, :2], target[triangle, :2], picture)
        return picture

    def _points(self, yaw_deg: float, pitch_deg: float) -> tuple[Points, Points]:
        face = self.mesh.points.astype(np.float64)
        half = np.abs(face[:, 0] - face[:, 0].mean()).max()
        back = face[:, 2].max()
        hull = cv2.convexHull(np.ascontiguousarray(self.mesh.points[:, :2]))[:, 0].astype(np.float64)
        around = hull[np.linspace(0, len(hull) - 1, _RING_POINTS).astype(int)]
        parts, shares = [face], [np.ones(len(face))]
        for scale, share, depth in _RINGS:
            ring = hull.mean(axis=0) + (around - hull.mean(axis=0)) * scale
            parts.append(np.column_stack([ring, np.full(len(ring), back + depth * half)]))
            shares.append(np.full(len(ring), share))
        moving, weight = np.vstack(parts), np.concatenate(shares)[:, None]
        pivot = np.array([face[:, 0].mean(), face[:, 1].mean(), back + 0.3 * half])
        moved = moving + weight * ((moving - pivot) @ _rotation(yaw_deg, pitch_deg).T + pivot - moving)
        border = _border(self.photo.shape)
        return np.vstack([moving, border]), np.vstack([moved, border])


def head_of(photo: Pixels, models: LoadedModels) -> Head:
    """The head in a photograph; ``models`` must have a mesh."""
    frame = Frame(np.ascontiguousarray(photo), "bgr")
    face: Faces = largest_face(models.detector.detect(frame, None, 10))
    assert len(face), "no face in the photograph"
    assert models.mesh is not None
    return Head(photo, models.mesh.fit(frame, face, StageClock())[0])


def _rotation(yaw_deg: float, pitch_deg: float) -> Points:
    y, p = np.deg2rad([yaw_deg, pitch_deg])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    return np.asarray(about_y @ about_x)


def _border(shape: tuple[int, ...]) -> Points:
    height, width = shape[:2]
    columns = np.linspace(-_MARGIN, width - 1 + _MARGIN, 6)
    rows = np.linspace(-_MARGIN, height - 1 + _MARGIN, 6)
    sides = [(x, y) for x in columns for y in (rows[0], rows[-1])]
    sides += [(x, y) for y in rows[1:-1] for x in (columns[0], columns[-1])]
    return np.array([(x, y, _FAR) for x, y in sides])


def _triangles(points: Points, shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    height, width = shape[:2]
    division = cv2.Subdiv2D((-100, -100, width + 200, height + 200))
    places: dict[tuple[float, float], int] = {}
    for index, (x, y) in enumerate(points[:, :2].astype(np.float32).tolist()):
        if (x, y) not in places:
            places[x, y] = index
            division.insert((x, y))
    corners = [
        [places.get((t[k], t[k + 1])) for k in (0, 2, 4)] for t in np.asarray(division.getTriangleList()).tolist()
    ]
    return np.array([c for c in corners if None not in c], dtype=np.intp)


def _draw(photo: Pixels, source: Points, target: Points, picture: npt.NDArray[np.uint8]) -> None:
    height, width = photo.shape[:2]
    left, top = np.maximum(np.floor(target.min(axis=0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(target.max(axis=0)).astype(int) + 2, [width, height])
    one, other = target[1] - target[0], target[2] - target[0]
    if right <= left or bottom <= top or abs(one[0] * other[1] - one[1] * other[0]) < 0.5:
        return
    here = (target - [left, top]).astype(np.float32)
    matrix = cv2.getAffineTransform(source.astype(np.float32), here)
    size = (int(right - left), int(bottom - top))
    patch = cv2.warpAffine(photo, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, np.round(here * 16).astype(np.int32), 255, shift=4)
    region = picture[top:bottom, left:right]
    region[mask > 0] = patch[mask > 0]
