"""Removes from the image's environment what a facewire server never loads.

``self_test.py`` runs afterwards and proves that everything used is still there. GPU=1 in the environment keeps
OpenVINO's GPU plug-in.
"""

# ruff: noqa: T201  (what it prints goes to the build's log)

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

SITE = Path(site.getsitepackages()[0])

# Of OpenVINO's libraries only these stay: no other plug-in and no frontend but that of its own format. The server
# names its devices, so it does not need AUTO, HETERO and BATCH.
OPENVINO_LIBRARIES = [
    "libopenvino.so.*",
    "libopenvino_*_cpu_plugin.so",
    "libopenvino_ir_frontend.so.*",
    "libhwloc.so.*",
    "libtbb.so.*",
    "libtbbbind_2_5.so.*",
    "libtbbmalloc.so.*",
]
# cache.json is a table of compiled GPU kernels.
OPENVINO_GPU_LIBRARIES = ["libopenvino_intel_gpu_plugin.so", "cache.json"]

UNUSED = [
    "openvino/include",
    "openvino/cmake",
    "openvino/tools",
    "openvino/torch",
    "openvino/frontend/jax",
    "openvino/frontend/onnx",
    "openvino/frontend/paddle",
    "openvino/frontend/pytorch",
    "openvino/frontend/tensorflow",
    "openvino_telemetry*",
    "numpy/f2py",
    "numpy/distutils",
    "numpy/_pyinstaller",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/_core/_simd.*.so",
    "numpy/_core/_*_tests.*.so",
    # Pillow without AVIF, colour management and Tk; FreeType stays, it writes names on pictures.
    "PIL/_avif.*.so",
    "PIL/_imagingcms.*.so",
    "PIL/_imagingtk.*.so",
    "pillow.libs/libavif-*",
    "pillow.libs/liblcms2-*",
    # rich needs these to show source code and Markdown.
    "pygments*",
    "markdown_it*",
    "mdurl*",
]
UNUSED_IF_NOT_IMPORTED = {"onnx": ["onnx", "onnx-*.dist-info", "ml_dtypes", "ml_dtypes-*.dist-info"]}
UNUSED_FOLDERS = {"tests", "__pycache__"}
DEVELOPMENT_SUFFIXES = (".a", ".c", ".cc", ".cpp", ".h", ".pxd", ".pyi", ".pyx")
PIP_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def remove(path: Path) -> None:
    """Removes a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def remove_matching(patterns: list[str]) -> None:
    """Removes what matches; a pattern without a match may be out of date and is worth a line in the build's log."""
    for pattern in patterns:
        found = list(SITE.glob(pattern))
        if not found:
            print(f"nothing matches {pattern}")
        for path in found:
            remove(path)


def serves_without(module: str) -> bool:
    """Whether the server's verb can be imported where ``module`` is absent."""
    code = f"import sys; sys.modules[{module!r}] = None; import facewire_server.cli.serve"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603


def size_mb() -> float:
    """Of the whole environment."""
    return sum(f.lstat().st_blocks * 512 for f in SITE.rglob("*") if f.is_file()) / 1e6


def main() -> None:
    """Prunes and says how much went."""
    before = size_mb()
    for module, patterns in UNUSED_IF_NOT_IMPORTED.items():
        if serves_without(module):
            remove_matching(patterns)
        else:
            print(f"{module} stays: facewire serve imports it")
            shutil.rmtree(SITE / module / "backend" / "test", ignore_errors=True)
    remove_matching(UNUSED)
    kept = OPENVINO_LIBRARIES + (OPENVINO_GPU_LIBRARIES if os.environ.get("GPU") == "1" else [])
    libraries = SITE / "openvino" / "libs"
    keep = {path for pattern in kept for path in libraries.glob(pattern)}
    for path in libraries.iterdir():
        if path not in keep:
            remove(path)
    for folder, folders, files in os.walk(SITE):
        for name in [n for n in folders if n in UNUSED_FOLDERS]:
            remove(Path(folder, name))
            folders.remove(name)
        for name in files:
            if name.endswith(DEVELOPMENT_SUFFIXES) or name in PIP_RECORDS:
                Path(folder, name).unlink()
    for script in Path(sys.executable).parent.iterdir():
        if not script.name.startswith(("python", "facewire")):
            script.unlink()
    print(f"site-packages: {before:.0f} MB before, {size_mb():.0f} MB after")


main()
