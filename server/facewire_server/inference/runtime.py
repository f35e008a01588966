"""Runs models: one OpenVINO core, one compiled network a shape, one InferRequest a worker."""

from __future__ import annotations

import logging
import queue
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facewire_server.domain.ports import Tensor, TensorInfo
from facewire_server.inference import golden
from facewire_server.inference.precision import Variant
from facewire_server.inference.quiet_openvino import ov

log = logging.getLogger(__name__)
Shape = tuple[int, int, int, int]


class RuntimeProblem(Exception):
    """A model cannot be run at all; the message says why."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and in which form a model shall run."""

    device: str
    variant: Variant


class CompiledShape:
    """A network compiled for one input shape, with a request for each worker.

    A request belongs to one thread between :meth:`borrow` and its end. There are as many as workers, so borrowing
    never waits.

    Args:
        requests: the requests, all of ``compiled`` or of others like it.
    """

    def __init__(self, compiled: ov.CompiledModel, shape: Shape, requests: Sequence[ov.InferRequest]) -> None:
        self.shape = shape
        self.takes_bytes = compiled.inputs[0].get_element_type() == ov.Type.u8
        self.requests = len(requests)
        self.input_name = _name_of(compiled.inputs[0])
        self._names = [_name_of(output) for output in compiled.outputs]
        self.output_shapes = {
            name: tuple(int(n) for n in output.shape)
            for name, output in zip(self._names, compiled.outputs, strict=True)
        }
        self._free: queue.LifoQueue[BorrowedRequest] = queue.LifoQueue()
        for request in requests:
            self._free.put(BorrowedRequest(request, self._names, self.takes_bytes))

    @contextmanager
    def borrow(self) -> Iterator[BorrowedRequest]:
        """A request for this thread alone."""
        request = self._free.get()
        try:
            yield request
        finally:
            self._free.put(request)

    def warm_up(self, requests: int) -> None:
        """Runs so many requests once, so that no caller pays for first-time allocations."""
        pattern = golden.pattern(self.shape)
        taken = [self._free.get() for _ in range(requests)]
        for request in taken:
            request.run(pattern)
            self._free.put(request)

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """Outputs for an input of exactly this shape, copied."""
        with self.borrow() as request:
            return {name: value.copy() for name, value in request.run(tensor).items()}


class BorrowedRequest:
    """An InferRequest in one thread's hands. What it returns is overwritten by the next inference.

    Attributes:
        input: to be filled: (n, 3, H, W) floats, or (n, H, W, 3) bytes for a network that takes bytes.
    """

    def __init__(self, request: ov.InferRequest, names: list[str], takes_bytes: bool) -> None:
        self._request = request
        self._names = names
        self._takes_bytes = takes_bytes
        self.input: Any = request.get_input_tensor().data
        self._outputs = self._views()

    def _views(self) -> dict[str, Tensor]:
        return {name: self._request.get_output_tensor(i).data for i, name in enumerate(self._names)}

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """As :meth:`infer`, for an input of (n, 3, H, W) floats, rounded where the network takes bytes."""
        if self._takes_bytes:
            self.input[:] = np.rint(tensor.clip(0, 255)).transpose(0, 2, 3, 1)
        else:
            self.input[:] = tensor
        return self.infer()

    def infer(self) -> dict[str, Tensor]:
        """Runs the network; views of its outputs by name."""
        self._request.infer(share_outputs=True)  # else it copies all outputs into a dictionary that nobody reads
        return self._outputs

    def outputs_stay(self) -> bool:
        """Whether an inference writes where the ones before it wrote, as it must for :meth:`infer`."""
        return all(
            view.ctypes.data == self._outputs[name].ctypes.data and view.shape == self._outputs[name].shape
            for name, view in self._views().items()
        )


class Network:
    """A model on a device: its compiled shapes."""

    def __init__(self, device: str, requested: str, precision: str, shapes: list[CompiledShape]) -> None:
        self.device = device
        self.device_requested = requested
        self.precision = precision
        self.shapes: dict[tuple[int, ...], CompiledShape] = {c.shape: c for c in shapes}

    def require_output(self, name: str, shape: tuple[int, ...] | None = None) -> None:
        """Whether the network has this output, of this shape for one picture.

        Raises:
            RuntimeProblem: it has not; the message lists what there is.
        """
        known = {info.name: info.shape for info in self.output_info()}
        if name not in known:
            listed = ", ".join(f"{known_name} {list(known[known_name])}" for known_name in known)
            raise RuntimeProblem(f"the manifest says output '{name}', but the model's outputs are: {listed}")
        found = known[name][1:]
        if shape is not None and found != shape:
            raise RuntimeProblem(f"the manifest says output '{name}' has {list(shape)} values, it has {list(found)}")

    def input_info(self) -> list[TensorInfo]:
        """The input; -1 where compiled shapes differ."""
        first = next(iter(self.shapes.values()))
        return [TensorInfo(first.input_name, _common_shape(list(self.shapes)))]

    def output_info(self) -> list[TensorInfo]:
        """The outputs; -1 where compiled shapes differ."""
        each = [compiled.output_shapes for compiled in self.shapes.values()]
        return [TensorInfo(name, _common_shape([o[name] for o in each])) for name in each[0]]


class Runtime:
    """The OpenVINO core.

    Args:
        compiled_dir: compile cache on disk.
        workers: threads that will call infer at once; each gets a request of every compiled shape.
    """

    def __init__(self, compiled_dir: Path, workers: int) -> None:
        self._core = ov.Core()
        self._workers = workers
        if _is_writable(compiled_dir):
            self._core.set_property({"CACHE_DIR": str(compiled_dir)})
        else:
            log.warning("%s is not writable: models are compiled anew at each start", compiled_dir)

    @property
    def version(self) -> str:
        """OpenVINO's version."""
        return str(ov.get_version())

    def devices(self) -> dict[str, str]:
        """Devices present: name and full name."""
        return {name: str(self._core.get_property(name, "FULL_DEVICE_NAME")) for name in self._core.available_devices}

    def load(self, placement: Placement, shapes: list[Shape]) -> Network:
        """Compiles, warms and tests a model; falls back to CPU, loudly, where the device is absent or wrong.

        Raises:
            RuntimeProblem: not even the CPU runs it, or its answer there is not the golden one.
        """
        device, xml = self.resolve(placement.device), placement.variant.xml
        try:
            return self._load_on(device, placement, shapes)
        except (RuntimeError, golden.WrongAnswer) as error:
            if device == "CPU":
                raise _unusable(xml, error) from error
            log.error("model %s does not work on %s (%s): FALLING BACK TO CPU", _name(xml), device, _gist(error))
        try:
            return self._load_on("CPU", placement, shapes)
        except (RuntimeError, golden.WrongAnswer) as error:
            raise _unusable(xml, error) from error

    def resolve(self, device: str) -> str:
        """AUTO means a GPU if there is one, decided once.

        OpenVINO's own AUTO changes devices while it runs, and with the device the embedding contract.
        """
        if device != "AUTO":
            return device
        return next((name for name in self._core.available_devices if name.startswith("GPU")), "CPU")

    def _load_on(self, device: str, placement: Placement, shapes: list[Shape]) -> Network:
        variant = placement.variant
        compiled = [self._compile(device, variant.xml, shape, variant.float_type, self._workers) for shape in shapes]
        self._check(device, variant, compiled)
        for shape in compiled:
            shape.warm_up(self._workers)
        return Network(device, placement.device, variant.precision, compiled)

    def _compile(self, device: str, xml: Path, shape: Shape, float_type: str, requests: int) -> CompiledShape:
        model = self._core.read_model(xml)
        if len(model.inputs) != 1:
            raise RuntimeError(f"the model has {len(model.inputs)} inputs, one is needed")
        n, channels, height, width = shape
        takes_bytes = model.inputs[0].get_element_type() == ov.Type.u8
        model.reshape([n, height, width, channels] if takes_bytes else list(shape))
        options: dict[str, str | int | bool] = {"INFERENCE_PRECISION_HINT": float_type}
        if device != "CPU":
            compiled = self._core.compile_model(model, device, options)
            return CompiledShape(compiled, shape, [compiled.create_infer_request() for _ in range(requests)])
        # A network of one thread for each worker: the worker itself runs it. With one network of as many streams, each
        # inference wakes a thread of OpenVINO's and waits for it: a tenth slower (docs/performance.md).
        options |= {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
        networks = [self._core.compile_model(model, device, options) for _ in range(requests)]
        return CompiledShape(networks[0], shape, [network.create_infer_request() for network in networks])

    def _check(self, device: str, variant: Variant, compiled: list[CompiledShape]) -> None:
        """The stored golden answer at its shape; on other devices than the CPU also the CPU's at each shape."""
        for network in compiled:
            pattern = golden.pattern(network.shape, variant.input)
            outputs = network.run(pattern)
            with network.borrow() as request:
                if not request.outputs_stay():
                    raise RuntimeError("its outputs move from inference to inference: no fixed shapes?")
            if any(not np.isfinite(value).all() for value in outputs.values()):
                raise golden.WrongAnswer("the answer to the test pattern is not finite")
            if variant.golden is not None and network.shape == variant.golden.shape:
                golden.check_stored(outputs, variant.golden)
            if device != "CPU":
                self._check_against_cpu(variant.xml, network.shape, pattern, outputs)

    def _check_against_cpu(self, xml: Path, shape: Shape, pattern: Tensor, outputs: Mapping[str, Tensor]) -> None:
        reference = self._compile("CPU", xml, shape, "f32", 1).run(pattern)
        golden.compare(golden.summary(outputs), golden.summary(reference), tolerance=0.02)


def _is_writable(folder: Path) -> bool:
    """Whether files can be made there; the folder is made where missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _name(xml: Path) -> str:
    return xml.parent.parent.name


def _gist(error: Exception) -> str:
    """OpenVINO's messages begin with source lines; what matters comes last."""
    return str(error).strip().splitlines()[-1]


def _unusable(xml: Path, error: Exception) -> RuntimeProblem:
    return RuntimeProblem(f"model {_name(xml)} does not work on CPU: {_gist(error)}")


def _common_shape(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(axis[0] if len(set(axis)) == 1 else -1 for axis in zip(*shapes, strict=True))


def _name_of(port: ov.Output) -> str:
    """The published name: conversions add numbers of their own to a tensor's names."""
    names = sorted(port.get_names(), key=lambda name: (name.isdigit(), name))
    return str(names[0]) if names else f"tensor_{port.index}"
