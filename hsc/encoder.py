"""The encoder: an aligned picture to the bytes of a ``.hsc`` file."""

from collections.abc import Iterator
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream import Container, snap_level
from hsc.errors import HscError, PhotoError
from hsc.images.tensors import to_tensor
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.refine import Refiner
from hsc.networks import Networks
from hsc.numerics.precision import computes_bfloat16
from hsc.types import Inversion
from hsc.weights.model_id import missing, path_of


class Encoder:
    """Picture -> S, F -> bytes of the two layers.

    ::

        crop 1024 -> 512 -> GIE -> S -> SCN -> scn bytes
                             |          |
                             |          S^ -> G_F
                             |                 |
                             +---> F --------> FCN -> fcn bytes

        |----- analyse (refine) ----|------ compress ------|
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def analyse(self, crop: Image.Image) -> Inversion:
        """As :meth:`hsc.codec.Codec.analyse`."""
        n = self.networks
        # bfloat16 where a CPU is faster with it; training used it too
        with torch.autocast(n.device.type, torch.bfloat16, computes_bfloat16(n.device)):
            picture = self.resized(crop, n.config.detail_px)
            return self.inversion(picture, n.generator, n.self_renderer)

    def refine(
        self, crop: Image.Image, latents: Inversion, level: float, steps: int
    ) -> Iterator[Inversion]:
        """As :meth:`hsc.codec.Codec.refine_steps`."""
        picture = self.resized(crop, self.networks.config.generator.image_px)
        w_std = self.inversion.semantic_head.w_std
        return self.refiner.refine(picture, latents, w_std, snap_level(level), steps)

    @torch.no_grad()
    def compress(self, latents: Inversion, level: float) -> Container:
        """The file before packing; as :meth:`hsc.codec.Codec.compress`."""
        n = self.networks
        level = snap_level(level)
        scn = n.scn.compress(latents.w_plus, level)
        w_plus_hat = n.scn.decompress(scn, level)
        feature_s = n.synthesis.feature(w_plus_hat.to(latents.w_plus))
        fcn = n.fcn.compress(latents.feature, level, n.semantics(w_plus_hat, feature_s))
        return Container(n.model.code, level, scn, fcn)

    @property
    def inversion(self) -> InversionEncoder:
        """GIE. Raises HscError in a decode-only installation."""
        if self.networks.encoder is None:
            raise HscError("these weights only decode: the inversion encoder is not among them.")
        return self.networks.encoder

    def small(self, crop: Image.Image) -> Tensor:
        """A crop as refinement and measurements see it: (1, 3, 256, 256)."""
        return self.resized(crop, self.networks.config.input_px)

    def resized(self, crop: Image.Image, px: int) -> Tensor:
        """A crop as (1, 3, px, px). Raises PhotoError for another size than 1024."""
        image_px = self.networks.config.generator.image_px
        if crop.size != (image_px, image_px):
            raise PhotoError(
                f"expected an aligned crop of {image_px} x {image_px}, got "
                f"{crop.width} x {crop.height}: use hsc.domains.align."
            )
        small = crop.convert("RGB").resize((px, px), Image.Resampling.LANCZOS)
        return to_tensor(small, self.networks.device)

    @cached_property
    def refiner(self) -> Refiner:
        """Loaded on first use. Raises WeightsError or HscError when weights are missing."""
        n = self.networks
        if n.preview is None:
            raise missing(path_of("preview", n.folder))
        if n.self_renderer is None:
            raise missing(path_of("inversion", n.folder))
        return Refiner.load(n.generator, n.scn, n.fcn, n.preview, n.self_renderer, n.folder)
