"""Tensors out of a PyTorch checkpoint, without PyTorch and without running anything that is in the file.

A checkpoint (torch.save since 1.6) is a zip: data.pkl, and data/0, data/1, ... with the tensors' bytes. The pickle is
read by an unpickler that knows a few harmless names and refuses every other.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MOST_BYTES: Final = 1 << 30
_MOST_PICKLE_BYTES: Final = 16 << 20
_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


class TorchArchiveError(Exception):
    """The file is no checkpoint of plain tensors."""


def read_tensors(path: Path, *keys: str) -> dict[str, Array]:
    """The tensors of the dictionary found under these keys, by name; other values are left out.

    Raises:
        TorchArchiveError: the file is no such checkpoint, or names something that would have to be run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = _Unpickler(archive).load()
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError, pickle.UnpicklingError, TypeError) as error:
        raise TorchArchiveError(f"{path.name} is no PyTorch checkpoint of plain tensors: {error}") from error
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            raise TorchArchiveError(f"{path.name} holds no '{key}'")
        found = found[key]
    if not isinstance(found, dict):
        raise TorchArchiveError(f"{path.name}: no dictionary of tensors")
    return {str(name): value for name, value in found.items() if isinstance(value, np.ndarray)}


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member that does not unpack to more than it may."""
    if archive.getinfo(name).file_size > most:
        raise ValueError(f"{name} unpacks to more than {most >> 20} MiB")
    return archive.read(name)


class _Storage:
    """The bytes of one or several tensors, read when first asked for."""

    def __init__(self, archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], length: int) -> None:
        self._archive = archive
        self._name = name
        self._dtype = dtype
        self._length = length

    def values(self) -> Array:
        """All of them, flat."""
        if self._length * self._dtype.itemsize > _MOST_BYTES:
            raise ValueError("a tensor of more than a gigabyte")
        values = np.frombuffer(_read(self._archive, self._name, _MOST_BYTES), dtype=self._dtype)
        if len(values) < self._length:
            raise ValueError(f"{self._name} is cut short")
        return values[: self._length]


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Array:
    """As torch._utils._rebuild_tensor_v2; a copy, so that a crafted stride reads nothing beyond the storage."""
    values = storage.values()
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if min(offset, *shape, *stride, 0) < 0 or (shape and 0 not in shape and last >= len(values)):
        raise ValueError("a tensor reaches beyond its storage")
    item = values.dtype.itemsize
    if math.prod(shape) * item > _MOST_BYTES:
        raise ValueError("a tensor of more than a gigabyte")
    view = np.lib.stride_tricks.as_strided(values[offset:], shape, [s * item for s in stride], writeable=False)
    copied: Array = view.copy()
    return copied


class _StorageKind:
    """Stands for torch.FloatStorage and its like."""

    def __init__(self, name: str) -> None:
        self.dtype: np.dtype[Any] = _DTYPES[name]


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile) -> None:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError("it holds no data.pkl")
        self._archive = archive
        self._root = names[0].removesuffix("data.pkl")
        super().__init__(io.BytesIO(_read(archive, names[0], _MOST_PICKLE_BYTES)))

    def find_class(self, module: str, name: str) -> Any:
        """The few names that plain tensors need."""
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _StorageKind(name)
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is not read")

    def persistent_load(self, pid: Any) -> _Storage:
        """A tensor's storage: ("storage", kind, key, device, length)."""
        kind, storage, key, _, length = pid
        if kind != "storage" or not isinstance(storage, _StorageKind):
            raise pickle.UnpicklingError("an unknown kind of storage")
        return _Storage(self._archive, f"{self._root}data/{key}", storage.dtype, int(length))
