"""Effects of an edit on rendered faces: its own read-out, the others, and identity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.editing.apply import edit_styles
from hsc.editing.table import EditTable
from hsc.generators.base import MappingNetwork, SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.pretrained import load_generator, load_preview
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.numerics.precision import gradient_dtype
from hsc.vision.face_readouts import FaceReader, where_valid

TRUNCATION = 0.7
TRIAL = 1.5
"""Standard deviations of its read-out by which a direction is tried."""


@dataclass(frozen=True)
class FaceReadouts:
    """Read-outs of N pictures, name -> (N,), and their face descriptors (N, 128)."""

    readouts: dict[str, np.ndarray]
    identity: np.ndarray


@dataclass(frozen=True)
class Change:
    """How N faces changed: read-out -> (N,), and identity distance (N,)."""

    readouts: dict[str, np.ndarray]
    identity: np.ndarray

    def mean(self, name: str) -> float:
        """Over the faces on which the read-out is defined."""
        known = self.readouts[name][np.isfinite(self.readouts[name])]
        return float(known.mean()) if len(known) else 0.0


@dataclass(frozen=True)
class StyleTrial:
    """A direction on some styles, tried on faces.

    Attributes:
        styles: first and last style.
        slope: measured change of the read-out over the predicted one.
        side: root of the summed squares of the mean changes of constrained read-outs, in standard
            deviations, for one standard deviation of its own.
        identity: mean identity distance for one standard deviation of its own.
    """

    styles: tuple[int, int]
    slope: float
    side: float
    identity: float

    @property
    def cost(self) -> float:
        return self.side + self.identity if self.slope > 0 else float("inf")


@dataclass(frozen=True)
class FaceMeter:
    """Reads rendered faces: (3, 256, 256) in [-1, 1] each."""

    reader: FaceReader
    identity: FaceIdentity

    def read(self, pictures: Iterable[Tensor]) -> dict[str, np.ndarray]:
        """The read-outs of N pictures: name -> (N,)."""
        return self.reader.read(map(to_pil, pictures))

    @torch.no_grad()
    def measure(self, pictures: Iterable[Tensor]) -> FaceReadouts:
        """Their read-outs and descriptors."""
        pictures = list(pictures)
        descriptors = [self.identity(crop_for_identity(p[None]))[0].numpy() for p in pictures]
        return FaceReadouts(self.read(pictures), np.stack(descriptors))


@dataclass(frozen=True)
class SampleRenderer(FaceMeter):
    """Renders faces from w+ at 256 px and measures them."""

    mapping: MappingNetwork
    synthesis: SynthesisNetwork
    head: ExitHead

    @classmethod
    def load(cls, device: torch.device | str) -> "SampleRenderer":
        """With the shipped weights."""
        generator = load_generator(device)
        # read-outs are the same in bfloat16
        dtype = gradient_dtype(torch.device(device))
        return cls(
            FaceReader.load(),
            FaceIdentity.pretrained(),
            generator.mapping,
            generator.synthesis.to(dtype),
            load_preview(device).to(dtype),
        )

    @torch.no_grad()
    def faces(self, count: int, seed: int) -> Tensor:
        """Fresh samples: (count, 23, 512)."""
        spec = self.synthesis.spec
        z = torch.randn(count, spec.style_dim, generator=torch.Generator().manual_seed(seed))
        w = self.mapping(z.to(self.mapping.w_mean), TRUNCATION)
        return w[:, None].expand(-1, spec.styles, -1)

    @torch.no_grad()
    def render(self, w_plus: Tensor) -> Iterator[Tensor]:
        """(N, 23, 512) -> N pictures (3, 256, 256) in [-1, 1], one at a time."""
        for styles in w_plus.to(self.synthesis.dtype).split(1):
            feature = self.synthesis.feature(styles)
            picture = render_exit(self.synthesis, self.head, feature, styles)
            yield picture[0].float().clamp(-1, 1).cpu()

    @torch.no_grad()
    def edited(self, w_plus: Tensor, table: EditTable, edits: dict[str, float]) -> Iterator[Tensor]:
        """As ``render``, under edits, as a decoder renders a file without a feature map."""
        offset = table.offset(edits)
        for styles in w_plus.split(1):
            edited = edit_styles(styles, offset)
            before, after = styles.to(self.synthesis.dtype), edited.to(self.synthesis.dtype)
            feature = self.synthesis.feature(after)
            if table.skin:
                plain = self.synthesis.feature(before)
                feature = table.skin.restore(self.synthesis, (plain, before), (feature, after))
            picture = render_exit(self.synthesis, self.head, feature, after)
            yield picture[0].float().clamp(-1, 1).cpu()

    def change(self, before: FaceReadouts, w_plus: Tensor) -> Change:
        """What (N, 23, 512) changed from the N pictures measured before."""
        return change_between(before, self.measure(self.render(w_plus)))

    def change_by(
        self, before: FaceReadouts, w_plus: Tensor, table: EditTable, edits: dict[str, float]
    ) -> Change:
        """What edits changed of the N pictures measured before."""
        return change_between(before, self.measure(self.edited(w_plus, table, edits)))


def change_between(before: FaceReadouts, after: FaceReadouts) -> Change:
    """The change of each read-out; NaN where it is undefined for the face before."""
    valid = where_valid(before.readouts)
    return Change(
        {name: after.readouts[name] - value for name, value in valid.items()},
        np.linalg.norm(after.identity - before.identity, axis=1),
    )


def to_pil(picture: Tensor) -> Image.Image:
    """(3, H, W) in [-1, 1] -> RGB picture."""
    pixels = ((picture + 1) * 127.5).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())
