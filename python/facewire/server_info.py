"""What a server runs: results of :meth:`facewire.Client.server_info`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model in use. ``device`` differs from ``device_requested`` after a fall-back."""

    name: str
    task: str
    sha256: str
    licence: str
    device_requested: str
    device: str
    precision: str
    input_sizes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts."""

    max_message_bytes: int
    max_image_pixels: int
    max_faces: int
    max_images_per_enrol: int
    max_templates_per_subject: int
    max_pending_calls: int


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Build, models, contract, devices, limits of a server."""

    version: str
    contract_id: str
    models: tuple[ModelInfo, ...]
    devices: Mapping[str, str]
    limits: Limits
    isa: str
    started_at: datetime
    openvino_version: str
