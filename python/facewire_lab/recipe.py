"""How a model is trained: settings with defaults, from a TOML file and the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facewire_lab.errors import LabError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class GanRecipe(BaseModel):
    """A DCGAN at 64 x 64.

    Attributes:
        seed: the same one trains the same model on the same machine.
        steps: of both networks.
        batch: faces a step.
        learning_rate: of Adam, for both networks.
        checkpoint_every, sample_every: steps between two of each; a killed training goes on from the last checkpoint.
        latent: random numbers that a face is made of.
        width: planes of the widest picture inside the networks; the narrowest has eight times as many.
        ema: how slowly the served generator follows the trained one, a step.
        augment: how much pictures are shifted, recoloured and covered before the discriminator sees them, 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    batch: Annotated[int, Field(ge=2, le=4096)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    checkpoint_every: Annotated[int, Field(ge=1)] = 250
    sample_every: Annotated[int, Field(ge=1)] = 250
    latent: Annotated[int, Field(ge=1, le=4096)] = 100
    width: Annotated[int, Field(ge=4, le=512)] = 64
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.998
    augment: Annotated[float, Field(ge=0, le=1)] = 1.0


def load_recipe(file: Path | None, settings: tuple[str, ...] = ()) -> GanRecipe:
    """The defaults, the file, then KEY=VALUE settings.

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
        return GanRecipe.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        message = "unknown setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise LabError(f"recipe: {where}: {message}") from error
