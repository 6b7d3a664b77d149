"""Photographs coded with frozen networks, for stages that train on what files hold."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.images.bandwidth import band_limited
from hsc.inversion.encoder import InversionEncoder, resized
from hsc.inversion.self_renderer import SelfRenderer
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.numerics.precision import gradient_autocast
from hsc.research.data.augment import ColourChange
from hsc.research.data.faces import NativeFaces, on_grid
from hsc.research.training.feature import coded_semantics
from hsc.research.training.setting import (
    channels_last,
    fast_synthesis,
    finished_encoder,
    loaded,
)
from hsc.weights.loading import model_config

REDUCED_PX = (280, 600)
"""Least and largest size that some photographs are reduced to."""


@dataclass(frozen=True)
class FrozenCodec:
    """Encodes photographs and decodes the files to latents; all networks are frozen.

    Attributes:
        fast: the original generator in :func:`gradient_dtype`, channels last.
    """

    encoder: InversionEncoder
    self_renderer: SelfRenderer
    scn: SemanticCodec
    fcn: FeatureCodec
    fast: SynthesisNetwork

    @classmethod
    def finished(cls, device: torch.device) -> "FrozenCodec":
        """With the weights of the model in use."""
        return cls(
            finished_encoder(device),
            SelfRenderer.load(device),
            loaded(SemanticCodec(config=model_config()), "scn", device),
            channels_last(loaded(FeatureCodec(model_config()), "fcn", device)),
            fast_synthesis(device),
        )

    @torch.no_grad()
    def __call__(self, image: Tensor, level: float | None) -> tuple[Tensor, Tensor]:
        """(B, 3, H, H) to S^ (B, 23, 512) and F^ (B, 512, 32, 32).

        Args:
            level: None: S and F, not coded.
        """
        with gradient_autocast(image.device):
            image = resized(image, self.encoder.config.detail_px)
            image = image.contiguous(memory_format=torch.channels_last)
            found = self.encoder(image, self.fast, self.self_renderer)
        if level is None:
            return found.w_plus.float(), found.feature.float()
        known, w_plus_hat, _ = self.known(found.w_plus.float(), level)
        with gradient_autocast(image.device):
            feature, _ = self.fcn(found.feature, level, known)
        return w_plus_hat, feature.float()

    def known(self, w_plus: Tensor, level: float) -> tuple[Semantics, Tensor, Tensor]:
        """As :func:`coded_semantics`."""
        return coded_semantics(self.scn, self.fast, w_plus, level, self.fcn.config.context_px)


@dataclass(frozen=True)
class CodedFace:
    """A photograph, its augmentation, and the latents that its file decodes to.

    Attributes:
        index: of the photograph; change: of its colours.
        px: the side that it has itself, or that it is reduced to.
        w_plus: S^ (23, 512); feature: F^ (512, 32, 32), half precision.
    """

    index: int
    change: ColourChange
    px: int
    w_plus: Tensor
    feature: Tensor


@dataclass(frozen=True)
class PoolSizes:
    """The part that :class:`CodedPool` reads of the configurations of its stages.

    Attributes:
        pool: coded photographs kept; pool_least: how many a first step waits for.
    """

    pool: int
    pool_least: int


class CodedPool:
    """Coded photographs to choose from; each step codes one anew.

    Encoding takes as long as a step. A photograph is drawn from several times before it goes.

    Args:
        reduced: share of photographs without the detail of one of 280 to 600 px.
    """

    def __init__(
        self,
        codec: FrozenCodec,
        faces: NativeFaces,
        sizes: PoolSizes,
        device: torch.device,
        reduced: float = 0.0,
    ) -> None:
        self.codec, self.faces, self.sizes, self.device = codec, faces, sizes, device
        self.reduced = reduced
        self.coded: list[CodedFace] = []

    def sample(self, n: int, level_of: Callable[[], float | None]) -> list[CodedFace]:
        """The newest and ``n - 1`` others at random.

        Args:
            level_of: the level of the next photograph to be coded; None: not coded.
        """
        for _ in range(max(1, self.sizes.pool_least - len(self.coded))):
            self.coded.append(self._code(level_of()))
        del self.coded[: -self.sizes.pool]
        others = torch.randint(len(self.coded), (n - 1,)).tolist()
        return [self.coded[-1], *(self.coded[i] for i in others)]

    def any(self) -> CodedFace:
        """One of those that are there, at random."""
        return self.coded[int(torch.randint(len(self.coded), ()))]

    def photograph(self, face: CodedFace) -> Tensor:
        """(1, 3, 1024, 1024) in [-1, 1]."""
        return self._augmented(face.index, face.change, face.px)

    def _code(self, level: float | None) -> CodedFace:
        index, change = self.faces.pick(), ColourChange.random()
        px = self.faces.images[index].shape[-1]
        if torch.rand(()) < self.reduced:
            px = int(torch.randint(*REDUCED_PX, ()))
        w_plus, feature = self.codec(self._augmented(index, change, px), level)
        return CodedFace(index, change, px, w_plus[0], feature[0].half())

    def _augmented(self, index: int, change: ColourChange, px: int) -> Tensor:
        pixels, whole = self.faces.images[index], self.faces.image_px
        picture = on_grid(change(pixels)[None], whole)
        if px < pixels.shape[-1]:
            picture = band_limited(picture, px, whole)
        return picture.to(self.device)
