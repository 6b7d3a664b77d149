"""A second detector, for faces that HOG misses: small, dark, covered, painted, half turned away.

Source: K. Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", 2016, arXiv 1604.02878. Weights and layers are those of facenet-pytorch.

::

    picture -> pyramid -> P-net, 12 px windows -> R-net, 24 px -> O-net, 48 px -> box, five points
                          all places               the likely ones              score

It finds faces that HOG does not and places its five points less exactly than dlib's predictor, so
its boxes are where the predictor starts, and its points tell whether the predictor went astray.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.weights.loading import ASSETS, load_into

P_WINDOW, P_STRIDE = 12, 2
"""Side and step of P-net's windows, in pixels."""
PYRAMID_STEP = 0.709
"""From one size of the picture to the next: half of its area."""
P_SCORE, R_SCORE = 0.6, 0.7
"""What a window must reach to be looked at by the next network; the authors' values."""
AT_ONCE = 256
"""Windows that R-net and O-net take at a time."""


@dataclass(frozen=True)
class Detection:
    """A face as this detector sees it, in pixels from a picture's upper left corner.

    Attributes:
        score: probability of a face, 0 to 1.
        box: (4,) float64: left, top, right, bottom.
        points: (5, 2) float64, x and y of the left eye, right eye, nose tip, and the left and right
            corners of the mouth, left and right as in the picture.
    """

    score: float
    box: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]


class Trunk(nn.Module):
    """Convolutions with PReLU, some of them followed by pooling."""

    def __init__(self, *layers: tuple[int, int, int, int]) -> None:
        """Args: layers: channels in, channels out, kernel, side of the pooling window or 0."""
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(a, b, kernel) for a, b, kernel, _ in layers)
        self.prelus = nn.ModuleList(nn.PReLU(b) for _, b, _, _ in layers)
        self.pools = [pool for *_, pool in layers]

    def forward(self, x: Tensor) -> Tensor:
        for conv, prelu, pool in zip(self.convs, self.prelus, self.pools):
            x = prelu(conv(x))
            if pool:
                x = F.max_pool2d(x, pool, 2, ceil_mode=True)
        return x


class PNet(nn.Module):
    """Picture -> score and box correction of every 12-px window."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk((3, 10, 3, 2), (10, 16, 3, 0), (16, 32, 3, 0))
        self.score = nn.Conv2d(32, 2, 1)
        self.box = nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Args: x (1, 3, H, W). Returns scores (h, w) and corrections (h, w, 4)."""
        x = self.trunk(x)
        return self.score(x)[0].softmax(0)[1], self.box(x)[0].permute(1, 2, 0)


class RNet(nn.Module):
    """Windows (B, 3, 24, 24) -> score (B,) and box correction (B, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk((3, 28, 3, 3), (28, 48, 3, 3), (48, 64, 2, 0))
        self.dense = nn.Linear(576, 128)
        self.prelu = nn.PReLU(128)
        self.score = nn.Linear(128, 2)
        self.box = nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.prelu(self.dense(_columns_first(self.trunk(x))))
        return self.score(h).softmax(1)[:, 1], self.box(h)


class ONet(nn.Module):
    """Windows (B, 3, 48, 48) -> score (B,), box correction (B, 4) and points (B, 10).

    The points are five x, then five y, as parts of the window's sides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk((3, 32, 3, 3), (32, 64, 3, 3), (64, 64, 3, 2), (64, 128, 2, 0))
        self.dense = nn.Linear(1152, 256)
        self.prelu = nn.PReLU(256)
        self.score = nn.Linear(256, 2)
        self.box = nn.Linear(256, 4)
        self.points = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.prelu(self.dense(_columns_first(self.trunk(x))))
        return self.score(h).softmax(1)[:, 1], self.box(h), self.points(h)


class Mtcnn(nn.Module):
    """The three networks in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = PNet(), RNet(), ONet()

    @classmethod
    def pretrained(cls, path: str | Path = ASSETS / "detector.safetensors") -> Mtcnn:
        """The published weights, frozen. Raises WeightsError when the file is missing or odd."""
        return load_into(cls(), Path(path))

    @torch.no_grad()
    def find(
        self, image: Image.Image, smallest: float = 20.0, least_score: float = 0.7
    ) -> list[Detection]:
        """Find the faces of an upright RGB picture, the likeliest first.

        Args:
            smallest: side in pixels of the smallest faces looked for.
            least_score: of a face that is returned.
        """
        pixels = torch.from_numpy(np.array(image.convert("RGB")))  # (H, W, 3)
        x = pixels.permute(2, 0, 1)[None].float() / 128 - 127.5 / 128  # (1, 3, H, W)
        boxes = self._proposals(x, smallest)
        if not len(boxes):
            return []
        scores, corrections = _batched(self.rnet, _windows(x, boxes, 24))
        likely = scores >= R_SCORE
        boxes, scores, corrections = boxes[likely], scores[likely], corrections[likely]
        kept = _suppress(boxes, scores, 0.7)
        boxes = _squared(_corrected(boxes[kept], corrections[kept]))
        if not len(boxes):
            return []
        scores, corrections, places = _batched(self.onet, _windows(x, boxes, 48))
        likely = scores >= least_score
        boxes, scores = boxes[likely], scores[likely]
        sides = boxes[:, 2:] - boxes[:, :2]  # (B, 2)
        points = boxes[:, None, :2] + places[likely].view(-1, 2, 5).mT * sides[:, None]
        boxes = _corrected(boxes, corrections[likely])
        return [
            Detection(float(scores[i]), _array(boxes[i]), _array(points[i]))
            for i in _suppress(boxes, scores, 0.7, of_smaller=True)
        ]

    def _proposals(self, x: Tensor, smallest: float) -> Tensor:
        """Square windows (B, 4) that may have a face; x is (1, 3, H, W)."""
        height, width = x.shape[2:]
        scale = P_WINDOW / smallest
        found, found_scores = [x.new_zeros(0, 4)], [x.new_zeros(0)]
        while min(height, width) * scale >= P_WINDOW:
            size = math.ceil(height * scale), math.ceil(width * scale)
            scores, corrections = self.pnet(F.interpolate(x, size, mode="area"))
            rows, columns = torch.nonzero(scores >= P_SCORE, as_tuple=True)
            corner = torch.stack([columns, rows], 1) * P_STRIDE / scale  # (B, 2)
            boxes = torch.cat([corner, corner + P_WINDOW / scale], 1)
            kept = _suppress(boxes, scores[rows, columns], 0.5)
            boxes = _corrected(boxes[kept], corrections[rows, columns][kept])
            found.append(boxes)
            found_scores.append(scores[rows, columns][kept])
            scale *= PYRAMID_STEP
        boxes, scores = torch.cat(found), torch.cat(found_scores)
        return _squared(boxes[_suppress(boxes, scores, 0.7)])


def _columns_first(x: Tensor) -> Tensor:
    """Flatten as the networks that these weights come from did: width, height, channels."""
    return x.permute(0, 3, 2, 1).flatten(1)


def _array(x: Tensor) -> npt.NDArray[np.float64]:
    return x.double().numpy()


def _batched(network: nn.Module, windows: Tensor) -> tuple[Tensor, ...]:
    parts = [network(part) for part in windows.split(AT_ONCE)]
    return tuple(torch.cat(each) for each in zip(*parts))


def _windows(x: Tensor, boxes: Tensor, px: int) -> Tensor:
    """The contents (B, 3, px, px) of boxes in x (1, 3, H, W), black outside of it."""
    height, width = x.shape[2:]
    edges = boxes.round().int()
    edges[:, 2:] = torch.maximum(edges[:, 2:], edges[:, :2] + 1)
    cut = []
    for left, top, right, bottom in edges.tolist():
        inside = x[:, :, max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        beyond = (
            max(0, -left), max(0, right - max(width, left)),
            max(0, -top), max(0, bottom - max(height, top)),
        )  # fmt: skip
        if any(beyond):
            inside = F.pad(inside, beyond, value=-127.5 / 128)
        cut.append(F.interpolate(inside, (px, px), mode="area"))
    return torch.cat(cut)


def _corrected(boxes: Tensor, corrections: Tensor) -> Tensor:
    """Boxes (B, 4) moved by corrections (B, 4), which are parts of their sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + corrections * torch.cat([sides, sides], 1)


def _squared(boxes: Tensor) -> Tensor:
    """The squares around boxes (B, 4), with the same middles and the longer side."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat([middles - half, middles + half], 1)


def _suppress(boxes: Tensor, scores: Tensor, most: float, of_smaller: bool = False) -> list[int]:
    """Which boxes (B, 4) stay, the best first: none that overlaps a better one by more than `most`.

    Args:
        of_smaller: the overlap as a part of the smaller box rather than of both together.
    """
    b: npt.NDArray[Any] = boxes.numpy().astype(float)
    areas = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    order = np.argsort(-scores.numpy(), kind="stable")
    kept: list[int] = []
    while len(order):
        first, order = int(order[0]), order[1:]
        kept.append(first)
        low = np.maximum(b[first, :2], b[order, :2])
        high = np.minimum(b[first, 2:], b[order, 2:])
        shared = np.maximum(0, high - low).prod(axis=1)
        whole = np.minimum(areas[first], areas[order]) if of_smaller else (
            areas[first] + areas[order] - shared
        )  # fmt: skip
        order = order[shared <= most * whole]
    return kept
