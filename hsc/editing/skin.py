"""The colour of skin under an edit: estimated from the generator's features, and restored.

No edit may change it. Directions are orthogonal to skin colour on average, but a direction is the
same for all faces: it lightens one and darkens another. So each edited face is compared with the
same face unedited, and the difference in skin colour is subtracted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import GeneratorSpec
from hsc.generators.base import SynthesisNetwork

CELLS = slice(10, 26), slice(8, 24)
"""Rows and columns of the feature map that an aligned face's skin lies in."""
MARGIN = 1
"""Cells around them that that measurement depends on: two 3x3 kernels at twice the resolution."""
ROUNDS = 2
"""Corrections by comparison with the unedited face; after two, no difference is visible."""
MIN_CELLS = 4.0
"""Cells of skin at which the full correction applies; with fewer it is reduced."""
MAX_CORRECTION = 25.0
"""CIE L*a*b* by which one comparison corrects at most."""
PREFIX = "skin."


def colour_px(spec: GeneratorSpec) -> int:
    """The resolution at which colours are read: twice that of F."""
    return 2 * spec.feature_px


def fine_styles(w_plus: Tensor, spec: GeneratorSpec) -> Tensor:
    """The styles above 64 px, the mean of a block's and of the rest: (B, 23, 512) -> (B, 1024)."""
    px = colour_px(spec)
    first, then = spec.styles_through(px), spec.styles_through(2 * px)
    return torch.cat([w_plus[:, first:then].mean(1), w_plus[:, then:].mean(1)], 1)


@dataclass(frozen=True)
class Skin:
    """Linear read-outs of skin colour from the generator's features, and their correction.

    ::

        F ----> where . F + bias -> sigmoid -> cells of skin ----+
        |                                                       mean -> L*, a*, b*
        +-> B64 -> colour . features + shade . w above 64 px ----+     (means of two parts)

    Attributes:
        where: (512,) and bias: (1,), of F: above zero on skin.
        colour: (3, 512) of features at 64 px, shade: (3, 1024) of the styles above them as
            :func:`fine_styles` gives them, and base: (3,): CIE L*a*b* of the picture there.
        tones: (3, 512): what to add to F on skin for one more of L*, a*, b*.
    """

    where: Tensor
    bias: Tensor
    colour: Tensor
    shade: Tensor
    base: Tensor
    tones: Tensor

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "Skin | None":
        """From a file's tensors; None where it has none. Raises KeyError when some are missing."""
        if not any(name.startswith(PREFIX) for name in tensors):
            return None
        return cls(*(tensors[PREFIX + field.name].float() for field in fields(cls)))

    def tensors(self) -> dict[str, Tensor]:
        """The tensors under their names in a file."""
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    def mask(self, feature: Tensor) -> Tensor:
        """Probability of skin in each cell: (B, 512, px, px) -> (B, 1, px, px), 0 to 1."""
        where = self.where.to(feature)
        logit = torch.einsum("c,bchw->bhw", where, feature) + self.bias.to(feature)
        return torch.sigmoid(logit)[:, None]

    def colours(self, synthesis: SynthesisNetwork, feature: Tensor, w_plus: Tensor) -> Tensor:
        """CIE L*a*b* of the cells where a face is: (B, 512, 32, 32) -> (B, 3, 16, 16)."""
        rows, columns = (slice(part.start - MARGIN, part.stop + MARGIN) for part in CELLS)
        x = feature[:, :, rows, columns].contiguous(memory_format=torch.channels_last)
        corner = rows.start, columns.start
        spec = synthesis.spec
        x = synthesis.run(x, w_plus, spec.feature_px, colour_px(spec), corner)  # (B, 512, 36, 36)
        x = F.avg_pool2d(x, 2)[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]  # (B, 512, 16, 16)
        style = fine_styles(w_plus, spec)  # (B, 1024)
        flat = style @ self.shade.to(style).T + self.base.to(style)  # (B, 3)
        return torch.einsum("kc,bchw->bkhw", self.colour.to(x), x) + flat[:, :, None, None]

    def restore(
        self,
        synthesis: SynthesisNetwork,
        before: tuple[Tensor, Tensor],
        after: tuple[Tensor, Tensor],
    ) -> Tensor:
        """The edited feature map with the skin colour of the unedited face.

        Only the mean over the face is restored, because shadows may change: when a head turns or
        smiles, its shading is different.

        Args:
            synthesis: the generator as it was trained, whose block the read-outs were fitted to.
            before, after: feature map (1, 512, 32, 32) and styles (1, 23, 512) to render.

        Returns:
            (1, 512, 32, 32).
        """
        feature, w_plus = after
        skin = self.mask(feature)  # (1, 1, 32, 32)
        both = (skin * self.mask(before[0]))[:, :, CELLS[0], CELLS[1]]  # skin before and after
        target = self.colours(synthesis, *before)
        for _ in range(ROUNDS):
            gained = self.colours(synthesis, feature, w_plus) - target
            mean = (both * gained).sum((2, 3)) / both.sum((2, 3)).clamp_min(MIN_CELLS)  # (1, 3)
            back = mean.clamp(-MAX_CORRECTION, MAX_CORRECTION) @ self.tones.to(mean)  # (1, 512)
            feature = feature - skin * back[:, :, None, None]
        return feature
