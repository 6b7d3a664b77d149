"""Render edited files of photographs at 256 px, which suffices for read-outs, and measure them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hsc.decoder import Decoder
from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.pretrained import load_generator, load_preview
from hsc.metrics.identity import FaceIdentity
from hsc.numerics.precision import gradient_dtype
from hsc.research.edit_discovery.effects import FaceMeter, to_pil
from hsc.research.edit_discovery.skin_finding import skin_pixels
from hsc.types import DecodedLatents
from hsc.vision.appearance import FacePixels
from hsc.vision.face_readouts import FaceReader, aligned_landmarks


@dataclass(frozen=True)
class EditRenderer(FaceMeter):
    """Renders opened files under edits at 256 px and measures them."""

    decoder: Decoder
    synthesis: SynthesisNetwork
    head: ExitHead
    cache: dict[tuple[Any, ...], tuple[Tensor, DecodedLatents]] = field(default_factory=dict)

    @classmethod
    def load(cls, decoder: Decoder) -> "EditRenderer":
        device = decoder.networks.device
        synthesis, head = load_generator(device).synthesis, load_preview(device)
        dtype = gradient_dtype(device)
        networks = synthesis.to(dtype), head.to(dtype)
        return cls(FaceReader.load(), FaceIdentity.pretrained(), decoder, *networks)

    def render(self, opened: DecodedLatents, edits: Mapping[str, float]) -> Tensor:
        """(3, 256, 256) in [-1, 1], rounded to 8 bits; cached, because strips repeat pictures."""
        key = id(opened), tuple(edits.items())
        if key not in self.cache:
            shades = ((self._render(opened, edits) + 1) * 127.5).round().byte()
            self.cache[key] = shades, opened  # the file too: while it lives, its id is unique
        return self.cache[key][0] / 127.5 - 1

    @torch.no_grad()
    def _render(self, opened: DecodedLatents, edits: Mapping[str, float]) -> Tensor:
        feature, w_plus = self.decoder.apply_edits(opened, edits)
        dtype = self.synthesis.dtype
        picture = render_exit(self.synthesis, self.head, feature.to(dtype), w_plus.to(dtype))
        return picture[0].float().clamp(-1, 1).cpu()

    def skin_colour(self, picture: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """CIE L*a*b* of a picture, (256, 256, 3), and which pixels are the face's skin."""
        image = to_pil(picture)
        face = FacePixels.prepare(image, aligned_landmarks(image), self.reader.person.mask(image))
        return face.lab, skin_pixels(face)[0]


def skin_shift(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """By how much the mean colour of skin moved, where both pictures show it: (3,), L*, a*, b*.

    Args:
        before, after: as :meth:`EditRenderer.skin_colour` gives them.
    """
    both = before[1] & after[1]
    return after[0][both].mean(0) - before[0][both].mean(0) if both.any() else np.full(3, np.nan)


def has_room(values: np.ndarray, amount: float) -> np.ndarray:
    """The people on whom an edit has room: the half whose read-out is farther from its target.

    Someone who smiles already can hardly smile more; a clean-shaven man cannot be shaved.

    Args:
        values: the edit's read-out of N people, NaN where it says nothing.
        amount: of the edit; its sign counts.

    Returns:
        (N,) bool.
    """
    middle = np.nanmedian(values)
    return values <= middle if amount > 0 else values >= middle
