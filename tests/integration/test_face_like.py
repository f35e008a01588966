"""What hardly looks like a face is not enrolled, where an encoder is configured."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

import facewire
from facewire import EnrolRefusal
from tests.conftest import StartServer


def drawn_face() -> bytes:
    """A drawing that the detector takes for a face."""
    picture = Image.new("RGB", (480, 480), (120, 140, 160))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((120, 80, 360, 400), fill=(230, 190, 160))
    for x in (185, 295):
        draw.ellipse((x - 24, 188, x + 24, 212), fill="white")
        draw.ellipse((x - 11, 189, x + 11, 211), fill=(40, 30, 20))
    draw.line([(240, 210), (228, 275), (252, 275)], fill=(170, 120, 100), width=6)
    draw.chord((190, 300, 290, 350), 0, 180, fill=(170, 60, 60))
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(4)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("least", [0.0, 0.02])
def test_a_drawn_face_is_enrolled_only_where_likeness_is_not_asked_for(
    start_server: StartServer, small_models: tuple[str, ...], samples: Path, least: float
) -> None:
    server = start_server(*small_models, "--set", f"enrolment.min_likeness={least}")
    with facewire.Client(server.target) as client:
        client.create_gallery("door")
        (shown,) = client.reconstruct(drawn_face()).faces
        drawn, real = client.enrol("door", "ada", [drawn_face(), samples / "person_a_1.jpg"]).outcomes
    assert real.enrolled is not None
    assert shown.face_likeness < 0.02
    if least == 0:
        assert drawn.enrolled is not None
    else:
        assert drawn.refusal is EnrolRefusal.NOT_FACE_LIKE
        assert f"only {shown.face_likeness:.2%} of real faces" in drawn.detail
        assert "limit 2.00%" in drawn.detail


def test_without_an_encoder_likeness_is_not_asked_for(start_server: StartServer) -> None:
    server = start_server("--set", "enrolment.min_likeness=0.5")
    with facewire.Client(server.target) as client:
        client.create_gallery("door")
        (drawn,) = client.enrol("door", "ada", [drawn_face()]).outcomes
    assert drawn.enrolled is not None
