"""The one reader of configuration: defaults < TOML file < FACEWIRE_SECTION__KEY < command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from facewire_server.inference.model_cache import default_cache_dir

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PREFIX = "FACEWIRE_"
# Read elsewhere: the kernels' instruction set, this file's own path, the client's server, two of the tests.
_NOT_SETTINGS = {"FACEWIRE_ISA", "FACEWIRE_CONFIG", "FACEWIRE_SERVER", "FACEWIRE_DATA", "FACEWIRE_TRITON_PYTHON"}


_LISTS = {("models", "detector_sizes"), ("models", "embedder_batches")}


class ConfigError(Exception):
    """The configuration is wrong; the message says where and what."""


def _input_size(text: str) -> str:
    width, _, height = text.partition("x")
    sides = [int(side) if side.isdigit() else 0 for side in (width, height)]
    if any(side < 32 or side > 4096 or side % 32 for side in sides):
        raise ValueError(f"'{text}' must be WIDTHxHEIGHT, multiples of 32 from 32 to 4096")
    return text


def _data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "facewire"


# "~" is the home folder, whoever writes the setting: a shell, a file, a variable.
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
# A typing mistake must not end in the fall-back to the CPU.
Device = Annotated[str, Field(pattern=r"^(CPU|AUTO|GPU(\.\d+)?|NPU(\.\d+)?)$")]
InputSize = Annotated[str, AfterValidator(_input_size)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSection(_Section):
    """[server]: the network side."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 50061
    max_message_mib: Annotated[int, Field(ge=1, le=512)] = 32
    shutdown_grace_s: Annotated[float, Field(ge=0, le=300)] = 8.0
    # The most a call may take, whatever deadline the caller set.
    max_call_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    max_connection_age_s: Annotated[int, Field(ge=10, le=2_000_000)] = 86400


class ModelsSection(_Section):
    """[models]: which networks, where from, where they run."""

    detector: str = "yunet-2023mar"
    embedder: str = "sface-2021dec"
    manifest: UserPath | None = None
    cache_dir: UserPath = Field(default_factory=default_cache_dir)
    # May hold a password.
    index_url: SecretStr | None = None
    detector_device: Device = "CPU"
    embedder_device: Device = "CPU"
    # auto: int8 on x86 processors, else f32.
    precision: Literal["auto", "int8", "f32", "f16", "bf16"] = "auto"
    detector_sizes: Annotated[tuple[InputSize, ...], Field(min_length=1, max_length=16)] = (
        "320x320",
        "640x384",
        "640x480",
        "640x640",
    )
    embedder_batches: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=1, max_length=8)] = (
        1,
    )
    second_look: bool = True
    # Name of a mesh model, for head poses and more kinds of head turns in log-ins; empty: none.
    mesh: str = ""
    mesh_device: Device = "CPU"


class PipelineSection(_Section):
    """[pipeline]: threads, limits and defaults of single-picture work."""

    # 0: as many as processors.
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    max_pending: Annotated[int, Field(ge=1, le=100_000)] = 64
    max_image_mpx: Annotated[float, Field(gt=0, le=500)] = 50.0
    min_face_px: Annotated[float, Field(ge=0, le=10_000)] = 20.0
    max_faces: Annotated[int, Field(ge=1, le=1000)] = 100
    # Look for faces that lie on their side or upside down too: four times the detector's time.
    any_orientation: bool = False
    # Frames with more noise than this, grey levels, are smoothed first: bad light. 0: never.
    noisy_from: Annotated[float, Field(ge=0, le=255)] = 6.0
    # A face whose similarity is nearer to the threshold than this gets a second look. 0: never.
    look_again_within: Annotated[float, Field(ge=0, le=2)] = 0.1
    # Of the threads' time, for calls while streams want all of it.
    call_share: Annotated[float, Field(ge=0.05, le=0.95)] = 0.5


class DecisionSection(_Section):
    """[decision]: how sure is sure enough."""

    target_fpir: Share = 0.01
    max_fmr: Share = 1e-3
    verify_fmr: Share = 1e-4
    # As max_fmr, for tracks of a stream: many people pass a camera, and many looks make one answer.
    stream_fmr: Share = 3e-6
    margin: Annotated[float, Field(ge=0, le=1)] = 0.04


class LivenessSection(_Section):
    """[liveness]: living people and pictures of them. Off until a model is named."""

    model: str = ""
    device: Device = "CPU"
    # What is done where nobody asks for more.
    check: Literal["off", "report", "require"] = "report"
    # Shares of living people that may be called SPOOF, and that may not be called LIVE.
    target_bpcer: Share = 0.01
    unsure_bpcer: Share = 0.1

    @model_validator(mode="after")
    def _can_be_required(self) -> LivenessSection:
        if self.check == "require" and not self.model:
            raise ValueError("check = require needs a model: docs/liveness.md")
        return self

    @model_validator(mode="after")
    def _room_between(self) -> LivenessSection:
        if self.unsure_bpcer < self.target_bpcer:
            raise ValueError("unsure_bpcer must be at least target_bpcer")
        return self


class ChallengeSection(_Section):
    """[challenge]: log-ins by head turns (VerifyLive)."""

    # 0: three where there is a mesh model, else five, as there are fewer kinds: one recording in 64 or 32 fits.
    actions: Annotated[int, Field(ge=0, le=10)] = 0
    # For each action, and for facing the camera before it.
    action_s: Annotated[float, Field(ge=1, le=60)] = 6.0
    # Frames of one person have at least this cosine with the first.
    same_person: Annotated[float, Field(ge=0, le=1)] = 0.4
    max_at_once: Annotated[int, Field(ge=1, le=1000)] = 16
    # A host whose log-ins failed so often within ten minutes as a recording's would must wait.
    max_failures: Annotated[int, Field(ge=1, le=1000)] = 5


class AttributesSection(_Section):
    """[attributes]: age and gender. Off, and of crowds alone, until the operator decides otherwise."""

    enabled: bool = False
    age: str = "dlib-age-v1"
    gender: str = "dlib-gender-v1"
    device: Device = "CPU"
    # Give out attributes of single faces.
    per_person: bool = False
    # Figures of a crowd are made of so many people at least.
    min_people: Annotated[int, Field(ge=2, le=10_000)] = 5


class GenerationSection(_Section):
    """[generation]: faces made and changed by models. Each is off until its model is named."""

    # Faces of nobody.
    model: str = ""
    # Reconstruction, latents, interpolation, anonymising, and enrolment.min_likeness.
    encoder: str = ""
    # Faces made readable.
    restorer: str = ""
    device: Device = "CPU"
    # Made in one call.
    max_faces: Annotated[int, Field(ge=1, le=1000)] = 64


class EnrolmentSection(_Section):
    """[enrolment]: what a picture must have to become a template."""

    min_face_px: Annotated[float, Field(ge=0)] = 40.0
    min_sharpness: Annotated[float, Field(ge=0)] = 2.0
    min_brightness: Annotated[float, Field(ge=0, le=255)] = 40.0
    max_brightness: Annotated[float, Field(ge=0, le=255)] = 235.0
    max_yaw_deg: Annotated[float, Field(ge=0, le=90)] = 45.0
    max_pitch_deg: Annotated[float, Field(ge=0, le=90)] = 45.0
    max_outside_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    # Of the face, as bright as the sensor can tell.
    max_glare_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    min_quality: Annotated[float, Field(ge=0, le=1)] = 0.05
    # Share of real faces that may look less like a face, by generation.encoder; 0, or without an encoder: not asked.
    min_likeness: Annotated[float, Field(ge=0, lt=1)] = 0.002
    # Templates are also made of the mirrored picture.
    mirror: bool = True
    # Pictures that would be taken for another subject: flagged in the answer, or refused.
    refuse_look_alikes: bool = False
    dominance: Annotated[float, Field(ge=1)] = 4.0
    max_images_per_call: Annotated[int, Field(ge=1, le=1000)] = 32

    @model_validator(mode="after")
    def _some_brightness_passes(self) -> EnrolmentSection:
        if self.min_brightness >= self.max_brightness:
            raise ValueError("min_brightness must be below max_brightness")
        return self


class GallerySection(_Section):
    """[gallery]: the store."""

    path: UserPath = Field(default_factory=lambda: _data_dir() / "gallery.db")
    max_templates_per_subject: Annotated[int, Field(ge=1, le=10_000)] = 20
    max_import_mib: Annotated[int, Field(ge=1, le=65536)] = 1024


class StreamsSection(_Section):
    """[streams]: how many, how long things are remembered, how often faces are embedded."""

    max_streams: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_streams_per_client: Annotated[int, Field(ge=1, le=10_000)] = 32
    first_message_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    idle_s: Annotated[float, Field(gt=0, le=1_000_000)] = 300.0
    track_ttl_s: Annotated[float, Field(ge=0.1, le=60)] = 3.0
    unknown_linger_s: Annotated[float, Field(ge=0, le=86_400)] = 10.0
    count_interval_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    embed_interval_s: Annotated[float, Field(ge=0, le=60)] = 0.15
    max_embed_interval_s: Annotated[float, Field(gt=0, le=3600)] = 3.0
    min_shot_score: Annotated[float, Field(ge=0, le=1)] = 0.05
    max_embeddings_per_frame: Annotated[int, Field(ge=1, le=100)] = 4
    # For counting people once who went and came back.
    remember_people_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    same_person: Annotated[float, Field(ge=0, le=1)] = 0.5

    @model_validator(mode="after")
    def _intervals_grow(self) -> StreamsSection:
        if self.max_embed_interval_s < self.embed_interval_s:
            raise ValueError("max_embed_interval_s must be at least embed_interval_s")
        return self


class EventsSection(_Section):
    """[events]: what watchers may catch up on."""

    # Default: events.db beside the gallery.
    path: UserPath | None = None
    max_events: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000
    flush_s: Annotated[float, Field(ge=0, le=10)] = 0.1
    max_watchers: Annotated[int, Field(ge=1, le=10_000)] = 32


class LoggingSection(_Section):
    """[logging]: how much is said, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(_Section):
    """Everything that can be set."""

    server: ServerSection = ServerSection()
    models: ModelsSection = Field(default_factory=ModelsSection)
    pipeline: PipelineSection = PipelineSection()
    decision: DecisionSection = DecisionSection()
    liveness: LivenessSection = LivenessSection()
    challenge: ChallengeSection = ChallengeSection()
    attributes: AttributesSection = AttributesSection()
    generation: GenerationSection = GenerationSection()
    enrolment: EnrolmentSection = EnrolmentSection()
    gallery: GallerySection = Field(default_factory=GallerySection)
    streams: StreamsSection = StreamsSection()
    events: EventsSection = EventsSection()
    logging: LoggingSection = LoggingSection()

    @property
    def index_url(self) -> str | None:
        """The package index with its password, if it has one."""
        secret = self.models.index_url
        return None if secret is None else secret.get_secret_value()

    @property
    def events_path(self) -> Path:
        """The file of past events."""
        return self.events.path or self.gallery.path.parent / f"{self.gallery.path.stem}-events.db"

    @property
    def workers(self) -> int:
        """Worker threads, at least one."""
        return self.pipeline.workers or len(os.sched_getaffinity(0))


def load_config(
    file: Path | None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The effective configuration.

    Args:
        file: TOML, or None.
        overrides: from the command line, by section and key.
        environment: default: the process's.

    Raises:
        ConfigError: a file cannot be read, a key is unknown, a value is out of range.
    """
    merged: dict[str, dict[str, Any]] = {}
    layers = (
        _from_file(file),
        _from_environment(os.environ if environment is None else environment),
        overrides or {},
    )
    for layer in layers:
        for section, values in layer.items():
            if not isinstance(values, Mapping):
                raise ConfigError(f"{section}: is no section; settings belong under [section]")
            merged.setdefault(section, {}).update(values)
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        message = "unknown setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise ConfigError(f"{where}: {message}") from error


def parse_text(section: str, key: str, value: str) -> str | list[str]:
    """A setting given as text, by a variable or on the command line: lists are separated by commas."""
    return value.split(",") if (section, key) in _LISTS else value


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"configuration {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {file} is not valid TOML: {error}") from error
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in environment.items():
        if not name.startswith(_PREFIX) or name in _NOT_SETTINGS:
            continue
        if "__" not in name:
            raise ConfigError(f"environment variable {name}: settings are {_PREFIX}SECTION__KEY, two underscores")
        section, _, key = name.removeprefix(_PREFIX).lower().partition("__")
        field = Config.model_fields.get(section)
        if field is None:
            raise ConfigError(f"environment variable {name}: there is no section '{section}'")
        found.setdefault(section, {})[key] = parse_text(section, key, value)
    return found
