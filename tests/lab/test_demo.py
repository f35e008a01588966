"""``make lab-demo`` from the first picture to the contact sheet, with a sixtieth of its steps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from facewire import synthetic
from facewire_server.inference.model_cache import ModelCache
from tests.integration.test_cli import FACEWIRE

pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

SCRIPT = Path(__file__).parents[2] / "scripts" / "lab_demo.sh"


def test_the_demonstration_shows_all_five_families(tmp_path: Path, model_cache: ModelCache) -> None:
    out = tmp_path / "out"
    environment = os.environ | {
        "FACEWIRE": str(FACEWIRE), "FEWER": "60", "THREADS": "1",
        "FACEWIRE_MODELS__CACHE_DIR": str(model_cache.folder),
    }  # fmt: skip
    done = subprocess.run(
        [str(SCRIPT), str(out)], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert synthetic.says_synthetic((out / "contact-sheet.png").read_bytes())
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.size == (8 * 112, 6 * 128)
    for family in ("gan", "vae", "restorer", "cnn", "adapter"):
        assert (out / "models" / f"demo-{family}.md").exists()
        assert synthetic.says_synthetic((out / f"sample-{family}.png").read_bytes())
    assert all(synthetic.says_synthetic(file.read_bytes()) for file in (out / "pictures").rglob("nobody-*/*.png"))
    again = subprocess.run([str(SCRIPT), str(out)], env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
