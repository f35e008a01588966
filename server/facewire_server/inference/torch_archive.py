"""Tensors out of a PyTorch checkpoint, without PyTorch and without running anything that is in the file.

A checkpoint (torch.save since 1.6) is a zip: data.pkl, and data/0, data/1, ... with the tensors' bytes, not compressed.
The pickle is not given to Python's unpickler, which calls what a file names, but walked by a machine of our own that
knows the instructions plain tensors need, and makes nothing but dictionaries, tuples, lists, texts and numbers.
"""

from __future__ import annotations

import math
import pickletools
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_MOST_BYTES: Final = 1 << 30  # of all tensors together
_MOST_PICKLE_BYTES: Final = 16 << 20
_MOST_AXES: Final = 8
_LONGEST_NAME: Final = 80  # that is told
_REBUILT_FROM: Final = 4  # storage, offset, shape, stride
_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch DoubleStorage": np.dtype("<f8"),
    "torch LongStorage": np.dtype("<i8"),
    "torch IntStorage": np.dtype("<i4"),
    "torch ShortStorage": np.dtype("<i2"),
    "torch CharStorage": np.dtype("i1"),
    "torch ByteStorage": np.dtype("u1"),
    "torch BoolStorage": np.dtype("?"),
}
_DICTIONARY: Final = "collections OrderedDict"
_REBUILD: Final = "torch._utils _rebuild_tensor_v2"
# Whatever a damaged or crafted file makes zipfile, pickletools, struct and the machine below raise.
_FAILURES: Final = (
    OSError, zipfile.BadZipFile, LookupError, ValueError, TypeError, OverflowError, RuntimeError, EOFError, MemoryError,
    struct.error,
)  # fmt: skip


class TorchArchiveError(Exception):
    """The file is no checkpoint of plain tensors."""


def read_tensors(path: Path, key: str) -> dict[str, Array]:
    """The tensors of the dictionary under this key, or of the file itself where it has no such key, by name.

    Other plain values are left out.

    Raises:
        TorchArchiveError: the file is no such checkpoint, or names something that would have to be run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root, pickled = _pickle_of(archive)
            found = _Machine(pickled).run()
            if isinstance(found, dict) and isinstance(found.get(key), dict):
                found = found[key]
            if not isinstance(found, dict):
                raise ValueError("it holds no dictionary of tensors")
            return _Reader(archive, root).read(found)
    except _FAILURES as error:
        why = str(error) or type(error).__name__
        raise TorchArchiveError(f"{path.name} is no PyTorch checkpoint of plain tensors: {why}") from error


def _pickle_of(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise ValueError("it holds no data.pkl")
    return names[0].removesuffix("data.pkl"), _member(archive, names[0], _MOST_PICKLE_BYTES)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member as it lies in the file: what is not compressed cannot unpack to more than the file."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed, which torch.save never does")
    if entry.file_size > most:
        raise ValueError(f"{name} has more than {most} bytes")
    return archive.read(entry)


@dataclass(frozen=True, slots=True)
class _Storage:
    name: str
    dtype: np.dtype[Any]
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor that was not read yet."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    """A global that the pickle names: "module name"."""

    text: str


class _Reader:
    """Reads tensors, up to a limit for all of them."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self._archive = archive
        self._root = root
        self._left = _MOST_BYTES

    def read(self, values: dict[Any, Any]) -> dict[str, Array]:
        """Those of the values that are tensors and have a text for a name."""
        return {
            name: self._tensor(value)
            for name, value in values.items()
            if isinstance(name, str) and isinstance(value, _Tensor)
        }

    def _tensor(self, tensor: _Tensor) -> Array:
        """A copy, as torch._utils._rebuild_tensor_v2 makes; nothing beyond the storage is touched."""
        storage, count, item = tensor.storage, math.prod(tensor.shape), tensor.storage.dtype.itemsize
        # The last element must be in the storage, and elements may not be shown several times (a stride of 0).
        last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride, strict=True))
        if count > storage.length or (count and last >= storage.length):
            raise ValueError("a tensor reaches beyond its storage")
        self._left -= storage.length * item + count * item
        if self._left < 0:
            raise ValueError(f"its tensors have more than {_MOST_BYTES >> 20} MiB")
        if not count:
            return np.empty(tensor.shape, storage.dtype)
        data = _member(self._archive, f"{self._root}data/{storage.name}", storage.length * item)
        if len(data) != storage.length * item:
            raise ValueError(f"data/{storage.name} is cut short")
        flat = np.frombuffer(data, dtype=storage.dtype)
        strides = [s * item for s in tensor.stride]
        view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides, writeable=False)
        copied: Array = view.copy()
        return copied


class _Machine:
    """Walks a pickle.

    Values are pushed on a stack; a MARK begins a group, which TUPLE, SETITEMS and their like take off it again.
    """

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """What the pickle is of; raises ValueError, LookupError or TypeError where it is none of ours."""
        for opcode, argument, _ in pickletools.genops(self._pickled):
            if opcode.name == "STOP":
                return self._stack.pop()
            if opcode.name in _CONSTANTS:
                self._stack.append(_CONSTANTS[opcode.name]())
            elif opcode.name in _ARGUMENTS:
                self._stack.append(argument)
            elif opcode.name in _DOES:
                _DOES[opcode.name](self, argument)
            elif opcode.name not in _WITHOUT_EFFECT:
                raise ValueError(f"its pickle has the instruction {opcode.name}, which plain tensors do not need")
        raise ValueError("its pickle does not end")

    def name(self, argument: str) -> None:
        """GLOBAL: names something, which is not looked up."""
        if argument not in (_DICTIONARY, _REBUILD) and argument not in _DTYPES:
            told = ascii(argument.replace(" ", "."))[1:-1][:_LONGEST_NAME]
            raise ValueError(f"it names {told}, which is not read")
        self._stack.append(_Name(argument))

    def name_from_stack(self, _: object) -> None:
        """STACK_GLOBAL: the same in protocol 4."""
        name, module = self._stack.pop(), self._stack.pop()
        self.name(f"{module} {name}" if isinstance(name, str) and isinstance(module, str) else "?")

    def call(self, _: object) -> None:
        """REDUCE: of the two things that may be called."""
        arguments, called = self._stack.pop(), self._stack.pop()
        if called == _Name(_DICTIONARY) and arguments == ():
            self._stack.append({})
        elif called == _Name(_REBUILD) and isinstance(arguments, tuple) and len(arguments) >= _REBUILT_FROM:
            self._stack.append(_tensor_of(*arguments[:_REBUILT_FROM]))
        else:
            raise ValueError("its pickle calls something that plain tensors do not need")

    def storage(self, _: object) -> None:
        """BINPERSID: ("storage", kind, name, device, length)."""
        kind, named, name, _device, length = self._stack.pop()
        known = isinstance(named, _Name) and named.text in _DTYPES
        if kind != "storage" or not known or not isinstance(name, str):
            raise ValueError("an unknown kind of storage")
        (length,) = _sizes((length,))
        self._stack.append(_Storage(name, _DTYPES[named.text], length))

    def state(self, _: object) -> None:
        """BUILD: attributes of a dictionary (``_metadata``), which are left out."""
        self._stack.pop()
        if not isinstance(self._stack[-1], dict):
            raise ValueError("its pickle sets attributes of something that has none")

    def remember(self, argument: int | None) -> None:
        """BINPUT, MEMOIZE: a number for the topmost value."""
        self._memo[len(self._memo) if argument is None else argument] = self._stack[-1]

    def recall(self, argument: int) -> None:
        """BINGET: a value by its number."""
        self._stack.append(self._memo[argument])

    def mark(self, _: object) -> None:
        """MARK: begins a group."""
        self._marks.append(len(self._stack))

    def group(self) -> list[Any]:
        """Takes the group that the last MARK began."""
        start = self._marks.pop()
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def tuple_of(self, count: int | None) -> None:
        """TUPLE, TUPLE1, ...: of the group, or of the last ``count`` values."""
        if count is None:
            self._stack.append(tuple(self.group()))
            return
        taken = tuple(self._stack[-count:])
        if len(taken) < count:
            raise ValueError("its pickle takes what is not there")
        self._stack[-count:] = [taken]

    def put(self, pairs: list[Any]) -> None:
        """SETITEM, SETITEMS: into the dictionary below."""
        target = self._stack[-1]
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(target, dict) or not _is_key(name):
                raise ValueError("a dictionary whose keys are no texts")
            target[name] = value

    def put_one(self, _: object) -> None:
        """SETITEM."""
        value, name = self._stack.pop(), self._stack.pop()
        self.put([name, value])

    def append_one(self, _: object) -> None:
        """APPEND."""
        self.extend([self._stack.pop()])

    def extend(self, values: list[Any]) -> None:
        """APPEND, APPENDS: to the list below."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError("its pickle appends to what is no list")
        target.extend(values)


def _is_key(name: object) -> bool:
    """Texts, and the small numbers of optimisers: larger ones can be made to have one hash, which takes for ever."""
    return isinstance(name, str) or (isinstance(name, int) and 0 <= name < _MOST_BYTES)


def _tensor_of(storage: object, offset: object, shape: object, stride: object) -> _Tensor:
    if not isinstance(storage, _Storage) or not isinstance(shape, tuple) or not isinstance(stride, tuple):
        raise ValueError("a tensor without storage, shape or stride")
    if len(shape) > _MOST_AXES or len(shape) != len(stride):
        raise ValueError("a tensor whose shape and stride do not fit")
    (start,) = _sizes((offset,))
    return _Tensor(storage, start, _sizes(shape), _sizes(stride))


def _sizes(values: tuple[object, ...]) -> tuple[int, ...]:
    sizes = tuple(value for value in values if isinstance(value, int) and 0 <= value <= _MOST_BYTES)
    if len(sizes) != len(values):
        raise ValueError("a tensor with impossible sizes")
    return sizes


_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
}  # fmt: skip
_ARGUMENTS: Final = {
    "BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
}  # fmt: skip
_WITHOUT_EFFECT: Final = {"PROTO", "FRAME"}
_DOES: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_from_stack,
    "REDUCE": _Machine.call,
    "BINPERSID": _Machine.storage,
    "BUILD": _Machine.state,
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": _Machine.remember,
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
    "MARK": _Machine.mark,
    "TUPLE": lambda machine, _: machine.tuple_of(None),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "SETITEM": _Machine.put_one,
    "SETITEMS": lambda machine, _: machine.put(machine.group()),
    "APPEND": _Machine.append_one,
    "APPENDS": lambda machine, _: machine.extend(machine.group()),
}
