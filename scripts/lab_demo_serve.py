"""The last act of ``make lab-demo``: one server with all five models trained there, each used once; a contact sheet."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import facewire
from facewire import synthetic
from facewire_server.config import load_config
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples

_TILE, _LABEL = 112, 16


def main(out: Path) -> None:
    """Serves ``out``/models and writes ``out``/contact-sheet.png."""
    samples = fetch_samples(ModelCache(load_config(None).models.cache_dir).folder, None, lambda done, total: None)
    photos = sorted(samples.glob("person_*.jpg"))[:4]
    rows: list[tuple[str, list[bytes]]] = []
    making = {"generation.model": "demo-gan", "generation.encoder": "demo-vae", "generation.restorer": "demo-restorer"}
    with Server(out, {**making, "models.embedder": "demo-adapter"}) as target, facewire.Client(target) as client:
        rows.append(("GAN: faces of nobody", [image.encoded for image in client.generate(8, seed=1).images]))
        restored = [face for photo in photos for face in client.restore(_far(photo)).faces[:1]]
        rows.append(("restorer: far", [face.before for face in restored]))
        rows.append(("restorer: restored", [face.image.encoded for face in restored]))
        again = [face for photo in photos for face in client.reconstruct(photo).faces[:1]]
        rows.append(("VAE: reconstructed", [face.image.encoded for face in again]))
        way = client.interpolate(photos[0], photos[-1], count=8)
        rows.append(("VAE: from one to another", [image.encoded for image in way.images]))
        hidden = [client.anonymise(photo, k=5).image.encoded for photo in photos]
        rows.append(("VAE: anonymised, k = 5", hidden))
        _told("adapter", client, photos)
    with Server(out, {"models.embedder": "demo-cnn"}) as target, facewire.Client(target) as client:
        _told("CNN", client, photos)
    (out / "contact-sheet.png").write_bytes(_sheet(rows))


class Server:
    """A server of its own, stopped at the end."""

    def __init__(self, out: Path, settings: dict[str, str]) -> None:
        given = {"models.manifest": str(out / "models"), "gallery.path": str(out / "gallery.db"), **settings}
        self._settings = [text for key, value in given.items() for text in ("--set", f"{key}={value}")]
        self._log = out / "serve.log"

    def __enter__(self) -> str:
        fetch = [str(Path(sys.executable).with_name("facewire")), "models", "fetch", *self._settings]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - facewire itself
        command = [sys.executable, "-m", "facewire_server", "--port", "0", *self._settings]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self._process.stdout.readline().decode().strip()
        if not line.startswith("serving at "):
            raise SystemExit(f"the server did not start, see {self._log}")
        return line.removeprefix("serving at ")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdout.close()


def _far(photo: Path) -> bytes:
    """A photograph of few pixels, badly compressed."""
    picture = Image.open(photo).convert("RGB")
    picture.thumbnail((160, 160))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=40)
    return out.getvalue()


def _told(what: str, client: facewire.Client, photos: list[Path]) -> None:
    same = client.verify(photos[0], photos[1])
    print(f"{what}: {photos[0].stem} and {photos[1].stem}: {same.decision.value}, similarity {same.similarity}")


def _sheet(rows: list[tuple[str, list[bytes]]]) -> bytes:
    columns = max(len(files) for _, files in rows)
    sheet = Image.new("RGB", (columns * _TILE, len(rows) * (_TILE + _LABEL)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, files) in enumerate(rows):
        top = number * (_TILE + _LABEL)
        draw.text((4, top + 2), label, fill="black")
        for column, data in enumerate(files):
            tile = Image.open(io.BytesIO(data)).convert("RGB")
            tile.thumbnail((_TILE - 4, _TILE - 4))
            scale = (_TILE - 4) / max(tile.size)
            tile = tile.resize((max(1, round(tile.width * scale)), max(1, round(tile.height * scale))))
            sheet.paste(tile, (column * _TILE + 2, top + _LABEL))
    return synthetic.marked_png(np.asarray(sheet), "facewire lab demo", source=synthetic.CHANGED_BY_MODEL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
