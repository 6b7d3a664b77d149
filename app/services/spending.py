"""Where a file's bits went: on which styles of the generator, and on which places of the face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from app.recent import Recent, fingerprint
from app.service import Studio
from app.services.cores import beside

if TYPE_CHECKING:  # imported where it is used: it brings PyTorch, for which the page does not wait
    from hsc.vision.segmentation import PersonSegmentation

HEAT = np.array([
    [20, 22, 40], [70, 40, 105], [150, 55, 95], [217, 138, 61], [250, 225, 150]
])  # fmt: skip
"""Colours of the heat map, from no bits to the most."""
OPACITY = 0.72


@dataclass(frozen=True)
class Spending:
    """Bits of one file.

    Attributes:
        styles: bits of SCN by style of w+, 23.
        groups: name, what it draws, how many styles, bits: the styles by what they do.
        positions: bits of FCN by place, 16 rows of 16; () without FCN.
        person: part of FCN's bits that lie on the person; None without FCN.
        area: part of the picture that the person takes; None without FCN.
    """

    styles: tuple[float, ...]
    groups: tuple[tuple[str, str, int, float], ...]
    positions: tuple[tuple[float, ...], ...]
    person: float | None
    area: float | None

    @property
    def scn(self) -> float:
        return sum(self.styles)

    @property
    def fcn(self) -> float:
        return sum(map(sum, self.positions))


DRAWS = {
    "coarse": "pose and shape",
    "middle": "features and hair",
    "fine": "colour and texture",
}


class SpendingOf:
    """Bits of files, and pictures of where they went."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._done: Recent[Spending] = Recent(studio.memory)

    def of(self, data: bytes) -> Spending:
        """Where the bits of a file went. Raises HscError as `hsc.analysis.bit_allocation.spent`."""
        return self._done.get(fingerprint(data), lambda: self._spending(data))

    def heat_map(self, data: bytes) -> Image.Image:
        """The decoded face with FCN's bits over it: dark where few were spent, bright for many."""
        picture, _ = self.studio.drawing.draw(data)
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

    def _spending(self, data: bytes) -> Spending:
        from hsc.editing.blend import STYLE_LAYERS

        found, _ = self.studio.model.run(_spent, data)
        groups = tuple(
            (name, DRAWS[name], len(found.styles[part]), float(found.styles[part].sum()))
            for name, part in STYLE_LAYERS.items()
        )
        styles = tuple(found.styles.tolist())
        if found.positions is None:
            return Spending(styles, groups, (), None, None)
        picture, _ = self.studio.drawing.draw(data)
        with beside():
            mask = self._person.mask(picture)  # (256, 256)
        side = mask.shape[0] // found.positions.shape[0]
        share = mask.reshape(16, side, 16, side).mean((1, 3))  # (16, 16)
        person = float((share * found.positions).sum() / found.positions.sum())
        rows = tuple(map(tuple, found.positions.tolist()))
        return Spending(styles, groups, rows, person, float(share.mean()))


def _spent(codec: Any, data: bytes) -> Any:
    from hsc.analysis.bit_allocation import spent

    return spent(codec.networks, data)
