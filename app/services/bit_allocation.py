"""Where a file's bits went: on which styles of the generator, and on which places of the face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.executor import one_core
from app.protocols import FaceCodec
from app.services.decoding import Decoding

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from hsc.analysis.bit_allocation import BitAllocation
    from hsc.vision.segmentation import PersonSegmentation

HEAT = np.array([
    [20, 22, 40], [70, 40, 105], [150, 55, 95], [217, 138, 61], [250, 225, 150]
])  # fmt: skip
"""Colours of the heat map, from no bits to the most."""
OPACITY = 0.72


@dataclass(frozen=True)
class BitSummary:
    """Bits of one file.

    Attributes:
        styles: bits of SCN by style of w+, 23.
        groups: name, what it controls, how many styles, bits; the styles by what they control.
        positions: bits of F by place, 16 rows of 16; () without FCN.
        fine: bits of FCN's fine styles, which have no place in the picture.
        person: part of F's bits that lie on the person; None without FCN, and without people.
        area: part of the picture that the person takes; None likewise.
    """

    styles: tuple[float, ...]
    groups: tuple[tuple[str, str, int, float], ...]
    positions: tuple[tuple[float, ...], ...]
    fine: float
    person: float | None
    area: float | None

    @property
    def scn(self) -> float:
        return sum(self.styles)

    @property
    def fcn(self) -> float:
        return sum(map(sum, self.positions)) + self.fine


CONTROLS = {
    "coarse": "pose and shape",
    "middle": "features and hair",
    "fine": "colour and texture",
}


class BitAllocations:
    """Bits of files, and pictures of where they went.

    Args:
        of_faces: whether there is a person in each picture.
    """

    def __init__(self, decoding: Decoding, cache: SharedCache, of_faces: bool = True) -> None:
        self.decoding, self.of_faces = decoding, of_faces
        self._done: Cache[BitSummary] = Cache(cache)

    def of(self, data: bytes) -> BitSummary:
        """Where the bits of a file went. Raises HscError as `hsc.analysis.bit_allocation`."""
        return self._done.get_or_make(fingerprint(data), lambda: self._allocation(data))

    def heat_map(self, data: bytes) -> Image.Image:
        """The decoded face with FCN's bits over it: dark for few, bright for many."""
        picture = self.decoding.render(data).value
        bits = np.array(self.of(data).positions)
        bits = (bits - bits.min()) / max(np.ptp(bits), 1e-9)
        at = bits * (len(HEAT) - 1)
        colours = np.stack(
            [np.interp(at, np.arange(len(HEAT)), HEAT[:, c]) for c in range(3)], axis=-1
        )
        heat = Image.fromarray(colours.round().astype(np.uint8))
        heat = heat.resize(picture.size, Image.Resampling.BICUBIC)
        return Image.blend(picture.convert("L").convert("RGB"), heat, OPACITY)

    @cached_property
    def _person(self) -> PersonSegmentation:
        from hsc.vision.segmentation import PersonSegmentation

        return PersonSegmentation.pretrained()

    def _allocation(self, data: bytes) -> BitSummary:
        from hsc.editing.blend import style_layers

        executor = self.decoding.executor
        found = executor.run(_allocate, data)
        layers = style_layers(executor.codec.networks.config.generator)
        groups = tuple(
            (name, CONTROLS[name], len(found.styles[part]), float(found.styles[part].sum()))
            for name, part in layers.items()
        )
        styles = tuple(found.styles.tolist())
        if found.positions is None:
            return BitSummary(styles, groups, (), 0.0, None, None)
        rows = tuple(map(tuple, found.positions.tolist()))
        if not self.of_faces:
            return BitSummary(styles, groups, rows, found.fine, None, None)
        picture = self.decoding.render(data).value
        with one_core():
            mask = self._person.mask(picture)  # (256, 256)
        side = mask.shape[0] // found.positions.shape[0]
        cells = len(found.positions)
        share = mask.reshape(cells, side, cells, side).mean((1, 3))  # (16, 16)
        person = float((share * found.positions).sum() / found.positions.sum())
        return BitSummary(styles, groups, rows, found.fine, person, float(share.mean()))


def _allocate(codec: FaceCodec, data: bytes) -> BitAllocation:
    from hsc.analysis.bit_allocation import allocate_bits

    return allocate_bits(codec.networks, data)
