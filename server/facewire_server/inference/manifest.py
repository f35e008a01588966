"""The model manifest: models described by data, so that other weights need no code.

Built-in entries are in ``models.toml`` beside this file; a user's file, or the TOML files of a folder, add to them or
replace them by name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field, ValidationError

from facewire_server.inference.specs import BaseSpec, ModelSpec, Strict

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_BUILT_IN = Path(__file__).with_name("models.toml")
_TASKS = {task for spec in get_args(ModelSpec) for task in get_args(spec.model_fields["task"].annotation)}
Spec = TypeVar("Spec", bound=BaseSpec)


class ManifestError(Exception):
    """The manifest is wrong; the message says where and what."""


class _File(Strict):
    model: tuple[Annotated[ModelSpec, Field(discriminator="task")], ...]


class Manifest:
    """All models known, by name."""

    def __init__(self, models: dict[str, ModelSpec]) -> None:
        self.models = models

    def of(self, name: str, kind: type[Spec]) -> Spec:
        """The model of this name and kind, for instance ``DetectorModel``.

        Raises:
            ManifestError: there is none, or it is for another task.
        """
        model = self.get(name)
        if not isinstance(model, kind):
            wanted = " or ".join(get_args(kind.model_fields["task"].annotation))
            raise ManifestError(f"model '{name}' has task '{model.task}', one with task '{wanted}' is needed here")
        return model

    def get(self, name: str) -> ModelSpec:
        """The model of this name; raises ManifestError where there is none."""
        if name not in self.models:
            raise ManifestError(f"no model is called '{name}'; known: {', '.join(self.models)}")
        return self.models[name]


def load_manifest(extra: Path | None = None) -> Manifest:
    """The built-in models and those of the user's file, or of the TOML files of the user's folder.

    Raises:
        ManifestError: a file cannot be read, an entry is wrong, or the folder holds none.
    """
    models = _load_file(_BUILT_IN)
    for file in [] if extra is None else _files(extra):
        models.update(_load_file(file))
    return Manifest(models)


def _files(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = sorted(given.glob("*.toml"))
    if not found:
        raise ManifestError(f"model manifest {given} is a folder without TOML files")
    return found


def _load_file(path: Path) -> dict[str, ModelSpec]:
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(f"model manifest {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"model manifest {path} is not valid TOML: {error}") from error
    try:
        parsed = _File.model_validate(data)
    except ValidationError as error:
        raise ManifestError(f"model manifest {path}: {_first_problem(error, data)}") from error
    return {model.name: _with_absolute_path(model, path.parent) for model in parsed.model}


def _with_absolute_path(model: ModelSpec, folder: Path) -> ModelSpec:
    if model.source.path is None:
        return model
    source = model.source.model_copy(update={"path": str(folder / model.source.path)})
    return model.model_copy(update={"source": source})


def _first_problem(error: ValidationError, data: dict[str, Any]) -> str:
    problem = error.errors()[0]
    where = list(problem["loc"])
    name = ""
    if len(where) > 1 and where[0] == "model" and isinstance(where[1], int):
        entry = data["model"][where[1]]
        name = f"model '{entry.get('name', where[1])}': "
        where = where[3:] if len(where) > 2 and where[2] in _TASKS else where[2:]
    return f"{name}{'.'.join(map(str, where))}: {problem['msg']}"
