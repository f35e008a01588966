"""How a model is trained: settings with defaults, from a TOML file and the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facewire_lab.errors import LabError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AnyRecipe = TypeVar("AnyRecipe", bound="Recipe")
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1000)]
Width = Annotated[int, Field(ge=4, le=512)]


class Recipe(BaseModel):
    """What all families have.

    Attributes:
        seed: the same one trains the same model on the same machine.
        steps: at most.
        batch: faces a step.
        learning_rate: of Adam.
        checkpoint_every, sample_every: steps between two of each; a killed training goes on from the last checkpoint.
        held_out: share of the people who are not trained on, but measured on.
        validate_every: steps between two such measurements.
        patience: so many of them without a better one end the training; 0: never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    batch: Annotated[int, Field(ge=2, le=4096)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    checkpoint_every: Annotated[int, Field(ge=1)] = 250
    sample_every: Annotated[int, Field(ge=1)] = 250
    held_out: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    validate_every: Annotated[int, Field(ge=1)] = 250
    patience: Annotated[int, Field(ge=0)] = 12


def load_recipe(kind: type[AnyRecipe], file: Path | None, settings: tuple[str, ...] = ()) -> AnyRecipe:
    """The defaults of a family, the file, then KEY=VALUE settings.

    Raises:
        LabError: a key is unknown, a value out of range, the file no TOML.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values.update(tomllib.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise LabError(f"recipe {file} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise LabError(f"recipe {file} is not valid TOML: {error}") from error
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise LabError(f"--set takes KEY=VALUE, not '{text}'")
        values[key] = value
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        message = "unknown setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise LabError(f"recipe: {where}: {message}") from error
