"""The settings of each family of models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from facewire_lab.recipe import Recipe, Share, Weight, Width

_Decay = Annotated[float, Field(ge=0, lt=1)]


class GanRecipe(Recipe):
    """A DCGAN at 64 x 64. Nothing is held out: its losses do not tell how good it is, and it is not stopped early.

    Attributes:
        latent: random numbers that a face is made of.
        width: planes of the widest picture inside the networks; the narrowest has eight times as many.
        ema: how slowly the served generator follows the trained one, a step.
        augment: how much pictures are shifted, recoloured and covered before the discriminator sees them, 0 to 1.
    """

    held_out: Annotated[float, Field(ge=0, le=0)] = 0.0
    latent: Annotated[int, Field(ge=1, le=4096)] = 100
    width: Width = 64
    ema: _Decay = 0.998
    augment: Share = 1.0


class VaeRecipe(Recipe):
    """A beta-VAE at 64 x 64.

    Attributes:
        latent: numbers that stand for a face.
        width: planes of the widest picture inside the networks; the narrowest has eight times as many.
        beta: weight of the KL term once it is whole; 1: the evidence lower bound itself.
        beta_steps: it grows from 0 so long, so that the latent is used before it costs.
        ema: how slowly the served networks follow the trained ones, a step.
        augment: how much faces are moved and recoloured, 0 to 1.
    """

    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    batch: Annotated[int, Field(ge=2, le=4096)] = 32
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 5e-4
    latent: Annotated[int, Field(ge=1, le=1024)] = 160
    width: Width = 32
    beta: Annotated[float, Field(ge=0, le=100)] = 2.0
    beta_steps: Annotated[int, Field(ge=1)] = 1000
    ema: _Decay = 0.998
    augment: Share = 0.5


class RestorerRecipe(Recipe):
    """A restorer of faces, 112 x 112.

    Attributes:
        width: planes at a quarter of the side; twice and three times as many at an eighth and a sixteenth.
        blocks: residual blocks at each of the three.
        pixel, structure, identity, adversarial: weights of the losses: mean distance of the pixels, 1 - SSIM, 1 -
            cosine of the server's embedder, and a discriminator's verdict.
        refine_after: share of the steps after which the embedder and the discriminator take part.
        ema: how slowly the served network follows the trained one, a step.
    """

    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 5_000
    batch: Annotated[int, Field(ge=2, le=4096)] = 16
    patience: Annotated[int, Field(ge=0)] = 0  # it gets better again once the embedder takes part
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    width: Width = 48
    blocks: Annotated[int, Field(ge=1, le=32)] = 3
    pixel: Weight = 1.0
    structure: Weight = 0.1
    identity: Weight = 0.1
    adversarial: Weight = 0.002
    refine_after: Share = 0.6
    ema: _Decay = 0.998


class CnnRecipe(Recipe):
    """A network that tells people apart.

    Attributes:
        network: "classic": three times convolution and pooling, then dense layers; "mobilefacenet".
        loss: "softmax": plain cross-entropy; "arcface", "cosface": with a margin between people.
        margin: radians for arcface, cosine for cosface.
        scale: cosines are multiplied by it before the softmax, where there is a margin.
        dim: numbers of an embedding.
        least: people with fewer pictures are left out.
        augment: how much faces are moved, recoloured and blurred, 0 to 1.
    """

    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    network: Literal["classic", "mobilefacenet"] = "mobilefacenet"
    loss: Literal["softmax", "arcface", "cosface"] = "arcface"
    margin: Annotated[float, Field(ge=0, le=1)] = 0.3
    scale: Annotated[float, Field(gt=0, le=256)] = 32.0
    dim: Annotated[int, Field(ge=2, le=1024)] = 128
    width: Width = 32
    least: Annotated[int, Field(ge=1)] = 2
    augment: Share = 1.0


class AdapterRecipe(Recipe):
    """A linear map of the server's embeddings; each step sees all the faces.

    Attributes:
        least: people with fewer pictures are left out.
        scale, margin: of CosFace's loss.
        strength: what the change costs.
    """

    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 60
    batch: Annotated[int, Field(ge=2, le=4096)] = 2
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    held_out: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    least: Annotated[int, Field(ge=2)] = 2
    scale: Annotated[float, Field(gt=0, le=256)] = 24.0
    margin: Annotated[float, Field(ge=0, le=1)] = 0.2
    strength: Annotated[float, Field(ge=0, le=1000)] = 3.0
