"""Pictures with boxes, landmarks and names drawn in. Needs Pillow (``pip install 'facewire[video]'``)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from facewire.results import Box, Decision, Face
from facewire.stream_results import Track, TrackState

_COLOURS = {
    Decision.MATCH: (46, 204, 113),
    Decision.UNKNOWN: (241, 196, 15),
    Decision.AMBIGUOUS: (187, 107, 217),
    Decision.NON_MATCH: (231, 76, 60),
    None: (52, 152, 219),
}
_TRACK_COLOURS = {
    TrackState.TENTATIVE: (127, 140, 141),
    TrackState.IDENTIFYING: (52, 152, 219),
    TrackState.KNOWN: _COLOURS[Decision.MATCH],
    TrackState.UNKNOWN: _COLOURS[Decision.UNKNOWN],
    TrackState.AMBIGUOUS: _COLOURS[Decision.AMBIGUOUS],
}


def annotate(data: bytes, faces: Sequence[tuple[Face, str, Decision | None]]) -> Image.Image:
    """Draws faces into a picture.

    Args:
        data: the bytes of the picture's file.
        faces: each with its text and, for the colour, the decision.

    Returns:
        The upright RGB picture.
    """
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for face, text, decision in faces:
        _draw_face(draw, face, text, _COLOURS[decision], picture.width)
    return picture


def draw_tracks(picture: Image.Image, tracks: Sequence[Track]) -> None:
    """Draws a stream's tracks into a frame: thin boxes where they were not found in it."""
    draw = ImageDraw.Draw(picture)
    for track in tracks:
        if track.state is TrackState.TENTATIVE:
            continue
        text = track.name
        if track.subject is not None:
            text = f"{text} {track.subject.similarity:.2f}"
        colour = _TRACK_COLOURS[track.state]
        box = track.box
        line = 1 if track.predicted else max(2, round(min(box.width, box.height) / 40))
        draw.rectangle((box.x, box.y, box.x + box.width, box.y + box.height), outline=colour, width=line)
        _draw_text(draw, box, f"{track.track_id} {text}", colour, picture.width)


def _draw_face(
    draw: ImageDraw.ImageDraw, face: Face, text: str, colour: tuple[int, int, int], picture_width: int
) -> None:
    box = face.box
    line = max(1, round(min(box.width, box.height) / 60))
    draw.rectangle((box.x, box.y, box.x + box.width, box.y + box.height), outline=colour, width=line)
    for point in face.landmarks:
        radius = line * 1.5
        draw.ellipse((point.x - radius, point.y - radius, point.x + radius, point.y + radius), fill=colour)
    if text:
        _draw_text(draw, box, text, colour, picture_width)


def _draw_text(
    draw: ImageDraw.ImageDraw, box: Box, text: str, colour: tuple[int, int, int], picture_width: int
) -> None:
    """Above the box, or below where there is no room."""
    font = ImageFont.load_default(size=max(10.0, min(box.height / 9, picture_width / 18)))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 8, bottom - top + 8
    x = max(0.0, min(box.x, picture_width - width))
    y = box.y - height if box.y >= height else box.y + box.height
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + 4 - left, y + 4 - top), text, font=font, fill=(0, 0, 0))
