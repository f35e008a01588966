"""PyTorch checkpoints written without PyTorch: what torch.save writes of a dictionary of tensors."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class _FloatStorage:
    """Pickled by its name, torch.FloatStorage."""


class _Tensor:
    """Pickled as a call of torch._utils._rebuild_tensor_v2."""

    def __init__(self, values: Array, number: int) -> None:
        self.values = values
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        stride = tuple(int(np.prod(self.values.shape[i + 1 :])) for i in range(len(self.values.shape)))
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self, 0, self.values.shape, stride, False, {})


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        # The first time a tensor is met it is reduced; within its own arguments it stands for its storage.
        if isinstance(thing, _Tensor) and thing in self.opened:
            return "storage", _FloatStorage, str(thing.number), "cpu", thing.values.size
        if isinstance(thing, _Tensor):
            self.opened.add(thing)
        return None

    def __init__(self, out: io.BytesIO) -> None:
        super().__init__(out, protocol=2)
        self.opened: set[_Tensor] = set()


def write_checkpoint(path: Path, tensors: Mapping[str, Array], key: str | None = "netG_state_dict") -> None:
    """Writes {key: tensors}, or with key None the tensors alone."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    _FloatStorage.__module__, _FloatStorage.__qualname__ = "torch", "FloatStorage"
    torch.FloatStorage, utils._rebuild_tensor_v2 = _FloatStorage, _rebuild_tensor_v2  # type: ignore[attr-defined]
    out = io.BytesIO()
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        wrapped = {name: _Tensor(values, n) for n, (name, values) in enumerate(tensors.items())}
        _Pickler(out).dump(wrapped if key is None else {key: wrapped, "epoch": 3})
    write_archive(path, out.getvalue(), [values.tobytes() for values in tensors.values()])


def write_archive(path: Path, pickled: bytes, storages: list[bytes]) -> None:
    """The zip around a pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for number, data in enumerate(storages):
            archive.writestr(f"archive/data/{number}", data)
