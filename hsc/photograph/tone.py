"""The colours of a face: six bytes by which a decoded face has those of the photograph.

The generator has seen colour photographs in good light. It gives a grey portrait some colour, and
makes a dark one lighter. The encoder knows the original, so it says what mean and what spread each
channel of Y, Cb, Cr must have: of a grey photograph, none in Cb and Cr.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PX = 32
"""Side at which colours are compared: what is finer is detail."""
UNIT = 128
"""A gain of 1 as a byte; an offset of 0 as a byte."""
LEAST_SPREAD = 1.0
"""Of 255, of the decoded face: below it, a gain would be noise."""
MAX_GAINS = (1.5, 1.5, 1.5)
MIN_GAINS = (0.6, 0.0, 0.0)
BYTES = 6
TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
TO_RGB = np.linalg.inv(TO_YCC.astype(np.float64)).astype(np.float32)


@dataclass(frozen=True)
class Tone:
    """Gains and offsets of Y, Cb and Cr, each a byte: gain / 128, and offset - 128.

    Cb and Cr are 0 where there is no colour.
    """

    gains: tuple[int, int, int] = (UNIT, UNIT, UNIT)
    offsets: tuple[int, int, int] = (UNIT, UNIT, UNIT)

    @classmethod
    def between(
        cls, decoded: Image.Image, original: Image.Image, mask: NDArray[np.float32]
    ) -> Tone:
        """What brings the colours of a decoded face to those of its original.

        Args:
            mask: (N, N), 0 to 1: where to compare.
        """
        small = Image.fromarray(mask).resize((PX, PX), Image.Resampling.BOX)
        weight = np.asarray(small, np.float32)[..., None]
        weight = weight / max(float(weight.sum()), 1e-6)
        gains, offsets = [], []
        have, want = _small(decoded), _small(original)
        means = [(weight * each).sum((0, 1)) for each in (have, want)]
        spreads = [
            np.sqrt((weight * (each - mean) ** 2).sum((0, 1)))
            for each, mean in zip((have, want), means)
        ]
        for channel in range(3):
            before, after = (float(spread[channel]) for spread in spreads)
            gain = after / before if before >= LEAST_SPREAD else 1.0
            gain = min(max(gain, MIN_GAINS[channel]), MAX_GAINS[channel])
            code = round(gain * UNIT)
            offset = float(means[1][channel]) - code / UNIT * float(means[0][channel])
            gains.append(code)
            offsets.append(min(max(round(offset) + UNIT, 0), 255))
        return cls((gains[0], gains[1], gains[2]), (offsets[0], offsets[1], offsets[2]))

    def apply(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """RGB (..., 3) on the scale of 255, not clipped, to the same with these colours."""
        if self == Tone():
            return rgb
        gains = np.array(self.gains, np.float32) / UNIT
        offsets = np.array(self.offsets, np.float32) - UNIT
        ycc = rgb @ TO_YCC.T
        return np.asarray((ycc * gains + offsets) @ TO_RGB.T, np.float32)

    def pack(self) -> bytes:
        """Its bytes."""
        return bytes(self.gains + self.offsets)

    @classmethod
    def unpack(cls, data: bytes) -> Tone:
        """From its bytes; every value is valid."""
        g, o = data[:3], data[3:6]
        return cls((g[0], g[1], g[2]), (o[0], o[1], o[2]))


def _small(picture: Image.Image) -> NDArray[Any]:
    small = picture.convert("RGB").resize((PX, PX), Image.Resampling.BOX)
    return np.asarray(small, np.float32) @ TO_YCC.T
