"""Real people under edits: opened files drawn at 256 px, which no read-out notices, and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from hsc.decoder import Decoder
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.pretrained import load_generator, load_preview
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.research.edit_discovery.effects import Measured, to_pil
from hsc.research.edit_discovery.skin_finding import marked
from hsc.types import DecodedLatents
from hsc.vision.appearance import Face
from hsc.vision.face_readouts import Reader, aligned_landmarks


@dataclass(frozen=True)
class EditRenderer:
    """Draws opened files under edits at 256 px and measures them."""

    decoder: Decoder
    reader: Reader
    identity: FaceIdentity
    synthesis: Synthesis
    head: ExitHead
    drawn: dict = field(default_factory=dict)

    @classmethod
    def load(cls, decoder: Decoder) -> "EditRenderer":
        device = decoder.networks.device
        synthesis, head = load_generator(device).synthesis, load_preview(device)
        half = synthesis.bfloat16(), head.bfloat16()  # twice as fast
        return cls(decoder, Reader.load(), FaceIdentity.pretrained(), *half)

    def draw(self, opened: DecodedLatents, edits: Mapping[str, float]) -> Tensor:
        """(3, 256, 256) in [-1, 1], of 256 shades; what was drawn is kept, for strips repeat it."""
        key = id(opened), tuple(edits.items())
        if key not in self.drawn:
            shades = ((self._draw(opened, edits) + 1) * 127.5).round().byte()
            self.drawn[key] = shades, opened  # kept, so that nobody else gets its id
        return self.drawn[key][0] / 127.5 - 1

    @torch.no_grad()
    def _draw(self, opened: DecodedLatents, edits: Mapping[str, float]) -> Tensor:
        feature, w_plus = self.decoder.apply_edits(opened, edits)
        picture = render_exit(self.synthesis, self.head, feature.bfloat16(), w_plus.bfloat16())
        return picture[0].float().clamp(-1, 1).cpu()

    def read(self, pictures: Sequence[Tensor]) -> dict[str, np.ndarray]:
        """Every read-out of N pictures as ``draw`` gives them: name -> (N,)."""
        return self.reader.read(map(to_pil, pictures))

    @torch.no_grad()
    def measure(self, pictures: Sequence[Tensor]) -> Measured:
        """Their read-outs and descriptors."""
        descriptors = [self.identity(crop_for_identity(p[None]))[0].numpy() for p in pictures]
        return Measured(self.read(pictures), np.stack(descriptors))

    def skin_seen(self, picture: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """CIE L*a*b* of a picture, (256, 256, 3), and which pixels are the face's skin."""
        image = to_pil(picture)
        face = Face.of(image, aligned_landmarks(image), self.reader.person.mask(image))
        return face.lab, marked(face)[0]


def skin_moved(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """By how much the mean colour of skin moved, where both pictures show it: (3,), L*, a*, b*.

    Args:
        before, after: as :meth:`EditRenderer.skin_seen` gives them.
    """
    both = before[1] & after[1]
    return after[0][both].mean(0) - before[0][both].mean(0) if both.any() else np.full(3, np.nan)


def has_room(values: np.ndarray, amount: float) -> np.ndarray:
    """Which of some people an edit can still move: the half from whose side it leads away.

    Who smiles already gains little of a smile, and a clean-shaven man cannot be shaved.

    Args:
        values: the edit's read-out of N people, NaN where it says nothing.
        amount: of the edit; its sign counts.

    Returns:
        (N,) bool.
    """
    middle = np.nanmedian(values)
    return values <= middle if amount > 0 else values >= middle
