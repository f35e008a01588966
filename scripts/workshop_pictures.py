r"""The pictures of docs/workshop.md, by a running server with the models of models/.

    facewire serve --set models.manifest=models --set generation.encoder=lfw-vae \
        --set generation.restorer=lfw-restorer &
    python scripts/workshop_pictures.py docs/pictures [HOST:PORT]

Of three of the sample photographs, which are in the public domain (CREDITS.md beside them names persons and authors).
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import facewire
from facewire import synthetic
from facewire_server.config import load_config
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples

_PHOTOS = ("impostor_1.jpg", "person_a_2.jpg", "person_b_2.jpg")
_TILE = 160


def main(out: Path, target: str) -> None:
    """Writes restored-faces.png and vae-faces.png."""
    samples = fetch_samples(ModelCache(load_config(None).models.cache_dir).folder, None, lambda done, total: None)
    photos = [samples / name for name in _PHOTOS]
    with facewire.Client(target) as client:
        restored = [client.restore(_far(client, photo)).faces[0] for photo in photos]
        clean = [client.restore(photo).faces[0].before for photo in photos]
        rows = [[face.before for face in restored], [face.image.encoded for face in restored], clean]
        (out / "restored-faces.png").write_bytes(_sheet(rows))
        again = [client.reconstruct(photo).faces[0] for photo in photos]
        way = client.interpolate(photos[0], photos[1], count=3)
        hidden = [_head(client.anonymise(photo, k=10)) for photo in photos]
        rows = [clean, [face.image.encoded for face in again], [image.encoded for image in way.images], hidden]
        (out / "vae-faces.png").write_bytes(_sheet(rows))


def _far(client: facewire.Client, photo: Path) -> bytes:
    """With a face of some 28 pixels, noise, and JPEG 40."""
    picture = Image.open(photo).convert("RGB")
    box = client.detect(photo).faces[0].box
    scale = 30 / box.height
    small = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    noise = np.random.default_rng(0).normal(0, 5, (small.height, small.width, 3))
    out = io.BytesIO()
    Image.fromarray((np.asarray(small) + noise).round().clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=40)
    return out.getvalue()


def _head(answer: facewire.AnonymisedImage) -> bytes:
    """What is around the first face."""
    box = answer.faces[0].box
    side = 1.7 * max(box.width, box.height)
    x, y = box.x + (box.width - side) / 2, box.y + (box.height - side) / 2
    window = (round(x), round(y), round(x + side), round(y + side))
    out = io.BytesIO()
    Image.open(io.BytesIO(answer.image.encoded)).crop(window).save(out, "PNG")
    return out.getvalue()


def _sheet(rows: list[list[bytes]]) -> bytes:
    tiles = []
    for data in (each for row in rows for each in row):
        picture = Image.open(io.BytesIO(data)).convert("RGB").resize((_TILE, _TILE), Image.Resampling.BICUBIC)
        tiles.append(synthetic.marked_png(np.asarray(picture), "facewire", source=synthetic.CHANGED_BY_MODEL))
    return synthetic.contact_sheet(tiles, "facewire", columns=len(rows[0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:50061")
