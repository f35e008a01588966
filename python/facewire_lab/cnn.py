"""Convolutional networks that tell people apart, and what they are trained with.

A convolution slides a few small filters over a picture and keeps how well each fits everywhere; pooling keeps the best
of each 2 x 2 places, so that the next filters see twice as far (Y. LeCun et al., Gradient-based learning applied to
document recognition, 1998).
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn

SIDE: Final = 112
_BLOCKS: Final = ((2, 1, 5, 2), (4, 2, 1, 2), (2, 2, 6, 1), (4, 2, 1, 2), (2, 2, 2, 1))
"""Of MobileFaceNet: expansion, planes in widths, how many, stride of the first."""


class Classic(nn.Module):
    """R, G, B faces (n, 3, 112, 112), -1..1, to embeddings (n, dim): convolution and pooling three times, dense."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for factor in (1, 2, 4):
            layers += [nn.Conv2d(before, factor * width, 3, 1, 1), nn.BatchNorm2d(factor * width), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
            before = factor * width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(before * (SIDE // 8) ** 2, dim))

    def forward(self, faces: Tensor) -> Tensor:
        """The embeddings, of any length."""
        embeddings: Tensor = self.body(faces)
        return embeddings


class MobileFaceNet(nn.Module):
    """R, G, B faces (n, 3, 112, 112), -1..1, to embeddings (n, dim).

    S. Chen et al., MobileFaceNets, CCBR 2018; ``width`` 64 is the paper's.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [_Conv(3, width, 3, 2), _Conv(width, width, 3, 1, groups=width)]
        before = width
        for expansion, factor, count, stride in _BLOCKS:
            for number in range(count):
                layers.append(_Bottleneck(before, factor * width, expansion, stride if number == 0 else 1))
                before = factor * width
        wide = 8 * width
        layers += [_Conv(before, wide, 1, 1), nn.Conv2d(wide, wide, SIDE // 16, groups=wide, bias=False)]
        layers += [nn.BatchNorm2d(wide), nn.Flatten(), nn.Linear(wide, dim, bias=False), nn.BatchNorm1d(dim)]
        self.body = nn.Sequential(*layers)

    def forward(self, faces: Tensor) -> Tensor:
        """The embeddings, of any length."""
        embeddings: Tensor = self.body(faces)
        return embeddings


class _Conv(nn.Sequential):
    def __init__(self, before: int, after: int, kernel: int, stride: int, groups: int = 1) -> None:
        convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(after), nn.PReLU(after))


class _Bottleneck(nn.Module):
    """An inverted residual (M. Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = before * expansion
        self.body = nn.Sequential(
            _Conv(before, wide, 1, 1),
            _Conv(wide, wide, 3, stride, groups=wide),
            nn.Conv2d(wide, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self._adds = stride == 1 and before == after

    def forward(self, planes: Tensor) -> Tensor:
        changed: Tensor = self.body(planes)
        return planes + changed if self._adds else changed


class PeopleHead(nn.Module):
    """Embeddings (n, dim) to logits (n, people), with a margin on the right person where the loss has one.

    J. Deng et al., ArcFace, CVPR 2019: cos(angle + margin); H. Wang et al., CosFace, CVPR 2018: cosine - margin.
    """

    def __init__(self, dim: int, people: int, loss: str, margin: float, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(people, dim))
        nn.init.xavier_uniform_(self.weight)
        self._loss = loss
        self._margin = margin
        self._scale = scale

    def forward(self, embeddings: Tensor, people: Tensor) -> Tensor:
        """The logits."""
        if self._loss == "softmax":
            return F.linear(embeddings, self.weight)
        cosines = F.linear(F.normalize(embeddings), F.normalize(self.weight)).clamp(-1 + 1e-6, 1 - 1e-6)
        right = F.one_hot(people, len(self.weight)).bool()
        harder = torch.cos(cosines.arccos() + self._margin) if self._loss == "arcface" else cosines - self._margin
        return self._scale * torch.where(right, harder, cosines)
